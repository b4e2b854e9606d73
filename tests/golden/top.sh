#!/bin/sh
# The live view of recordings, drawn without a terminal: sizes, ASCII, hostile names.  REGENERATE=1
# rewrites the expected screens beside this script; look at them.
set -u
failures=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

for name in plain hostile empty unseen; do
	"$BUILD/tests/pages" $name recording "$tmp/$name.lagprof" || exit 1
done
export LC_ALL=C.UTF-8

# frame COLUMNS ROWS RECORDING OPTION...
frame()
{
	columns=$1 rows=$2 recording=$3
	shift 3
	COLUMNS=$columns LINES=$rows "$LAGPROF" top "$@" "$tmp/$recording.lagprof" </dev/null
}

for size in 38x8 60x15 80x24 120x40 200x60; do
	columns=${size%x*} rows=${size#*x}
	{
		echo "== $size"
		frame "$columns" "$rows" plain
		echo "== $size --ascii"
		frame "$columns" "$rows" plain --ascii --once
	} >>"$tmp/screens" || fail "top --once at $size"
	for recording in plain hostile empty unseen; do
		frame "$columns" "$rows" $recording --ascii >"$tmp/frame" || fail "$recording at $size"
		[ "$(wc -l <"$tmp/frame")" -eq "$rows" ] || fail "$recording at $size: rows"
		LC_ALL=C awk -v n="$columns" 'length > n { exit 1 }' "$tmp/frame" ||
			fail "$recording at $size: a row is wider"
		LC_ALL=C grep -q '[^ -~]' "$tmp/frame" && fail "$recording at $size: not only ASCII"
		frame "$columns" "$rows" $recording >"$tmp/frame" || fail "$recording at $size"
		LC_ALL=C grep -q '[[:cntrl:]]' "$tmp/frame" && fail "$recording at $size: a control"
	done
done
[ -z "${REGENERATE-}" ] || cp "$tmp/screens" "$SOURCE/tests/golden/top.screens"
diff -u "$SOURCE/tests/golden/top.screens" "$tmp/screens" ||
	fail "the screens; if it is meant: REGENERATE=1 ./dev test golden.top"

[ "$failures" -eq 0 ]
