#!/bin/sh
# `baseline` makes a recording the baseline: whole or not at all, and only one that shows enough.
set -u
failures=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
LAGPROF_TEST_OUT=$tmp "$BUILD/tests/unit" service >/dev/null || exit 1
cd "$tmp" || exit 1

fail()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# baseline STATUS WORDS ARGUMENT...
baseline()
{
	status=$1 words=$2
	shift 2
	"$LAGPROF" baseline "$@" >out 2>&1
	got=$?
	[ "$got" -eq "$status" ] || fail "$*: status $got, not $status"
	grep -qF -- "$words" out || fail "$*: no \"$words\" in: $(cat out)"
}

baseline 0 'main.lagprof: made' service.lagprof main.lagprof
cmp service.lagprof main.lagprof || fail "the baseline is not the recording"
baseline 0 'main.lagprof: replaced' service.lagprof main.lagprof
# It lost turns: nothing may be judged by it.
baseline 98 'too little' "$SOURCE/tests/fuzz/corpus/recording/version-1.lagprof" main.lagprof
baseline 125 'no-such' no-such main.lagprof
baseline 2 'takes a new recording' service.lagprof
cmp service.lagprof main.lagprof || fail "the baseline was changed"
echo precious >text
baseline 125 'text' service.lagprof text
baseline 125 'cannot' service.lagprof no/such/folder
[ "$(cat text)" = precious ] || fail "what is no recording was overwritten"
[ "$(find . -name '*.??????' | wc -l)" -eq 0 ] || fail "left over: $(ls)"

# Against itself nothing is worse; a limit below it fails.
check()
{
	"$LAGPROF" check -q --baseline main.lagprof -b "$1" service.lagprof
}
check 'stall.total<=baseline*1.01' || fail "worse than itself: $?"
check 'stall.total<baseline*0.5'
[ $? -eq 99 ] || fail "half of the baseline is met"
"$LAGPROF" check -b 'lag.p99<baseline' service.lagprof 2>err
[ $? -eq 2 ] && grep -qF -- '--baseline' err || fail "a missing baseline: $(cat err)"
[ "$failures" -eq 0 ]
