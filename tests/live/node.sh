#!/bin/sh
# shellcheck source=tests/live/lib.sh
# Stock node: every blocking route is a stall, with the cause that native frames show and complete
# stacks; the twin that does the same work well is left in peace.
. "$(dirname "$0")/lib.sh"
need python3 node
need_exact

run()
{
	name=$1
	"$LAGPROF" run --no-html -o "$tmp/$name.lagprof" --json "$tmp/$name.json" -- \
		node "$SOURCE/fixtures/node/$name.js" --drive 2 --log "$tmp/$name.log" \
		>"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null || {
		cat "$tmp/$name.err"
		fail "$name: status $?"
	}
}

node "$SOURCE/fixtures/node/stalls.js" --list >"$tmp/list"
run stalls
# Debian's node keeps V8 in a library without the symbols of its functions.
symbols=$(node -p 'process.config.variables.node_shared ? "stripped" : "symbols"')
check_report routes "$tmp/stalls.json" "$tmp/stalls.log" "$tmp/list" "$symbols"
run healthy
check_report healthy "$tmp/healthy.json"

# The last stall ends with the process, and is one.
cat >"$tmp/last.js" <<'END'
let turns = 0;
setInterval(function work() { for (const end = Date.now() + 60; Date.now() < end;); if (++turns === 4) process.exit(0); }, 90);
END
for probe in exact light; do
	"$LAGPROF" run -q --probe $probe --no-html -o "$tmp/last.lagprof" --json "$tmp/last.json" -- node "$tmp/last.js" \
		2>"$tmp/last.err" </dev/null || fail "last: status $?: $(cat "$tmp/last.err")"
	python3 - "$tmp/last.json" <<'END' || fail "$probe: the stall that ended with the process"
import json, sys
report = json.load(open(sys.argv[1]))
named = {f["id"] for f in report["findings"] if f.get("culprit", {}).get("function") == "work"}
print(sum(s.get("finding") in named for s in report["stalls"]), "stalls of 4")
sys.exit(sum(s["duration_ns"] >= 55e6 and s["phase"] == "serving" for s in report["stalls"]) != 4)
END
done
finish
