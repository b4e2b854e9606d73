#include <errno.h>
#include <glob.h>
#include <stdlib.h>

#include "tests/snapshot.h"
#include "tests/test.h"

/*
 * Samples of eleven versions of V8 in node, with the memory that was read to name them.
 * Each must give again what it gave when it was taken and looked through.
 */
static char *read_text(const char *snap)
{
	char path[512], *text = NULL;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%.*s.txt", (int)(strlen(snap) - strlen(".snap")), snap);
	f = fopen(path, "r");
	if (!f || getdelim(&text, &size, '\0', f) < 0)
		test_fail(__FILE__, __LINE__, "cannot read %s", path);
	if (f)
		fclose(f);
	return text;
}

static void check_snapshot(const char *path)
{
	struct snapshot *s = snapshot_load(path);
	char *want = read_text(path), *got = NULL;
	size_t size;
	FILE *out;

	if (!s) {
		test_fail(__FILE__, __LINE__, "%s is no snapshot", path);
		free(want);
		return;
	}
	out = open_memstream(&got, &size);
	snapshot_print(s, &s->base, out);
	fclose(out);
	if (!want || strcmp(want, got) != 0)
		test_fail(__FILE__, __LINE__, "%s gives\n%s", path, got);
	free(got);
	free(want);
	snapshot_free(s);
}

static size_t check_all(const char *pattern)
{
	glob_t found;
	size_t n = 0;

	if (glob(test_source(pattern), 0, NULL, &found) == 0) {
		n = found.gl_pathc;
		for (size_t i = 0; i < n; i++)
			check_snapshot(found.gl_pathv[i]);
		globfree(&found);
	}
	return n;
}

TEST(snapshots_of_node_18_are_named_as_when_they_were_taken)
{
	CHECK(check_all("fixtures/snapshots/v8/node18-*.snap") >= 8);
}

TEST(snapshots_of_node_20_are_named_as_when_they_were_taken)
{
	CHECK(check_all("fixtures/snapshots/v8/node20-*.snap") >= 8);
}

TEST(snapshots_of_node_22_are_named_as_when_they_were_taken)
{
	CHECK(check_all("fixtures/snapshots/v8/node22-*.snap") >= 8);
}

TEST(snapshots_of_node_24_are_named_as_when_they_were_taken)
{
	CHECK(check_all("fixtures/snapshots/v8/node24-*.snap") >= 8);
}

TEST(snapshots_of_node_25_are_named_as_when_they_were_taken)
{
	CHECK(check_all("fixtures/snapshots/v8/node25-*.snap") >= 8);
}

TEST(snapshots_of_node_26_are_named_as_when_they_were_taken)
{
	CHECK(check_all("fixtures/snapshots/v8/node26-*.snap") >= 8);
}

/* V8 10.1, 10.8, 11.8, 12.9, and 12.4 while it compiled with Maglev. */
TEST(snapshots_of_node_between_the_supported_ones_are_named_as_when_they_were_taken)
{
	CHECK(check_all("fixtures/snapshots/v8/node18.0-*.snap") >= 4);
	CHECK(check_all("fixtures/snapshots/v8/node19-*.snap") >= 4);
	CHECK(check_all("fixtures/snapshots/v8/node21-*.snap") >= 4);
	CHECK(check_all("fixtures/snapshots/v8/node22.0-*.snap") >= 2);
	CHECK(check_all("fixtures/snapshots/v8/node23-*.snap") >= 7);
}

/* What the unwinder takes for the caller is a word that another function left in the frame. */
TEST(snapshot_with_an_old_return_address_at_the_stack_pointer_has_no_frame_for_it)
{
	const char *path = test_source("fixtures/snapshots/v8/node26-maglev.snap");
	struct snapshot *s = snapshot_load(path);
	struct raw_frame *frames;
	char *want = read_text(path), *got = NULL;
	size_t size;
	FILE *out;

	CHECK(s && want);
	frames = s->stack.frames;
	memmove(&frames[1], &frames[0], s->stack.n++ * sizeof(*frames));
	frames[1].pc = frames[2].pc;
	frames[1].how = HOW_SCAN;
	out = open_memstream(&got, &size);
	snapshot_print(s, &s->base, out);
	fclose(out);
	CHECK_STR(got, want);
	free(got);
	free(want);
	snapshot_free(s);
}

/* Memory of which no piece as long as a script can be read the first time. */
struct shy {
	struct memory base;
	struct memory *below;
	uint64_t seen[64];
	size_t n;
};

static int shy_read(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	struct shy *shy = (struct shy *)self;
	size_t i = 0;

	while (i < shy->n && shy->seen[i] != addr)
		i++;
	if (len > 400 && i == shy->n && i < 64) {
		shy->seen[shy->n++] = addr;
		return -EFAULT;
	}
	return memory_read(shy->below, addr, buf, len);
}

TEST(snapshot_whose_sources_a_collection_hid_from_one_sample_has_lines_in_the_next)
{
	const char *path = test_source("fixtures/snapshots/v8/node20-interpreted.snap");
	struct snapshot *s = snapshot_load(path);
	char *got = NULL, *want = read_text(path);
	struct shy shy = { .base = { .read = shy_read } };
	size_t size;
	FILE *out;

	CHECK(s != NULL);
	if (!s)
		return;
	shy.below = &s->base;
	out = open_memstream(&got, &size);
	snapshot_print(s, &shy.base, out);
	fclose(out);
	CHECK(shy.n > 0);
	CHECK_STR(got, want);
	free(got);
	free(want);
	snapshot_free(s);
}

/* A layout that is wrong must be noticed, not believed: the self-check steps down and says so. */
TEST(snapshot_read_with_the_rows_of_another_version_has_few_lines_and_a_note)
{
	struct snapshot *s =
		snapshot_load(test_source("fixtures/snapshots/v8/node18-inlined.snap"));
	char *got = NULL;
	size_t size;
	FILE *out;

	CHECK(s != NULL);
	if (!s)
		return;
	s->version = 1406;
	out = open_memstream(&got, &size);
	snapshot_print(s, &s->base, out);
	fclose(out);
	CHECK(strstr(got, "inner") == NULL);
	free(got);
	snapshot_free(s);
}
