#!/bin/sh
# shellcheck source=tests/live/lib.sh
# The gate on real programs: a planted stall turns it red with the reason at its line, the healthy
# twin leaves it green, too little is neither, and the command's own failure comes first.
. "$(dirname "$0")/lib.sh"
need python3 node
need_exact
cd "$SOURCE" || exit 1

# run NAME STATUS [BUDGET] COMMAND...
run()
{
	name=$1 wanted=$2
	shift 2
	"$LAGPROF" run -q --no-html -o "$tmp/$name.lagprof" "$@" \
		>"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null
	got=$?
	[ "$got" -eq "$wanted" ] || fail "$name: status $got, not $wanted: $(cat "$tmp/$name.err")"
}

no_crypto='stall.count{cause=sync_crypto}==0'
run red 99 -b "$no_crypto" -- node fixtures/node/stalls.js --only sync-hash --drive 4
run green 0 -b "$no_crypto" -- node fixtures/node/healthy.js --drive 1
run warned 0 -b "$no_crypto warn" -- node fixtures/node/stalls.js --only sync-hash --drive 4
run short 98 -b 'lag.max<60s' -- true
run own 7 -b 'lag.max<60s' -- sh -c 'exit 7'
printf '{"budgets": ["%s"]}' "$no_crypto" >"$tmp/config.json"
run config 99 --config "$tmp/config.json" -- node fixtures/node/stalls.js --only sync-hash --drive 4

line=$(grep -n 'STALL sync-hash' fixtures/node/stalls.js | cut -d: -f1)
# check NAME STATUS FORMAT
check()
{
	"$LAGPROF" check --format "$3" -b "$no_crypto" "$tmp/$1.lagprof" >"$tmp/$1.$3" 2>"$tmp/err"
	got=$?
	[ "$got" -eq "$2" ] || fail "check $1: status $got, not $2: $(cat "$tmp/err")"
}
for format in text json sarif junit github gitlab markdown; do
	check red 99 $format
	check green 0 $format
done
grep -q "^::error file=fixtures/node/stalls.js,line=$line,title=synchronous crypto::" "$tmp/red.github" ||
	fail "no annotation: $(cat "$tmp/red.github")"
! grep -q '^::error' "$tmp/green.github" || fail "an error in a green job"

GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$tmp/summary check red 99 auto
grep -q '^::error file=fixtures/node/stalls.js' "$tmp/red.auto" || fail "auto: no annotation"
grep -q '\*\*Budget fail: 1 of 1 budgets exceeded\*\*' "$tmp/summary" || fail "auto: no job summary"
(
	cd "$tmp" || exit 1
	GITHUB_ACTIONS='' GITLAB_CI=true "$LAGPROF" check --format auto -b "$no_crypto" red.lagprof >/dev/null
	[ $? -eq 99 ] && [ "$(cat gl-code-quality-report.json)" = '[]' ]
) || fail "auto: no Code Quality report of what is outside the folder"

"$LAGPROF" diff "$tmp/red.lagprof" "$tmp/green.lagprof" >"$tmp/diff" || fail "diff: status $?"
sed -n '/^Gone/,/^$/p' "$tmp/diff" | grep -q "pbkdf2Sync.*stalls.js:$line" || fail "diff: $(cat "$tmp/diff")"
"$LAGPROF" diff --format markdown "$tmp/red.lagprof" "$tmp/green.lagprof" | grep -q '^| Gone | pbkdf2Sync' ||
	fail "diff --format markdown"
"$LAGPROF" diff "$tmp/red.lagprof" "$tmp/red.lagprof" | grep -qE '^(New|Gone|Worse|Better)' &&
	fail "diff: a recording differs from itself"

# Several runs are judged together, and end where the command fails.
printf '{"budgets": ["lag.max<60s"], "repeat": 2}' >"$tmp/config.json"
"$LAGPROF" run --no-html -o "$tmp/r.lagprof" --config "$tmp/config.json" -- true 2>"$tmp/err"
[ $? -eq 98 ] && [ -s "$tmp/r.lagprof" ] && [ -s "$tmp/r-2.lagprof" ] || fail "repeat: $(cat "$tmp/err")"
grep -q '^Of 2 recordings the worst:' "$tmp/err" || fail "repeat says: $(cat "$tmp/err")"
"$LAGPROF" run -q --no-html -o "$tmp/s.lagprof" --config "$tmp/config.json" -- false 2>"$tmp/err"
[ $? -eq 1 ] && [ ! -e "$tmp/s-2.lagprof" ] || fail "repeat after a failure: $(cat "$tmp/err")"
"$LAGPROF" check -q -b "$no_crypto" "$tmp/green.lagprof" "$tmp/red.lagprof" "$tmp/green.lagprof"
[ $? -eq 99 ] || fail "the worst of three: $?"
printf '{"budgets": ["%s"], "aggregate": "median"}' "$no_crypto" >"$tmp/config.json"
"$LAGPROF" check --config "$tmp/config.json" "$tmp/green.lagprof" "$tmp/red.lagprof" \
	"$tmp/green.lagprof" >"$tmp/median" || fail "the median of three: $?"
grep -q 'measured 0, [1-9][0-9]*, 0$' "$tmp/median" || fail "median: $(tail -4 "$tmp/median")"

# The baseline only gets lower, unless told.
cp "$tmp/green.lagprof" "$tmp/main.lagprof"
"$LAGPROF" baseline "$tmp/red.lagprof" "$tmp/main.lagprof" | grep -q ': kept' || fail "baseline: raised"
"$LAGPROF" check -q --baseline "$tmp/main.lagprof" -b 'stall.count{cause=sync_crypto}<=baseline*1.2' "$tmp/red.lagprof"
[ $? -eq 99 ] || fail "check --baseline: not 99"
"$LAGPROF" baseline --raise "$tmp/red.lagprof" "$tmp/main.lagprof" | grep -q ': replaced' ||
	fail "baseline --raise"
"$LAGPROF" check -q --baseline "$tmp/main.lagprof" -b 'stall.count{cause=sync_crypto}<=baseline*1.2' "$tmp/red.lagprof" ||
	fail "check --baseline: not green against itself"

# An allowance by the fingerprint of one run holds for another.
fingerprint=$(python3 - "$tmp/warned.lagprof" "$LAGPROF" <<'END'
import json, subprocess, sys
report = json.loads(subprocess.run([sys.argv[2], "report", "--format", "json", sys.argv[1]],
                                   capture_output=True, check=True).stdout)
print(next(f["fingerprint"] for f in report["findings"] if f["cause"] == "sync_crypto"))
END
)
for expires in 2999-12-31 2001-01-01; do
	printf '{"budgets": ["%s"], "allow": [{"fingerprint": "%s", "reason": "x", "expires": "%s"}]}' \
		"$no_crypto" "$fingerprint" $expires >"$tmp/config.json"
	"$LAGPROF" check -q --config "$tmp/config.json" "$tmp/red.lagprof"
	echo "$expires $?"
done >"$tmp/allowed"
printf '2999-12-31 0\n2001-01-01 99\n' | diff - "$tmp/allowed" || fail "allowances"
finish
