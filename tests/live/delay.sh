#!/bin/sh
# The lags of a loop agree with what node measures itself on the same run.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
need python3 node
need_exact

start_fixture delay node "$SOURCE/fixtures/node/delay.js"
attach lagprof "$pid"
ended "$lagprof" 60
[ "$status" -eq 0 ] || fail "lagprof exited with $status"
check_report delay "$tmp/lagprof.json" "$tmp/delay.out"
finish
