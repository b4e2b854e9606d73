#include "sampler/launcher.h"

#include "tests/test.h"

static bool launches(const char *const *argv)
{
	struct target_info info = { .argv = (const char **)argv };

	while (argv[info.argc])
		info.argc++;
	return launcher_is(&info);
}
#define LAUNCHES(...) launches((const char *const[]){ __VA_ARGS__, NULL })

TEST(launcher_knows_shells_and_package_managers)
{
	CHECK(LAUNCHES("/bin/sh", "./start.sh"));
	CHECK(LAUNCHES("bash"));
	CHECK(LAUNCHES("node", "/usr/bin/npm", "start"));
	CHECK(LAUNCHES("/usr/bin/node", "--no-warnings", "/usr/lib/node_modules/npm/bin/npx-cli.js",
		       "x"));
}

TEST(launcher_is_no_server)
{
	CHECK(!LAUNCHES("node", "server.js", "npm"));
	CHECK(!LAUNCHES("node"));
	CHECK(!LAUNCHES("redis-server", "sh"));
	CHECK(!LAUNCHES(""));
	CHECK(!launcher_is(&(struct target_info){ 0 }));
}
