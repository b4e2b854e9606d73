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
finish
