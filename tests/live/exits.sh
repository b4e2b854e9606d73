#!/bin/sh
# shellcheck source=tests/live/lib.sh
# A target that ends while lagprof attaches to it: lagprof ends at once, with a status of the list.
# N=1000 for the long form.
. "$(dirname "$0")/lib.sh"
need python3
need_exact

python3 - "$LAGPROF" "$FIXTURES/stall_server" "$tmp" "${N:-40}" <<'END' || fail "exits"
import collections, os, random, subprocess, sys, time
lagprof, server, tmp, n = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
random.seed(5)
seen, took = collections.Counter(), []
for i in range(n):
    target = subprocess.Popen([server, "--hold"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    target.stdout.readline()
    recording = os.path.join(tmp, f"exit-{i}.lagprof")
    tool = subprocess.Popen([lagprof, "attach", "-q", "--no-html", "-o", recording, str(target.pid)],
                            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    time.sleep(random.uniform(0, 0.15))
    # Sometimes it stays a zombie for a while.
    target.kill()
    if i % 2:
        target.wait()
    end = time.monotonic()
    try:
        error = tool.communicate(timeout=20)[1].decode()
    except subprocess.TimeoutExpired:
        tool.kill()
        target.wait()
        sys.exit(f"run {i}: lagprof did not end")
    target.wait()
    target.stdout.close()
    took.append(time.monotonic() - end)
    seen[tool.returncode] += 1
    if tool.returncode not in (0, 125) or error.count("\n") > 3:
        sys.exit(f"run {i}: status {tool.returncode}: {error}")
took.sort()
print(dict(seen), "ended after the target:", ", ".join(f"{name} {took[int(q * (n - 1))]:.2f} s" for name, q in (("median", 0.5), ("p95", 0.95), ("p99", 0.99), ("slowest", 1))))
END
finish
