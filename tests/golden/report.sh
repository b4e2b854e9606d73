#!/bin/sh
# What lagprof says about the recording of a service (tests/unit/service.c): as text, JSON and folded
# stacks.  REGENERATE=1 rewrites the expected texts beside this script; read the diff.
set -u
failures=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

LAGPROF_TEST_OUT=$tmp "$BUILD/tests/unit" service >/dev/null || exit 1
for format in text json folded; do
	expected=$SOURCE/tests/golden/report.$format
	"$LAGPROF" report --format $format "$tmp/service.lagprof" >"$tmp/$format" || exit 1
	sed -i 's/"version":"[0-9.]*","probe"/"version":"VERSION","probe"/' "$tmp/$format"
	[ -z "${REGENERATE-}" ] || cp "$tmp/$format" "$expected"
	if ! diff -u "$expected" "$tmp/$format"; then
		echo "FAILED: report --format $format; if it is meant: REGENERATE=1 ./dev test golden.report"
		failures=$((failures + 1))
	fi
done

# Every output shows the same total of stalled time.
total=$(sed -n 's/.*"duration_ns":\([0-9]*\),"open".*/\1/p' "$tmp/json" | awk '{ n += $1 } END { print n }')
folded=$(awk '{ n += $NF } END { print n }' "$tmp/folded")
[ "$total" = "$folded" ] || { echo "FAILED: JSON $total ns, folded $folded ns"; failures=1; }
exit $failures
