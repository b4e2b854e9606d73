#!/bin/sh
# `lagprof scan` on a small tree: which files it reads, what it says in each format, how it ends.
set -u
failures=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# expect STATUS ARGUMENT...
expect()
{
	wanted=$1
	shift
	"$LAGPROF" scan "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ "$got" -eq "$wanted" ] || fail "scan $*: status $got, not $wanted: $(cat "$tmp/err")"
}

mkdir -p "$tmp/tree" && cd "$tmp/tree" || exit 1
mkdir -p .git/info src/deep/out src/gen node_modules/x packages/a/lib empty
bad='x = /^(a+)+$/;'
for file in src/a.js src/b.ts src/deep/out/no.js src/gen/no.js src/gen/yes.js node_modules/x/no.js \
	packages/a/lib/no.js packages/a/yes.js excluded.js src/README.md; do
	echo "$bad" >$file
done
printf 'import re\nre.compile(r"\\s+$", re.I)\n' >src/c.py
printf 'out/\n/src/gen/*\n' >.gitignore
printf '!yes.js\n' >src/gen/.gitignore
printf 'lib\n' >packages/a/.gitignore
printf 'excluded.js\n' >.git/info/exclude
ln -s ../src packages/link
ln -s . src/loop

read='packages/a/yes.js src/a.js src/b.ts src/c.py src/gen/yes.js'
expect 0 --format json .
python3 - "$tmp/out" "$read" "$SOURCE/docs/scan.schema.json" <<'END' || fail "JSON"
import json
import sys

report = json.load(open(sys.argv[1], encoding="utf-8"))
assert [r["file"] for r in report["results"]] == sys.argv[2].split(), report
assert report["files"] == report["patterns"] == 5 and report["different"] == 2, report
assert report["verdicts"]["exponential"] == 4 and report["verdicts"]["polynomial"] == 1, report
python = report["results"][3]
assert python["line"] == 2 and python["column"] == 1, python
assert python["regex"]["engine"] == "python" and python["regex"]["flags"] == "i", python
try:
    import jsonschema
    jsonschema.validate(report, json.load(open(sys.argv[3], encoding="utf-8")))
except ImportError:
    pass
END

# Text: the place, the pattern, the guilty part, the attack; twice the same.
expect 0 src/a.js
grep -qx 'src/a.js:1:5' "$tmp/out" || fail "text: no place"
grep -q '/^(a+)+\$/' "$tmp/out" || fail "text: no pattern"
grep -q '"a".repeat(n)' "$tmp/out" || fail "text: no attack"
grep -qx '1 file, 1 pattern: 1 exponential' "$tmp/out" || fail "text: no totals"
expect 0 . && cp "$tmp/out" "$tmp/first" && expect 0 src . packages ./src
cmp -s "$tmp/out" "$tmp/first" || fail "overlapping operands: another report"

# SARIF: relative to this folder, the worst first, the same print wherever the line is.
expect 0 --format sarif "$PWD"
python3 - "$tmp/out" <<'END' || fail "SARIF"
import json
import sys

(run,) = json.load(open(sys.argv[1], encoding="utf-8"))["runs"]
results = run["results"]
assert [r["level"] for r in results] == ["error"] * 4 + ["warning"], results
place = results[0]["locations"][0]["physicalLocation"]
assert place["artifactLocation"] == {"uri": "packages/a/yes.js", "uriBaseId": "%SRCROOT%"}, place
assert place["region"] == {"startLine": 1, "startColumn": 5}, place
assert len({r["partialFingerprints"]["lagprof/v1"] for r in results}) == 5, results
END
cp "$tmp/out" "$tmp/sarif"
sed -i '1i// moved' src/a.js
expect 0 --format sarif .
grep -h lagprof/v1 "$tmp/out" | sort >"$tmp/after"
grep -h lagprof/v1 "$tmp/sarif" | sort | cmp -s - "$tmp/after" || fail "SARIF: another fingerprint"

# How it ends.
expect 99 --fail-on exponential -q .
[ ! -s "$tmp/out" ] || fail "-q is not quiet"
expect 99 --fail-on polynomial src/c.py
expect 0 --fail-on exponential src/c.py
expect 98 empty
grep -q 'no JavaScript' "$tmp/err" || fail "no sources: $(cat "$tmp/err")"
expect 125 nowhere
grep -q 'cannot scan nowhere: No such file' "$tmp/err" || fail "nowhere: $(cat "$tmp/err")"
expect 2
expect 2 --format xml .
# What was named is read although it is ignored.
expect 99 --fail-on exponential excluded.js
expect 99 --fail-on exponential node_modules
printf 'x = /a/;\0' >src/binary.js
expect 98 src/binary.js
grep -q 'src/binary.js: it is not text' "$tmp/err" || fail "binary: $(cat "$tmp/err")"
truncate -s 17M src/huge.js
expect 98 src/huge.js
# Hostile names and patterns stay on their line.
mkdir hostile && printf '%s' "$bad" >"hostile/$(printf 'a\033[31m\nb').js"
expect 0 hostile
[ "$(grep -c "$(printf '\033')" "$tmp/out")" -eq 0 ] || fail "an escape byte"
grep -qF 'hostile/a\x1b[31m\x0ab.js:1:5' "$tmp/out" || fail "hostile name: $(cat "$tmp/out")"
[ "$failures" -eq 0 ]
