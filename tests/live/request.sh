#!/bin/sh
# The request that a stall worked on is named where its own turn computes, without its query, and
# never for the turn of a timer, of setImmediate() or of a file.  The same for a command of Redis.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
need python3 node
need_exact

start node "$LAGPROF" run -q --no-html -o "$tmp/node.lagprof" --json "$tmp/node.json" -- \
	node "$SOURCE/fixtures/node/requests.js"
ended "$pid" 60
[ "$status" -eq 0 ] || fail "lagprof exited with $status"
check_report requests "$tmp/node.json" node

if command -v redis-server >/dev/null; then
	port=$(free_port)
	start redis redis-server --port "$port" --save '' --enable-debug-command local
	redis=$pid
	wait_for 10 redis-cli -p "$port" ping || fail "redis did not start"
	attach redis-lagprof "$redis"
	for i in 1 2 3 4 5 6; do
		redis-cli -p "$port" debug sleep 0.1 >/dev/null
	done
	redis-cli -p "$port" shutdown nosave
	ended "$lagprof" 20
	check_report requests "$tmp/redis-lagprof.json" redis
fi
finish
