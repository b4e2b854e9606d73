#!/bin/sh
# shellcheck source=tests/live/lib.sh
# The lines of TypeScript that was bundled, with its map beside it and within it, when the
# recording ends and when it was cut short; those of the JavaScript on demand and where there is
# no map.  Code that a loader made in memory has its map from there, or says that it is no file's.
. "$(dirname "$0")/lib.sh"
need python3 node
need_exact
cp -r "$SOURCE/fixtures/node/typescript" "$tmp/app" || exit 1
sleep 0.1 # a map that is newer than the recording is not believed
line=$(grep -n STALL "$tmp/app/src/hash.ts" | cut -d: -f1)

# culprit RECORDING: FILE:LINE of what blocked most
culprit()
{
	"$LAGPROF" report --format json "$1" | python3 -c 'import json, sys
findings = [f for f in json.load(sys.stdin)["findings"] if f["cause"] == "sync_crypto"]
print("%s:%d" % (findings[0]["culprit"]["file"], findings[0]["culprit"]["line"]) if findings else "none")'
}

# expect NAME PLACE OPTION... SCRIPT; of node: loader=FILE
loader=
expect()
{
	name=$1 place=$2
	shift 2
	eval "script=\${$#}"
	options=
	[ $# -eq 1 ] || options=$1
	# shellcheck disable=SC2086 # none or one
	"$LAGPROF" run -q --no-html $options -o "$tmp/$name.lagprof" -- \
		node ${loader:+-r "$tmp/app/$loader"} "$tmp/app/$script" 3 </dev/null ||
		fail "$name: status $?"
	got=$(culprit "$tmp/$name.lagprof")
	[ "$got" = "$place" ] || fail "$name: $got, not $place"
}

expect beside "$tmp/app/src/hash.ts:$line" app.js
expect within "$tmp/app/src/hash.ts:$line" app.min.mjs
generated=$tmp/app/app.js:$(grep -n pbkdf2Sync\) "$tmp/app/app.js" | cut -d: -f1)
expect off "$generated" --no-source-maps app.js

# A bundler names files by their place in a project somewhere above the bundle.
mkdir -p "$tmp/app/dist/server"
cp "$tmp/app/app.js" "$tmp/app/dist/server"
sed 's|"src/hash.ts", "src/app.ts"|"webpack://shop/./src/hash.ts", "webpack://shop/./src/gone.ts"|' \
	"$tmp/app/app.js.map" >"$tmp/app/dist/server/app.js.map"
sleep 0.1
expect bundler "$tmp/app/src/hash.ts:$line" dist/server/app.js

# The map of a package names files of the machine that built it.
package=$tmp/app/node_modules/tool
mkdir -p "$package"
cp "$tmp/app/app.js" "$package"
sed 's|"src/hash.ts", "src/app.ts"|"https://host.example/src/hash.ts", "../../src/app.ts"|' \
	"$tmp/app/app.js.map" >"$package/app.js.map"
sleep 0.1
expect package "$package/app.js:${generated##*:}" node_modules/tool/app.js

loader=loader.cjs
of_loader="$tmp/app/src/app.ts (generated):${generated##*:}"
expect loader "$tmp/app/src/hash.ts:$line" src/app.ts
expect loader-off "$of_loader" --no-source-maps src/app.ts
export NO_MAP=1
expect loader-bare "$of_loader" src/app.ts
unset NO_MAP
loader=

# cut NAME PLACE ARGUMENT...: node is gone before the maps were applied
cut()
{
	name=$1 place=$2
	shift 2
	"$LAGPROF" run -q --no-html -o "$tmp/$name.lagprof" -- node "$@" 100 </dev/null &
	runner=$!
	started="$started $runner"
	sleep 2.5
	kill -KILL "$runner"
	wait "$runner" 2>/dev/null
	got=$(culprit "$tmp/$name.lagprof")
	[ "$got" = "$place" ] || fail "$name: $got, not $place"
}

cut cut-short "$tmp/app/src/hash.ts:$line" "$tmp/app/app.js"
cut cut-short-loader "$of_loader" -r "$tmp/app/loader.cjs" "$tmp/app/src/app.ts"

echo '{"version":3,"sources":["../../../etc/passwd"],"mappings":"AAAA!"}' >"$tmp/app/app.js.map"
sleep 0.1
expect damaged "$generated" app.js
finish
