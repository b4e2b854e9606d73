#!/bin/sh
# shellcheck source=tests/live/lib.sh
# With rights really taken away, doctor says what is left and what would mend the rest, and --probe auto
# takes just what doctor says.
. "$(dirname "$0")/lib.sh"
need python3 setpriv prlimit unshare
need_exact

# Where everybody may read and run it.
chmod 755 "$tmp"
mkdir -m 777 "$tmp/out"
cp "$LAGPROF" "$FIXTURES/busy_loop" "$LIVE/refuse.py" "$tmp"
as="setpriv --reuid=nobody --regid=nogroup --clear-groups"
caps="--ambient-caps -all,+bpf,+perfmon --inh-caps -all,+bpf,+perfmon"

# with_rights NAME EXPECTED COMMAND...: what is the best probe when lagprof is run by COMMAND?
with_rights()
{
	name=$1 expected=$2
	shift 2
	"$@" "$tmp/lagprof" doctor --json >"$tmp/$name.doctor" 2>"$tmp/$name.err" || fail "$name: doctor: status $?"
	"$@" "$tmp/lagprof" run --no-html -q -o "$tmp/out/$name.lagprof" --json "$tmp/out/$name.json" \
		--max-overhead 100 --duration 400ms -- timeout -s KILL 0.7 "$tmp/busy_loop" pingpong \
		"$tmp/out/$name" >"$tmp/$name.out" 2>"$tmp/$name.err"
	python3 - "$tmp/$name.doctor" "$tmp/out/$name.json" "$expected" <<-'END' || { cat "$tmp/$name.err"; fail "$name"; }
		import json, sys
		doctor, report, expected = json.load(open(sys.argv[1])), json.load(open(sys.argv[2])), sys.argv[3].split("|")
		ok = [probe["name"] for probe in doctor["probes"] if probe["ok"]]
		auto = doctor["auto"]["run"]
		if auto not in expected or auto != ok[0]:
		    sys.exit(f"doctor says {auto} of {ok}, not {expected}")
		if report["lagprof"]["probe"] != auto:
		    sys.exit(f"auto took {report['lagprof']['probe']}, doctor says {auto}")
		for probe in doctor["probes"] + doctor["rights"]:
		    if not probe["ok"] and not (probe["why"] and probe["fix"]):
		        sys.exit(f"no reason or no command: {probe}")
		said = any(auto in note for note in report.get("notes", []))
		if said != (auto != "exact"):
		    sys.exit(f"the report does not say why it was not better: {report.get('notes')}")
	END
}

# The rungs below light, which need no capability.
rest='user|shim|proc'
with_rights root exact env
with_rights pid-namespace exact unshare --pid --fork --mount-proc
with_rights few-locked exact prlimit --memlock=65536
# shellcheck disable=SC2086 # words
{
	with_rights nobody "$rest" $as --inh-caps=-all
	with_rights two-capabilities exact $as $caps
	with_rights one-capability "$rest" $as --ambient-caps -all,+bpf --inh-caps -all,+bpf
	with_rights the-other-one "$rest" $as --ambient-caps -all,+perfmon --inh-caps -all,+perfmon
	with_rights nobody-filtered "shim|proc" python3 "$tmp/refuse.py" 298,321 $as --inh-caps=-all
	# As older container runtimes do: no ptrace, and no reading of other processes.
	with_rights nobody-untraced "shim|proc" python3 "$tmp/refuse.py" 298,321,101,310,311 $as --inh-caps=-all
}
grep -q 'no stacks of what computes: ptrace' "$tmp/out/nobody-untraced.json" || fail "nothing is said of stacks"
"$tmp/lagprof" doctor --json | grep -A 2 '"name": "stacks"' | grep -q '"ok": true' || fail "root may trace"
grep -A 2 '"name": "stacks"' "$tmp/nobody-untraced.doctor" | grep -q '"ok": false' || fail "nobody may not"
with_rights root-without "$rest" setpriv --bounding-set=-bpf,-perfmon,-sys_admin --inh-caps=-bpf,-perfmon,-sys_admin
with_rights filtered "shim|proc" python3 "$tmp/refuse.py" 298,321
with_rights user-namespace "$rest" unshare --user --map-root-user

# Who may trace others, and is not their user, reads the names of their code.
if command -v node >/dev/null; then
	start_fixture theirs node "$SOURCE/fixtures/node/stalls.js" --only sync-hash --gap 50 --drive 6
	node=$(awk '/^ready/ { print $3 }' "$tmp/theirs.out")
	# shellcheck disable=SC2086 # words
	$as --ambient-caps -all,+bpf,+perfmon,+sys_ptrace --inh-caps -all,+bpf,+perfmon,+sys_ptrace "$tmp/lagprof" attach \
		--no-html -q -o "$tmp/out/theirs.lagprof" --json "$tmp/out/theirs.json" "$node" >"$tmp/theirs.said" 2>&1
	grep -q '"call": *"pbkdf2Sync' "$tmp/out/theirs.json" || fail "theirs: $(cat "$tmp/theirs.said")"
fi
finish
