#!/bin/sh
# shellcheck source=tests/live/lib.sh
# A loop that never comes back: attach tells of it while it is open, dump at once; both name the line.
# A process that waits for a child is no loop; one that waits in its poll has nothing to do.
. "$(dirname "$0")/lib.sh"
need node
need_exact

cat >"$tmp/wedged.js" <<'END'
require('http').createServer((q, s) => s.end('x')).listen(0, '127.0.0.1');
setTimeout(function spin() {
	let x = 0;
	console.log('ready');
	for (;;)
		x = Math.sqrt(x + 1);
}, 50);
END
start wedged node "$tmp/wedged.js"
wedged=$pid
wait_for 20 grep -q ready "$tmp/wedged.out" || fail "node did not start"

timeout 60 "$LAGPROF" attach -d 2500ms --no-html -o "$tmp/a.lagprof" "$wedged" >"$tmp/attach" 2>&1 ||
	fail "attach: status $?"
grep -q 'blocked for .* user_code · spin · wedged.js:[56]' "$tmp/attach" || {
	cat "$tmp/attach"
	fail "attach did not name the open stall"
}
# On a crowded machine the loop may get no CPU, and so no sample, in the time that dump takes.
names_line()
{
	timeout 60 "$LAGPROF" dump "$wedged" >"$tmp/dump" 2>&1 || fail "dump: status $?"
	grep -q '> spin .*wedged.js:[56]' "$tmp/dump"
}
names_line || names_line || names_line || {
	cat "$tmp/dump"
	fail "dump did not name the line"
}
state=$(sed -n 's/^State:\t\([A-Za-z]\).*/\1/p' "/proc/$wedged/status")
[ "$state" = R ] || fail "the target is in state $state"

# dump names the function and the cause of whatever a loop hangs in; a synchronous child is waited for
# in a poll of its own, which is not the loop's.
cat >"$tmp/hangs.js" <<'END'
const hang = {
	child: function convert() { require('child_process').execSync('sleep 60'); },
	regex: function validate() { /^(a+)+$/.test('a'.repeat(60) + '!'); },
	tick: function again() { process.nextTick(again); },
}[process.argv[2]];
require('http').createServer((q, s) => s.end('x')).listen(0, '127.0.0.1');
setTimeout(() => console.log('ready'), 50);
setTimeout(hang, 100);
END
names_hang()
{
	timeout 60 "$LAGPROF" dump --json "$hung" >"$tmp/dump" 2>&1 || fail "dump: status $?"
	grep -q "\"$1\"" "$tmp/dump" && grep -q "\"$2\"" "$tmp/dump"
}
while read -r kind function cause; do
	start "$kind" node "$tmp/hangs.js" "$kind"
	hung=$pid
	wait_for 20 grep -q ready "$tmp/$kind.out" || fail "node did not start"
	sleep 0.3
	names_hang "$function" "$cause" || names_hang "$function" "$cause" || names_hang "$function" "$cause" ||
		fail "$kind: $(cat "$tmp/dump")"
	pkill -KILL -P "$hung" 2>/dev/null
	kill -KILL "$hung"
done <<'END'
child convert sync_child
regex validate regex
tick again microtask_starvation
END

start idle node -e 'setInterval(() => {}, 1e6); console.log("ready")'
wait_for 20 grep -q ready "$tmp/idle.out" || fail "node did not start"
sleep 0.2
timeout 60 "$LAGPROF" dump "$pid" >"$tmp/dump" 2>&1 || fail "dump of an idle loop: status $?"
grep -q '^the loop ' "$tmp/dump" || fail "an idle loop: $(cat "$tmp/dump")"

timeout 60 "$LAGPROF" run --no-html -o "$tmp/b.lagprof" sh -c 'sleep 0.3; true' >"$tmp/run" 2>&1 ||
	fail "run: status $?"
grep -q 'stall ' "$tmp/run" && fail "a shell that waits was taken for a loop: $(cat "$tmp/run")"
grep -q 'seen to poll' "$tmp/run" || fail "nothing says that there was no loop"
finish
