"""The table of causes: every planted call of a fixture server and its healthy twin, RUNS times.

    causes.py LAGPROF [FIXTURE[:OPTION...]]... [--runs N] [--node NODE] [--only ROUTE,...] [--min RATIO] [--slack N]

A FIXTURE is a server of fixtures/node with its options (stalls.js, healthy.js, hazards.js,
hazards.js:--twin).  Prints a line a route: calls, those whose stall has the planted cause, those
blamed on the planted line, and what was said instead; for a twin, a line for each stall of its own
making.  The exit status says whether the ratio of right causes (0.97) holds and no twin stalled.
"""
import argparse
import collections
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

MS = 1000000
HOST = ("cpu_starvation", "stopped")
# What is allocated or parsed has to be collected: either may hold most of such a stall.
ALSO = {"large_parse": {"gc"}, "large_serialize": {"gc"}, "gc": {"user_code"},
        # The buffers that these return are memory that the collector is told of.
        "compression": {"gc"}, "sync_fs": {"gc"}}


def fixture_path(name):
    return os.path.join(os.path.dirname(__file__), "..", "..", "fixtures", "node", name)


def planted(node, path):
    """route -> [(cause, line)]: several lines of one route may be meant."""
    table = collections.defaultdict(list)
    out = subprocess.run([node, path, "--list"], capture_output=True, text=True, timeout=60, check=True)
    for route, cause, _, line in map(str.split, out.stdout.splitlines()):
        table[route].append((cause, int(line)))
    return table


def observe(args, name, options, tmp):
    report, log = os.path.join(tmp, "report.json"), os.path.join(tmp, "log")
    command = [args.lagprof, "run", "--no-html", "-o", os.path.join(tmp, "r.lagprof"), "--json", report, "--",
               args.node, fixture_path(name), *options, "--drive", "1", "--log", log]
    if args.only:
        command += ["--only", args.only]
    with open(os.path.join(tmp, "err"), "w", encoding="utf-8") as err:
        child = subprocess.Popen(command, stdout=err, stderr=err, stdin=subprocess.DEVNULL)
        try:
            child.wait(timeout=180)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGTERM)
            child.wait(timeout=20)
    with open(report, encoding="utf-8") as file:
        report = json.load(file)
    with open(log, encoding="ascii") as file:
        calls = [(int(a), int(b), route) for a, b, route in map(str.split, file)]
    if child.returncode:
        with open(err.name, encoding="utf-8") as file:
            print(file.read()[-2000:])
        sys.exit(f"{name}: status {child.returncode}")
    return report, calls


def origin_of(report):
    """CLOCK_MONOTONIC at the start of the session."""
    return report["session"]["start_unix_ns"] - (time.time_ns() - time.monotonic_ns())


def own(stall):
    return stall["running_ns"] + stall["blocked_ns"]


class Route:
    def __init__(self):
        self.calls = self.seen = self.right = self.line = self.starved = self.missed = 0
        self.instead = collections.Counter()


def said(stall, finding):
    culprit = finding.get("culprit", {})
    place = f"{os.path.basename(culprit.get('file', '?'))}:{culprit.get('line', '?')}"
    return f"{stall['cause']} {finding.get('title', '')[:60]} at {place}"


def judge(report, calls, table, routes):
    """Holds the stalls during each call against what was planted there."""
    threshold = report["session"]["threshold_ns"]
    origin = origin_of(report)
    for start, end, name in calls:
        route = routes[name]
        route.calls += 1
        start, end = start - origin, end - origin
        stalls = [s for s in report["stalls"] if s["start_ns"] < end and s["start_ns"] + s["duration_ns"] > start]
        stall = max(stalls, key=lambda s: min(end, s["start_ns"] + s["duration_ns"]) - max(start, s["start_ns"]), default=None)
        if stall is None:
            route.missed += end - start >= 1.5 * threshold
            continue
        if stall["cause"] in HOST and stall["runnable_ns"] > 0.5 * stall["duration_ns"]:
            route.starved += 1
            continue
        route.seen += 1
        finding = report["findings"][stall["finding"]]
        causes = {cause for cause, _ in table[name]}
        if stall["cause"] in causes or stall["cause"] in set().union(*(ALSO.get(c, set()) for c in causes)):
            route.right += 1
        else:
            route.instead[said(stall, finding)] += 1
        # The head of a loop is as good as its body.
        lines = {line + d for _, line in table[name] for d in (-1, 0, 1)}
        if finding.get("culprit", {}).get("line") in lines:
            route.line += 1
        else:
            route.instead["line: " + said(stall, finding)] += 1


def false_alarms(report, calls, slack):
    """Stalls of a twin that it made itself, between its first call and the last."""
    threshold = report["session"]["threshold_ns"]
    last = max(end for _, end, _ in calls) - origin_of(report)
    for stall in report["stalls"]:
        if stall["start_ns"] < last and stall["phase"] == "serving" and stall["cause"] not in HOST and own(stall) >= slack * threshold:
            yield said(stall, report["findings"][stall["finding"]]) + f", {own(stall) / MS:.0f} ms"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lagprof")
    parser.add_argument("fixtures", nargs="*", default=["stalls.js", "hazards.js", "healthy.js", "hazards.js:--twin"])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--node", default="node")
    parser.add_argument("--only")
    parser.add_argument("--min", type=float, default=0.97)
    parser.add_argument("--slack", type=float, default=1, help="a twin may stall for this many thresholds")
    args = parser.parse_args()
    seen = right = line = alarms = missed = 0
    for fixture in args.fixtures:
        name, *options = fixture.split(":")
        sick = name != "healthy.js" and "--twin" not in options
        table = planted(args.node, fixture_path(name)) if sick else {}
        routes, twins = collections.defaultdict(Route), collections.Counter()
        for _ in range(args.runs):
            with tempfile.TemporaryDirectory() as tmp:
                report, calls = observe(args, name, options, tmp)
            if sick:
                judge(report, calls, table, routes)
            else:
                twins.update(false_alarms(report, calls, args.slack))
        for route, r in routes.items():
            print(f"{route:18} {r.calls:3} calls  cause {r.right}/{r.seen}  line {r.line}/{r.seen}"
                  + (f"  starved {r.starved}" if r.starved else "") + (f"  MISSED {r.missed}" if r.missed else ""))
            for text, n in r.instead.most_common(3):
                print(f"{'':18} {n} x {text}")
            seen, right, line, missed = seen + r.seen, right + r.right, line + r.line, missed + r.missed
        for text, n in twins.most_common():
            print(f"{fixture}: FALSE {n} x {text}")
            alarms += n
    print(f"cause right {right} of {seen}, line {line} of {seen}, {missed} missed, {alarms} false alarms of twins")
    return seen > 0 and right < args.min * seen or missed > 0 or alarms > 0


if __name__ == "__main__":
    sys.exit(main())
