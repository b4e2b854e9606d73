#!/usr/bin/env python3
"""How each probe sees planted stalls: a loop in C and one in node, idle between the stalls and never
sleeping; stalls that spin, sleep once, and sleep 0.3 ms at a time, of 5 to 200 ms.

The program's own clock is the truth; in node it is read inside the callback, and the turn is longer
by what node does around that (0.1 to 0.3 ms).  A row says how many stalls of at least the threshold were found,
how many were invented, and how far off their lengths were (those that had their CPU: where it was taken
away between the kernel's border and the program's own clock, the log is no truth).

    truth.py [--count N] [--threshold MS] [--tools exact,light,user,shim,proc] [c|node...]
"""
import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILD", "build/release")
SOURCE = os.environ.get("SOURCE", os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAGPROF = os.environ.get("LAGPROF", os.path.join(BUILD, "lagprof"))
MS = 1000000
KINDS = ["spin", "sleep", "chopped"]


def program(name, mode, count, log):
    if name == "node":
        return ["node", os.path.join(SOURCE, "bench", "planted.js"), mode, str(count), log]
    server = os.path.join(BUILD, "fixtures", "stall_server")
    return [server, "--hold", "--mode", mode, "--count", str(count), "--seed", "5", "--log", log]


def wait_for(file, word):
    for line in file:
        if line.startswith(word):
            return line
    sys.exit(f"truth: no {word!r}")


def launch(options, command):
    """Both by lagprof run: the library of the rung shim comes with the launch."""
    tool = subprocess.Popen([LAGPROF, "run"] + options + ["--"] + command, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return tool, int(wait_for(tool.stdout, "ready").split()[1])


def attach(options, command):
    target = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    pid = int(wait_for(target.stdout, "ready").split()[1])
    tool = subprocess.Popen([LAGPROF, "attach"] + options + [str(pid)], stdin=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)
    wait_for(tool.stderr, "lagprof: attached")
    return tool, pid


def observe(tmp, probe, name, mode, arguments):
    """The report and the log of one run."""
    log, report = os.path.join(tmp, "log"), os.path.join(tmp, "report.json")
    options = ["--probe", probe, "--no-html", "--threshold", f"{arguments.threshold}ms", "--json", report,
               "-o", os.path.join(tmp, "recording")]
    start = launch if probe == "shim" else attach
    tool, pid = start(options, program(name, mode, arguments.count, log))
    # A loop that never sleeps is learned within half a second.
    time.sleep(1)
    os.kill(pid, signal.SIGUSR1)
    tool.communicate(timeout=120)
    with open(report, encoding="utf-8") as file:
        parsed = json.load(file)
    origin = parsed["session"]["start_unix_ns"] - (time.time_ns() - time.monotonic_ns())
    with open(log, encoding="ascii") as file:
        turns = [(int(a) - origin, int(b) - origin, kind) for a, b, kind, _ in map(str.split, file)]
    for left in (log, report, os.path.join(tmp, "recording")):
        os.unlink(left)
    return parsed["stalls"], turns


def overlap(stall, start, end):
    return min(stall["start_ns"] + stall["duration_ns"], end) - max(stall["start_ns"], start)


def judge(stalls, turns, threshold):
    """By kind: planted, found, errors in ns; and how many stalls were invented."""
    rows, found = {kind: [0, 0, []] for kind in KINDS}, set()
    for start, end, kind in turns:
        stall = max(stalls, key=lambda s: overlap(s, start, end), default=None)
        hit = stall is not None and overlap(stall, start, end) >= 0.5 * (end - start)
        if hit:
            found.add(stall["id"])
        if kind not in rows or end - start < threshold:
            continue
        rows[kind][0] += 1
        rows[kind][1] += hit
        if hit and stall["runnable_ns"] < MS:
            rows[kind][2].append(abs(stall["duration_ns"] - (end - start)))
    # What comes after the last is the program's writing of its log.
    own = [s for s in stalls if s["id"] not in found and turns[0][0] < s["start_ns"] < turns[-1][1]
           and s["duration_ns"] - s["runnable_ns"] >= threshold]
    return rows, len(own)


def figures(errors):
    errors = sorted(errors)
    if not errors:
        return f"{'-':>9} {'-':>9}"
    return f"{statistics.median(errors) / 1000:9.1f} {errors[int(0.95 * len(errors))] / 1000:9.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=36)
    parser.add_argument("--threshold", type=int, default=8, metavar="MS")
    parser.add_argument("--tools", default="exact,light,user,shim,proc")
    parser.add_argument("programs", nargs="*", default=["c", "node"])
    arguments = parser.parse_args()
    print(f"{'probe':6} {'loop':5} {'mode':10} {'stall':8} {'found':>7} {'median us':>9} {'p95 us':>9}")
    with tempfile.TemporaryDirectory(prefix="lagprof-truth-") as tmp:
        for probe in arguments.tools.split(","):
            for name in arguments.programs:
                for mode in ["idle", "saturated"]:
                    rows, invented = judge(*observe(tmp, probe, name, mode, arguments),
                                           arguments.threshold * MS)
                    for kind, (planted, found, errors) in rows.items():
                        print(f"{probe:6} {name:5} {mode:10} {kind:8} {found:3}/{planted:<3} {figures(errors)}"
                              + (f"  {invented} invented" if invented and kind == KINDS[-1] else ""), flush=True)


if __name__ == "__main__":
    main()
