#include "core/recording_file.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/recording_files.h"

/* Is got what rec was at some earlier time? */
static void check_prefix(const struct recording *rec, const struct recording *got)
{
	CHECK(got->n_stalls <= rec->n_stalls && got->n_samples <= rec->n_samples);
	for (size_t i = 0; i < got->n_stalls; i++) {
		CHECK_EQ(got->stalls[i].start, rec->stalls[i].start);
		CHECK_EQ(got->stalls[i].blocked, rec->stalls[i].blocked);
	}
	for (size_t i = 0; i < got->n_samples; i++)
		CHECK(recordings_same_sample(rec, &rec->samples[i], got, &got->samples[i]));
}

TEST(recording_cut_at_any_byte_reads_as_a_prefix)
{
	struct recording *rec = recordings_rich(12, 2);
	const char *path = new_path();
	size_t stalls = 0, samples = 0;
	struct bytes b;

	save_live(rec, path, 100000000, false);
	b = slurp(path);
	for (size_t len = 0; len < b.len; len++) {
		struct error err;
		struct recording *got = load_bytes(b.data, len, &err);

		CHECK((len >= FILE_HEADER_SIZE) == (got != NULL));
		if (!got)
			continue;
		CHECK_EQ(got->session.end, END_CUT_SHORT);
		check_prefix(rec, got);
		CHECK(got->n_stalls >= stalls && got->n_samples >= samples);
		stalls = got->n_stalls;
		samples = got->n_samples;
		recording_free(got);
	}
	CHECK_EQ(stalls, 12);
	CHECK_EQ(samples, 24);
	free(b.data);
	recording_free(rec);
}

TEST(recording_with_any_byte_damaged_loses_at_most_that_frame)
{
	struct recording *rec = recordings_rich(6, 2);
	const char *path = new_path();
	struct bytes b;

	save_live(rec, path, 100000000, false);
	b = slurp(path);
	for (size_t i = 0; i < b.len * 3; i++) {
		static const uint8_t flips[] = { 0x01, 0x80, 0xff };
		struct recording *got;
		struct error err;

		b.data[i / 3] ^= flips[i % 3];
		got = load_bytes(b.data, b.len, &err);
		b.data[i / 3] ^= flips[i % 3];
		if (!got) { /* the version in the header */
			CHECK(i / 3 >= 8 && i / 3 < 10);
			continue;
		}
		CHECK(got->n_stalls >= 5);
		CHECK(got->n_samples >= 8);
		/* The minor version and the flags say nothing to this reader. */
		CHECK(has_note(got, "skipped") || (i / 3 >= 8 && i / 3 < 16));
		recording_free(got);
	}
	free(b.data);
	recording_free(rec);
}

TEST(recording_reader_finds_the_next_frame_after_damage)
{
	struct recording *rec = recordings_rich(40, 4), *got;
	const char *path = new_path();
	struct error err;
	size_t at[64];
	struct bytes b;

	save_live(rec, path, 100000000, false);
	b = slurp(path);
	CHECK(find_frames(b, at, 64) >= 40);
	memset(b.data + at[20], 'x', at[23] - at[20] + 3);
	got = load_bytes(b.data, b.len, &err);
	CHECK_EQ(got->n_stalls, 36);
	CHECK_EQ(got->session.end, END_TARGET_EXITED);
	CHECK(has_note(got, "damaged or incomplete bytes were skipped"));
	/* Ids stay indices. */
	for (size_t i = 0; i < got->n_stalls; i++)
		CHECK_EQ(got->stalls[i].id, i);
	recording_free(got);
	free(b.data);
	recording_free(rec);
}

TEST(recording_reader_finds_a_frame_wherever_its_magic_lies)
{
	struct recording *rec = recordings_rich(2, 2);
	const char *path = new_path();
	struct bytes b, far;

	save(rec, path);
	b = slurp(path);
	/* Around the end of what is read at once. */
	for (size_t before = 256 * 1024 - 24; before < 256 * 1024 + 4; before++) {
		struct recording *got;
		struct error err;

		far.len = before + b.len - FILE_HEADER_SIZE;
		far.data = xcalloc(1, far.len);
		memset(far.data, file_frame_magic[0], before);
		memcpy(far.data + before, b.data + FILE_HEADER_SIZE, b.len - FILE_HEADER_SIZE);
		got = load_bytes(far.data, far.len, &err);
		CHECK(got && got->n_stalls == 2 && got->n_samples == 4);
		recording_free(got);
		free(far.data);
	}
	free(b.data);
	recording_free(rec);
}

static size_t nameless_frames(const struct recording *rec)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->n_samples; i++) {
		const struct stack *k = recording_get_stack(rec, rec->samples[i].stack);

		for (uint32_t j = 0; j < k->n; j++) {
			const struct frame *f = recording_get_frame(rec, k->frames[j]);

			n += !f->function && !f->module && !f->file && !f->line && !f->define_line;
		}
	}
	return n;
}

TEST(recording_tail_is_readable_alone)
{
	struct recording *rec = recordings_rich(300, 4), *got;
	const char *path = new_path();
	struct error err;
	size_t at[512], n;
	struct bytes b;

	save_live(rec, path, 500000000, false);
	b = slurp(path);
	n = find_frames(b, at, 512);
	CHECK(n > 256);
	/* From the second definition of everything on; and without a header. */
	got = load_bytes(b.data + at[128], b.len - at[128], &err);
	CHECK(got != NULL);
	CHECK_EQ(nameless_frames(got), 0);
	for (size_t i = 0, first = rec->n_samples - got->n_samples; i < got->n_samples; i++) {
		struct sample s = rec->samples[first + i];

		s.stall = got->samples[i].stall; /* they have other numbers */
		CHECK(recordings_same_sample(got, &got->samples[i], rec, &s));
	}
	CHECK(got->n_samples > 600 && got->n_stalls > 160);
	CHECK(!has_note(got, "left out"));
	CHECK_STR(got->target.exe, "/usr/bin/node");
	CHECK_EQ(got->n_loops, 2);
	CHECK_STR(got->session.probe, "exact");
	CHECK(has_note(got, "first note"));
	for (size_t i = 0; i < got->n_samples; i++)
		CHECK(recordings_same_text(
			got->loops[got->stalls[got->samples[i].stall].loop]->name,
			got->samples[i].stall % 2 ? got->loops[1]->name : got->loops[0]->name));
	recording_free(got);
	free(b.data);
	recording_free(rec);
}

/* Writes rec live until the first error; returns that error's code after checking what is left. */
static int fill_up(struct recording *whole, const char *path)
{
	struct recording *rec = recordings_rich(0, 0), *got = NULL;
	struct error err = { 0 }, again = { 0 };
	struct recording_writer *w;
	int ret = recording_create(&w, path, 0, &err);

	for (uint32_t i = 0; ret == 0 && i < whole->n_stalls; i++) {
		recordings_add_stall(rec, whole->stalls[i].samples);
		ret = recording_write(w, rec, true, &err);
	}
	if (access(path, F_OK) == 0) {
		if (ret)
			CHECK_EQ(recording_write(w, rec, true, &again), ret);
		CHECK_EQ(recording_finish(w, rec, &again), ret);
		if (ret)
			CHECK_STR(again.msg, err.msg);
		got = load(path);
		CHECK(got && (ret == 0 || got->session.end == END_CUT_SHORT));
		CHECK(got && !has_note(got, "skipped"));
		if (got)
			check_prefix(whole, got);
		recording_free(got);
	}
	if (ret)
		CHECK(strstr(err.msg, path) && err.fix[0]);
	recording_free(rec);
	return ret;
}

TEST(recording_is_readable_whatever_byte_was_the_last_that_fitted)
{
	struct recording *rec = recordings_rich(12, 2);
	struct rlimit old, limit;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;

	sigaction(SIGXFSZ, &ignore, &before);
	getrlimit(RLIMIT_FSIZE, &old);
	for (rlim_t bytes = 0; bytes < 2000; bytes += 10) {
		char path[128];
		int ret;

		strcpy(path, new_path());
		limit = (struct rlimit){ .rlim_cur = bytes, .rlim_max = old.rlim_max };
		setrlimit(RLIMIT_FSIZE, &limit);
		ret = fill_up(rec, path);
		setrlimit(RLIMIT_FSIZE, &old);
		CHECK_EQ(ret, -EFBIG);
	}
	sigaction(SIGXFSZ, &before, NULL);
	recording_free(rec);
}

/* In a child with its own mounts: a disk of 64 KiB. */
static int fill_small_disk(struct recording *rec, const char *folder)
{
	char path[160];

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=64k") < 0)
		return 77;
	snprintf(path, sizeof(path), "%s/small.lagprof", folder);
	return fill_up(rec, path) == -ENOSPC ? 0 : 1;
}

TEST(recording_on_a_full_disk_is_readable_and_the_error_stays)
{
	struct recording *rec = recordings_rich(400, 60);
	char folder[128];
	int status;
	pid_t pid;

	snprintf(folder, sizeof(folder), "%s/disk", test_tmpdir());
	CHECK_EQ(mkdir(folder, 0700), 0);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		/* The checks of a child are counted by its exit status. */
		int before = test_failures(), ret = fill_small_disk(rec, folder);

		_exit(test_failures() != before ? 1 : ret);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		printf("full disk: skipped, it needs root for a mount of its own\n");
	else
		CHECK_EQ(WEXITSTATUS(status), 0);
	recording_free(rec);
}

TEST(recording_says_what_it_cannot_read)
{
	uint8_t newer[FILE_HEADER_SIZE];
	struct recording *rec = NULL;
	struct error err = { 0 };

	CHECK(load_bytes((const uint8_t *)"", 0, &err) == NULL);
	CHECK(strstr(err.msg, "empty"));
	CHECK(load_bytes((const uint8_t *)"PERFILE2 and more of it", 23, &err) == NULL);
	CHECK(strstr(err.msg, "not a lagprof recording"));
	file_header_put(newer);
	newer[8]++;
	CHECK(load_bytes(newer, sizeof(newer), &err) == NULL);
	CHECK_EQ(err.code, -EPROTONOSUPPORT);
	CHECK(strstr(err.msg, "format 2") && err.fix[0]);
	CHECK_EQ(recording_read(&rec, "/nonexistent", &err), -ENOENT);
	CHECK_EQ(recording_read(&rec, "/", &err), -EISDIR);
	CHECK_EQ(recording_read(&rec, "/dev/zero", &err), -EINVAL);
}
