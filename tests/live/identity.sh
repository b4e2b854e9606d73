#!/bin/sh
# shellcheck source=tests/live/lib.sh
# A process is not its pid, and a program is not its path: execs at random times, upgrades of a running
# program's file, and pids that are given to another process while lagprof attaches.  EXECS, UPGRADES and
# REUSES say how many (500, 50 and 2000 are what lagprof is tried with).
. "$(dirname "$0")/lib.sh"
need python3 unshare
need_exact

# watch NAME PROBE PROGRAM LOG COUNT [OTHER]: sets $lagprof and $target.  The library of the rung shim comes
# with the launch.
watch()
{
	watched=$1 probe=$2
	shift 2
	if [ "$probe" = shim ]; then
		start "$watched-target" "$LAGPROF" run --no-html --probe shim -o "$tmp/$watched.lagprof" \
			--json "$tmp/$watched.json" -- "$@"
		lagprof=$pid
		wait_for 20 grep -q '^ready' "$tmp/$watched-target.out" || fail "$watched did not start"
		target=$(sed -n 's/^ready //p' "$tmp/$watched-target.out")
	else
		start_fixture "$watched-target" "$@"
		target=$pid
		attach "$watched" "$target" --probe "$probe"
	fi
}

# judge NAME LOG: every stall carries the function of the program that made it.
judge()
{
	python3 "$LIVE/identity.py" "$tmp/$1.json" "$2" || fail "$1"
	"$LAGPROF" report --format folded "$tmp/$1.lagprof" >"$tmp/folded"
	grep 'spin_first.*spin_second\|spin_second.*spin_first' "$tmp/folded" && fail "$1: a stack of two programs"
}

execs()
{
	watch "execs-$1" "$1" "$FIXTURES/flip" "$tmp/execs-$1.log" "$2" "$FIXTURES/flop"
	ended "$lagprof" $((20 + $2))
	[ "$status" -eq 0 ] || fail "$1: lagprof exited with $status"
	echo "$1, $2 execs:"
	judge "execs-$1" "$tmp/execs-$1.log"
}

install()
{
	cp "$FIXTURES/$1" "$tmp/new"
	mv "$tmp/new" "$tmp/service"
}

# The program's file is another one by the time lagprof looks for names; every third time there is none.
upgrades()
{
	count=0
	while [ $count -lt "$2" ]; do
		count=$((count + 1))
		install flip
		watch "upgrade-$1-$count" "$1" "$tmp/service" "$tmp/upgrade.log" 20
		install flop
		[ $((count % 3)) -eq 0 ] && rm "$tmp/service"
		sleep 0.4
		kill -KILL "$target"
		ended "$lagprof" 20
		"$LAGPROF" report --format folded "$tmp/upgrade-$1-$count.lagprof" >"$tmp/folded"
		if grep -q spin_second "$tmp/folded" || ! grep -q spin_first "$tmp/folded"; then
			fail "$1, upgrade $count: $(cat "$tmp/folded")"
		fi
	done
	echo "$1: $count programs whose file was replaced"
}

# It runs its own file again and again, and that is another one each time.
renewals()
{
	install flip
	watch "renewals-$1" "$1" "$tmp/service" "$tmp/renewals-$1.log" "$2" "$tmp/service"
	while ! not_running "$lagprof"; do
		install flop
		sleep 0.07
		install flip
		sleep 0.05
	done
	ended "$lagprof" 20
	echo "$1, $2 programs that were replaced and run anew:"
	judge "renewals-$1" "$tmp/renewals-$1.log"
}

for rung in ${RUNGS:-exact light user shim proc}; do
	[ "${EXECS:-12}" -eq 0 ] || execs "$rung" "${EXECS:-12}"
	[ "${UPGRADES:-2}" -eq 0 ] || upgrades "$rung" "${UPGRADES:-2}"
	[ "${UPGRADES:-2}" -eq 0 ] || renewals "$rung" "$((4 * ${UPGRADES:-2}))"
done
for probe in exact proc; do
	unshare --pid --fork --mount-proc python3 "$LIVE/pid_reuse.py" "$LAGPROF" "$tmp" "${REUSES:-6}" $probe ||
		fail "pids"
done
finish
