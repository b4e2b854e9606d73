#!/bin/sh
# shellcheck source=tests/live/lib.sh
# What cannot work is answered by one line that says why and one that says what to do.
. "$(dirname "$0")/lib.sh"
need python3

# expect STATUS WORDS ARGUMENT...
expect()
{
	wanted=$1 words=$2
	shift 2
	timeout 20 "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ "$got" -eq "$wanted" ] || fail "$*: status $got, not $wanted"
	sed -n 1p "$tmp/err" | grep -q "^lagprof: .*$words" || fail "$*: no \"$words\" in: $(cat "$tmp/err")"
	sed -n 2p "$tmp/err" | grep -q '^  try: ..*' || fail "$*: no way out: $(cat "$tmp/err")"
	[ "$(wc -l <"$tmp/err")" -le 2 ] || fail "$*: more than two lines: $(cat "$tmp/err")"
	[ ! -s "$tmp/out" ] || fail "$*: wrote to standard output"
}

# A recording that must not come to be.
attach="$LAGPROF attach --no-html -o $tmp/none.lagprof"

expect 2 'unknown option --treshold' "$LAGPROF" attach --treshold 5ms 1
expect 2 'unknown command' "$LAGPROF" atach 1
expect 2 '' "$LAGPROF" attach
expect 2 '"x1"' $attach x1
expect 2 '"-5"' $attach -- -5
expect 2 '' $attach 99999999999999999999
expect 125 '[Nn]o .*process' $attach 4194303
expect 126 '/etc/passwd' "$LAGPROF" run --no-html -o "$tmp/none.lagprof" -- /etc/passwd
expect 127 'no-such-program' "$LAGPROF" run --no-html -o "$tmp/none.lagprof" -- no-such-program

# A zombie: a child that ended and that nobody waits for.
start zombie python3 -c 'import os, time
pid = os.fork()
if pid == 0: os._exit(0)
print("ready", pid, flush=True)
time.sleep(60)'
wait_for 20 grep -q ready "$tmp/zombie.out"
zombie=$(cut -d' ' -f2 "$tmp/zombie.out")
wait_for 20 grep -q ') Z' "/proc/$zombie/stat"
expect 125 'zombie\|ended' $attach "$zombie"

# A kernel thread, where the machine shows one.
if grep -q kthreadd /proc/2/comm 2>/dev/null; then
	expect 125 'kernel thread' $attach 2
fi

# Somebody else's process.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	sleep 60 </dev/null &
	started="$started $!"
	chmod 755 "$tmp"
	expect 125 '' setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$LAGPROF" attach --no-html -o /tmp/lagprof-none.lagprof $!
fi

head -c 100000 /dev/urandom >"$tmp/garbage"
: >"$tmp/empty"
expect 125 'not a recording\|garbage' "$LAGPROF" report "$tmp/garbage"
expect 125 '' "$LAGPROF" report "$tmp/empty"
expect 125 'No such file' "$LAGPROF" report "$tmp/missing"
expect 125 '' "$LAGPROF" report "$tmp"
expect 2 '' "$LAGPROF" report
expect 2 'xml' "$LAGPROF" report --format xml "$tmp/garbage"

[ ! -e "$tmp/none.lagprof" ] || fail "a failure left a recording behind"
finish
