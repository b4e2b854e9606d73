#!/bin/sh
# shellcheck source=tests/live/lib.sh
# The light rung, which has no hook on system calls, finds every planted stall too.  Of a loop that
# never sleeps it knows a turn's begin to a quarter of the threshold only.
. "$(dirname "$0")/lib.sh"
need python3
need_exact

for mode in idle saturated; do
	start_fixture "server-$mode" "$FIXTURES/stall_server" --hold --mode $mode --count 24 --seed 3 \
		--log "$tmp/truth-$mode"
	server=$pid
	attach "lagprof-$mode" "$server" --threshold 10ms --probe light
	# How a loop polls that never sleeps is learned within half a second.
	[ $mode = idle ] || sleep 1
	kill -USR1 "$server"
	ended "$server" 60
	ended "$lagprof" 20
	[ "$status" -eq 0 ] || fail "$mode: lagprof exited with $status"
	echo "$mode:"
	[ $mode = idle ] && off=0.05 || off=0.3
	check_report truth "$tmp/lagprof-$mode.json" "$tmp/truth-$mode" $off
done
finish
