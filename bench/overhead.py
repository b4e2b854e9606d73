#!/usr/bin/env python3
"""What being watched costs a loop: CPU time of the target's main thread per operation.

Each round measures the same running process without a tool, with each rung of lagprof and with perf, in
shuffled order and without a tool again between any two, so that what the machine does beside it hits
all of them.  A ratio is a tool's CPU per operation over the mean of the two plain slices around it; the
table gives the median over the rounds and the quartiles.  "plain" is one plain slice over the next:
the noise, which on a machine of few CPUs is more than the rungs cost.  So beside it stands what the
kernel counts: how often lagprof's programs ran, on any CPU, and the time they took, over the
target's CPU; the counting itself costs some 30 ns a run and is in it, the way into a program is not.

    overhead.py [--rounds N] [--seconds S] [--tools auto,exact,light,perf] [TARGET...]
"""
import argparse
import atexit
import ctypes
import os
import random
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

BUILD = os.environ.get("BUILD", "build/release")
SOURCE = os.environ.get("SOURCE", os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAGPROF = os.environ.get("LAGPROF", os.path.join(BUILD, "lagprof"))
TMP = tempfile.mkdtemp(prefix="lagprof-bench-")
CHILDREN = []


def clean_up():
    for child in CHILDREN:
        if child.poll() is None:
            child.kill()
            child.wait()
    shutil.rmtree(TMP)


def spawn(command, **kwargs):
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, **kwargs)
    CHILDREN.append(child)
    return child


def end(child, number):
    child.send_signal(number)
    try:
        child.wait(20)
    except subprocess.TimeoutExpired:
        child.kill()
        sys.exit(f"overhead: {child.args[0]} did not end")


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Loop:
    """A micro loop: an operation is a turn."""

    def __init__(self, mode):
        self.name, self.operation = mode, "turn"
        self.counter = os.path.join(TMP, mode)
        self.process = spawn([os.path.join(BUILD, "fixtures", "busy_loop"), mode, self.counter],
                             stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def operations(self):
        with open(self.counter, "rb") as file:
            return struct.unpack("<Q", file.read(8))[0]

    def stop(self):
        end(self.process, signal.SIGTERM)


class Redis:
    """redis-server under redis-benchmark: an operation is a GET."""

    name, operation = "redis GET", "request"

    def __init__(self):
        port = str(free_port())
        self.cli = ["redis-cli", "-p", port]
        self.process = spawn(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", ""],
                             stdout=subprocess.DEVNULL)
        while subprocess.run(self.cli + ["ping"], capture_output=True).stdout != b"PONG\n":
            time.sleep(0.05)
        self.load = spawn(["redis-benchmark", "-p", port, "-t", "get", "-c", "50", "-l", "-q"],
                          stdout=subprocess.DEVNULL)

    def operations(self):
        text = subprocess.run(self.cli + ["info", "stats"], capture_output=True, text=True).stdout
        return int(text.split("total_commands_processed:")[1].split()[0])

    def stop(self):
        end(self.load, signal.SIGTERM)
        end(self.process, signal.SIGTERM)


class Node:
    """A plain node http server under keep-alive connections: an operation is a request."""

    name, operation = "node http", "request"

    def __init__(self):
        folder = os.path.join(SOURCE, "fixtures", "node")
        self.process = spawn(["node", os.path.join(folder, "stalls.js")], stdout=subprocess.PIPE)
        self.port = self.process.stdout.readline().split()[1].decode()
        self.load = spawn(["node", os.path.join(folder, "drive.js"), "--port", self.port,
                           "--flood", "health", "--connections", "20", "--seconds", "3600"],
                          stdout=subprocess.DEVNULL)
        time.sleep(1)

    def operations(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/served", timeout=10) as answer:
            return int(answer.read())

    def stop(self):
        end(self.load, signal.SIGTERM)
        end(self.process, signal.SIGTERM)


class Stalled:
    """A node program that does nothing but stall: sampled all the time.  An operation is a stall."""

    name, operation = "node stalls", "stall"

    def __init__(self):
        self.path = os.path.join(TMP, "stalled")
        self.process = spawn(["node", os.path.join(SOURCE, "bench", "stalled.js"), self.path])
        time.sleep(2)

    def operations(self):
        with open(self.path, "rb") as file:
            return struct.unpack("<Q", file.read(8))[0]

    def stop(self):
        end(self.process, signal.SIGTERM)


TARGETS = {
    "saturated": lambda: Loop("saturated"),
    "pingpong": lambda: Loop("pingpong"),
    "redis": Redis,
    "node": Node,
    "stalled": Stalled,
}


class Programs:
    """The BPF programs that lagprof loaded since, and their run statistics (bpf(2))."""

    NEXT_ID, FD_BY_ID, INFO_BY_FD, ENABLE_STATS = 11, 13, 15, 32
    NAME, RUNS, SIZE = 64, 192, 232  # offsets in struct bpf_prog_info, and its size

    def __init__(self):
        self.known = set(self.ids())

    @staticmethod
    def call(command, *words):
        attr = ctypes.create_string_buffer(struct.pack(f"<{len(words)}I", *words), 128)
        return ctypes.CDLL(None).syscall(321, command, attr, 128), attr.raw

    def ids(self):
        last = 0
        while True:
            status, attr = self.call(self.NEXT_ID, last)
            if status < 0:
                return
            last = struct.unpack_from("<I", attr, 4)[0]
            yield last

    def totals(self):
        """Runs and ns of all of them so far."""
        runs = time_ns = 0
        for number in self.ids():
            fd, _ = self.call(self.FD_BY_ID, number) if number not in self.known else (-1, b"")
            if fd < 0:
                continue
            info = ctypes.create_string_buffer(self.SIZE)
            address = ctypes.addressof(info)
            self.call(self.INFO_BY_FD, fd, self.SIZE, address & 0xffffffff, address >> 32)
            os.close(fd)
            if info.raw[self.NAME:].startswith(b"lagprof_"):
                took, count = struct.unpack_from("<QQ", info.raw, self.RUNS)
                runs, time_ns = runs + count, time_ns + took
        return runs, time_ns

    def share(self, target, seconds):
        """(runs, share of the target's CPU) over a slice; None where that is not allowed."""
        stats, _ = self.call(self.ENABLE_STATS, 0)
        if stats < 0:
            return None
        runs, took, cpu = *self.totals(), cpu_ns(target.process.pid)
        time.sleep(seconds)
        runs_after, took_after = self.totals()
        os.close(stats)
        return ((runs_after - runs) / seconds, (took_after - took) / max(1, cpu_ns(target.process.pid) - cpu))


def start_lagprof(pid, probe):
    tool = spawn([LAGPROF, "attach", "--no-html", "--probe", probe, "-o", os.path.join(TMP, "bench.lagprof"),
                  str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for line in tool.stderr:
        if line.startswith(b"lagprof: attached"):
            # Until it has learned the loop, found out what it costs and settled for its hooks.
            time.sleep(2.5)
            # The rest is read when it ends; a pipe holds more than a few lines.
            return tool
        sys.stderr.buffer.write(line)
    sys.exit("overhead: lagprof did not attach")


def start_perf(pid, _):
    tool = spawn(["perf", "record", "-q", "-F", "997", "-g", "-p", str(pid),
                  "-o", os.path.join(TMP, "perf.data")], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    return tool


def cpu_ns(pid, tid=None):
    """Of one thread; of the main one if none is given."""
    with open(f"/proc/{pid}/task/{tid or pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


def used(child):
    """CPU seconds that the threads of a process have used so far."""
    return sum(cpu_ns(child.pid, int(tid)) for tid in os.listdir(f"/proc/{child.pid}/task")) / 1e9


def measure(target, seconds):
    """CPU ns of the target per operation."""
    pid = target.process.pid
    operations, cpu = target.operations(), cpu_ns(pid)
    time.sleep(seconds)
    return (cpu_ns(pid) - cpu) / max(1, target.operations() - operations)


def with_tool(target, name, seconds, own, counted):
    start = start_perf if name == "perf" else start_lagprof
    programs = Programs()
    tool = start(target.process.pid, name)
    before = used(tool)
    cost = measure(target, seconds)
    own[name].append((used(tool) - before) / seconds)
    share = programs.share(target, seconds) if name != "perf" else None
    if share:
        counted[name].append(share)
    end(tool, signal.SIGINT)
    for left in ("bench.lagprof", "perf.data"):
        if os.path.exists(os.path.join(TMP, left)):
            os.unlink(os.path.join(TMP, left))
    return cost


def run_rounds(target, tools, options):
    plain, own, counted = [], {name: [] for name in tools}, {name: [] for name in tools}
    pairs = {name: [] for name in ["plain"] + tools}
    before = measure(target, options.seconds)
    for _ in range(options.rounds):
        for name in random.sample(tools, len(tools)):
            cost = with_tool(target, name, options.seconds, own, counted)
            after = measure(target, options.seconds)
            pairs[name].append((cost, (before + after) / 2))
            pairs["plain"].append((after, before))
            plain.append(after)
            before = after
    return plain, pairs, own, counted


def print_rows(target, plain, pairs, own, counted):
    print(f"{target.name}: {statistics.median(plain):.0f} ns of CPU per {target.operation}, plain")
    for name, values in pairs.items():
        ratios = sorted(cost / base for cost, base in values)
        quarter = len(ratios) // 4
        line = (f"  {name:8} {statistics.median(ratios):6.3f}x  ({ratios[quarter]:.3f}..{ratios[-1 - quarter]:.3f})"
                f"  {statistics.median(cost - base for cost, base in values):+8.0f} ns per {target.operation}")
        if name in own:
            line += f"   own CPU {100 * statistics.median(own[name]):.2f} %"
        if counted.get(name):
            runs, share = (statistics.median(column) for column in zip(*counted[name]))
            line += f"   counted {1 + share:.4f}x, {runs:.0f} runs/s"
        print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.7, help="length of a slice")
    parser.add_argument("--tools", default="auto,exact,light,perf")
    parser.add_argument("targets", nargs="*", default=list(TARGETS), metavar="TARGET")
    options = parser.parse_args()
    tools = [name for name in options.tools.split(",") if name != "perf" or shutil.which("perf")]
    atexit.register(clean_up)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for name in options.targets:
        target = TARGETS[name]()
        print_rows(target, *run_rounds(target, tools, options))
        target.stop()


if __name__ == "__main__":
    main()
