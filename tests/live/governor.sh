#!/bin/sh
# shellcheck source=tests/live/lib.sh
# A loop that turns too often for the exact rung is watched by the light one after a quarter of a second:
# the session goes on, no stall is lost or invented, and the report says what watching costs.
. "$(dirname "$0")/lib.sh"
need python3
need_exact

is()
{
	python3 -c "import json, sys; r = json.load(open(sys.argv[1])); o = r['lagprof']['overhead']
sys.exit(not ($2))" "$tmp/$1.json" || fail "$1: not $2"
}

start_fixture server "$FIXTURES/stall_server" --hold --mode saturated --count 24 --seed 5 \
	--log "$tmp/truth"
server=$pid
attach stepping "$server" --threshold 10ms --max-overhead 0.1
# Half a second before the step.
sleep 0.5
kill -USR1 "$server"
ended "$server" 60
ended "$lagprof" 20
check_report truth "$tmp/stepping.json" "$tmp/truth" 0.3
is stepping 'r["lagprof"]["probe"] == "light" and o["steps"] >= 1'
is stepping 'o["target_cpu_ns"] > 0 and o["own_cpu_ns"] > 0'
grep -q 'step.* between exact and light' "$tmp/stepping.err" || fail "the step is not said"

# The same loop where it may cost all that, and one that is asked for the exact rung.
for how in "--max-overhead 100" "--probe exact --max-overhead 0.1"; do
	start_fixture server "$FIXTURES/stall_server" --hold --mode saturated --count 1 --seed 5
	server=$pid
	# shellcheck disable=SC2086 # two words
	attach staying "$server" $how --duration 2s
	ended "$lagprof" 20
	kill -KILL "$server"
	is staying 'r["lagprof"]["probe"] == "exact" and o["steps"] == 0'
done
finish
