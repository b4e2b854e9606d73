#!/bin/sh
# shellcheck source=tests/live/lib.sh
# A target that is stopped for its stacks, and traced up to its polls, does not notice: no wait of
# its ends early, and a signal that comes meanwhile is not lost.
. "$(dirname "$0")/lib.sh"
need python3

for probe in proc user; do
	"$LAGPROF" doctor 2>/dev/null | grep -q "^✔ *$probe " || continue
	start_fixture "waiter-$probe" "$BUILD/tests/waiter" 3
	waiter=$pid
	attach "lagprof-$probe" "$waiter" --threshold 4ms --probe $probe
	ended "$lagprof" 20
	ended "$waiter" 20
	echo "$probe: $(tail -n 1 "$tmp/waiter-$probe.out")"
	grep -q ' 0 waits cut short' "$tmp/waiter-$probe.out" || fail "$probe: the target was disturbed"
done

# Each signal is handled once, although the thread is stopped a thousand times a second.
start_fixture signals "$BUILD/tests/waiter" 4
target=$pid
attach traced "$target" --threshold 4ms --probe proc
python3 -c '
import os, signal, sys, time
for _ in range(300):
    os.kill(int(sys.argv[1]), signal.SIGRTMIN)
    time.sleep(0.005)' "$target"
ended "$target" 20
ended "$lagprof" 20
echo "signals: $(tail -n 1 "$tmp/signals.out")"
grep -q ' 300 signals' "$tmp/signals.out" || fail "signals were lost"
finish
