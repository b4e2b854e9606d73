#!/bin/sh
# The template that is committed is what its sources make, and small.
set -u
. "$SOURCE/tests/web/setup.sh"
template=$SOURCE/report/web/template.html
size=$(stat -c %s "$template")
[ "$size" -le 160000 ] || {
	echo "FAILED: the template has $size bytes"
	exit 1
}
! grep -q '"resolved"' "$SOURCE"/report/web/package-lock.json "$SOURCE"/tests/web/package-lock.json || {
	echo "FAILED: a lock file names a registry"
	exit 1
}
web_setup report/web
# It reads the licence of lagprof two folders up.
cp "$SOURCE/LICENSE" "$BUILD/npm/LICENSE"
node "$web/build.mjs" "$web/rebuilt.html" || exit 1
cmp "$template" "$web/rebuilt.html" || {
	echo "FAILED: report/web/template.html is not what report/web builds; run: npm ci && npm run build"
	exit 1
}
