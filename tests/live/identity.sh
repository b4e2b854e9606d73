#!/bin/sh
# shellcheck source=tests/live/lib.sh
# A process is not its pid, and a program is not its path: execs at random times, upgrades of a running
# program's file, and pids that are given to another process while lagprof attaches.  EXECS, UPGRADES and
# REUSES say how many (500, 50 and 2000 are what lagprof is tried with).
. "$(dirname "$0")/lib.sh"
need python3 unshare
need_exact

execs()
{
	start_fixture "execs-$1" "$FIXTURES/flip" "$tmp/execs-$1.log" "$2" "$FIXTURES/flop"
	target=$pid
	attach "execs-$1" "$target" --threshold 20ms --probe "$1"
	ended "$target" $((20 + $2))
	ended "$lagprof" 20
	[ "$status" -eq 0 ] || fail "$1: lagprof exited with $status"
	python3 "$LIVE/identity.py" "$tmp/execs-$1.json" "$tmp/execs-$1.log" || fail "$1: execs"
	"$LAGPROF" report --format folded "$tmp/execs-$1.lagprof" >"$tmp/folded"
	grep 'spin_first.*spin_second\|spin_second.*spin_first' "$tmp/folded" && fail "$1: a stack of two programs"
}

# The program's file is another one by the time lagprof looks for names.
upgrades()
{
	count=0
	while [ $count -lt "$1" ]; do
		count=$((count + 1))
		rm -f "$tmp/service"
		cp "$FIXTURES/flip" "$tmp/service"
		start_fixture "upgrade" "$tmp/service" "$tmp/upgrade-$count.log" 1000000
		target=$pid
		cp "$FIXTURES/flop" "$tmp/new"
		mv "$tmp/new" "$tmp/service"
		[ $((count % 2)) -eq 0 ] && rm "$tmp/service"
		attach "upgrade-$count" "$target" --duration 500ms
		ended "$lagprof" 20
		kill -KILL "$target"
		"$LAGPROF" report --format folded "$tmp/upgrade-$count.lagprof" >"$tmp/folded"
		if grep -q spin_second "$tmp/folded" || ! grep -q spin_first "$tmp/folded"; then
			fail "upgrade $count: $(cat "$tmp/folded")"
		fi
	done
}

for probe in exact light user; do
	execs $probe "${EXECS:-12}"
done
upgrades "${UPGRADES:-2}"
for probe in exact proc; do
	unshare --pid --fork --mount-proc python3 "$LIVE/pid_reuse.py" "$LAGPROF" "$tmp" "${REUSES:-6}" $probe ||
		fail "pids"
done
finish
