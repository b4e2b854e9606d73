#!/bin/sh
# shellcheck source=tests/live/lib.sh
# Every planted stall of a loop is found with its length, none is invented: spinning, sleeping and
# sleeping in small pieces, on a loop that is idle between them and on one that never sleeps.
. "$(dirname "$0")/lib.sh"
need python3
need_exact

for mode in idle saturated; do
	start_fixture "server-$mode" "$FIXTURES/stall_server" --hold --mode $mode --count 36 --seed 7 \
		--log "$tmp/truth-$mode"
	server=$pid
	attach "lagprof-$mode" "$server" --threshold 10ms --probe exact
	kill -USR1 "$server"
	ended "$server" 60
	ended "$lagprof" 20
	[ "$status" -eq 0 ] || fail "$mode: lagprof exited with $status"
	echo "$mode:"
	check_report truth "$tmp/lagprof-$mode.json" "$tmp/truth-$mode"
done
finish
