#!/bin/sh
# `report --open`: writes the page and starts a browser that lagprof does not wait for; without one it
# says so and does its work all the same.
set -u
failures=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail()
{
	echo "FAILED: $*"
	failures=1
}

"$BUILD/tests/pages" plain recording "$tmp/plain.lagprof" || exit 1
cat >"$tmp/browser" <<END
#!/bin/sh
sleep 2
echo "\$@" >"$tmp/shown.new"
mv "$tmp/shown.new" "$tmp/shown"
END
chmod +x "$tmp/browser"
export BROWSER="$tmp/browser"
"$LAGPROF" report --open "$tmp/plain.lagprof" >"$tmp/out" 2>"$tmp/err" || fail "status $?"
[ ! -e "$tmp/shown" ] || fail "it waited for the browser"
[ ! -s "$tmp/out" ] || fail "stdout: $(cat "$tmp/out")"
grep -qx "report: $tmp/plain.html" "$tmp/err" || fail "stderr: $(cat "$tmp/err")"
grep -q '<html' "$tmp/plain.html" || fail "no page"
[ "$(stat -c %a "$tmp/plain.html")" = 600 ] || fail "mode $(stat -c %a "$tmp/plain.html")"
for _ in $(seq 100); do
	[ -e "$tmp/shown" ] && break
	sleep 0.1
done
grep -qx "$(realpath "$tmp/plain.html")" "$tmp/shown" || fail "the browser was not given the page"

"$LAGPROF" report --open -o "$tmp/other page.html" "$tmp/plain.lagprof" 2>"$tmp/err" || fail "-o: status $?"
[ -e "$tmp/other page.html" ] || fail "-o was not obeyed"
BROWSER=/nonexistent PATH=/nonexistent "$LAGPROF" report --open "$tmp/plain.lagprof" 2>"$tmp/err" ||
	fail "no browser: status $?"
grep -q 'no browser could be started' "$tmp/err" || fail "no browser: $(cat "$tmp/err")"
"$LAGPROF" report --open --format json "$tmp/plain.lagprof" 2>"$tmp/err"
[ $? -eq 2 ] || fail "JSON was opened"
exit $failures
