#!/bin/sh
# Stacks of real programs are complete, true, and those that libunwind finds wherever it finds any.
set -u
PATH=$BUILD/fixtures/bin:$PATH
fail=0
socket=$(mktemp -u /tmp/lagprof-unwind-XXXXXX)

# check SECONDS WRONG PROGRAM ARGUMENT...
check()
{
	echo "+ $*"
	timeout 120 "$BUILD/tests/unwind_real" "$@"
	case $? in
	0) ;;
	77) exit 77 ;;
	*) fail=1 ;;
	esac
}

# They build and drop deep stacks every few microseconds: more than any program goes on meanwhile.
check 3 25 "$BUILD/fixtures/unwind/shapes" forever
check 3 25 "$BUILD/fixtures/unwind/shapes_static" forever
if [ -x "$BUILD/fixtures/unwind/shapes_musl" ]; then
	check 3 25 "$BUILD/fixtures/unwind/shapes_musl" forever
fi

if command -v node >/dev/null; then
	check 6 2 node "$SOURCE/bench/unwind.js"
fi

if command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null; then
	(
		while [ ! -S "$socket" ]; do
			sleep 0.1
		done
		exec timeout 10 redis-benchmark -s "$socket" -q -n 100000000 \
			-t set,lpush,lrange_300,zadd >/dev/null 2>&1
	) &
	load=$!
	check 4 2 redis-server --port 0 --unixsocket "$socket" --save ''
	kill "$load" 2>/dev/null
	rm -f "$socket"
fi
exit $fail
