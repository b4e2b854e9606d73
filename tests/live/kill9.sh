#!/bin/sh
# shellcheck source=tests/live/lib.sh
# kill -9 of lagprof at any moment, attached and launching: the target runs on as before and nothing
# stays in the kernel.  N=200 for the long form.
. "$(dirname "$0")/lib.sh"
need python3
need_exact
python3 "$LIVE/kill9.py" "$LAGPROF" "$FIXTURES/stall_server" "$tmp" "${N:-20}" || fail "kill9"
finish
