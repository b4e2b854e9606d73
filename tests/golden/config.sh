#!/bin/sh
# lagprof.json: what lagprof accepts and refuses, the published schema accepts and refuses as well.
# A mistake ends with status 2, its line and column, and a way out.
set -u
failures=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

fail()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# check STATUS WORDS [ARGUMENT...]: the status of a check of no recording, 125 once all else is right.
check()
{
	status=$1 words=$2
	shift 2
	"$LAGPROF" check "$@" no-such.lagprof >out 2>err </dev/null
	got=$?
	[ "$got" -eq "$status" ] || fail "$(cat lagprof.json 2>/dev/null) $*: status $got, not $status"
	grep -qF -- "$words" err || fail "$(cat lagprof.json 2>/dev/null) $*: no \"$words\" in: $(cat err)"
}

n=0
# document good|bad TEXT WORDS: the same for lagprof and, kept for the end, for the schema.
document()
{
	n=$((n + 1))
	printf '%s\n' "$2" >lagprof.json
	cp lagprof.json "$n.$1.json"
	[ "$1" = good ] && check 125 "$3" || check 2 "$3"
}

document good '{"budgets": ["lag.p99<50ms"]}' 'no-such.lagprof'
document good '{"$schema": "x", "minTurns": 5, "allow": [],
 "budgets": [{"expr": "stall.count{cause=sync_crypto}==0", "level": "warn"}]}' 'no-such.lagprof'
document good '{"budgets": ["lag.max<1s"], "allow": [{"fingerprint": "0123456789abcdef",
 "reason": "ticket 7", "expires": "2030-12-31"}]}' 'no-such.lagprof'
document good '{"budgets": ["lag.max<1s"], "warmup": "5s", "repeat": 3, "aggregate": "median",
 "anyMachine": true}' 'no-such.lagprof'
document bad '{"warmup": 5}' 'lagprof.json:1:12: a length of time'
document bad '{"warmup": "5 parsecs"}' 'try: "warmup": "5s"'
document bad '{"repeat": 0}' 'from 1 to 100'
document bad '{"aggregate": "medium"}' 'try: "median"'
document bad '{"anyMachine": "yes"}' 'true or false'
sed -n '/^```json/,/^```/p' "$SOURCE/docs/ci.md" | sed '/^```/d' >example
document good "$(cat example)" 'no-such.lagprof'
document bad '{"budgets": ["lag.p99<50ms"],
  "allowed": []}' 'lagprof.json:2:3: no member is called "allowed"'
document bad '{"budgets": ["lagg.p99<50ms"]}' 'try: lag.p99<50ms'
document bad '{"budgets": [{"level": "warn"}]}' '"expr" is missing'
document bad '{"budgets": [{"expr": "lag.max<1s", "level": "none"}]}' 'lagprof.json:1:46: a level is'
document bad '{"budgets": [{"expr": "lag.max<1s", "level": "warning"}]}' 'try: "level": "warn"'
document bad '{"budgets": "lag.p99<50ms"}' 'try: ["lag.p99<50ms"]'
document bad '{"budgets": [5]}' 'lagprof.json:1:14: a budget is a "text" or an object'
document bad '{"minTurns": 1.5}' 'whole number'
document bad '{"allow": [{"fingerprint": "0123", "reason": "x", "expires": "2030-12-31"}]}' '16 hex'
document bad '{"allow": [{"fingerprint": "0123456789abcdef", "reason": "",
 "expires": "2030-12-31"}]}' 'reason is empty'
document bad '{"allow": [{"fingerprint": "0123456789abcdef", "reason": "x",
 "expires": "2030-31-12"}]}' 'lagprof.json:2:13: a day'
document bad '[]' 'an object'

printf '{"budgets": [}' >lagprof.json
check 2 'lagprof.json:1:'
rm lagprof.json
: >lagprof.json
check 2 'lagprof.json:1:'
rm lagprof.json
check 2 'needs a budget'
check 125 'no-such.lagprof' --budget 'lag.max<1s'
check 2 'cannot open missing.json' --config missing.json --budget 'lag.max<1s'
check 125 'no-such.lagprof' --config 1.good.json
printf '{"budget": []}' >lagprof.json
"$LAGPROF" run -- touch ran 2>err
[ $? -eq 2 ] && [ ! -e ran ] || fail "run does not read lagprof.json"
"$LAGPROF" attach $$ 2>err
[ $? -eq 2 ] || fail "attach does not read lagprof.json"

# tests/golden/formats.sh holds them against the published schema.
if [ -n "${LAGPROF_CONFIG_DIR-}" ]; then
	mkdir -p "$LAGPROF_CONFIG_DIR/config"
	cp ./*.good.json ./*.bad.json "$LAGPROF_CONFIG_DIR/config"
fi

[ "$failures" -eq 0 ]
