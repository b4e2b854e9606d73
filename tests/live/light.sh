#!/bin/sh
# shellcheck source=tests/live/lib.sh
# The light rung, which has no hook on system calls, finds every planted stall too.  Of a loop that
# never sleeps it guesses a turn's begin, and leaves those out of the lags that it did not see.
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
	python3 -c 'import json, sys
sys.exit(json.load(open(sys.argv[1]))["loops"][0]["lag"]["p99_ns"] > 200000)' \
		"$tmp/lagprof-$mode.json" || [ $mode = idle ] || fail "time unseen counts as a turn"
	check_report truth "$tmp/lagprof-$mode.json" "$tmp/truth-$mode" $off
done
finish
