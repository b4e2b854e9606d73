# Sourced by the scripts that need npm packages: copies FOLDER of the source tree to the build folder
# and installs its packages there, once.  web_setup FOLDER; then $web is the copy.
web_setup()
{
	web=$BUILD/npm/$1
	command -v node >/dev/null && command -v npm >/dev/null || {
		echo "skipped: needs node and npm"
		exit 77
	}
	mkdir -p "$web"
	(cd "$SOURCE/$1" && find . -name node_modules -prune -o -type f -print | tar cf - -T -) | tar xf - -C "$web"
	cmp -s "$web/package-lock.json" "$web/installed" && return
	(cd "$web" && timeout 250 npm ci --ignore-scripts --no-audit --no-fund) >"$web/npm.log" 2>&1 || {
		echo "skipped: npm ci failed: $(tail -n 1 "$web/npm.log")"
		exit 77
	}
	cp "$web/package-lock.json" "$web/installed"
}
