#!/bin/sh
# shellcheck source=tests/live/lib.sh
# The same findings whether lagprof and its target share their namespaces or not: the target in pid and
# mount namespaces of its own and lagprof outside, and both inside.
. "$(dirname "$0")/lib.sh"
need python3 unshare node
need_exact

stalls="node $SOURCE/fixtures/node/stalls.js --only sync-hash --gap 50"
line=$(node "$SOURCE/fixtures/node/stalls.js" --list | awk '$1 == "sync-hash" { print $4 }')
apart="unshare --pid --mount --fork --mount-proc --kill-child"

# names NAME: the blocking call and its line, as often as it was made.
names()
{
	python3 - "$tmp/$1.json" "$SOURCE/fixtures/node/stalls.js" "$line" "$1" <<-'END' || fail "$1"
		import json, sys
		report = json.load(open(sys.argv[1]))
		found = [f for f in report["findings"]
		         if (f.get("culprit", {}).get("file"), f.get("culprit", {}).get("line")) == (sys.argv[2], int(sys.argv[3]))]
		if not found or "pbkdf2Sync" not in json.dumps(found[0]):
		    sys.exit(f"found {[f.get('title') for f in report['findings']]}")
		print(f"{sys.argv[4]}: {report['lagprof']['probe']}: {found[0]['title']}, {found[0]['stalls']} stalls")
		if found[0]["stalls"] < 2:
		    sys.exit("not every stall was found")
	END
}

# shellcheck disable=SC2086 # words
{
	for probe in exact light; do
		$apart "$LAGPROF" run --no-html -q --probe $probe -o "$tmp/inside.lagprof" \
			--json "$tmp/inside-$probe.json" -- $stalls --drive 2 >"$tmp/out" 2>&1 ||
			fail "inside: $(cat "$tmp/out")"
		names "inside-$probe"
	done
	start_fixture apart $apart $stalls --drive 6
	node=$(pgrep -P "$pid")
	attach outside "$node" --duration 2s
	ended "$lagprof" 20
	kill -KILL "$node" 2>/dev/null
	names outside
}
finish
