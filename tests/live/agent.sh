#!/bin/sh
# shellcheck source=tests/live/lib.sh
# lagprof agent as a fleet has it: the real Prometheus scrapes it with the configuration of
# docs/agent.md and gives the right answers about a service with planted stalls, its healthy twin, one
# that restarts, one that is stuck and one that cannot be observed; profiles say the same.
. "$(dirname "$0")/lib.sh"
need node prometheus promtool python3 setpriv
need_exact

export PYTHONPATH="$LIVE" TMP="$tmp"
python3 "$LIVE/agent.py" || fail "the agent"
finish
