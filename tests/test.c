#include "tests/test.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static struct test *tests; /* in reverse order of registration */
static int failures;
static char tmpdir[64];

void test_register(struct test *test)
{
	test->next = tests;
	tests = test;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	failures++;
	fprintf(stderr, "%s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int test_failures(void)
{
	return failures;
}

const char *test_source(const char *relative)
{
	static char paths[4][512];
	static int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", LAGPROF_SOURCE_DIR, relative);
	return path;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void remove_tmpdir(void)
{
	nftw(tmpdir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_tmpdir(void)
{
	if (!tmpdir[0]) {
		strcpy(tmpdir, "/tmp/lagprof-test-XXXXXX");
		if (!mkdtemp(tmpdir))
			abort();
		atexit(remove_tmpdir);
	}
	return tmpdir;
}

/* "…/tests/unit/hist.c" belongs to "hist". */
static bool belongs_to(const struct test *t, const char *file)
{
	const char *base = strrchr(t->file, '/');
	size_t len = strlen(file);

	base = base ? base + 1 : t->file;
	return strncmp(base, file, len) == 0 && strcmp(base + len, ".c") == 0;
}

int main(int argc, char **argv)
{
	int ran = 0, failed = 0;

	for (struct test *t = tests; t; t = t->next) {
		int before = failures;

		if (argc > 1 && !belongs_to(t, argv[1]))
			continue;
		if (argc > 2 && !strstr(t->name, argv[2]))
			continue;
		t->run();
		ran++;
		if (failures != before) {
			failed++;
			fprintf(stderr, "FAILED %s\n", t->name);
		}
	}
	printf("%d passed, %d failed\n", ran - failed, failed);
	return ran == 0 || failed != 0;
}
