#!/bin/sh
# shellcheck source=tests/live/lib.sh
# Redis under load: every slow command of its own SLOWLOG is a stall, and its function is named.
. "$(dirname "$0")/lib.sh"
need python3 redis-cli redis-benchmark redis-server
need_exact

port=$(free_port)
start redis redis-server --port "$port" --bind 127.0.0.1 --save '' --enable-debug-command local \
	--slowlog-log-slower-than 20000 --slowlog-max-len 1000 --dir "$tmp"
server=$pid
cli="redis-cli -p $port"
wait_for 20 $cli ping || fail "redis-server did not start"
$cli debug populate 1000000 >/dev/null
$cli slowlog reset >/dev/null

attach lagprof "$server"
start load timeout 60 redis-benchmark -p "$port" -t get,set -c 20 -n 400000 -q
for i in 1 2 3 4; do
	$cli keys '*:4242*' >/dev/null
	$cli eval 'local n = 0; for i = 1, 4000000 do n = n + i % 7 end; return n' 0 >/dev/null
	$cli debug sleep 0.05 >/dev/null
	sleep 0.1
done
$cli --json slowlog get 1000 >"$tmp/slowlog.json"
$cli shutdown nosave 2>/dev/null
ended "$server" 20
ended "$lagprof" 20
[ "$status" -eq 0 ] || fail "lagprof exited with $status"
check_report slowlog "$tmp/lagprof.json" "$tmp/slowlog.json"
finish
