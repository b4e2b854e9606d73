#!/bin/sh
# shellcheck source=tests/live/lib.sh
# The hazards of an event loop that people write about, on node and in C: each planted once is a stall
# of its cause, and the twin that does the same work well has none of its own making.  RUNS=20 for more.
. "$(dirname "$0")/lib.sh"
need python3 node mkfifo
need_exact

# On a crowded machine a stall may have had no CPU of its own, and a turn of the twin takes longer.
timeout 280 python3 "$SOURCE/tests/tools/causes.py" "$LAGPROF" --build "$BUILD" --target hazards,blockers \
	--min 0.9 --slack 2 >"$tmp/table" 2>&1 || fail "$(cat "$tmp/table")"
tail -n 1 "$tmp/table"
finish
