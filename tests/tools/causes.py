"""The table of causes: every planted call of the fixtures and its healthy twin, RUNS times.

    causes.py LAGPROF [--target node,c,redis | stalls,hazards,…] [--id CAUSE,...] [--only ROUTE,...] [--sick | --twins]
              [--runs N] [--rounds N] [--node NODE] [--build DIR] [--min RATIO] [--slack N] [-v]

Each run starts the fixtures of the targets under lagprof, where they call their routes ROUNDS
times.  Prints a line for each cause and target: planted stalls that were given their cause, those
blamed on the planted line, and stalls of the twin's own making; and what was said instead.  The exit
status says whether the ratio of right causes (0.97) holds and no twin stalled.
"""
import argparse
import collections
import glob
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

MS = 1000000
HOST = {"cpu_starvation", "stopped"}
# What is allocated or parsed has to be collected: either may hold most of such a stall.
ALSO = {"large_parse": {"gc"}, "large_serialize": {"gc"}, "gc": {"user_code"},
        # The buffers that these return are memory that the collector is told of.
        "compression": {"gc"}, "sync_fs": {"gc"}}
# What cannot be planted there, and why; redis has its commands, and each takes its time in code.
IMPOSSIBLE = {
    ("c", "gc"): "no collector", ("c", "compile"): "no code comes in",
    ("c", "microtask_starvation"): "no jobs", ("c", "many_callbacks"): "its loop is its own",
    ("node", "sync_dns"): "no such call", ("node", "sync_net"): "no such call",
    ("node", "lock_wait"): "no locks but Atomics.wait", ("node", "page_fault"): "as in C",
    ("node", "cpu_starvation"): "as in C", ("node", "stopped"): "as in C",
}
FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "fixtures")


class Fixture:
    """A program whose routes block, and its twin; the source, a file or a folder, has the marks."""

    def __init__(self, target, source, sick, twin):
        self.target, self.sick, self.twin = target, sick, twin
        self.name = os.path.splitext(os.path.basename(source))[0]
        self.routes = collections.defaultdict(list)  # route -> [(cause, file, line)]: several may be meant
        for path in [source] if os.path.isfile(source) else glob.glob(os.path.join(source, "*")):
            self.read_marks(path)

    def read_marks(self, path):
        with open(path, encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                mark = re.search(r"STALL (\S+) (\w+)(?: \S+)?$", text.rstrip(" */\n"))
                if mark:
                    self.routes[mark[1]].append((mark[2], os.path.basename(path), number))

    def cause(self, route):
        return self.routes[route][0][0] if route in self.routes else "-"


def fixtures(args):
    def path(*name):
        return os.path.join(FIXTURES, *name)

    def node(sick, twin):
        return Fixture("node", path("node", sick), [args.node, path("node", sick)], [args.node, *twin])

    blockers = os.path.join(args.build, "fixtures", "blockers")
    redis = [sys.executable, path("python", "redis_commands.py")]
    return [fixture for fixture in (
        node("stalls.js", [path("node", "healthy.js")]),
        node("hazards.js", [path("node", "hazards.js"), "--twin"]),
        Fixture("c", path("c", "blockers"), [blockers], [blockers, "--twin"]),
        Fixture("redis", path("python", "redis_commands.py"), redis, [*redis, "--twin"]),
    ) if fixture.target in args.target or fixture.name in args.target]


def observe(args, fixture, command, only, tmp):
    """The report and [(start, end, route)] of one run."""
    report, log = os.path.join(tmp, "report.json"), os.path.join(tmp, "log")
    drive = ["--drive", str(args.rounds), "--log", log, "--only", ",".join(only)]
    watch = [args.lagprof, "run", "--no-html", "-o", os.path.join(tmp, "r.lagprof"), "--json", report]
    if fixture.target == "redis":
        # It only drives: the server is what is watched.
        command = [*command, *drive, *watch]
    else:
        command = [*watch, "--", *command, *drive]
    with open(os.path.join(tmp, "err"), "w", encoding="utf-8") as err:
        child = subprocess.Popen(command, stdout=err, stderr=err, stdin=subprocess.DEVNULL)
        try:
            child.wait(timeout=280)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGTERM)
            child.wait(timeout=20)
    if child.returncode:
        with open(err.name, encoding="utf-8") as file:
            sys.exit(f"{file.read()[-2000:]}\n{' '.join(command)}: status {child.returncode}")
    with open(report, encoding="utf-8") as file:
        report = json.load(file)
    with open(log, encoding="ascii") as file:
        return report, [(int(a), int(b), route) for a, b, route in map(str.split, file)]


def origin_of(report):
    """CLOCK_MONOTONIC at the start of the session."""
    return report["session"]["start_unix_ns"] - (time.time_ns() - time.monotonic_ns())


class Row:
    """What came of one cause on one target."""

    def __init__(self):
        self.calls = self.seen = self.right = self.line = self.starved = self.missed = 0
        self.twin_calls = self.alarms = 0
        self.instead, self.alarmed = collections.Counter(), collections.Counter()


def said(report, stall):
    finding = report["findings"][stall["finding"]]
    culprit = finding.get("culprit", {})
    place = f"{os.path.basename(culprit.get('file', '?'))}:{culprit.get('line', '?')}"
    return f"{stall['cause']} {finding.get('title', '')[:60]} at {place}"


def overlap(stall, start, end):
    return min(end, stall["start_ns"] + stall["duration_ns"]) - max(start, stall["start_ns"])


def judge_call(report, fixture, start, end, route, row):
    """Holds the longest stall during a call against what was planted there."""
    planted = fixture.routes[route]
    causes = {cause for cause, _, _ in planted}
    row.calls += 1
    stall = max(report["stalls"], key=lambda s: overlap(s, start, end), default=None)
    if stall is None or overlap(stall, start, end) <= 0:
        row.missed += end - start >= 1.5 * report["session"]["threshold_ns"]
        return
    if stall["cause"] in HOST - causes and stall["runnable_ns"] > 0.5 * stall["duration_ns"]:
        row.starved += 1
        return
    row.seen += 1
    if stall["cause"] in causes.union(*(ALSO.get(c, set()) for c in causes)):
        row.right += 1
    else:
        row.instead[f"{route}: {said(report, stall)}"] += 1
    culprit = report["findings"][stall["finding"]].get("culprit", {})
    # The head of a loop is as good as its body; a host's doing and a program without debug
    # information have no line.
    places = {(file, line + d) for _, file, line in planted for d in (-1, 0, 1)}
    if (os.path.basename(culprit.get("file", "")), culprit.get("line")) in places or causes & HOST or fixture.target == "redis":
        row.line += 1
    else:
        row.instead[f"{route}: line: {said(report, stall)}"] += 1


def own(stall):
    return stall["running_ns"] + stall["blocked_ns"] - stall.get("held_up_ns", 0)


def judge_twin(report, fixture, calls, table, slack):
    """Stalls that the twin made itself, between its first call and the last."""
    threshold = report["session"]["threshold_ns"]
    for _, _, route in calls:
        table[fixture.cause(route), fixture.target].twin_calls += 1
    first, last = min(start for start, _, _ in calls), max(end for _, end, _ in calls)
    for stall in report["stalls"]:
        if overlap(stall, first, last) <= 0 or stall["cause"] in HOST or own(stall) < slack * threshold:
            continue
        call = max(calls, key=lambda c: overlap(stall, c[0], c[1]))
        row = table[fixture.cause(call[2]), fixture.target]
        row.alarms += 1
        row.alarmed[f"{call[2]}: {said(report, stall)}, {own(stall) / MS:.0f} ms"] += 1


def run(args, fixture, table):
    only = [route for route, marks in fixture.routes.items()
            if (not args.id or marks[0][0] in args.id) and (not args.only or route in args.only)]
    for twin in (False, True):
        if not only or (args.sick and twin) or (args.twins and not twin):
            continue
        with tempfile.TemporaryDirectory() as tmp:
            report, calls = observe(args, fixture, fixture.twin if twin else fixture.sick, only, tmp)
        origin = origin_of(report)
        calls = [(start - origin, end - origin, route) for start, end, route in calls]
        if twin and calls:
            judge_twin(report, fixture, calls, table, args.slack)
        for start, end, route in [] if twin else calls:
            judge_call(report, fixture, start, end, route, table[fixture.cause(route), fixture.target])


def show(table):
    print(f"{'cause':20} {'target':6} {'cause right':>12} {'line':>12} {'starved':>7}   {'twin false':>10}")
    for (cause, target), row in sorted(table.items()):
        right, line = f"{row.right} / {row.seen}", f"{row.line} / {row.seen}"
        alarms = f"{row.alarms} / {row.twin_calls}"
        print(f"{cause:20} {target:6} {right:>12} {line:>12} {row.starved:>7}   {alarms:>10}"
              + (f"  MISSED {row.missed}" if row.missed else ""))
        for text, n in row.instead.most_common(4):
            print(f"    {n} x {text}")
        for text, n in row.alarmed.most_common(4):
            print(f"    FALSE {n} x {text}")


def show_impossible(targets):
    """The holes of the table."""
    for (target, cause), why in sorted(IMPOSSIBLE.items(), key=lambda item: item[0][::-1]):
        if target in targets:
            print(f"{cause:20} {target:6} {'n/a: ' + why}")


def arguments():
    def names(text):
        return text.split(",")

    parser = argparse.ArgumentParser()
    parser.add_argument("lagprof")
    parser.add_argument("--target", type=names, default=["node", "c", "redis"])
    parser.add_argument("--id", type=names)
    parser.add_argument("--only", type=names)
    parser.add_argument("--sick", action="store_true", help="no twins")
    parser.add_argument("--twins", action="store_true", help="only twins")
    parser.add_argument("--runs", type=int, default=int(os.environ.get("RUNS", "1")))
    parser.add_argument("--rounds", type=int, default=1, help="calls of each route in a run")
    parser.add_argument("--node", default="node")
    parser.add_argument("--build", default=os.environ.get("BUILD", "build/release"))
    parser.add_argument("--min", type=float, default=0.97)
    parser.add_argument("--slack", type=float, default=1, help="a twin may stall for this many thresholds")
    return parser.parse_args()


def main():
    args = arguments()
    table = collections.defaultdict(Row)
    for fixture in fixtures(args):
        for _ in range(args.runs):
            run(args, fixture, table)
    show(table)
    if not args.id and not args.only:
        show_impossible(args.target)
    seen, right, line, missed, twins, alarms = (
        sum(getattr(row, name) for row in table.values())
        for name in ("seen", "right", "line", "missed", "twin_calls", "alarms"))
    print(f"cause right {right} of {seen}, line {line} of {seen}, {missed} missed, {alarms} false alarms of {twins} twins")
    return seen + twins == 0 or right < args.min * seen or missed > 0 or alarms > 0


if __name__ == "__main__":
    sys.exit(main())
