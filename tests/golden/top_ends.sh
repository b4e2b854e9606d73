#!/bin/sh
# However the live view ends, the terminal is as it was before: modes, screen, cursor.
command -v tmux >/dev/null && command -v python3 >/dev/null || { echo "skipped: no tmux"; exit 77; }
PYTHONPATH=$SOURCE/tests exec python3 "$SOURCE/tests/golden/top_ends.py"
