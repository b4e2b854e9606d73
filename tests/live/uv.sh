#!/bin/sh
# A libuv program that blocks in every way a C server does: each stall is found with its cause and
# the function of the fixture that made the call.  The twin on the thread pool has none.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
need python3
need_exact

cat >"$tmp/expected" <<'END'
fs sync_fs read_files_sync
sleep sleep sleep_ns
child sync_child run_child_sync
lock lock_wait wait_for_lock
net sync_net query_peer_sync
output blocking_output log_to_full_pipe
compress compression compress_page
regex regex match_route
sort user_code sort_scores
dns sync_dns resolve_sync host=lagprof-fixture.invalid
END

# observe NAME COMMAND...: a held fixture, until it ends by itself.
observe()
{
	name=$1
	shift
	start_fixture "$name" "$@" --hold --rounds 2 --log "$tmp/$name.log"
	fixture=$pid
	server=$(cut -d' ' -f2 "$tmp/$name.out")
	attach "lagprof-$name" "$server"
	kill -USR1 "$server"
	ended "$fixture" 60
	ended "$lagprof" 20
	[ "$status" -eq 0 ] || fail "$name: lagprof exited with $status"
}

observe stalls python3 "$LIVE/slow_dns.py" 80 "$FIXTURES/uv_server" --pause 80
check_report native "$tmp/lagprof-stalls.json" "$tmp/stalls.log" "$tmp/expected"
observe twin "$FIXTURES/uv_server" --healthy --pause 80
check_report healthy "$tmp/lagprof-twin.json"
finish
