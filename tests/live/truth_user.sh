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

# idle PROBE: a loop that sleeps as lagprof comes, and for long, has done nothing wrong.
idle()
{
	start_fixture "idle-$1" python3 -c 'import os, select, sys
print("ready", flush=True)
end, poll = os.times().elapsed + 4, select.epoll()
while os.times().elapsed < end:
    poll.poll(0.3)'
	attach "asleep-$1" "$pid" --threshold 50ms --duration 1500ms --probe "$1"
	ended "$lagprof" 20
	python3 - "$tmp/asleep-$1.json" <<-'END' || fail "$1: a sleep in the poll is a stall"
		import json, sys
		report = json.load(open(sys.argv[1]))
		own = [s for s in report["stalls"] if s["duration_ns"] - s["runnable_ns"] > 50000000]
		print(report["lagprof"]["probe"], "asleep:", report["loops"][0]["turns"], "turns", own)
		sys.exit(bool(own) or report["loops"][0]["turns"] < 2)
	END
}

if "$LAGPROF" doctor 2>/dev/null | grep -q '^✔ *user '; then
	rung user idle 0.25
	rung user saturated 0.25
	idle user
	idle user
fi
rung proc idle 0.25
idle proc
finish
