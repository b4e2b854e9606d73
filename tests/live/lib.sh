# What the live tests share; sourced: . "$(dirname "$0")/lib.sh"
# shellcheck shell=sh
set -u
LIVE=$(cd "$(dirname "$0")" && pwd)
FIXTURES=$BUILD/fixtures
PATH=$FIXTURES/bin:$PATH
failures=0
started=
tmp=$(mktemp -d)

# Ends by PID only what this test started.
clean_up()
{
	for child in $started; do
		kill -KILL "$child"
	done 2>/dev/null
	[ -n "${KEEP-}" ] && echo "kept: $tmp" || rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

skip()
{
	echo "skipped: $*"
	exit 77
}

fail()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# The last line of every test.
finish()
{
	[ "$failures" -eq 0 ] || echo "$failures failed"
	[ "$failures" -eq 0 ]
	exit
}

need()
{
	for command in "$@"; do
		command -v "$command" >/dev/null || skip "no $command here"
	done
}

# Skips where nobody may load BPF programs (a container, a locked down kernel).  Found out without
# lagprof: that it cannot observe where it should is a failure.
need_exact()
{
	[ "$(id -u)" -eq 0 ] || skip "the exact probe needs root"
	[ -e /sys/kernel/tracing/events/syscalls ] || [ -e /sys/kernel/btf/vmlinux ] ||
		skip "neither tracefs nor BTF here"
	python3 - <<-'END' || skip "bpf(2) is not allowed here"
		import ctypes, sys
		array_map = (ctypes.c_uint32 * 32)(2, 4, 4, 1)
		sys.exit(ctypes.CDLL(None).syscall(321, 0, array_map, 128) < 0)
	END
}

free_port()
{
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for()
{
	tries=$(($1 * 50))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.02
	done
}

# start NAME COMMAND...: in the background, its output in $tmp/NAME.out and .err; sets $pid.
start()
{
	name=$1
	shift
	"$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null &
	pid=$!
	started="$started $pid"
}

# The same for a fixture, until it says "ready".
start_fixture()
{
	start "$@"
	wait_for 20 grep -q '^ready' "$tmp/$1.out" || {
		cat "$tmp/$1.err"
		fail "$1 did not start"
		finish
	}
}

# attach NAME PID OPTION...: lagprof, until events are live; sets $lagprof to its PID.  Its recording
# is $tmp/NAME.lagprof, its report $tmp/NAME.json.
attach()
{
	name=$1 target=$2
	shift 2
	start "$name" "$LAGPROF" attach --no-html -o "$tmp/$name.lagprof" --json "$tmp/$name.json" "$@" \
		"$target"
	lagprof=$pid
	wait_for 20 grep -q '^lagprof: attached' "$tmp/$name.err" || {
		cat "$tmp/$name.err"
		fail "$name: lagprof did not attach"
		finish
	}
}

# ended PID SECONDS: waits for a child to end and sets $status; fails if it does not end in time.
ended()
{
	if ! wait_for "$2" not_running "$1"; then
		fail "$1 still runs after $2 s"
		kill -KILL "$1"
	fi
	wait "$1"
	status=$?
}

not_running()
{
	case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in
	'' | Z* | X*) return 0 ;;
	esac
	return 1
}

# check_report SCRIPT ARGUMENT...: a check of tests/live/check.py, whose complaints are failures.
check_report()
{
	python3 "$LIVE/check.py" "$@" || fail "$*"
}
