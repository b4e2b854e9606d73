#!/usr/bin/env python3
"""Verdicts on patterns: how right and how fast, beside other tools.

bench/redos.py [--set SET.jsonl] [--every N] [--peers FOLDER] [--confirm]

SET (or $REDOS_SET; fixtures/redos/dev.jsonl) has a JSON object a line with pattern, flags and label
(safe, polynomial or exponential).  --every N takes every N-th line.  --peers FOLDER also asks
recheck, redos-detector and safe-regex2, installed there by npm.  --confirm runs every attack in
node.  Times are CPU times of one pattern after the other in one process.
"""
import argparse
import json
import os
import resource
import subprocess
import sys

SOURCE = os.environ.get("SOURCE", os.path.join(os.path.dirname(__file__), ".."))
BUILD = os.environ.get("BUILD", os.path.join(SOURCE, "build/release"))
POSITIVE = ("polynomial", "exponential", "vulnerable")

HOSTILE = {
    "huge counts": ["((((a{1,999}){1,999}){1,999}){1,999})*$", "a{0,9007199254740991}a+$",
                    "(?:a{0,1000}){0,1000}b", "^(?:a?){5000}a{5000}$", "(.{1,1000}){1,1000}x"],
    "deep nesting": ["(" * 50000, "(" * 50000 + "a" + ")" * 50000, "(?:" * 390 + "a+" + ")+" * 390,
                     "(?=" * 200 + "a+" + ")" * 200, "[" * 50000],
    "groups in themselves": [r"^((a?)b\1a+)$", r"^((a+)\1)$", r"^(a+b\1)$", r"^a(?=((?=(b+\1+))))$",
                             r"(a)" + r"(\1)" * 2000, r"(?:(a*)*\1*)*$"],
    "100 KB": ["a" * 100000, "a?" * 50000, ".*" * 50000, "(?:ab|" * 1 + "cd|" * 33000 + "e)*$",
               "[a-z]" * 20000 + "+$", r"\b[\w\W]*" * 9000, "(a|b)" * 20000 + "*$",
               "(?=a*)" * 16000, "(.*)" * 25000 + r"\1" * 10],
}


def encode(text):
    return "".join(f"%{b:02x}" for b in text.encode("utf-8", "surrogatepass"))


def judge(rows, limit=600):
    """The judge's objects for rows, in order; its peak memory in bytes."""
    lines = "".join(f"{i} v8 -{r.get('flags', '')} ={encode(r['pattern'])}\n" for i, r in enumerate(rows))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    run = subprocess.run([f"{BUILD}/tests/regex_judge"], input=lines, text=True, check=True,
                         capture_output=True, timeout=limit, errors="surrogateescape")
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return run.stdout, max(before, after) * 1024


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p))]


def print_row(name, rows, verdicts, times):
    dangerous = [i for i, r in enumerate(rows) if r["label"] != "safe"]
    found = [i for i in dangerous if verdicts[i] in POSITIVE]
    classes = [i for i in dangerous if verdicts[i] == rows[i]["label"]]
    alarms = [i for i, r in enumerate(rows) if r["label"] == "safe" and verdicts[i] in POSITIVE]
    undecided = [v for v in verdicts if v not in POSITIVE + ("safe", "bounded")]
    right = f"{100 * len(classes) / len(dangerous):.1f} %" if len(classes) else "-"
    print(f"{name:<15} {len(alarms):>5} {100 * len(found) / len(dangerous):>9.1f} % {right:>9} "
          f"{len(undecided):>10} {percentile(times, .5):>9.3f} {percentile(times, .99):>9.2f} "
          f"{max(times):>9.1f} {sum(times) / len(times):>9.3f}")
    return alarms, [i for i in dangerous if i not in found]


def ask_peer(tool, folder, rows):
    script = os.path.join(SOURCE, "bench/peers/redos.mjs")
    answers = []
    while len(answers) < len(rows):
        lines = "".join(json.dumps(r) + "\n" for r in rows[len(answers):])
        run = subprocess.run(["node", script, folder, tool], input=lines, text=True, timeout=3600,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        if run.returncode > 0 and run.returncode != 3:
            sys.exit(f"{script} {tool}: status {run.returncode}")
        answers += [json.loads(line) for line in run.stdout.splitlines()]
        if run.returncode < 0:  # the pattern killed it: out of memory, as a rule
            answers.append({"verdict": "unknown", "ms": 0})
    return [a["verdict"] for a in answers], [max(a["ms"], 0) for a in answers]


def bench_set(options):
    with open(options.set, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file][:: options.every]
    print(f"{len(rows)} patterns of {options.set}\n")
    print(f"{'tool':<15} {'false':>5} {'found':>11} {'class':>9} {'undecided':>10} "
          f"{'ms p50':>9} {'p99':>9} {'max':>9} {'mean':>9}")
    output, memory = judge(rows)
    answers = [json.loads(line) for line in output.splitlines()]
    verdicts = [a["result"]["verdict"] for a in answers]
    times = [a["ms"] for a in answers]
    alarms, missed = print_row("lagprof", rows, verdicts, times)
    for tool in ["recheck", "redos-detector", "safe-regex2"] if options.peers else []:
        peer, peer_times = ask_peer(tool, options.peers, rows)
        print_row(tool, rows, peer, peer_times)
        print(f"{'':<15} {percentile(peer_times, .5) / percentile(times, .5):.0f}x lagprof's time at "
              f"the median, {sum(peer_times) / sum(times):.0f}x in all", flush=True)
    for kind, ids in ("false alarm", alarms), ("missed", missed):
        for i in ids:
            print(f"{kind}: /{rows[i]['pattern'][:120]}/{rows[i].get('flags', '')}")
    again, _ = judge(rows)
    same = [json.loads(a)["result"] for a in again.splitlines()] == [a["result"] for a in answers]
    print(f"\npeak memory {memory / 1e6:.0f} MB; a second run says {'the same' if same else 'OTHER THINGS'}")
    if options.confirm:
        confirm = os.path.join(SOURCE, "tests/tools/regex_confirm.mjs")
        subprocess.run(["node", confirm], input=output, text=True, timeout=3600)


def bench_hostile():
    print(f"\n{'hostile shapes':<22} {'patterns':>8} {'ms max':>9} {'peak MB':>8}  verdicts")
    for name, patterns in HOSTILE.items():
        times, memory, verdicts = [], 0, []
        for pattern in patterns:
            output, peak = judge([{"pattern": pattern}], limit=60)
            answer = json.loads(output)
            times.append(answer["ms"])
            verdicts.append(answer["result"]["verdict"])
            memory = max(memory, peak)
        print(f"{name:<22} {len(patterns):>8} {max(times):>9.1f} {memory / 1e6:>8.0f}  "
              f"{' '.join(sorted(set(verdicts)))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--set", default=os.environ.get("REDOS_SET") or
                        os.path.join(SOURCE, "fixtures/redos/dev.jsonl"))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--peers")
    parser.add_argument("--confirm", action="store_true")
    options = parser.parse_args()
    bench_hostile()
    print()
    bench_set(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
