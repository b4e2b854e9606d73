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
finish
