#!/bin/sh
# shellcheck source=tests/live/lib.sh
# Stock CPython: every blocking call of an asyncio server is a stall with the call, and the file and
# line where it is made; the twin that does the same work well is left in peace.
# PYTHONS: other interpreters to try as well.
. "$(dirname "$0")/lib.sh"
need python3
need_exact

fixture=$SOURCE/fixtures/python/asyncio_stalls.py
python3 "$fixture" --list >"$tmp/list"

# Not a wrapper that starts it.
system=$(python3 -c 'import sys; print(sys.executable)')
for python in $system ${PYTHONS-}; do
	echo "$python"
	"$LAGPROF" run --no-html -o "$tmp/stalls.lagprof" --json "$tmp/stalls.json" -- \
		"$python" "$fixture" --drive 2 --log "$tmp/stalls.log" >"$tmp/out" 2>"$tmp/err" </dev/null ||
		fail "$python: status $?: $(cat "$tmp/err")"
	check_report calls "$tmp/stalls.json" "$tmp/stalls.log" "$tmp/list"
	grep -q '"command": *"sleep 0.1"' "$tmp/stalls.json" || fail "$python: the command of the child is not shown"
	rm -f "$tmp"/stalls.*
done
"$LAGPROF" run --no-html -o "$tmp/healthy.lagprof" --json "$tmp/healthy.json" -- \
	"$system" "$fixture" --healthy --drive 2 >"$tmp/out" 2>"$tmp/err" </dev/null ||
	fail "the twin: status $?: $(cat "$tmp/err")"
check_report healthy "$tmp/healthy.json"
finish
