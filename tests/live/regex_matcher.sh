#!/bin/sh
# Our regex matcher against node, PCRE2 and Python on random patterns and subjects.
tools=$SOURCE/tests/tools
command -v node >/dev/null || exit 77
# The flag v came with node 20, and with it the Unicode tables that ours follow.
if node -e 'new RegExp("a", "v")' 2>/dev/null; then
	"$tools/regex_diff.sh" v8 100000 1 node "$tools/regex_oracle.mjs" || exit 1
fi
"$BUILD/tests/regex_oracle_pcre2" </dev/null && {
	"$tools/regex_diff.sh" pcre2 100000 1 "$BUILD/tests/regex_oracle_pcre2" || exit 1
}
command -v python3 >/dev/null || exit 0
# Possessive repeats came with Python 3.11 and were right from 3.11.5 on.
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11, 5))' || exit 0
"$tools/regex_diff.sh" python 20000 1 python3 "$tools/regex_oracle.py"
