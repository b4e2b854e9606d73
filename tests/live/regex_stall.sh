#!/bin/sh
# shellcheck source=tests/live/lib.sh
# A stall in a regular expression carries the proof of what its pattern can do, and a safe pattern
# on a huge subject is not blamed.
. "$(dirname "$0")/lib.sh"
need python3 node
need_exact
"$LAGPROF" run --no-html -o "$tmp/lagprof" --json "$tmp/json" -- \
	node "$SOURCE/fixtures/node/regex.js" --drive 2 >"$tmp/out" 2>"$tmp/err" </dev/null ||
	fail "status $?: $(cat "$tmp/err")"
python3 - "$tmp/json" <<'END' || fail "$(cat "$tmp/err")"
import json
import sys

findings = json.load(open(sys.argv[1], encoding="utf-8"))["findings"]
failed = False


def check(function, pattern, **want):
    """The one regex finding at function; its redos members, words of its title and advice."""
    global failed
    found = [f for f in findings
             if f["cause"] == "regex" and f.get("culprit", {}).get("function") == function]
    if len(found) != 1:
        print(f"{function}: {len(found)} findings")
        failed = True
        return
    f, e = found[0], found[0]["evidence"]
    redos = e.get("redos", {})
    title, advice = want.pop("title"), want.pop("advice")
    if e.get("pattern") != pattern or want.items() > redos.items() or \
            title not in f["title"] or advice not in f["advice"]:
        print(function, json.dumps(f, indent=1)[:3000])
        failed = True
    if (redos.get("verdict") != "safe") != ("repeat(n)" in redos.get("attack", "")):
        print(function, "attack", redos)
        failed = True


check("exponential", r"^(?:\w+\s?)*$", verdict="exponential", kind="inner",
      title=" on 25 characters, exponential", advice="")
check("quadratic", r"\s+$", verdict="polynomial", degree=2, kind="search_loop",
      title=" on 20001 characters, quadratic", advice=r"/(?<!\s)\s+$/")
check("linear", r"[a-y]{1,8}\d", verdict="safe",
      title=" on 20000000 characters, linear", advice="the subject is huge")
sys.exit(failed)
END
finish
