#include "cli/agent/listen.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

static int try(const char *address, bool allowed, struct listening *l)
{
	struct error err = { 0 };
	int ret = listen_on(l, address, allowed, &err);

	CHECK(ret == 0 || (err.msg[0] && err.code == ret));
	return ret;
}

TEST(listen_takes_addresses_of_this_machine)
{
	static const char *const addresses[] = { "127.0.0.1:0", "127.8.9.10:0", "localhost:0" };

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct listening l;

		CHECK_EQ(try(addresses[i], false, &l), 0);
		CHECK(l.local);
		CHECK(strncmp(l.url, "http://", 7) == 0 && !strstr(l.url, ":0/"));
		listen_end(&l);
	}
}

TEST(listen_takes_others_only_when_that_is_allowed)
{
	struct listening l;

	CHECK_EQ(try("0.0.0.0:0", false, &l), -EPERM);
	listen_end(&l);
	CHECK_EQ(try("0.0.0.0:0", true, &l), 0);
	CHECK(!l.local);
	listen_end(&l);
}

TEST(listen_refuses_what_is_no_address)
{
	static const char *const addresses[] = {
		"",           "9095",           ":9095",        "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:http", "127.0.0.1:-1", "127.0.0.1:999999",
		"unix:",
	};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct listening l;

		CHECK_EQ(try(addresses[i], true, &l), -EINVAL);
		listen_end(&l);
	}
}

TEST(listen_on_a_socket_that_others_cannot_open_and_that_goes_away)
{
	struct listening l, second;
	char address[200], *path;
	struct stat st;

	snprintf(address, sizeof(address), "unix:%s/agent.sock", test_tmpdir());
	path = address + 5;
	CHECK_EQ(try(address, false, &l), 0);
	CHECK(l.local);
	CHECK(stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0600);
	/* Somebody listens there. */
	CHECK_EQ(try(address, false, &second), -EADDRINUSE);
	listen_end(&second);
	CHECK(access(path, F_OK) == 0);
	/* One that was killed leaves it behind. */
	close(l.fd);
	CHECK_EQ(try(address, false, &second), 0);
	listen_end(&second);
	CHECK(access(path, F_OK) < 0);
}

TEST(listen_replaces_no_file)
{
	struct listening l;
	char address[200];
	FILE *f;

	snprintf(address, sizeof(address), "unix:%s/precious", test_tmpdir());
	f = fopen(address + 5, "w");
	CHECK(f && fclose(f) == 0);
	CHECK_EQ(try(address, false, &l), -EADDRINUSE);
	listen_end(&l);
	CHECK(access(address + 5, F_OK) == 0);
}
