"""Runs the attacks of regex_judge's output (standard input) in another engine, each in a child with a
limit of CPU time, and says whether the CPU time grows faster than length^1.5 up to 30 ms or more.

    regex_confirm.py ORACLE... < verdicts

ORACLE answers a case as regex_oracle.py does.
"""
import json
import math
import resource
import signal
import subprocess
import sys

LIMIT, ENOUGH, LENGTH_MAX = 3, 0.03, 200_000
HANG = 120  # seconds by the clock: only a child that sleeps takes so long
oracle = sys.argv[1:]


def encode(text):
    data = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
    return "".join(f"%{byte:02x}" for byte in data)


def cpu(result, subject):
    case = f"{result['engine']} -{result.get('flags', '')} ={encode(result['pattern'])} ={encode(subject)}\n"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(oracle, input=case, text=True, timeout=HANG, stdout=subprocess.DEVNULL, check=False,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT + 1)))
    if run.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return math.inf
    if run.returncode:
        sys.exit(f"{oracle[-1]}: status {run.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def build(attack, n):
    return "".join(p["prefix"] + p["pump"] * n for p in attack["pumps"]) + attack["suffix"]


def confirm(result):
    idle = min(cpu(result, build(result["attack"], 1)) for _ in range(3))
    points, n = [], 4
    while True:
        subject = build(result["attack"], n)
        if len(subject) > LENGTH_MAX:
            return False, points
        used = cpu(result, subject) - idle
        points.append((len(subject), used))
        if used == math.inf:
            return len(subject) < 20000, points
        if used >= ENOUGH:
            earlier = [p for p in points if 0.002 < p[1] <= used / 3] or [(points[0][0] / 1.5, 0.001)]
            slope = math.log(used / earlier[-1][1]) / math.log(len(subject) / earlier[-1][0])
            if slope >= 1.45 or used > 1:
                return slope >= 1.45, points
        n = max(n + 1, int(n * 1.5))


attacks = confirmed = 0
for line in sys.stdin:
    judged = json.loads(line)
    result = judged["result"]
    if result["verdict"] not in ("polynomial", "exponential"):
        print("not positive:", judged["id"], result["verdict"], result.get("reason", ""), result["pattern"][:80])
        continue
    attacks += 1
    ok, points = confirm(result)
    confirmed += ok
    if not ok:
        print("NOT CONFIRMED", judged["id"], result["verdict"], result["pattern"][:80], json.dumps(result["attack"])[:200],
              [f"{length}:{1000 * used:.0f}ms" for length, used in points[-3:]])
print(f"{attacks} attacks, {confirmed} confirmed by {oracle[-1]}")
sys.exit(attacks != confirmed)
