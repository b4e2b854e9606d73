#!/bin/sh
# pprof, speedscope, cpuprofile and folded are read by the programs they are for, and say the same
# total as the JSON, text and HTML reports.
set -u
. "$SOURCE/tests/web/setup.sh"
failures=0
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

for name in plain hostile empty unseen; do
	for format in json text html folded pprof speedscope cpuprofile; do
		"$BUILD/tests/pages" $name $format >"$out/$name.$format" || exit 1
	done
done
web_setup tests/web
cp "$SOURCE/report/web/src/data.js" "$web"
for name in plain hostile empty unseen; do
	echo "== $name"
	node "$web/exports.mjs" "$out" $name || failures=1
done
if command -v chromium >/dev/null; then
	echo "== speedscope"
	timeout 120 node "$web/import.mjs" "$out/plain.pprof" "$out/plain.speedscope" "$out/plain.cpuprofile" \
		"$out/plain.folded" || failures=1
else
	echo "no chromium here: speedscope was not tried"
fi
[ "$failures" -eq 0 ]
