#!/bin/sh
# shellcheck source=tests/live/lib.sh
# The same as kill9.sh for the rungs that need no privilege and may stop the target for a moment.
# N=200 for the long form.
. "$(dirname "$0")/lib.sh"
need python3
for probe in ${RUNGS:-user shim proc}; do
	python3 "$LIVE/kill9.py" "$LAGPROF" "$FIXTURES/stall_server" "$tmp" "${N:-6}" $probe || fail "kill9 $probe"
	rm -f "$tmp"/kill-*
done
finish
