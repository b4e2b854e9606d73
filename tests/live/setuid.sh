#!/bin/sh
# shellcheck source=tests/live/lib.sh
# A target that becomes another user on its way: the report says from when on it was not seen, and being
# watched does not keep it from becoming that user.
. "$(dirname "$0")/lib.sh"
need python3 setpriv
[ "$(id -u)" -eq 0 ] || skip "only root can make a set-user-ID program"

chmod 755 "$tmp"
mkdir -m 777 "$tmp/out"
cp "$LAGPROF" "$FIXTURES/flip" "$FIXTURES/flop" "$tmp"
chown daemon "$tmp/flop"
chmod 4755 "$tmp/flop"
# Runs for a second of its own.
printf '#!/bin/sh\nulimit -t 1\nexec %s/flop "$1.become" 1000000\n' "$tmp" >"$tmp/become"
chmod 755 "$tmp/become"
as="setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=-all"

for probe in user shim proc; do
	# shellcheck disable=SC2086 # words
	timeout 30 $as "$tmp/lagprof" run --no-html -q --probe $probe -o "$tmp/out/$probe.lagprof" \
		--json "$tmp/out/$probe.json" -- "$tmp/flip" "$tmp/out/$probe.log" 1 "$tmp/become" \
		>"$tmp/$probe.out" 2>"$tmp/$probe.err"
	[ -s "$tmp/out/$probe.json" ] || fail "$probe: $(cat "$tmp/$probe.err")"
	python3 - "$tmp/out/$probe.json" "$(id -u daemon)" <<-'END' || fail "$probe"
		import json, sys
		report = json.load(open(sys.argv[1]))
		notes = [note for note in report.get("notes", []) if "hardly seen from" in note]
		print(report["lagprof"]["probe"], notes, len(report["stalls"]), "stalls before")
		if not notes or f"user {sys.argv[2]}," not in notes[0]:
		    sys.exit(f"{report.get('notes')}, {[f['title'] for f in report['findings']]}")
		if "spin_second" in json.dumps(report["findings"]):
		    sys.exit("what may not be seen was seen: the program did not become the other user")
	END
done
finish
