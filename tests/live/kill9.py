"""kill9.py LAGPROF SERVER TMP N [PROBE]: see kill9.sh and kill9_user.sh."""
import ctypes
import os
import random
import re
import select
import signal
import subprocess
import sys
import time

LAGPROF, SERVER, TMP = sys.argv[1:4]
PROBE = sys.argv[5] if len(sys.argv) > 5 else "exact"
OPTIONS = ["--probe", PROBE, "-q", "--no-html", "--threshold", "4ms"]
libc = ctypes.CDLL(None, use_errno=True)
SYS_BPF, BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID = 321, 13, 14


def exists(command, number):
    attr = (ctypes.c_uint32 * 32)(number)
    fd = libc.syscall(SYS_BPF, command, attr, ctypes.sizeof(attr))
    if fd >= 0:
        os.close(fd)
    return fd >= 0


def bpf_objects(pid):
    """(command, id) of every BPF program and map that a process has open."""
    found = set()
    folder = f"/proc/{pid}/fdinfo"
    for name in os.listdir(folder):
        try:
            with open(os.path.join(folder, name), encoding="ascii") as file:
                text = file.read()
        except OSError:
            continue
        found |= {(BPF_PROG_GET_FD_BY_ID, int(n)) for n in re.findall(r"^prog_id:\s*(\d+)", text, re.M)}
        found |= {(BPF_MAP_GET_FD_BY_ID, int(n)) for n in re.findall(r"^map_id:\s*(\d+)", text, re.M)}
    return found


def still_there(objects):
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        left = [o for o in objects if exists(*o)]
        if not left:
            return []
        time.sleep(0.05)
    return left


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def check_target(pid, fds):
    status = status_of(pid)
    if status["State"][0] not in "RSD":
        return f"the target is {status['State']}"
    if status["TracerPid"] != "0":
        return f"the target is traced by {status['TracerPid']}"
    if fds is not None and len(os.listdir(f"/proc/{pid}/fd")) != fds:
        return "the target has other descriptors than before"
    return None


def left_on_disk():
    """What lagprof, or its library in the target, made outside of the folder that it was told of."""
    found = {name for name in os.listdir("/dev/shm") if "lagprof" in name}
    return found | set(os.listdir(os.environ["TMPDIR"]))


def start_lagprof(arguments):
    return subprocess.Popen([LAGPROF] + arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)


def kill_later(tool, delay):
    """Kills lagprof after delay; returns the BPF objects that it had just before."""
    time.sleep(delay)
    objects = bpf_objects(tool.pid) if tool.poll() is None else set()
    tool.kill()
    tool.wait()
    return objects


def kill_attached(i, delay):
    target = subprocess.Popen([SERVER, "--hold", "--mode", random.choice(["idle", "saturated"])],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    target.stdout.readline()
    os.kill(target.pid, signal.SIGUSR1)
    fds = len(os.listdir(f"/proc/{target.pid}/fd"))
    tool = start_lagprof(["attach"] + OPTIONS + ["-o", f"{TMP}/kill-{i}.lagprof", str(target.pid)])
    objects = kill_later(tool, delay)
    problem = check_target(target.pid, fds)
    left = still_there(objects)
    target.kill()
    target.wait()
    return problem or (f"left in the kernel: {left}" if left else None), len(objects)


def child_of_killed(mark):
    """The PID of the launched server, by its arguments; None if it never came to be."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if words[0] == SERVER.encode() and mark.encode() in words:
                return int(name)
    return None


def kill_launching(i, delay):
    mark = f"{TMP}/launched-{i}"
    hold = ["--hold"] if PROBE == "exact" else ["--count", "999", "--mode", random.choice(["idle", "saturated"])]
    tool = start_lagprof(["run"] + OPTIONS + ["-o", f"{TMP}/kill-{i}.lagprof", "--", SERVER, "--log", mark] + hold)
    objects = kill_later(tool, delay)
    left = still_there(objects)
    # Let go a moment ago, it may be on its way: it says so, or its end closes the pipe.
    select.select([tool.stdout], [], [], 20)
    pid = child_of_killed(mark)
    if pid is None:
        # Killed before the command was started: then it must not have run at all.
        said = tool.stdout.read()
        return f"the target said {said} and died" if said else None, len(objects)
    problem = check_target(pid, None)
    os.kill(pid, signal.SIGTERM)
    limit = time.monotonic() + 10
    while not os.path.exists(mark) and time.monotonic() < limit:
        time.sleep(0.02)
    if not os.path.exists(mark):
        problem = problem or "the target does not end when asked"
        os.kill(pid, signal.SIGKILL)
    return problem or (f"left in the kernel: {left}" if left else None), len(objects)


def main():
    random.seed(9)
    os.environ["TMPDIR"] = os.path.join(TMP, "temporary")
    os.makedirs(os.environ["TMPDIR"], exist_ok=True)
    before = left_on_disk()
    armed = 0
    ways = [kill_launching] if PROBE == "shim" else [kill_attached, kill_launching]
    for i in range(int(sys.argv[4])):
        way = ways[i % len(ways)]
        problem, objects = way(i, random.uniform(0, 0.4))
        armed += objects > 0 or (PROBE != "exact" and os.path.exists(f"{TMP}/kill-{i}.lagprof"))
        if problem:
            sys.exit(f"kill {i}, {way.__name__}: {problem}")
    print(f"{PROBE}: {sys.argv[4]} kills, {armed} of them while it observed: nothing stopped, dead or left")
    if left_on_disk() - before:
        sys.exit(f"left on the disk: {left_on_disk() - before}")
    if armed == 0:
        sys.exit("no kill came while lagprof observed: nothing was tested")


main()
