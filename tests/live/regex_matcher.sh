#!/bin/sh
# Our regex matcher against node, PCRE2 and Python on random patterns and subjects.
tools=$SOURCE/tests/tools
command -v node >/dev/null || exit 77
"$tools/regex_diff.sh" v8 100000 1 node "$tools/regex_oracle.mjs" || exit 1
"$BUILD/tests/regex_oracle_pcre2" </dev/null && {
	"$tools/regex_diff.sh" pcre2 100000 1 "$BUILD/tests/regex_oracle_pcre2" || exit 1
}
command -v python3 >/dev/null || exit 0
# Possessive repeats came with Python 3.11.
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || exit 0
"$tools/regex_diff.sh" python 20000 1 python3 "$tools/regex_oracle.py"
