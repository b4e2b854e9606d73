#!/bin/sh
# libuv's thread pool: ten jobs at a time on four threads saturate it and wait, on sixteen they do
# not, and two never do.  On node, whose symbols say where the pool is, and on a program with the
# stripped libuv of the distribution.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
need python3 node
need_exact

# observe NAME THREADS COMMAND...
observe()
{
	name=$1
	threads=$2
	shift 2
	UV_THREADPOOL_SIZE=$threads start "$name" "$LAGPROF" run -q --no-html \
		-o "$tmp/$name.lagprof" --json "$tmp/$name.json" -- "$@"
	observed="$observed $pid"
}

node()
{
	observe "node-$1" "$2" node "$SOURCE/fixtures/node/pool.js" --rounds 12 --jobs "$3"
}

c()
{
	observe "c-$1" "$2" "$FIXTURES/uv_pool" --rounds 12 --jobs "$3"
}

observed=
node full 4 10
c full 4 10
c room 16 10
c calm 4 2
for pid in $observed; do
	ended "$pid" 60
	[ "$status" -eq 0 ] || fail "lagprof exited with $status"
done
observed=
node room 16 10
node calm 4 2
for pid in $observed; do
	ended "$pid" 60
done
for runtime in node c; do
	check_report pool "$tmp/$runtime-full.json" 4 saturated
	check_report pool "$tmp/$runtime-room.json" 16 ok
	check_report pool "$tmp/$runtime-calm.json" 4 ok
done
finish
