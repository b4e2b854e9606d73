#!/usr/bin/env python3
"""Is the gate right, run after run, beside neighbours that load the machine?

RED runs of a service with a planted stall must end with 99, as many of its healthy twin with 0, as
many that are too short and as many that get almost no CPU with 98: never green, never red.  Prints
how often each status was seen.

    bench/gate.py [RUNS [LOOPS]]    RUNS of each kind (5), LOOPS more of the red and green ones (0)
"""
import collections
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(os.environ.get("SOURCE", Path(__file__).resolve().parent.parent))
LAGPROF = os.environ.get("LAGPROF", SOURCE / "build/release/lagprof")
BUDGETS = ["-b", "stall.count{cause=sync_crypto}==0", "-b", "stall.max{phase=serving}<30s"]
SPIN = "while True: pass"


def service(name, *arguments):
    return ["node", str(SOURCE / "fixtures/node" / name), *arguments]


RED = service("stalls.js", "--only", "sync-hash", "--drive", "2")
GREEN = service("healthy.js", "--drive", "1")


def end_with_parent():
    """What spins must not outlive this program, however it ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@contextlib.contextmanager
def neighbours(count):
    """Processes that take all the CPU they get."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN], preexec_fn=end_with_parent) for _ in range(count)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


@contextlib.contextmanager
def starving():
    """One CPU for the service, and so many neighbours on it that it waits longer than the budget allows."""
    cpu = min(os.sched_getaffinity(0))
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        with neighbours(8):
            yield
    finally:
        os.sched_setaffinity(0, before)


def run(command, budgets, prefix=()):
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [*prefix, LAGPROF, "run", "-q", "--no-html", "-o", f"{folder}/x.lagprof", *budgets, "--", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=300, check=False).returncode


def series(name, wanted, runs, once):
    seen = collections.Counter(once() for _ in range(runs))
    right = seen[wanted]
    print(f"{name:<28} {right}/{runs} ended with {wanted}   {dict(seen)}", flush=True)
    return right == runs


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    loops = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    ok = True
    with neighbours(os.cpu_count()):
        ok &= series("planted stall, loaded", 99, runs, lambda: run(RED, BUDGETS))
        ok &= series("healthy twin, loaded", 0, runs, lambda: run(GREEN, BUDGETS))
        ok &= series("too short", 98, runs, lambda: run(["true"], BUDGETS))
        if loops:
            ok &= series("planted stall, once more", 99, loops, lambda: run(RED, BUDGETS))
            ok &= series("healthy twin, once more", 0, loops, lambda: run(GREEN, BUDGETS))
    with starving():
        ok &= series("healthy but starved", 98, runs, lambda: run(GREEN, ["-b", "lag.max<20ms"]))
    sys.exit(not ok)


main()
