#!/bin/sh
# shellcheck source=tests/live/lib.sh
# An ordinary user without any capability gets the same answer as root: the call and its file:line.
. "$(dirname "$0")/lib.sh"
need python3 node setpriv

# Where everybody may read and run it.
place=$tmp/place
mkdir -p "$place/out"
cp "$LAGPROF" "$place/lagprof"
cp "$SOURCE"/fixtures/node/*.js "$place"
cp "$BUILD/tests/deny" "$place"
chmod 755 "$tmp" "$place"
chmod 777 "$place/out"
LAGPROF=$place/lagprof
tmp=$place/out

if [ "$(id -u)" -eq 0 ]; then
	as_nobody="setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
else
	as_nobody="setpriv --no-new-privs"
fi
clean_up_all()
{
	tmp=${place%/place}
	clean_up
}
trap clean_up_all EXIT

line=$(node "$place/stalls.js" --list | awk '$1 == "sync-hash" { print $4 }')
cd "$tmp" || exit 1

# names REPORT: the blocking call and where the program makes it.
names()
{
	python3 - "$1" "$place/stalls.js" "$line" <<-'END' || fail "$1: not named"
		import json, sys
		report = json.load(open(sys.argv[1]))
		at = {(f["culprit"].get("file"), f["culprit"].get("line")): f for f in report["findings"] if "culprit" in f}
		finding = at.get((sys.argv[2], int(sys.argv[3])))
		if not finding or "pbkdf2Sync" not in json.dumps(finding):
		    sys.exit(f"found {[f.get('title') for f in report['findings']]}")
		print(f"{report['lagprof']['probe']}: {finding['title']}, {finding['stalls']} stalls")
		if finding["stalls"] < 3:
		    sys.exit("not every stall was found")
	END
}

# $wrap: runs lagprof where less is allowed.
# shellcheck disable=SC2086
attach_as_nobody()
{
	start_fixture "node-$2" $as_nobody node "$place/stalls.js" --drive 4 --gap 50 --only sync-hash
	node=$(awk '/^ready/ { print $3 }' "$tmp/node-$2.out")
	start "lagprof-$2" $as_nobody $wrap "$LAGPROF" attach --no-html --probe "$1" -o "$tmp/$2.lagprof" \
		--json "$tmp/$2.json" "$node"
	ended "$pid" 30
	[ "$status" -eq 0 ] || { cat "$tmp/lagprof-$2.err"; fail "$2: lagprof exited with $status"; }
	names "$tmp/$2.json"
}

# shellcheck disable=SC2086
run_as_nobody()
{
	$as_nobody $wrap "$LAGPROF" run --no-html --probe "$1" -o "$tmp/run-$2.lagprof" --json "$tmp/run-$2.json" -- \
		node "$place/stalls.js" --drive 4 --gap 50 --only sync-hash >"$tmp/run-$2.out" 2>"$tmp/run-$2.err" ||
		{ cat "$tmp/run-$2.err"; fail "run $2: lagprof exited with $?"; }
	names "$tmp/run-$2.json"
}

# Every blocking call that the fixture knows, by its line: at least nine in ten.
node "$place/stalls.js" --list >"$tmp/list"
# judge_all NAME STATUS
judge_all()
{
	[ "$2" -eq 0 ] || fail "$1: $(cat "$tmp/all.out")"
	check_report calls "$tmp/all.json" "$tmp/all.log" "$tmp/list" 0.9
	rm -f "$tmp"/all.*
}

# shellcheck disable=SC2086
all_by_nobody()
{
	$as_nobody $wrap "$LAGPROF" run --no-html -q --probe "$1" -o "$tmp/all.lagprof" --json "$tmp/all.json" -- \
		node "$place/stalls.js" --drive 2 --log "$tmp/all.log" >"$tmp/all.out" 2>&1
	judge_all "all, $1" $?
}

# shellcheck disable=SC2086
all_attached_by_nobody()
{
	start_fixture "all-$1" $as_nobody node "$place/stalls.js" --drive 2 --log "$tmp/all.log"
	node=$(awk '/^ready/ { print $3 }' "$tmp/all-$1.out")
	$as_nobody $wrap "$LAGPROF" attach --no-html -q --probe "$1" -o "$tmp/all.lagprof" --json "$tmp/all.json" \
		"$node" >"$tmp/all.out" 2>&1
	judge_all "all attached, $1" $?
}

wrap=
if [ "$(cat /proc/sys/kernel/perf_event_paranoid 2>/dev/null || echo 4)" -le 2 ] &&
	$as_nobody "$LAGPROF" doctor 2>/dev/null | grep -q "^✔ *user "; then
	attach_as_nobody user user
	run_as_nobody user user
	all_by_nobody user
	all_attached_by_nobody user
fi

# As in a container: no perf_event_open, no bpf.
wrap=$place/deny
attach_as_nobody proc proc-denied
run_as_nobody shim shim-denied
all_attached_by_nobody proc
all_by_nobody shim
# What a shell starts is what is meant.
# shellcheck disable=SC2086
$as_nobody $wrap "$LAGPROF" run --no-html -o "$tmp/shell.lagprof" --json "$tmp/shell.json" -- \
	sh -c "node $place/stalls.js --drive 4 --gap 50 --only sync-hash; exit 3" >"$tmp/shell.out" 2>"$tmp/shell.err"
[ $? -eq 3 ] || fail "shell: $(cat "$tmp/shell.err")"
names "$tmp/shell.json"

# A target with a filter of its own and nothing in its environment, one that is linked statically, and one
# with another libc.
program()
{
	probe=$1 name=$2
	shift 2
	# shellcheck disable=SC2086
	$as_nobody $wrap "$LAGPROF" run --no-html -o "$tmp/$name.lagprof" --json "$tmp/$name.json" -- "$@" \
		>"$tmp/$name.out" 2>"$tmp/$name.err" || fail "$name: $(cat "$tmp/$name.err")"
	python3 - "$tmp/$name.json" "$probe" <<-'END' || fail "$name"
		import json, sys
		report, probe = json.load(open(sys.argv[1])), sys.argv[2]
		titles = [f["title"] for f in report["findings"] if f.get("culprit", {}).get("function") == "work"]
		serving = [s for s in report["stalls"] if s["phase"] == "serving"]
		print(report["lagprof"]["probe"], titles, len(serving), "of", len(report["stalls"]), "after its first poll")
		sys.exit(report["lagprof"]["probe"] != probe or not titles or 2 * len(serving) < len(report["stalls"]))
	END
}

cat >"$tmp/work.c" <<'END'
#include <poll.h>
#include <time.h>
__attribute__((noinline)) void work(void)
{
	clock_t end = clock() + CLOCKS_PER_SEC / 15;

	while (clock() < end)
		for (volatile int i = 0; i < 1000000; i++)
			;
}
int main(void)
{
	for (int i = 0; i < 24; i++) {
		work();
		poll(0, 0, 20);
	}
	return 0;
}
END
if command -v cc >/dev/null; then
	cc -g -O1 "$tmp/work.c" -o "$tmp/work" && program shim own-filter "$place/deny" env -i "$tmp/work"
	cc -g -O1 -static "$tmp/work.c" -o "$tmp/work-static" && program proc static "$tmp/work-static"
fi
if command -v musl-gcc >/dev/null; then
	musl-gcc -g -O1 "$tmp/work.c" -o "$tmp/work-musl" && program shim musl "$tmp/work-musl"
fi

# shellcheck disable=SC2086
$as_nobody $wrap "$LAGPROF" run --no-html --probe user -o "$tmp/no.lagprof" true 2>"$tmp/no.err" &&
	fail "user: nothing was refused"
grep -q 'perf event' "$tmp/no.err" || fail "user, refused: $(cat "$tmp/no.err")"
finish
