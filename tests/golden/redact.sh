#!/bin/sh
# `report --redact`: in no format is anything left that names the machine, its users or their data,
# and the findings are the same ones.
set -u
failures=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# render FILE OPTION...: the report in $format, unpacked where it is compressed.
render()
{
	file=$1
	shift
	"$LAGPROF" report --verbose --format "$format" -o "$tmp/packed" "$@" "$tmp/private.lagprof" || exit 1
	case $format in
	pprof) zcat "$tmp/packed" >"$file" ;;
	html)
		cat "$tmp/packed" >"$file"
		sed -n 's/.*id="data">\([^<]*\)<.*/\1/p' "$tmp/packed" | base64 -d | zcat >>"$file"
		;;
	*) cp "$tmp/packed" "$file" ;;
	esac
}

"$BUILD/tests/pages" private recording "$tmp/private.lagprof" || exit 1
formats=$("$LAGPROF" help report | tr ' |,;' '\n' | grep -x -e text -e json -e html -e pprof -e speedscope \
	-e cpuprofile -e folded -e sarif -e junit -e github -e gitlab -e markdown | sort -u)
[ "$(echo "$formats" | wc -l)" -eq 12 ] || { echo "FAILED: formats: $formats"; failures=1; }
for format in $formats; do
	render "$tmp/open"
	render "$tmp/closed" --redact
	! grep -aq SECRET "$tmp/closed" || {
		echo "FAILED: $format: $(grep -ao '.\{30\}SECRET.\{30\}' "$tmp/closed" | head -n 3)"
		failures=1
	}
	# Or the test would see nothing.
	case $format in
	sarif | junit | github | gitlab) ;;
	*) grep -aq SECRET "$tmp/open" || { echo "FAILED: $format: there was no secret"; failures=1; } ;;
	esac
done
format=text
render "$tmp/closed" --redact
for words in 'readFileSync \[file 1\]' 'execSync "git \[arguments 1\]"' 'login0 /app/server.js:33' \
	'/dir1/node server.js --db=\[hidden\] \[hidden\]' '(--redact)'; do
	grep -q -- "$words" "$tmp/closed" || { echo "FAILED: no $words in: $(cat "$tmp/closed")"; failures=1; }
done
format=json
fingerprints='s/.*"fingerprint":"\([0-9a-f]*\)".*/\1/p'
render "$tmp/open"
render "$tmp/closed" --redact
for side in open closed; do
	tr '{' '\n' <"$tmp/$side" | sed -n "$fingerprints" | sort >"$tmp/$side.findings"
done
[ -s "$tmp/open.findings" ] && cmp "$tmp/open.findings" "$tmp/closed.findings" ||
	{ echo "FAILED: other fingerprints"; failures=1; }
exit $failures
