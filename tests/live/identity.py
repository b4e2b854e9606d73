"""Holds a report against what a fixture that changes its program says it did.

    identity.py REPORT LOG     every stall carries the function of the program that made it
"""
import json
import sys
import time

report = json.load(open(sys.argv[1]))
origin = report["session"]["start_unix_ns"] - (time.time_ns() - time.monotonic_ns())
made = [(int(start) - origin, int(end) - origin, name) for start, end, name in map(str.split, open(sys.argv[2]))]
both = {"spin_first", "spin_second"}
findings = {finding["id"]: finding for finding in report["findings"]}
wrong = right = unseen = awake = 0


def names(finding):
    """Of the two, those anywhere in a finding: its culprit, its call, its stack."""
    text = json.dumps(finding)
    return {name for name in both if name in text}


for finding in findings.values():
    if names(finding) == both:
        sys.exit(f"a stack of two programs: {finding}")
for stall in report["stalls"]:
    start, end = stall["start_ns"], stall["start_ns"] + stall["duration_ns"]
    # The log is of whole stalls; a turn that ended in an exec belongs to no line.
    lines = [name for a, b, name in made if min(b, end) - max(a, start) > 0.5 * (b - a)]
    shown = names(findings.get(stall.get("finding"), {}))
    awake += bool(lines) and stall["running_ns"] > 0.6 * stall["duration_ns"]
    if not lines or not shown or len(set(lines)) > 1:
        unseen += 1
    elif shown == {lines[0]}:
        right += 1
    else:
        wrong += 1
        print(f"stall {stall['id']}: {shown}, was {lines}")
print(f"{len(made)} planted, {len(report['stalls'])} stalls: {right} of the right program, {wrong} of the other, {unseen} without a name or none planted")
# A stall that got no CPU has no name.
sys.exit(wrong > 0 or right < awake / 2)
