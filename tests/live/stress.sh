#!/bin/sh
# shellcheck source=tests/live/lib.sh
# One command: lagprof starts the server, and autocannon as soon as it listens.  The report names what
# each route does to the loop it runs on, and nothing for those that leave the loop alone.
. "$(dirname "$0")/lib.sh"
need python3 node npm
need_exact

timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --silent autocannon@8 >"$tmp/npm" 2>&1 ||
	skip "autocannon cannot be installed: $(tail -n 1 "$tmp/npm")"

# drive NAME SECONDS ROUTE...: $PORT is the server's.
drive()
{
	name=$1 cannon="'$tmp/node_modules/.bin/autocannon' -t 2 http://127.0.0.1:\$PORT"
	load="for route in $(shift 2; echo "$@"); do $cannon/\$route -c 4 -d $2; done; $cannon/quit -c 1 -a 1"
	shift 2
	timeout 60 "$LAGPROF" run --loops all --no-html -o "$tmp/$name.lagprof" --json "$tmp/$name.json" \
		--on-port "$load" -- node "$SOURCE/fixtures/node/stress.js" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null || {
		cat "$tmp/$name.err"
		fail "$name: status $?"
	}
	check_report stress "$tmp/$name.json" "$@"
}

drive sick 2 sync-hash tick-storm worker-hash
drive well 1 health async-hash
grep -q '^… .* more · ' "$tmp/sick.err" || grep -q '^\.\.\. .* more | ' "$tmp/sick.err" ||
	fail "repeats were not suppressed: $(grep -c '^[0-9.]* s ' "$tmp/sick.err") lines"
finish
