"""Gives the pid of a process to another one while lagprof attaches: it must never watch the other.

    pid_reuse.py LAGPROF FOLDER COUNT [PROBE]     in a pid namespace of its own, as root
"""
import json
import os
import random
import subprocess
import sys
import time

lagprof, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
probe = sys.argv[4] if len(sys.argv) > 4 else "auto"
report = os.path.join(folder, "reuse.json")
reused = wrong = refused = 0


def spawn(name):
    return subprocess.Popen([name, "100"], executable="/bin/sleep")


def end(process):
    process.kill()
    process.wait()


def impostor(pid):
    """A process with just that id; None if somebody was quicker."""
    with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
        file.write(str(pid - 1))
    process = spawn("second")
    if process.pid == pid:
        return process
    end(process)
    return None


def has_looked(tool):
    """It holds a pidfd: from here on the pid means the first process to it."""
    while tool.poll() is None:
        try:
            if any("pidfd" in os.readlink(f"/proc/{tool.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{tool.pid}/fd")):
                return
        except OSError:
            pass


while reused < count:
    if os.path.exists(report):
        os.unlink(report)
    first = spawn("first")
    tool = subprocess.Popen([lagprof, "attach", "-q", "--no-html", "--probe", probe, "-o", os.path.join(folder, "reuse.lagprof"),
                             "--json", report, "--duration", "100ms", str(first.pid)], stderr=subprocess.DEVNULL)
    has_looked(tool)
    time.sleep(random.choice([0, random.uniform(0, 0.12)]))
    end(first)
    second = impostor(first.pid)
    status = tool.wait(30)
    if second:
        reused += 1
        end(second)
    if status not in (0, 125):
        sys.exit(f"lagprof exited with {status}")
    refused += status == 125
    if not os.path.exists(report):
        continue
    with open(report, encoding="utf-8") as file:
        target = json.load(file)["target"]
    if second and "second" in target["argv"]:
        wrong += 1
        print(f"pid {first.pid}: watched {target['argv']}")
print(f"{probe}: {reused} pids reused while attaching, {refused} refused, {wrong} wrong")
sys.exit(wrong > 0)
