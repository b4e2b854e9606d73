#!/bin/sh
# The command line as text: every option is in the help, the man page and the completions, the man
# page in docs/ is the one that the table makes, and mistakes end with status 2 and a way out.
# REGENERATE=1 rewrites docs/lagprof.1.
set -u
failures=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# expect STATUS WORDS_OF_STDERR -- ARGUMENT...
expect()
{
	status=$1 words=$2
	shift 3
	"$LAGPROF" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ "$got" -eq "$status" ] || fail "lagprof $*: status $got, not $status"
	[ -z "$words" ] || grep -qF -- "$words" "$tmp/err" || fail "lagprof $*: no \"$words\" in: $(cat "$tmp/err")"
	if [ "$status" -ne 0 ]; then
		[ "$(wc -l <"$tmp/err")" -le 2 ] || fail "lagprof $*: more than what, why and a fix"
		[ ! -s "$tmp/out" ] || fail "lagprof $*: an error wrote to stdout"
	fi
}

"$LAGPROF" man >"$tmp/lagprof.1" || fail "man"
[ -z "${REGENERATE-}" ] || cp "$tmp/lagprof.1" "$SOURCE/docs/lagprof.1"
diff -u "$SOURCE/docs/lagprof.1" "$tmp/lagprof.1" || fail "docs/lagprof.1 is old: run REGENERATE=1 ./dev test golden.cli"
sed 's/\\-/-/g' "$tmp/lagprof.1" >"$tmp/man"
for shell in bash zsh fish; do
	"$LAGPROF" completion $shell >"$tmp/$shell" || fail "completion $shell"
done

# The commands, as the overview lists them, and of each the options, as its help lists them.
commands=$("$LAGPROF" help | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 2 ] || fail "help lists: $commands"
for command in $commands; do
	"$LAGPROF" help "$command" >"$tmp/help" || fail "help $command"
	"$LAGPROF" "$command" --help | diff "$tmp/help" - || fail "$command --help differs"
	sed -n 3p "$tmp/help" | grep -q '^  ' || fail "help $command: no example first"
	grep -q "^usage: lagprof $command" "$tmp/help" || fail "help $command: no usage"
	[ "$(awk '{ if (length > n) n = length } END { print n }' "$tmp/help")" -le 100 ] ||
		fail "help $command: wider than 100 columns"
	grep -q "^.BR $command " "$tmp/man" || fail "man: no $command"
	grep -q "'__fish_seen_subcommand_from $command' -l help" "$tmp/fish" || fail "fish: $command"
	options=$(sed -n 's/^  [-, a-zA-Z]*--\([a-z-]*\).*/\1/p' "$tmp/help")
	for option in $options; do
		grep -q -- "--$option\b" "$tmp/man" || fail "man: no --$option"
		grep -q "^	$command:-\*) .*--$option " "$tmp/bash" || fail "bash: $command --$option"
		sed -n "/^	$command)/,/;;/p" "$tmp/zsh" | grep -q -- "--$option\b" ||
			fail "zsh: $command --$option"
		grep -q -- "_from $command' -l $option\b" "$tmp/fish" || fail "fish: $command --$option"
	done
done

# The scripts do what their shell expects.
complete_bash()
{
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }
		_lagprof; echo "${COMPREPLY[*]}"' - "$tmp/bash" "$@"
}
[ "$(complete_bash lagprof compl)" = completion ] || fail "bash: a command"
[ "$(complete_bash lagprof completion z)" = zsh ] || fail "bash: an operand"
[ "$(complete_bash lagprof completion --h)" = --help ] || fail "bash: an option"
! command -v zsh >/dev/null || zsh -n "$tmp/zsh" || fail "zsh: syntax"
! command -v fish >/dev/null || fish -n "$tmp/fish" || fail "fish: syntax"
if command -v fish >/dev/null; then
	HOME=$tmp fish -c ". $tmp/fish; complete -C 'lagprof completion z'" | grep -q '^zsh' ||
		fail "fish: an operand"
fi

expect 2 'unknown command "hepl"' -- hepl
expect 2 'try: lagprof help' -- hepl
expect 2 'unknown option "--verison"' -- --verison
expect 2 'unknown option --hlep' -- help --hlep
expect 2 'try: --help' -- help --hlep
expect 2 'no command "frobnicate"' -- help frobnicate
expect 2 'bash, zsh or fish' -- completion
expect 2 'bash, zsh or fish' -- completion tcsh
expect 2 'unknown command "\x1b[31mx"' -- "$(printf '\033[31mx')"
expect 2 'agent takes process ids, or --name' -- agent
expect 2 '"x1" is not a process id' -- agent x1
expect 2 'other machines can reach' -- agent --listen 0.0.0.0:0 --name x
expect 2 'is not ADDRESS:PORT or unix:PATH' -- agent --listen nowhere --name x
expect 2 'is not one of none|prom-client' -- agent --compat prometheus --name x
expect 125 'no process 4194304' -- agent 4194304
expect 0 '' -- --version
grep -qx 'lagprof [0-9.]*' "$tmp/out" || fail "--version: $(cat "$tmp/out")"
"$LAGPROF" help >/dev/full 2>"$tmp/err"
[ $? -eq 125 ] || fail "a full disk is not told"

[ "$failures" -eq 0 ]
