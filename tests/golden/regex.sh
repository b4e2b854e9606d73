#!/bin/sh
# lagprof regex: the text people read, the JSON programs read, and the status of both.
set -u
failures=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C.UTF-8

fail()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# expect STATUS ARGUMENT...: the text on standard input is what lagprof regex ARGUMENT... prints.
expect()
{
	status=$1
	shift
	cat >"$tmp/want"
	"$LAGPROF" regex "$@" >"$tmp/got" 2>&1 <"${patterns-/dev/null}"
	got=$?
	[ "$got" -eq "$status" ] || fail "regex $*: status $got, not $status"
	diff -u "$tmp/want" "$tmp/got" || fail "regex $*"
}

expect 0 '/^(a+)+$/' <<'END'
exponential in v8: /^(a+)+$/
                     ~~~~~
  kind     inner: each pump more multiplies the steps, and it is slow from a single start, too
  attack   "a" + "a".repeat(n) + "b"
  steps    over 1,000,000 at n = 20
  rewrite  /^(a+)$/
END

expect 0 '\s+$' abc <<'END'
quadratic in v8: /\s+$/
                  ~~~
  kind     search loop: about n^2 steps, since every position is tried as a start
  attack   "\n".repeat(n) + "a"
  steps    698 at n = 20, 2,588 at 40, 9,968 at 80
  rewrite  /(?<!\s)\s+$/
safe in v8: /abc/
END

# What is no pattern is told with its place, and the others are judged all the same.
expect 2 '(a' '/b/gq' c <<'END'
not a pattern in v8: /(a/
                        ^
  reason   missing ) at byte 2
not a pattern in v8: /b/gq
  reason   unknown flag
safe in v8: /c/
END
expect 0 --engine pcre2 'a(?R)?b' <<'END'
unknown in pcre2: /a(?R)?b/
                      ^
  reason   recursion is not understood at byte 3
END

# Columns are those of the terminal, not bytes; what would act on a terminal is shown.
expect 0 "/^日本$(printf '\314\201')(語+)+\$/" "$(printf '^\033\342\200\256(a+)+$')" <<'END'
exponential in v8: /^日本́(語+)+$/
                         ~~~~~~
  kind     inner: each pump more multiplies the steps, and it is slow from a single start, too
  attack   "日本́語" + "語".repeat(n) + "a"
  steps    over 1,000,000 at n = 20
  rewrite  /^日本́(語+)$/
exponential in v8: /^\x1b\u{202e}(a+)+$/
                                 ~~~~~
  kind     inner: each pump more multiplies the steps, and it is slow from a single start, too
  attack   "\u001b\u202ea" + "a".repeat(n) + "b"
  steps    over 1,000,000 at n = 20
  rewrite  /^\x1b\u{202e}(a+)$/
END

# A long pattern is cut on both sides of its guilty part.
many=$(printf '%60s' '' | tr ' ' x)
"$LAGPROF" regex "$many(a+)+\$$many" --ascii >"$tmp/got"
head -n 2 "$tmp/got" | awk '
	length > 100 { print "too wide: " $0 }
	NR == 1 { at = index($0, "(a+)+"); if (!/\/\.\.\.x.*x\.\.\.\/$/) print "not cut: " $0 }
	NR == 2 && (index($0, "~") != at || !/^ *~~~~~$/) { print "not below: " $0 }' >"$tmp/wrong"
[ ! -s "$tmp/wrong" ] || fail "$(cat "$tmp/got" "$tmp/wrong")"

printf '/a/g\r\n\n(b|b)*c\n' >"$tmp/patterns"
cat >"$tmp/json" <<'END'
[{"pattern":"a","flags":"g","engine":"v8","verdict":"safe"},
{"pattern":"","flags":"","engine":"v8","verdict":"safe"},
{"pattern":"(b|b)*c","flags":"","engine":"v8","verdict":"exponential","kind":"inner","attack":{"pumps":[{"prefix":"b","pump":"b"}],"suffix":""},"steps":[[20,1000007],[40,1000000],[80,1000000]],"guilty":{"start":0,"end":6}}]
END
patterns=$tmp/patterns expect 0 --json <"$tmp/json"
patterns=$tmp/patterns expect 0 --json - <"$tmp/json"
expect 0 --json --engine python --flags s '(?P<n>.)' <<'END'
[{"pattern":"(?P<n>.)","flags":"s","engine":"python","verdict":"safe"}]
END
expect 2 --json 'a**' <<'END'
[{"pattern":"a**","flags":"","engine":"v8","verdict":"unknown","reason":"nothing to repeat at byte 2"}]
END
expect 0 --json <<'END'
[]
END
"$LAGPROF" regex --engine re2 a >"$tmp/got" 2>&1
[ $? -eq 2 ] && grep -q 'v8|pcre2|python' "$tmp/got" || fail "an unknown engine: $(cat "$tmp/got")"
[ "$failures" -eq 0 ]
