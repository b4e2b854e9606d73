#!/bin/sh
# The HTML report in real browsers: it paints, filters, obeys keys, asks for nothing, runs nothing that
# the target named, and is readable without scripts.
set -u
. "$SOURCE/tests/web/setup.sh"
failures=0
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT

# render NAME LIMIT: writes a page of at most LIMIT bytes.
render()
{
	"$BUILD/tests/pages" "$1" html >"$pages/$1.html" || exit 1
	size=$(stat -c %s "$pages/$1.html")
	[ "$size" -le "$2" ] || {
		echo "FAILED: the page \"$1\" has $size bytes"
		failures=1
	}
}

render empty 163840
render unseen 163840
render plain 200000
render hostile 400000
render big 1048576
render huge 3145728

web_setup tests/web
node "$web/unescape.mjs" "$pages/hostile.html" "$pages/unescaped.html"
browsers=
for browser in chromium firefox-esr; do
	if command -v $browser >/dev/null; then
		browsers="$browsers ${browser%-esr}"
	else
		echo "no $browser here"
	fi
done
[ -n "$browsers" ] || exit 77
for browser in $browsers; do
	echo "== $browser"
	timeout 250 node "$web/page.mjs" "$browser" "$pages" || failures=1
done
[ "$failures" -eq 0 ]
