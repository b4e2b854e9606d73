#!/bin/sh
# shellcheck source=tests/live/lib.sh
# `run` is transparent: status, signals, standard input and output are those of the child.
. "$(dirname "$0")/lib.sh"
need python3
need_exact

# run COMMAND...: as a user would, without files left behind.
run()
{
	"$LAGPROF" run -q --no-html -o "$tmp/run.lagprof" "$@" 2>"$tmp/err"
}

# expect STATUS COMMAND...
expect()
{
	wanted=$1
	shift
	rm -f "$tmp/run.lagprof"
	run "$@" >"$tmp/out" </dev/null
	got=$?
	[ "$got" -eq "$wanted" ] || fail "$*: status $got, not $wanted: $(cat "$tmp/err")"
}

expect 0 -- true
expect 7 -- sh -c 'exit 7'
expect 255 -- sh -c 'exit 255'
expect 2 --nonsense -- true
expect 2
expect 127 -- lagprof-no-such-program
expect 127 -- /nonexistent/program
expect 126 -- /etc/passwd
expect 126 -- /

# lagprof's own failure is told before the child runs.
"$LAGPROF" run -q --no-html -o "$tmp/no/such/folder/x" -- touch "$tmp/ran" 2>"$tmp/err" </dev/null
[ $? -eq 125 ] || fail "a recording that cannot be written: not 125"
[ ! -e "$tmp/ran" ] || fail "the child ran although lagprof had failed"

# The signal itself is passed on, not only 128+N.
for signal in TERM KILL INT HUP SEGV ABRT; do
	rm -f "$tmp/run.lagprof"
	python3 - "$signal" "$LAGPROF" "$tmp/run.lagprof" <<'END' || fail "killed by SIG$signal"
import signal, subprocess, sys
name, lagprof, recording = sys.argv[1:]
status = subprocess.run([lagprof, "run", "-q", "--no-html", "-o", recording, "--",
                         "sh", "-c", f"kill -{name} $$"], stdin=subprocess.DEVNULL).returncode
if status != -getattr(signal, "SIG" + name):
    sys.exit(f"status {status}")
END
done

# The child's own failure comes before the verdict; the verdict before a child that succeeded.
expect 5 -b 'lag.max<1ns' -- sh -c "'$FIXTURES/stall_server' --count 2; exit 5"
expect 143 -b 'lag.max<60s' -- sh -c 'kill -TERM $$'
expect 99 -b 'stall.count{phase=all}==0' --threshold 1ms -- "$FIXTURES/stall_server" --count 6
expect 98 -b 'lag.max<60s' -- true

# attach_ends STATUS ACT OPTION...: attached to a server that stalls now and then.
attach_ends()
{
	wanted=$1 act=$2
	shift 2
	start_fixture target "$FIXTURES/stall_server" --pause 5 --count 400
	server=$pid
	attach attached "$server" "$@"
	wait_for 20 grep -q . "$tmp/target.out"
	sleep 1
	case $act in
	interrupt) kill -INT "$lagprof" ;;
	end) kill "$server" ;;
	esac
	ended "$lagprof" 20
	[ "$status" -eq "$wanted" ] || fail "attach, $act $*: status $status, not $wanted"
	kill "$server" 2>/dev/null
}

attach_ends 0 wait --duration 500ms
attach_ends 0 interrupt
attach_ends 0 end
attach_ends 99 interrupt -b 'lag.max<1us'
attach_ends 98 wait -b 'lag.max<60s' --duration 1ms
attach_ends 98 end -b 'stall.count{cause=sync_dns}==0' -b 'strict.count==0'

rm -f "$tmp/run.lagprof"
head -c 3000000 /dev/urandom >"$tmp/bytes"
run -- cat <"$tmp/bytes" | cmp - "$tmp/bytes" || fail "standard input or output was changed"
rm -f "$tmp/run.lagprof"
"$LAGPROF" run --no-html -o "$tmp/run.lagprof" -- "$FIXTURES/stall_server" --count 2 2>/dev/null |
	grep -vq '^ready [0-9]*$' && fail "lagprof wrote to standard output"

rm -f "$tmp/run.lagprof"
# A file of which much is written, and a pipe.
run -- cat "$tmp/bytes" "$tmp/bytes" "$tmp/bytes" "$tmp/bytes" | tail -c 3000000 | cmp - "$tmp/bytes" ||
	fail "a large output was changed"
rm -f "$tmp/run.lagprof"
head -c 1000000 "$tmp/bytes" | run -- cat | cmp -n 1000000 - "$tmp/bytes" || fail "a pipe was changed"
python3 "$LIVE/jobs.py" "$LAGPROF" "$tmp" || fail "a terminal as input, or Ctrl-Z and fg"

# Ctrl-C: the child gets it once, takes its time, and its status is kept.
rm -f "$tmp/run.lagprof"
python3 - "$LAGPROF" "$tmp/run.lagprof" <<'END' || fail "Ctrl-C"
import os, pty, sys, time
lagprof, recording = sys.argv[1:]
code = """import signal, sys, time
count = 0
def interrupt(number, frame):
    global count
    count += 1
signal.signal(signal.SIGINT, interrupt)
print("go", flush=True)
while not count:
    time.sleep(0.01)
time.sleep(0.5)
print("interrupted", count, flush=True)
sys.exit(3)
"""
pid, terminal = pty.fork()
if pid == 0:
    os.execv(lagprof, [lagprof, "run", "--no-html", "-o", recording, "--", sys.executable, "-c", code])
text, sent, limit = b"", False, time.time() + 60
while time.time() < limit:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    text += piece
    if not piece:
        break
    if b"go" in text and not sent:
        os.write(terminal, b"\x03")
        sent = True
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if status != 3 or b"interrupted 1" not in text:
    sys.exit(f"status {status}: {text.decode(errors='replace')}")
if not os.path.getsize(recording):
    sys.exit("no recording")
END
"$LAGPROF" report "$tmp/run.lagprof" >/dev/null || fail "the recording of the interrupted run"
finish
