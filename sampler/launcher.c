#include "sampler/launcher.h"

#include <string.h>

#include "core/names.h"

/* By the last part of the program's path, and for a script that of the script's. */
static const struct {
	const char *program;
	const char *script; /* NULL: any, or none */
} rows[] = {
	/* clang-format off */
	{ "sh" }, { "dash" }, { "bash" }, { "zsh" }, { "ksh" }, { "busybox" },
	{ "make" }, { "timeout" }, { "sudo" }, { "su" }, { "tini" }, { "dumb-init" },
	{ "node", "npm" }, { "node", "npm-cli.js" },
	{ "node", "npx" }, { "node", "npx-cli.js" },
	{ "node", "yarn" }, { "node", "yarn.js" }, { "node", "yarn.cjs" },
	{ "node", "pnpm" }, { "node", "pnpm.cjs" }, { "node", "pnpx" }, { "node", "corepack" },
	{ "node", "nodemon" }, { "node", "nodemon.js" },
	{ "node", "concurrently" }, { "node", "concurrently.js" },
	/* clang-format on */
};

/* The first argument that is no option of the interpreter's. */
static const char *script_of(const struct target_info *info)
{
	for (uint32_t i = 1; i < info->argc; i++)
		if (info->argv[i][0] != '-')
			return path_base(info->argv[i]);
	return NULL;
}

bool launcher_is(const struct target_info *info)
{
	const char *program = info->argc && info->argv[0] ? path_base(info->argv[0]) : NULL;
	const char *script = program ? script_of(info) : NULL;

	for (size_t i = 0; program && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(program, rows[i].program) != 0)
			continue;
		if (!rows[i].script || (script && strcmp(script, rows[i].script) == 0))
			return true;
	}
	return false;
}
