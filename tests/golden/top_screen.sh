#!/bin/sh
# The live view on terminals: what tmux shows is what the view drew, in five sizes and five
# environments, after keys, after resizes, with wide names; and nothing but text goes to a pipe.
command -v tmux >/dev/null && command -v python3 >/dev/null || { echo "skipped: no tmux"; exit 77; }
PYTHONPATH=$SOURCE/tests exec python3 "$SOURCE/tests/golden/top_screen.py"
