#!/bin/sh
# shellcheck source=tests/live/lib.sh
# --strict: calls that block are listed however short they are, once the target serves; what it does
# before, asynchronously, or by its runtime alone is not; budgets can demand that there are none.
. "$(dirname "$0")/lib.sh"
need python3 node
need_exact

echo 'exports.x = 1;' >"$tmp/plugin.js"
cat >"$tmp/server.js" <<'END'
const { exec, execSync } = require('child_process');
const fs = require('fs');
fs.readFileSync(__filename);
const jobs = process.argv[2] === 'sick' ? [
	function page() { fs.readFileSync('/etc/hostname'); },
	function version() { execSync('true'); },
	function plugin() { require('./plugin.js'); },
] : [
	function page() { fs.promises.readFile('/etc/hostname'); },
	function version() { exec('true', () => {}); },
	function lookup() { require('dns').lookup('localhost', () => {}); },
	function clock() { new Date().toLocaleString(); process.memoryUsage(); },
];
require('http').createServer(() => {}).listen(0, '127.0.0.1', () => {
	jobs.forEach((job, i) => setTimeout(job, 100 * (i + 1)));
	setTimeout(() => process.exit(0), 1000);
});
END
cat >"$tmp/found.py" <<'END'
import json, sys
found = {(s["cause"], s["call"], s["culprit"]["function"]) for s in json.load(open(sys.argv[1]))["strict"]}
print(found)
sys.exit(found != {("sync_fs", "readFileSync", "page"), ("sync_child", "execSync", "version"),
                   ("compile", "require", "plugin")})
END
cd "$tmp" || exit 1

# observe NAME STATUS...
observe()
{
	name=$1
	shift
	timeout 60 "$LAGPROF" run --strict --budget 'strict.count==0' --no-html -o "$tmp/$name.lagprof" \
		--json "$tmp/$name.json" -- node "$tmp/server.js" "$name" \
		>"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null
	status=$?
	case " $* " in
	*" $status "*) ;;
	*) fail "$name: the status is $status, not $*: $(cat "$tmp/$name.err")" ;;
	esac
}

observe sick 99
python3 "$tmp/found.py" "$tmp/sick.json" || fail "$(grep -A 20 ^strict "$tmp/sick.err")"
"$LAGPROF" report "$tmp/sick.lagprof" | grep -q '^  readFileSync /etc/hostname .* page ' ||
	fail "the recording has no such call: $("$LAGPROF" report "$tmp/sick.lagprof" | grep -A 9 ^strict)"
# Where there were too few turns they prove nothing.
observe well 0 98
grep -q '^strict: no call that blocks' "$tmp/well.err" || fail "$(grep -A 9 ^strict "$tmp/well.err")"
finish
