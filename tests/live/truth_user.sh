#!/bin/sh
# shellcheck source=tests/live/lib.sh
# The planted stalls of truth.sh, as the rungs see them that look once a millisecond.
. "$(dirname "$0")/lib.sh"
need python3

# rung PROBE MODE TOLERANCE: its error, as a share of the threshold.
rung()
{
	start_fixture "server-$1-$2" "$FIXTURES/stall_server" --hold --mode "$2" --count 24 --seed 5 \
		--log "$tmp/truth-$1-$2"
	server=$pid
	attach "lagprof-$1-$2" "$server" --threshold 8ms --probe "$1"
	kill -USR1 "$server"
	ended "$server" 60
	ended "$lagprof" 20
	[ "$status" -eq 0 ] || fail "$1, $2: lagprof exited with $status"
	echo "$1, $2:"
	check_report truth "$tmp/lagprof-$1-$2.json" "$tmp/truth-$1-$2" "$3"
}

if "$LAGPROF" doctor 2>/dev/null | grep -q '^✔ *user '; then
	rung user idle 0.25
	rung user saturated 0.25
fi
rung proc idle 0.25
finish
