#!/bin/sh
# shellcheck source=tests/live/lib.sh
# The preloaded library of `run --probe shim`: every planted stall with its length; nothing of it in
# the environment of children, on the disk or among the descriptors; programs that replace the
# target keep it; static programs and set-user-ID ones are refused by name.
. "$(dirname "$0")/lib.sh"
need python3

observe()
{
	name=$1
	shift
	"$LAGPROF" run --probe shim --no-html -o "$tmp/$name.lagprof" --json "$tmp/$name.json" --threshold 10ms -- \
		"$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null
}

for mode in idle saturated; do
	# Through two programs that replace each other.
	observe "$mode" env sh -c 'exec "$@"' sh "$FIXTURES/stall_server" --mode $mode --count 24 --seed 3 \
		--log "$tmp/truth-$mode" || fail "$mode: lagprof exited with $?"
	echo "$mode:"
	check_report truth "$tmp/$mode.json" "$tmp/truth-$mode" 0.01
done

# What a child process of the target sees, and what the target has open.
LD_PRELOAD=libm.so.6 observe env sh -c 'env | grep -E "^(LD_PRELOAD|LAGPROF_SHIM)"; ls -l /proc/$$/fd' || fail "env: $?"
grep -q '^LD_PRELOAD=libm.so.6$' "$tmp/env.out" || fail "the user's own LD_PRELOAD was lost: $(cat "$tmp/env.out")"
grep -E 'LAGPROF_SHIM|memfd|lagprof_' "$tmp/env.out" && fail "something of ours is left in the target"
observe bare sh -c 'env | grep -cE "^(LD_PRELOAD|LAGPROF_SHIM)"; :'
[ "$(cat "$tmp/bare.out")" = 0 ] || fail "a child sees the library: $(cat "$tmp/bare.out")"

# A target whose lagprof was killed runs other programs as if it had never been there.
start orphan "$LAGPROF" run -q --probe shim --no-html -o "$tmp/orphan.lagprof" -- sh -c \
	"echo up; while [ ! -e '$tmp/go' ]; do sleep 0.1; done; exec env >'$tmp/orphan.env' 2>'$tmp/orphan.said'"
orphan=$pid
wait_for 20 grep -q up "$tmp/orphan.out" || fail "orphan: $(cat "$tmp/orphan.err")"
kill -KILL "$orphan"
ended "$orphan" 5
touch "$tmp/go"
wait_for 20 grep -q ^PATH= "$tmp/orphan.env" || fail "the target of a killed lagprof runs no other program"
cat "$tmp/orphan.said"
grep -E '^(LD_PRELOAD|LAGPROF_SHIM)=' "$tmp/orphan.env" && fail "a killed lagprof is still named to programs"
[ -s "$tmp/orphan.said" ] && fail "a killed lagprof disturbs what its target runs"

observe status sh -c 'exit 7'
[ $? -eq 7 ] || fail "the exit status was lost"

observe static "$BUILD/fixtures/unwind/shapes_static" && fail "a static program was preloaded"
grep -q 'statically linked' "$tmp/static.err" || fail "static: $(cat "$tmp/static.err")"
finish
