#!/bin/sh
# shellcheck source=tests/live/lib.sh
# A loop that waits inside a system call: what for is told by its arguments.
. "$(dirname "$0")/lib.sh"
need python3
need_exact

"$LAGPROF" run -q --no-html -o "$tmp/waits.lagprof" --json "$tmp/waits.json" --threshold 10ms -- \
	"$FIXTURES/waits" "$tmp/file" >"$tmp/out" 2>"$tmp/err" </dev/null || fail "status $?: $(cat "$tmp/err")"
python3 - "$tmp/waits.json" "$(cat "$tmp/out")" "$tmp/file" <<'END' || fail "evidence"
import json, sys
report, peer, path = json.load(open(sys.argv[1])), sys.argv[2], sys.argv[3]
found = {}
for finding in report["findings"]:
    found.setdefault(finding["cause"], []).append(finding["evidence"])
wanted = {
    "sync_net": lambda e: e.get("peer") == peer,
    "blocking_output": lambda e: e.get("descriptor", "").startswith("pipe:"),
    "sync_fs": lambda e: e.get("path") == path + ".fifo",
    "sleep": lambda e: 80e6 < e.get("duration_ns", 0) < 2e9,
}
# A disk may be too fast to be waited for.
if any("descriptor" in e for e in found.get("sync_fs", [])):
    wanted["sync_fs "] = lambda e: e.get("path") == path
bad = [cause for cause, right in wanted.items() if not any(map(right, found.get(cause.strip(), [])))]
for cause in bad:
    print(cause, found.get(cause.strip(), "not found"), file=sys.stderr)
sys.exit(bool(bad))
END

# libc polls in another way once there is a second thread: none of the later turns may be missed.
for probe in exact light; do
	"$LAGPROF" run -q --probe $probe --no-html -o "$tmp/late.lagprof" --json "$tmp/late.json" -- \
		"$FIXTURES/late_thread" 20 >"$tmp/out" 2>"$tmp/err" </dev/null || fail "status $?: $(cat "$tmp/err")"
	python3 - "$tmp/late.json" <<'END' || fail "$probe: stalls missed after a thread was started"
import json, sys
report = json.load(open(sys.argv[1]))
# The first turn goes by while the loop's poll is found again.
slept = [s for s in report["stalls"] if s["duration_ns"] < 400e6]
print(len(slept), "stalls of 20")
sys.exit(len(slept) < 14)
END
done
finish
