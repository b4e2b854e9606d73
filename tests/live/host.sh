#!/bin/sh
# What the machine does to a clean program is told from what its code does: beside neighbours that
# take its CPUs no code is blamed, and under a quota the quota is named.  What truly blocks keeps its
# name there: a lock, a child or a peer that takes its time would take it on a free machine too.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
need python3 node
need_exact

# observe NAME [GROUP]: a clean program, in that cgroup, until it ends.
observe()
{
	what=$1
	start_fixture "$what-app" node "$SOURCE/fixtures/node/chunks.js" --seconds 3
	app=$pid
	server=$(cut -d' ' -f2 "$tmp/$what-app.out")
	attach "$what" "$server"
	[ $# -lt 2 ] || echo "$server" >"$2/cgroup.procs"
	ended "$lagprof" 60
	[ "$status" -eq 0 ] || fail "$what: lagprof exited with $status"
	ended "$app" 10
}

neighbours=
for i in 1 2 3 4; do
	start "spin$i" python3 -c 'import time
end = time.time() + 60
while time.time() < end: pass'
	neighbours="$neighbours $pid"
done
observe neighbours
check_report starved "$tmp/neighbours.json"
timeout 120 python3 "$SOURCE/tests/tools/causes.py" "$LAGPROF" --build "$BUILD" --target stalls,blockers \
	--id lock_wait,sync_child,sync_net,sleep --sick >"$tmp/table" 2>&1 || fail "$(cat "$tmp/table")"
# shellcheck disable=SC2086 # words
kill $neighbours

# Where a group can be made (as root, on the host), v1 or v2.
for root in /sys/fs/cgroup/cpu /sys/fs/cgroup; do
	group=$root/lagprof-test-$$
	[ -e "$root/cgroup.procs" ] && mkdir "$group" 2>/dev/null || continue
	if { echo 15000 >"$group/cpu.cfs_quota_us" ||
		echo '15000 100000' >"$group/cpu.max"; } 2>/dev/null; then
		observe quota "$group"
		sed -n 's/^throttled_time //p; s/^throttled_usec \(.*\)/\1000/p' "$group/cpu.stat" \
			>"$tmp/throttled"
		check_report starved "$tmp/quota.json" "$(cat "$tmp/throttled")"
	fi
	rmdir "$group"
done
finish
