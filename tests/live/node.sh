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
# A turn of the twin may be long on a busy machine, but not because of its code.
python3 - "$tmp/healthy.json" <<'END' || fail "healthy.js has findings"
import json, sys
report = json.load(open(sys.argv[1]))
bad = [s for s in report["stalls"] if s["phase"] == "serving" and s["running_ns"] > 40e6]
print(len(report["stalls"]), "stalls of the twin, computing too long:", bad)
sys.exit(1 if bad else 0)
END
finish
