#!/bin/sh
# shellcheck source=tests/live/lib.sh
# --follow: the processes that the target starts are in the same report, each stall under the process
# and thread that had it; those that were already there when lagprof came are found too.
. "$(dirname "$0")/lib.sh"
need python3 node redis-server
need_exact

# follow NAME OPTION... -- COMMAND...
follow()
{
	name=$1
	shift
	timeout 60 "$LAGPROF" run --follow --no-html -o "$tmp/$name.lagprof" --json "$tmp/$name.json" "$@" \
		>"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null || {
		cat "$tmp/$name.err"
		fail "$name: status $?"
	}
}

follow cluster --loops all -- node "$SOURCE/fixtures/node/cluster.js" --seconds 4
check_report cluster "$tmp/cluster.json" "$tmp/cluster.out" threads
grep -q '^  in process .*, thread ' "$tmp/cluster.err" || fail "no thread is named: $(cat "$tmp/cluster.err")"
"$LAGPROF" report "$tmp/cluster.lagprof" | grep -q '^process .* started by ' || fail "the recording has no processes"

start cluster-running node "$SOURCE/fixtures/node/cluster.js" --seconds 6
wait_for 60 grep -q ready "$tmp/cluster-running.out" || fail "the cluster did not start"
sleep 1
attach running "$pid" --follow --loops all -d 3s
ended "$lagprof" 20
# A thread that computes all the while, as on a full machine, is not soon seen to poll.
check_report cluster "$tmp/running.json" "$tmp/cluster-running.out" processes

# A worker whose loop never sleeps is never seen to wait in its poll; what only computes is no loop.
cat >"$tmp/workers.js" <<'END'
const { Worker, isMainThread, workerData } = require('worker_threads');
if (isMainThread) {
	new Worker(__filename, { workerData: 'loop' });
	new Worker(__filename, { workerData: 'computes' });
	setTimeout(() => process.exit(0), 5000);
} else if (workerData === 'computes') {
	for (let x = 0; ; x = Math.sqrt(x + 1));
} else {
	const turn = () => setImmediate(turn);
	turn();
	setInterval(function refresh() { for (const end = Date.now() + 60; Date.now() < end;); }, 200);
}
END
for probe in exact light user; do
	"$LAGPROF" run --loops all --probe $probe --no-html -q -o "$tmp/workers.lagprof" --json "$tmp/workers.json" -- \
		node "$tmp/workers.js" >"$tmp/workers.out" 2>&1 || fail "workers: status $?"
	python3 - "$tmp/workers.json" $probe <<-'END' || fail "workers"
		import json, sys
		report = json.load(open(sys.argv[1]))
		others = [loop for loop in report["loops"] if loop["tid"] != report["target"]["pid"]]
		print(sys.argv[2], [(loop["tid"], loop["turns"]) for loop in others])
		titles = {finding["culprit"].get("function") for finding in report["findings"] if "culprit" in finding}
		sys.exit(len([loop for loop in others if loop["turns"] > 100]) != 1 or "refresh" not in titles)
	END
done

port=$(free_port)
start redis redis-server --port "$port" --save '' --dir "$tmp"
wait_for 10 redis-cli -p "$port" ping || fail "redis did not start"
queue=$SOURCE/fixtures/node/queue.js
follow queue -- sh -c "node $queue api --port $port & node $queue worker --port $port; wait"
check_report queue "$tmp/queue.json" worker

# Each process has a pool of its own: the one that is saturated is told of.
pool="node $SOURCE/fixtures/node/pool.js --rounds 12"
follow pools -- sh -c "$pool --jobs 2 >/dev/null & $pool --jobs 10; wait"
check_report pool "$tmp/pools.json" 4 saturated "$(sed -n 's/^ready //p' "$tmp/pools.out")"
grep -q '^thread pool of process .* saturated: ' "$tmp/pools.err" || fail "the process of the pool is not named"

# A service that puts itself into the background is not watched any more: that is said.
follow daemon -- sh -c 'sleep 3 >/dev/null 2>&1 & echo $! >"$0"; sleep 0.5' "$tmp/daemon.pid"
grep -q "lagprof attach --follow $(cat "$tmp/daemon.pid")" "$tmp/daemon.err" || fail "$(cat "$tmp/daemon.err")"
finish
