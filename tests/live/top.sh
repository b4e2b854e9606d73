#!/bin/sh
# shellcheck source=tests/live/lib.sh
# The live view of living targets: their death, a wedged loop, a command that is run, keys that act on
# the session, and lines where there is no terminal.
. "$(dirname "$0")/lib.sh"
need node tmux python3 script
need_exact

PYTHONPATH=$SOURCE/tests python3 "$LIVE/top.py" || fail "the live view"
finish
