"""The table of evidence: every call of fixtures/node/v8/calls.js, ROUNDS times, on each node given.

    evidence.py LAGPROF [--rounds N] [--only NAME,...] [--build DIR] [--min RATIO] [-v] NODE...

Prints a line for each call and version: the stalls it made for which all that must be shown was shown, of those
that had a CPU.  The exit status says whether the ratio (0.95) holds for each, but for one miss, where there are 10
stalls or more.
"""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time

CALLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "fixtures", "node", "v8", "calls.js")
# A stall that is the host's doing or the collector's shows no call.
OTHERS = {"cpu_starvation", "stopped", "gc", "page_fault"}


def observe(args, node, names, tmp):
    """[(start, end, cause, {KEY=VALUE})] of the stalls, and [(start, end, name, {KEY=VALUE})] of the calls."""
    log, recording, report = (os.path.join(tmp, name) for name in ("log", "r.lagprof", "r.json"))
    subprocess.run([args.lagprof, "run", "-q", "--no-html", "--threshold", "15ms", "-o", recording, "--json", report, "--",
                    node, CALLS, "--each", str(args.rounds), log, *names], check=True, stdin=subprocess.DEVNULL, timeout=600)
    with open(report, encoding="utf-8") as file:
        session = json.load(file)["session"]
    origin = session["start_unix_ns"] - (time.time_ns() - time.monotonic_ns())
    lines = subprocess.run([os.path.join(args.build, "tests", "stall_evidence"), recording],
                           check=True, capture_output=True, text=True, errors="replace").stdout
    stalls = [(int(a), int(b), cause, set(words))
              for a, b, cause, *words in (line.split("\t") for line in lines.splitlines())]
    with open(log, encoding="utf-8") as file:
        lines = file.read().splitlines()
    return stalls, [(int(a) - origin, int(b) - origin, name, set(words))
                    for a, b, name, *words in (line.split("\t") for line in lines)]


def judge(stalls, calls, verbose):
    """{name: [right, seen]}"""
    table = collections.defaultdict(lambda: [0, 0])
    for start, end, name, wanted in calls:
        stall = max(stalls, key=lambda s: min(end, s[1]) - max(start, s[0]), default=None)
        if stall is None or min(end, stall[1]) - max(start, stall[0]) < (end - start) / 2 or stall[2] in OTHERS:
            continue
        right = wanted <= stall[3]
        table[name][0] += right
        table[name][1] += 1
        if verbose and not right:
            print(f"    {name}: {(end - start) / 1e6:.1f} ms {stall[2]} {' '.join(sorted(stall[3]))}")
    return table


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lagprof")
    parser.add_argument("nodes", nargs="+")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", default="")
    parser.add_argument("--build", default=os.environ.get("BUILD", "build/release"))
    parser.add_argument("--min", type=float, default=0.95)
    parser.add_argument("-v", action="store_true")
    args = parser.parse_args()
    bad = judged = 0
    for node in args.nodes:
        version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
        names = args.only.split(",") if args.only else []
        with tempfile.TemporaryDirectory() as tmp:
            table = judge(*observe(args, node, names, tmp), args.v)
        for name, (right, seen) in table.items():
            # Of a dozen one miss says nothing about one in twenty.
            low = seen >= 10 and seen - right > max(1, (1 - args.min) * seen)
            judged, bad = judged + (seen >= 10), bad + low
            print(f"{version:10} {name:14} {right:4} / {seen:4}" + ("  LOW" if low else ""), flush=True)
    print(f"{judged} kinds judged, {bad} below {args.min}")
    return bad > 0 or judged == 0


if __name__ == "__main__":
    sys.exit(main())
