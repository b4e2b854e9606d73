#!/bin/sh
# shellcheck source=tests/live/lib.sh
# The same findings whether lagprof and its target share their namespaces or not: the target in pid and
# mount namespaces of its own and lagprof outside, both inside, and a target as a container runs it: its root
# is a folder of ours, its /usr an overlay, its /tmp an absolute link.
. "$(dirname "$0")/lib.sh"
need python3 unshare node
need_exact

stalls="node $SOURCE/fixtures/node/stalls.js --only sync-hash --gap 50"
line=$(node "$SOURCE/fixtures/node/stalls.js" --list | awk '$1 == "sync-hash" { print $4 }')
apart="unshare --pid --mount --fork --mount-proc --kill-child"

# names NAME [LEAST]: the blocking call and its line, at least so often (2).
names()
{
	python3 - "$tmp/$1.json" "$SOURCE/fixtures/node/stalls.js" "$line" "$1" "${2-2}" <<-'END' || fail "$1"
		import json, sys
		report = json.load(open(sys.argv[1]))
		found = [f for f in report["findings"]
		         if (f.get("culprit", {}).get("file"), f.get("culprit", {}).get("line")) == (sys.argv[2], int(sys.argv[3]))]
		if not found or "pbkdf2Sync" not in json.dumps(found[0]):
		    sys.exit(f"found {[f.get('title') for f in report['findings']]}")
		print(f"{sys.argv[4]}: {report['lagprof']['probe']}: {found[0]['title']}, {found[0]['stalls']} stalls")
		if found[0]["stalls"] < int(sys.argv[5]):
		    sys.exit("not every stall was found")
	END
}

mkdir "$tmp/container"
cat >"$tmp/enter" <<'END'
set -e
top=$1 program=$2
shift 2
mount -t tmpfs none "$top"
for dir in up work root/usr root/proc root/dev root/var/real "root${program%/*}"; do mkdir -p "$top/$dir"; done
mount -t overlay overlay -o "lowerdir=/usr,upperdir=$top/up,workdir=$top/work" "$top/root/usr"
for dir in bin lib lib64 sbin; do ln -s "usr/$dir" "$top/root/$dir"; done
ln -s /var/real "$top/root/tmp"
cp "${program%/*}"/*.js "$top/root${program%/*}"
mount -t proc none "$top/root/proc"
mount --rbind /dev "$top/root/dev"
exec chroot "$top/root" node --perf-basic-prof "$program" "$@"
END

# contained PROBE: where node and its libraries are not below /usr there is nothing to run.
contained()
{
	start "contained-$1" unshare --pid --mount --fork --kill-child sh "$tmp/enter" "$tmp/container" \
		"$SOURCE/fixtures/node/stalls.js" --only sync-hash --gap 50 --drive 6
	wait_for 20 grep -q '^ready' "$tmp/contained-$1.out" || {
		echo "no container can be made here: $(cat "$tmp/contained-$1.err")"
		return
	}
	node=$(pgrep -P "$pid")
	attach "contained-$1" "$node" --probe "$1" --duration 3s
	ended "$lagprof" 20
	kill -KILL "$node" 2>/dev/null
	names "contained-$1" 1
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
	attach outside "$node" --duration 3s
	ended "$lagprof" 20
	kill -KILL "$node" 2>/dev/null
	names outside
}
contained exact
contained proc
finish
