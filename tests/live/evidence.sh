#!/bin/sh
# What a call was given is shown with its stall: of node's calls, and of OpenSSL's in a C program.
# NODES="/path/to/node ..." tries other versions; LAGPROF_LONG=1: every call, more often.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
need python3 node
need_exact

calls="--rounds 12 --only pbkdf2,scrypt,json,test,readFile,stat,execSync,spawnSync,gzip,resolve,module,import"
[ -z "${LAGPROF_LONG:-}" ] || calls="--rounds 50"
# shellcheck disable=SC2086 # lists
timeout 280 python3 "$SOURCE/tests/tools/evidence.py" "$LAGPROF" --build "$BUILD" $calls -v ${NODES:-node} \
	>"$tmp/table" 2>&1 || fail "$(cat "$tmp/table")"
tail -n 1 "$tmp/table"

"$LAGPROF" run -q --no-html -o "$tmp/c.lagprof" --json "$tmp/c.json" -- \
	"$FIXTURES/blockers" --drive 3 --log "$tmp/log" --only hash >"$tmp/out" 2>"$tmp/err" </dev/null ||
	fail "status $?: $(cat "$tmp/err")"
iterations=$(sed -n 's/.*"salt", 4, \([0-9]*\), sha512.*/\1/p' "$SOURCE/fixtures/c/blockers/computes.c")
python3 - "$tmp/c.json" "$iterations" <<'END' || fail "PKCS5_PBKDF2_HMAC"
import json, sys
report = json.load(open(sys.argv[1]))
found = [f["evidence"] for f in report["findings"] if f["cause"] == "sync_crypto"]
print(found)
sys.exit(found and not all(e == {"iterations": int(sys.argv[2]), "digest": "sha512"} for e in found))
END
finish
