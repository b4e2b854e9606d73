#include "sampler/census.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/test.h"

#define TAKE(names, cmdline) process_names_take(names, cmdline, sizeof(cmdline))

TEST(census_names_an_interpreter_by_its_script)
{
	struct process_names n = { .comm = "MainThread" };

	CHECK(TAKE(&n, "/usr/bin/node\0--max-old-space-size=100\0/srv/shop/server.js\0--port=1"));
	CHECK_STR(n.program, "node");
	CHECK_STR(process_app(&n), "server.js");
	n = (struct process_names){ .comm = "python3" };
	CHECK(TAKE(&n, "python3.11\0-m\0uvicorn\0app:app"));
	CHECK_STR(process_app(&n), "uvicorn");
	n = (struct process_names){ .comm = "MainThread" };
	CHECK(TAKE(&n, "node"));
	CHECK_STR(process_app(&n), "node");
}

TEST(census_takes_no_code_and_no_value_of_an_option_for_a_script)
{
	struct process_names n = { 0 };

	CHECK(TAKE(&n, "node\0-r\0dotenv/config\0--import\0./trace.mjs\0server.js\0other.js"));
	CHECK_STR(process_app(&n), "server.js");
	n = (struct process_names){ 0 };
	CHECK(TAKE(&n, "node\0-e\0secret()\0x.js"));
	CHECK_STR(process_app(&n), "node");
	n = (struct process_names){ 0 };
	CHECK(TAKE(&n, "python3\0-X\0dev\0-u\0/srv/app.py"));
	CHECK_STR(process_app(&n), "app.py");
	n = (struct process_names){ 0 };
	CHECK(TAKE(&n, "python3\0-c\0import app"));
	CHECK_STR(process_app(&n), "python3");
}

TEST(census_names_another_program_by_its_command)
{
	struct process_names n = { .comm = "redis-server" };

	CHECK(TAKE(&n, "/usr/bin/redis-server 127.0.0.1:6379\0/etc/redis/redis.conf"));
	CHECK_STR(process_app(&n), "redis-server");
	n = (struct process_names){ .comm = "nodepad" };
	CHECK(TAKE(&n, "nodepad\0file"));
	CHECK_STR(process_app(&n), "nodepad");
}

TEST(census_passes_over_what_only_starts_others)
{
	struct process_names n = { .comm = "sh" };

	CHECK(!TAKE(&n, "/bin/sh\0-c\0node server.js"));
	CHECK(!TAKE(&n, "node\0/usr/bin/npm\0start"));
	CHECK(!process_names_take(&n, "", 0));
}

TEST(census_cuts_names_that_are_too_long)
{
	struct process_names n = { .comm = "x" };
	char line[4096];

	memset(line, 'a', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	CHECK(process_names_take(&n, line, sizeof(line)));
	CHECK_EQ(strlen(n.program), sizeof(n.program) - 1);
}

struct met {
	pid_t pid;
	unsigned times;
};

static void count(void *arg, pid_t pid)
{
	struct met *met = arg;

	met->times += pid == met->pid;
}

/* Is the process met at that second? */
static bool meets(struct census *c, nsec second, pid_t pid)
{
	struct met met = { .pid = pid };

	census_take(c, second * 1000000000, count, &met);
	CHECK(met.times <= 1);
	return met.times == 1;
}

TEST(census_meets_who_is_new_while_young_and_all_now_and_then)
{
	struct census c = { 0 };
	pid_t child;

	CHECK(meets(&c, 1000, getpid()));
	CHECK(meets(&c, 1009, getpid()));
	CHECK(!meets(&c, 1011, getpid()));
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	CHECK(meets(&c, 1020, child));
	CHECK(meets(&c, 1025, child));
	CHECK(!meets(&c, 1025, getpid()));
	CHECK(meets(&c, 1030, getpid()));
	CHECK(!meets(&c, 1045, child));
	CHECK(meets(&c, 1060, child));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK(!meets(&c, 1090, child));
	census_destroy(&c);
}

TEST(census_knows_the_age_and_memory_of_a_process)
{
	struct process_names names;
	struct timespec t;
	nsec now;

	clock_gettime(CLOCK_BOOTTIME, &t);
	now = (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
	CHECK(process_age(getpid(), now) < 3600ull * 1000000000);
	CHECK_EQ(process_age(getpid(), now + 50000000000) - process_age(getpid(), now),
		 50000000000);
	CHECK(process_memory(getpid()) > 100000);
	CHECK(process_names_read(getpid(), &names));
	CHECK_STR(names.program, "unit");
	CHECK_EQ(process_age(1 << 22, now), 0);
	CHECK_EQ(process_memory(1 << 22), 0);
	CHECK(!process_names_read(1 << 22, &names));
}
