"""Holds a report of lagprof (--format json) against what really happened.

    check.py truth REPORT TRUTH [FRACTION]
                                    a fixture's own log: START END KIND PLANTED; lengths may be off
                                    by this part of the threshold (0.05), and one stall in ten be
                                    missed or cut in two where it is given
    check.py routes REPORT LOG LIST symbols|stripped
                                    the log and the planted calls of a server in fixtures/
    check.py calls REPORT LOG LIST [SHARE]
                                    the same line by line: call, cause and place of all, or of that part
    check.py native REPORT LOG EXPECTED
                                    the same as truth by kind: lines of KIND CAUSE FUNCTION and, of
                                    evidence, KEY=TEXT...
    check.py healthy REPORT         a twin whose loop never computes or waits for long
    check.py pool REPORT THREADS VERDICT
                                    libuv's thread pool: its size, and whether it was too small
    check.py starved REPORT [THROTTLED]
                                    a clean program on a machine that gave it too little: beside
                                    neighbours, or under a quota that took so many ns away
    check.py requests REPORT node|redis
                                    the requests in hand, by the names of fixtures/node/requests.js
    check.py delay REPORT OUTPUT    fixtures/node/delay.js, and what it measured itself
    check.py slowlog REPORT SLOWLOG `redis-cli --json slowlog get`
    check.py cluster REPORT OUTPUT threads|processes
                                    fixtures/node/cluster.js under --follow, and what it said
    check.py stress REPORT ROUTE... fixtures/node/stress.js, with these routes under load
    check.py queue REPORT ROLE      the process with ROLE in its command line had all the stalls

Prints figures, and what is wrong; the exit status says whether anything is.
"""
import json
import statistics
import sys
import time

MS = 1000000
problems = []


def complain(text):
    problems.append(text)
    print("wrong:", text)


def load(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    for stall in report["stalls"]:
        parts = sum(stall[f"{part}_ns"] for part in ("running", "runnable", "blocked", "stopped"))
        if abs(parts - stall["duration_ns"]) > 0.02 * stall["duration_ns"]:
            complain(f"stall {stall['id']}: its parts add up to {parts} of {stall['duration_ns']} ns")
    return report


def session_start(report):
    """CLOCK_MONOTONIC at the start of the session; both clocks run alike for the minute since."""
    return report["session"]["start_unix_ns"] - (time.time_ns() - time.monotonic_ns())


def overlap(stall, start, end):
    return min(stall["start_ns"] + stall["duration_ns"], end) - max(stall["start_ns"], start)


def best_match(stalls, start, end):
    return max(stalls, key=lambda s: overlap(s, start, end), default=None)


def split_doubts(kind, length, stall):
    """Where the time of a planted stall went, as far as a busy machine lets it."""
    awake = stall["duration_ns"] - stall["runnable_ns"]
    want = "running_ns" if kind == "spin" else "blocked_ns"
    if awake > 0.5 * length and stall[want] < 0.5 * awake:
        return [f"stall {stall['id']} was planted as {kind}: {stall}"]
    return []


def check_truth(report, path, tolerance=None):
    threshold = report["session"]["threshold_ns"]
    # A turn that was under way when lagprof came is known from then on only.
    stalls = [s for s in report["stalls"] if s["start_ns"] > MS]
    origin = session_start(report)
    with open(path, encoding="ascii") as file:
        turns = [(int(a) - origin, int(b) - origin, kind, int(n)) for a, b, kind, n in map(str.split, file)]
    errors, found, planted, doubts = [], set(), 0, []
    for start, end, kind, length in turns:
        if max(length, end - start) < threshold or start < 0:
            continue
        planted += length > 0
        stall = best_match(stalls, start, end)
        if stall is None or overlap(stall, start, end) < 0.5 * (end - start):
            doubts.append(f"no stall for {kind} {(end - start) / MS:.3f} ms at {start / MS:.1f} ms")
            continue
        if stall["id"] in found:
            doubts.append(f"stall {stall['id']} stands for two turns")
        found.add(stall["id"])
        # Where the loop lost its CPU, it may be between the kernel's border and its own clock.
        if length and stall["runnable_ns"] < MS:
            errors.append(abs(stall["duration_ns"] - (end - start)))
        if length:
            doubts += split_doubts(kind, length, stall)
    invented = [s for s in stalls if s["id"] not in found
                and s["duration_ns"] - s["runnable_ns"] >= threshold]
    for stall in invented:
        doubts.append(f"invented: stall {stall['id']} of {stall['duration_ns'] / MS:.3f} ms")
    for text in doubts:
        # A machine that gives lagprof no CPU blurs what is not hooked.
        (complain if not tolerance or len(doubts) > planted / 10 else print)(text)
    errors.sort()
    if not errors:
        errors = [0]
    print(f"{planted} planted, {len(found)} long turns found, {len(invented)} invented; {len(errors)} had their CPU, "
          f"length off by {statistics.median(errors) / 1000:.1f} us median, "
          f"{errors[int(0.95 * (len(errors) - 1))] / 1000:.1f} us p95")
    if tolerance and len(errors) < 5:
        return  # a machine too busy to say
    if statistics.median(errors) > float(tolerance or 0.05) * threshold:
        complain(f"lengths are off by more than {tolerance or 0.05} of the threshold")


def check_routes(report, log, planted, symbols):
    with open(planted, encoding="utf-8") as file:
        expected = {route: cause for route, cause, _, _ in map(str.split, file)}
    with open(log, encoding="ascii") as file:
        calls = [(int(a), int(b), route) for a, b, route in map(str.split, file)]
    threshold = report["session"]["threshold_ns"]
    stalls, offset = report["stalls"], session_start(report)
    wrong, right, starved, natively = [], 0, 0, native_causes(symbols)
    for start, end, route in calls:
        if end - start < threshold:
            continue
        stall = best_match(stalls, start - offset, end - offset)
        if stall is None or overlap(stall, start - offset, end - offset) < 0.8 * (end - start):
            complain(f"no stall for /{route}, {(end - start) / MS:.1f} ms")
        elif stall["runnable_ns"] > 0.25 * stall["duration_ns"]:
            starved += 1
        elif expected[route] in natively and stall["cause"] not in also_right(expected[route]):
            wrong.append(f"/{route}: {stall['cause']}, not {expected[route]}")
        else:
            right += 1
    for text in wrong:
        complain(text)
    ratio = report["samples"]["complete_ratio"]
    print(f"{len(calls)} calls, {right} found with the right cause, {starved} starved, "
          f"{100 * ratio:.2f} % of {report['samples']['total']} stacks complete")
    if ratio < 0.99:
        complain(f"incomplete stacks: {report['samples']['incomplete']}")


def also_right(cause):
    """What is parsed has to be kept: the collector may take longer than the parser.  So may who makes its work."""
    return {"large_parse": (cause, "gc"), "gc": (cause, "user_code")}.get(cause, (cause,))


def native_causes(symbols):
    """The causes that native frames alone show; without V8's symbols, those of other libraries."""
    libraries = {"sync_crypto", "compression", "sync_child"}
    return libraries if symbols == "stripped" else libraries | {"large_parse", "regex", "sync_fs", "sleep"}


def check_calls(report, log, planted, share="1"):
    """By the finding of each call's stall: cause, call, and the line where the call is made."""
    with open(planted, encoding="utf-8") as file:
        expected = {route: (cause, call, int(line)) for route, cause, call, line in map(str.split, file)}
    with open(log, encoding="ascii") as file:
        calls = [(int(a), int(b), route) for a, b, route in map(str.split, file)]
    offset, findings = session_start(report), {f["id"]: f for f in report["findings"]}
    right, starved, wrong = 0, 0, []
    for start, end, route in calls:
        stall = best_match(report["stalls"], start - offset, end - offset)
        if end - start < report["session"]["threshold_ns"]:
            continue
        if stall is None or overlap(stall, start - offset, end - offset) < 0.8 * (end - start):
            wrong.append(f"no stall for /{route}, {(end - start) / MS:.1f} ms")
            continue
        finding, (cause, call, line) = findings[stall["finding"]], expected[route]
        culprit = finding.get("culprit", {})
        if stall["runnable_ns"] > 0.5 * stall["duration_ns"]:
            starved += 1
        elif (stall["cause"] not in also_right(cause) or culprit.get("line") != line or
              stall["cause"] == cause and not any(c in finding.get("call", "") for c in call.split("|"))):
            wrong.append(f"/{route}: {stall['cause']} {finding.get('call')} at {culprit}, not {cause} {call} at {line}")
        else:
            right += 1
    print(f"{report['lagprof']['probe']}: {len(calls)} calls, {right} with the right cause, call and line, {starved} starved")
    for text in wrong:
        complain(text) if right < float(share) * (right + len(wrong)) else print("not right:", text)


def check_native(report, log, expected):
    with open(expected, encoding="ascii") as file:
        wanted = {kind: (cause, function, dict(word.split("=") for word in evidence))
                  for kind, cause, function, *evidence in map(str.split, file)}
    with open(log, encoding="ascii") as file:
        turns = [(int(a), int(b), kind) for a, b, kind, _ in map(str.split, file) if kind in wanted]
    stalls, offset, found = report["stalls"], session_start(report), 0
    for start, end, kind in turns:
        cause, function, evidence = wanted[kind]
        stall = best_match(stalls, start - offset, end - offset)
        if stall is None or overlap(stall, start - offset, end - offset) < 0.8 * (end - start):
            complain(f"no stall for {kind}, {(end - start) / MS:.1f} ms")
            continue
        finding = next(f for f in report["findings"] if f["id"] == stall["finding"])
        culprit = finding.get("culprit", {}).get("function")
        if stall["runnable_ns"] > 0.3 * stall["duration_ns"]:
            continue
        if (stall["cause"], culprit) != (cause, function):
            complain(f"{kind}: {stall['cause']} at {culprit}, not {cause} at {function}")
        elif not evidence.items() <= finding["evidence"].items():
            complain(f"{kind}: evidence {finding['evidence']}, not {evidence}")
        found += 1
    print(f"{len(turns)} planted, {found} found that had their CPU")


def check_healthy(report):
    bad = [s for s in report["stalls"] if s["phase"] == "serving" and s["running_ns"] + s["blocked_ns"] > 40 * MS]
    print(f"{len(report['stalls'])} stalls of the twin, {len(bad)} by its own doing")
    for stall in bad:
        complain(f"{stall['cause']}: {stall}")


def check_slowlog(report, path):
    """Each entry: id, time, microseconds, words.  Redis times the command, lagprof the turn around it."""
    commands = {"KEYS": "keysCommand", "EVAL": "evalGenericCommand", "DEBUG": "debugCommand"}
    threshold = report["session"]["threshold_ns"]
    with open(path, encoding="utf-8") as file:
        entries = [(e[2] * 1000, e[3][0].upper()) for e in json.load(file)]
    stalls = sorted(report["stalls"], key=lambda s: s["duration_ns"])
    found = 0
    for duration, name in sorted(e for e in entries if e[0] >= threshold and e[1] in commands):
        stall = next((s for s in stalls if s["duration_ns"] >= duration - MS), None)
        if stall is None:
            complain(f"no stall for {name}, {duration / MS:.1f} ms")
            continue
        stalls.remove(stall)
        found += 1
        if stall["duration_ns"] > 1.5 * duration + 20 * MS + stall["runnable_ns"]:
            complain(f"{name} of {duration / MS:.1f} ms was given {stall['duration_ns'] / MS:.1f} ms")
    text = json.dumps(report["findings"])
    for name, function in commands.items():
        if any(e[1] == name for e in entries) and function not in text:
            complain(f"no finding names {function}")
    print(f"{found} of {len(entries)} slow commands found")
    if found == 0:
        complain("the slow log has no slow command")


def check_pool(report, threads, verdict, pid=None):
    pool = report["threadpool"]
    if pid and pool.get("pid") != int(pid):
        complain(f"the pool of process {pool.get('pid')}, not of {pid}")
    wait = pool.get("queue_wait", {"count": 0, "p50_ns": 0, "max_ns": 0})
    print(f"pool: {pool['size']} threads, {pool['verdict']}, saturated {pool['saturated_ns'] / MS:.0f} ms,"
          f" {wait['count']} waits, p50 {wait['p50_ns'] / MS:.0f} ms, max {wait['max_ns'] / MS:.0f} ms")
    if pool["size"] != int(threads) or pool["verdict"] != verdict:
        complain(f"expected {threads} threads, {verdict}")
    if ("advice" in pool) != (verdict == "saturated"):
        complain(f"the advice: {pool.get('advice')}")
    # Six of each ten jobs have to wait.
    if verdict == "saturated" and wait["count"] < 30:
        complain("less work was seen to wait than did")
    if verdict == "ok" and pool["saturated_ns"] > 100 * MS:
        complain("it was not saturated")


def check_starved(report, throttled="0"):
    stalls = [s for s in report["stalls"] if s["phase"] == "serving"]
    # A machine that stood still itself (its hypervisor took the CPU) leaves hardly any samples.
    code = [s for s in stalls if s["cause"] not in ("cpu_starvation", "unknown")
            and s["samples"] > (s["running_ns"] - 10 * MS) / MS / 4]
    waited = sum(s["runnable_ns"] for s in stalls)
    held = sum(s.get("throttled_ns", 0) for s in stalls)
    host, throttled = report["host"], int(throttled)
    print(f"{len(stalls)} stalls, {waited / MS:.0f} ms of waiting for a CPU, of it throttled"
          f" {held / MS:.0f} ms of {throttled / MS:.0f} ms; {host}")
    if code or (throttled and not stalls):
        complain(f"{len(code)} of {len(stalls)} stalls are blamed on code: {code[:3]}")
    if not throttled:
        if not any(n["time_ns"] > 10 * MS for n in host["neighbours"]):
            complain("nobody is named who ran instead")
        return
    if host.get("quota_cpus") != 0.15 or not 0.8 <= host["throttled_ns"] / throttled <= 1.01:
        complain("the quota is not told of")
    if held < 0.5 * waited and throttled > waited:
        complain("the stalls are not put down to the quota")
    if held > 0.6 * waited and not any("quota" in f["title"] for f in report["findings"]):
        complain(f"no finding says so: {[f['title'] for f in report['findings']]}")


def serving(report, cause):
    """(pid, tid) of each serving stall of that cause."""
    return [(s["pid"], s["tid"]) for s in report["stalls"] if s["phase"] == "serving" and s["cause"] == cause]


def check_cluster(report, path, threads):
    with open(path, encoding="ascii") as file:
        sick = {name: int(pid) for name, pid in map(str.split, file)}
    followed = {p["pid"] for p in report["processes"]}
    loops = {(l["pid"], l["tid"]) for l in report["loops"] if l["turns"]}
    workers = {pid for pid in followed if sum(p == pid for p, _ in loops) >= 3}
    crypto, code = serving(report, "sync_crypto"), serving(report, "user_code")
    print(f"{len(followed)} processes, {len(loops)} loops, {len(crypto)} and {len(code)} stalls of the sick ones")
    # Two looks at a thread, each while it polls, make a loop of it: on a full machine some take long.
    if len(followed) != 5 or len(loops) < 9 or not workers:
        complain(f"{len(workers)} processes with a loop and two workers: {sorted(loops)}")
    code = [pair for pair in code if pair[0] != pair[1]]  # what starves may take long by itself
    if len(crypto) < 1 or any(pair != (sick["sick"], sick["sick"]) for pair in crypto):
        complain(f"process {sick['sick']} blocks its loop: {crypto}")
    if len(code) < (threads == "threads") or any(p != sick["sick-thread"] for p, _ in code):
        complain(f"a thread of process {sick['sick-thread']} blocks its own loop: {code}")
    for finding in report["findings"]:
        if finding["cause"] == "sync_crypto" and finding["serving_stalls"]:
            if [p["pid"] for p in finding["processes"]] != [sick["sick"]]:
                complain(f"finding of {finding['processes']}")


def check_queue(report, role):
    roles = {p["pid"]: p["argv"][2] for p in report["processes"] if len(p["argv"]) > 2 and "queue.js" in p["argv"][1]}
    stalls = [roles.get(pid) for pid, _ in serving(report, "sync_crypto")]
    print(f"{roles}, {len(stalls)} stalls")
    if len(roles) != 2 or len(stalls) < 3 or set(stalls) != {role}:
        complain(f"the {role} has all the stalls: {stalls}")


def check_stress(report, *routes):
    """fixtures/node/stress.js under autocannon: what each route is to be blamed for, and on which thread."""
    main = report["target"]["pid"]
    culprits = {"sync-hash": ("sync_crypto", "syncHash", True), "worker-hash": ("sync_crypto", "syncHash", False),
                "tick-storm": ("microtask_starvation", "tick", True)}
    seen = {(s["cause"], report["findings"][s["finding"]].get("culprit", {}).get("function"), s["tid"] == main)
            for s in report["stalls"] if s["phase"] == "serving" and s["running_ns"] > 15 * MS}
    print(f"{' '.join(routes)}: {sorted(map(str, seen))}")
    for route in routes:
        if route in culprits and culprits[route] not in seen:
            complain(f"/{route}: no {culprits[route]}")
    allowed = {culprits[route][:2] for route in routes if route in culprits}
    for cause, function, _ in seen:
        if cause in ("sync_crypto", "microtask_starvation") and (cause, function) not in allowed:
            complain(f"{cause} at {function} is of no route")


def check_requests(report, server):
    stalls = [s for s in report["stalls"] if s["phase"] == "serving"]
    named = [s["request"] for s in stalls if "request" in s]
    print(f"{server}: {len(stalls)} stalls, of them of {sorted(named)}")
    wanted = (["debug (2 arguments)"] if server == "redis" else
              [f"POST /own-{how}?..." for how in ("direct", "promise", "body")])
    for request in named:
        if request not in wanted:
            complain(f"a turn of something else is taken for {request}")
    # One may be starved so much that it has no sample; a sleep has one at most.
    for request in wanted:
        if named.count(request) < (1 if server == "redis" else 2):
            complain(f"{request} is named {named.count(request)} times")
    for stall in stalls:
        if "request" in stall and not 0.5 < stall["request_confidence"] <= 1:
            complain(f"confidence {stall['request_confidence']}")
        if server == "node" and "request" in stall and not stall.get("peer", "").startswith("127.0.0.1:"):
            complain(f"peer {stall.get('peer')}")


def agrees(lag, measured):
    """monitorEventLoopDelay sees the timers' way back as well: 1 to 5 ms more, it says itself."""
    slack = max(0.05 * measured, MS)
    return -slack - 5 * MS <= lag - measured <= slack


def check_delay(report, path):
    # Where a thread waits for a CPU as it wakes up, node counts that wait, and no turn has begun yet.
    if report["host"]["idle_ratio"] < 0.3:
        return print("the machine is too busy to compare with")
    with open(path, encoding="ascii") as file:
        node = json.loads(file.read().splitlines()[-1])
    lags = [upper / (1 + 1 / 64) for upper, count in report["loops"][0]["histogram"] for _ in range(count)]
    # A loop turns more often than a timer looks at it: the same place from the top is compared.
    rank = round(0.01 * node["count"])
    longest = [lags[-rank - i] / MS for i in range(-1, 2)]
    print(f"p99 {node['p99'] / MS:.1f} ms and lags {longest}, max {node['max'] / MS:.1f} ms and {lags[-1] / MS:.1f}")
    if not any(agrees(lag * MS, node["p99"]) for lag in longest):
        complain("the 99th percentiles differ")
    # What came before or after node's own measurement may have been longer.
    if not any(agrees(lag, node["max"]) for lag in lags[-3:]):
        complain(f"the longest differ: {lags[-3:]}")


def main():
    report = load(sys.argv[2])
    check = {"truth": check_truth, "routes": check_routes, "native": check_native,
             "calls": check_calls,
             "healthy": check_healthy, "slowlog": check_slowlog,
             "pool": check_pool, "delay": check_delay, "requests": check_requests, "starved": check_starved,
             "cluster": check_cluster, "queue": check_queue,
             "stress": check_stress}[sys.argv[1]]
    check(report, *sys.argv[3:])
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
