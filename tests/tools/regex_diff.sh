#!/bin/sh
# regex_diff.sh ENGINE COUNT SEED ORACLE...: compares our matcher with an engine on random cases.
set -e
engine=$1 count=$2 seed=$3
shift 3
: "${BUILD:=build/dev}"
[ -x "$BUILD/tests/regex_probe" ]
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
here=$(dirname "$0")
node "$here/regex_cases.mjs" "$engine" "$count" "$seed" >"$dir/cases"
timeout 250 "$@" <"$dir/cases" >"$dir/theirs"
timeout 250 "$BUILD/tests/regex_probe" <"$dir/cases" | sed 's/:.*//' >"$dir/ours"
paste -d' ' "$dir/theirs" "$dir/ours" "$dir/cases" | awk -v engine="$engine" '
	{ n = split($0, f, " ");
	  their = f[1]; i = 2; if (their ~ /^[0-9]/) { their = their " " f[2]; i = 3 }
	  our = f[i]; i++; if (our ~ /^[0-9]/) { our = our " " f[i]; i++ }
	  total++;
	  if (our == "unsupported" || our == "capped" || their == "quirk") { skipped++; next }
	  if (their == "invalid" && our == "invalid") invalid++;
	  if (their ~ /^[0-9]/) matched++;
	  if (our != their) { bad++; if (bad <= 5) print "differs: " $0 } }
	END { printf "%s: %d cases, %d matches, %d invalid in both, %d not compared, %d differ\n",
		engine, total, matched, invalid, skipped, bad; exit bad > 0 }'
