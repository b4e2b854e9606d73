#!/bin/sh
# libuv's thread pool: ten jobs at a time on four threads saturate it and wait, on sixteen they do
# not, and two never do; look-ups of names fill it at half.  On node, whose symbols say where the
# pool is, and on a program with the stripped libuv of the distribution.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
need python3 node
need_exact

# observe NAME THREADS COMMAND...
observe()
{
	name=$1
	threads=$2
	shift 2
	UV_THREADPOOL_SIZE=$threads start "$name" "$LAGPROF" run -q --no-html \
		-o "$tmp/$name.lagprof" --json "$tmp/$name.json" -- "$@"
	observed="$observed $pid"
}

node()
{
	observe "node-$1" "$2" node "$SOURCE/fixtures/node/pool.js" --rounds 12 --jobs "$3"
}

c()
{
	observe "c-$1" "$2" "$FIXTURES/uv_pool" --rounds 12 --jobs "$3"
}

observed=
node full 4 10
c full 4 10
c room 16 10
c calm 4 2
for pid in $observed; do
	ended "$pid" 60
	[ "$status" -eq 0 ] || fail "lagprof exited with $status"
done
observed=
node room 16 10
node calm 4 2
for pid in $observed; do
	ended "$pid" 60
done

# A slow name server: ten look-ups of names on the two threads that they get, and files beside them.
cat >"$tmp/lookups.js" <<'EOF'
const dns = require('dns');
const fs = require('fs');
let left = 10;
const reads = setInterval(() => fs.readFile(__filename, () => {}), 50);
for (let i = 0; i < 10; i++)
	dns.lookup(`db${i}.lagprof.example`, () => --left || clearInterval(reads));
EOF
python3 "$SOURCE/tests/live/slow_dns.py" 150 "$LAGPROF" run -q --no-html -o "$tmp/lookups.lagprof" \
	--json "$tmp/lookups.json" -- node "$tmp/lookups.js" </dev/null ||
	fail "lookups: lagprof exited with $?"
python3 - "$tmp/lookups.json" <<'EOF' || fail "look-ups that wait were not told of"
import json, sys
pool = json.load(open(sys.argv[1]))["threadpool"]
good = (pool["verdict"] == "saturated" and pool["lookups_waiting_ns"] > pool["saturated_ns"] and
        pool["lookup_host"].startswith("db") and pool["lookup_host"].endswith(".lagprof.example") and
        pool["lookup_host"] in pool["advice"] and "2 of its 4 threads" in pool["advice"])
sys.exit(0 if good else f"{pool}")
EOF

for runtime in node c; do
	check_report pool "$tmp/$runtime-full.json" 4 saturated
	check_report pool "$tmp/$runtime-room.json" 16 ok
	check_report pool "$tmp/$runtime-calm.json" 4 ok
done
finish
