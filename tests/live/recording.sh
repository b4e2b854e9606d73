#!/bin/sh
# shellcheck source=tests/live/lib.sh
# What was written before kill -9, or before the disk was full, can be read; the target does not
# notice, and the full disk is said once.
. "$(dirname "$0")/lib.sh"
need python3 unshare mount
need_exact

# expect_json FILE CONDITION: a condition on the report r.
expect_json()
{
	python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
if not eval(sys.argv[2]):
    print(sys.argv[2], "is not so:", r["session"], len(r["stalls"]), "stalls")
    sys.exit(1)' "$@" || fail "$1"
}

start_fixture server "$FIXTURES/stall_server" --hold --mode idle --count 400 --seed 3 --log "$tmp/truth"
server=$pid
attach killed "$server" --threshold 10ms
kill -USR1 "$server"
sleep 3
kill -KILL "$lagprof"
wait "$lagprof" 2>/dev/null
not_running "$server" && fail "the target ended with lagprof"
timeout 60 "$LAGPROF" report --format json -o "$tmp/read.json" "$tmp/killed.lagprof" || fail "report after kill -9"
expect_json "$tmp/read.json" 'r["session"]["end"] == "cut_short"'
expect_json "$tmp/read.json" 'len(r["stalls"]) >= 3 and r["samples"]["total"] >= 10'
expect_json "$tmp/read.json" '1e9 < r["session"]["duration_ns"] < 20e9'
kill -TERM "$server"

# A disk of 12 KiB: a few seconds of this server.
mkdir "$tmp/disk"
cat >"$tmp/full.sh" <<'END'
export ASAN_OPTIONS=detect_leaks=0 # the server's status counts
mount -t tmpfs -o size=12k tmpfs "$1/disk" || exit 77
timeout 120 "$2" run --no-html --threshold 10ms -o "$1/disk/full.lagprof" --json "$1/full.json" -- \
	"$3" --mode idle --count 120 --seed 5 --log "$1/truth-full" >"$1/full.out" 2>"$1/full.err"
echo $? >"$1/full.status"
timeout 60 "$2" report --format json -o "$1/full-read.json" "$1/disk/full.lagprof"
END
unshare -m --propagation private sh "$tmp/full.sh" "$tmp" "$LAGPROF" "$FIXTURES/stall_server"
case $? in
0) ;;
77) finish ;; # no mounts here
*) fail "the recording on the full disk cannot be read" ;;
esac
[ "$(cat "$tmp/full.status")" -eq 125 ] || fail "status $(cat "$tmp/full.status"), not 125"
[ "$(grep -c 'No space left on device' "$tmp/full.err")" -eq 1 ] || fail "said: $(cat "$tmp/full.err")"
[ "$(wc -l <"$tmp/truth-full")" -ge 120 ] || fail "the target stopped at $(wc -l <"$tmp/truth-full")"
planted=$(awk '$2 - $1 > 10100000' "$tmp/truth-full" | wc -l)
expect_json "$tmp/full.json" "len(r['stalls']) >= $planted"
expect_json "$tmp/full-read.json" 'r["session"]["end"] == "cut_short" and len(r["stalls"]) >= 3'
finish
