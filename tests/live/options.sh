#!/bin/sh
# Every option does what its help says.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
need python3 node
need_exact
cd "$tmp" || exit 1

# observe OPTION...: a run of 12 stalls of 5 to 200 ms, as $tmp/run.json.
observe()
{
	rm -f run.*
	"$LAGPROF" run -o run.lagprof --json run.json "$@" -- \
		"$FIXTURES/stall_server" --count 12 --seed 3 >out 2>err </dev/null || {
		cat err
		fail "$*: status $?"
	}
}

# is EXPRESSION: over the report of the last run, as r.
is()
{
	python3 -c 'import json, sys; r = json.load(open("run.json")); sys.exit(not eval(sys.argv[1]))' "$1" ||
		fail "$1"
}

observe --threshold 40ms --no-html
is 'r["session"]["threshold_ns"] == 40000000'
is 'r["stalls"] and all(s["duration_ns"] >= 40000000 for s in r["stalls"])'
is 'r["lagprof"]["probe"] == "exact" and r["lagprof"]["unwinder"] == "native"'
[ ! -e run.html ] || fail "--no-html wrote one"
few=$(wc -c <err)

observe --startup 1h --freq 100
is 'r["stalls"] and all(s["phase"] == "startup" for s in r["stalls"])'
is 'r["session"]["sample_hz"] == 100'
# Each sleep has a sample of its own, whatever the frequency.
is '0 < sum(s["samples"] for s in r["stalls"] if s["blocked_ns"] < 1e6) < 200'
grep -q '<html' run.html || fail "no run.html beside the recording"

observe --startup 1ns --unwinder libunwind --probe exact --html page.html -q
is 'r["stalls"] and all(s["phase"] == "serving" for s in r["stalls"])'
is 'r["lagprof"]["unwinder"] == "libunwind"'
[ ! -s err ] || fail "-q said: $(cat err)"
[ ! -e run.html ] || fail "--html FILE wrote the other one too"
for file in page.html run.json run.lagprof; do
	[ "$(stat -c %a "$file")" = 600 ] || fail "$file is not 0600"
done

# A browser that is slow to end holds up nobody; what it shows is fit for strangers.
printf '#!/bin/sh\necho "$1" >"%s/shown"\nsleep 3\n' "$tmp" >browser
chmod +x browser
BROWSER=$tmp/browser observe --open --redact
is 'r["target"]["argv"][1:] == ["--count", "[hidden]", "--seed", "[hidden]"]'
is 'any("--redact" in note for note in r["notes"])'
grep -q "$(pwd -P)" run.html && fail "--redact: run.html names the folder"
for _ in $(seq 50); do [ -s shown ] || sleep 0.1; done
[ "$(cat shown)" = "$(pwd -P)/run.html" ] || fail "--open showed: $(cat shown)"

observe --verbose --ascii --color always
[ "$(wc -c <err)" -gt "$few" ] || fail "-v says no more"
LC_ALL=C grep -q '[^[:print:][:space:]]' err || fail "--color always wrote no escape"
LC_ALL=C tr -d '\033' <err | LC_ALL=C grep '[^[:print:][:space:]]' && fail "--ascii wrote more than ASCII"
observe --color auto
LC_ALL=C grep -q "$(printf '\033')" err && fail "color where there is no terminal"

# The observation ends, the target goes on.
start_fixture held "$FIXTURES/stall_server" --hold --log held.log
server=$pid
attach brief "$server" --duration 300ms
ended "$lagprof" 20
[ "$status" -eq 0 ] || fail "--duration: status $status"
not_running "$server" && fail "--duration ended the target"
kill "$server"
"$LAGPROF" report brief.lagprof >/dev/null || fail "the recording of --duration"

# on-port: once the server listens; on-stall: at each stall.
"$LAGPROF" run --no-html -o port.lagprof --json run.json \
	--on-port 'echo "$PORT" >port; node "'"$SOURCE"'/fixtures/node/drive.js" --port "$PORT" --routes sleep; touch driven' \
	--on-stall 'echo stall >>stalls' -- node "$SOURCE/fixtures/node/stalls.js" >out 2>err </dev/null &
runner=$!
started="$started $runner"
wait_for 30 test -e driven || fail "--on-port: did not run to its end"
wait_for 10 grep -q stall stalls || fail "--on-stall: nothing ran"
kill -TERM "$runner"
ended "$runner" 30
[ "$(cat port)" = "$(sed -n 's/^ready \([0-9]*\) .*/\1/p' out)" ] || fail "--on-port: $(cat port)"
is 'any(s["cause"] == "sleep" for s in r["stalls"])'

# One loop, or every thread that is one.
cat >workers.js <<'END'
const { Worker, isMainThread } = require('worker_threads');
if (isMainThread)
	new Worker(__filename).on('exit', () => process.exit(0));
let n = 0;
const timer = setInterval(() => {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 40);
	if (++n === 30 && !isMainThread)
		process.exit(0);
}, 100);
END
for which in main all; do
	"$LAGPROF" run -q --no-html --loops $which -o $which.lagprof --json run.json -- \
		node workers.js </dev/null || fail "--loops $which: status $?"
	is "(len({s['tid'] for s in r['stalls']}) > 1) == ('$which' == 'all')"
done

# Every format of report, to a file and to standard output.
for format in text json html folded; do
	"$LAGPROF" report --format $format -o file.$format port.lagprof || fail "report --format $format"
	"$LAGPROF" report --format $format port.lagprof >stdout.$format
	[ -s file.$format ] && [ -s stdout.$format ] || fail "report --format $format is empty"
	[ "$(stat -c %a file.$format)" = 600 ] || fail "file.$format is not 0600"
done
finish
