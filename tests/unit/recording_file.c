#include "core/recording_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file_frame.h"
#include "tests/recordings.h"
#include "tests/test.h"

static const char *new_path(void)
{
	static char path[128];
	static int n;

	snprintf(path, sizeof(path), "%s/%d.lagprof", test_tmpdir(), n++);
	return path;
}

static void save(const struct recording *rec, const char *path)
{
	struct recording_writer *w;
	struct error err = { 0 };

	CHECK_EQ(recording_create(&w, path, 0, &err), 0);
	CHECK_EQ(recording_finish(w, rec, &err), 0);
}

/* NULL if it could not be read. */
static struct recording *load(const char *path)
{
	struct recording *rec = NULL;
	struct error err = { 0 };
	int ret = recording_read(&rec, path, &err);

	CHECK_EQ(ret, err.code);
	CHECK((ret == 0) == (rec != NULL));
	CHECK((ret == 0) == (err.msg[0] == '\0'));
	return rec;
}

struct bytes {
	uint8_t *data;
	size_t len;
};

static struct bytes slurp(const char *path)
{
	struct bytes b = { 0 };
	struct stat st;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) < 0)
		abort();
	b.data = xcalloc(1, (size_t)st.st_size + 1);
	b.len = (size_t)read(fd, b.data, (size_t)st.st_size);
	close(fd);
	return b;
}

/* Reads what a file with these bytes would give. */
static struct recording *load_bytes(const uint8_t *data, size_t len, struct error *err)
{
	struct recording *rec = NULL;
	const char *path = new_path();
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	close(fd);
	*err = (struct error){ 0 };
	recording_read(&rec, path, err);
	unlink(path);
	return rec;
}

static bool has_note(const struct recording *rec, const char *words)
{
	for (size_t i = 0; i < rec->n_notes; i++)
		if (strstr(rec->notes[i], words))
			return true;
	return false;
}

/* How many frames a whole file has, and where each begins. */
static size_t find_frames(struct bytes b, size_t *at, size_t max)
{
	size_t n = 0, pos = FILE_HEADER_SIZE;
	struct file_frame f;

	while (pos + FILE_FRAME_HEADER_SIZE <= b.len && file_frame_parse(b.data + pos, &f)) {
		if (n < max)
			at[n] = pos;
		n++;
		pos += FILE_FRAME_HEADER_SIZE + f.stored;
	}
	CHECK_EQ(pos, b.len);
	return n;
}

/* Saves it as it would be saved live: a stall a frame, one each step; ended by a kill if asked. */
static void save_live(struct recording *whole, const char *path, nsec step, bool killed)
{
	struct recording *rec = recordings_rich(0, 0);
	struct recording_writer *w;
	struct error err = { 0 };

	CHECK_EQ(recording_create(&w, path, 0, &err), 0);
	for (uint32_t i = 0; i < whole->n_stalls; i++) {
		recordings_add_stall(rec, whole->stalls[i].samples);
		rec->session.duration = i * step;
		CHECK_EQ(recording_write(w, rec, true, &err), 0);
	}
	rec->session.duration = whole->session.duration;
	if (killed)
		recording_abandon(w);
	else
		CHECK_EQ(recording_finish(w, rec, &err), 0);
	recording_free(rec);
}

/* Gives every third frame a caller, in rec and so in the file. */
static void resolve(struct recording *rec)
{
	struct frame_replacement r[64];
	uint32_t with[64][3], n = 0, frames = (uint32_t)rec->stacks.n_frames;

	for (uint32_t id = 0; id < frames && n < 64; id += 3, n++) {
		with[n][0] = recordings_frame(rec, 100 + id);
		with[n][1] = recordings_frame(rec, 200 + id);
		with[n][2] = id; /* a frame may stay among what replaces it */
		r[n] = (struct frame_replacement){ .id = id, .n = 2 + id % 2, .with = with[n] };
	}
	recording_replace_frames(rec, r, n);
}

TEST(recording_file_keeps_every_field)
{
	struct recording *rec = recordings_rich(20, 30), *got;
	const char *path = new_path();

	save(rec, path);
	got = load(path);
	CHECK_STR(recordings_difference(rec, got) ?: "nothing", "nothing");
	CHECK_EQ(got->n_samples, 600);
	recording_free(got);
	recording_free(rec);
}

TEST(recording_file_keeps_a_recording_that_knows_nothing)
{
	struct recording *rec = recording_new(), *got;
	const char *path = new_path();

	save(rec, path);
	got = load(path);
	CHECK_STR(recordings_difference(rec, got) ?: "nothing", "nothing");
	CHECK_EQ(got->session.exit_status, -1);
	CHECK(got->session.serving_since == UINT64_MAX);
	CHECK(got->target.argc == 0 && got->session.probe == NULL);
	recording_free(got);
	recording_free(rec);
}

TEST(recording_file_written_piece_by_piece_reads_the_same)
{
	struct recording *rec = recordings_rich(200, 9), *got;
	const char *path = new_path();

	save_live(rec, path, 100000000, false);
	got = load(path);
	CHECK_STR(recordings_difference(rec, got) ?: "nothing", "nothing");
	recording_free(got);
	recording_free(rec);
}

TEST(recording_file_that_was_killed_says_so_and_has_all_that_was_flushed)
{
	struct recording *rec = recordings_rich(30, 3), *got;
	const char *path = new_path();

	save_live(rec, path, 100000000, true);
	got = load(path);
	CHECK_EQ(got->session.end, END_CUT_SHORT);
	CHECK_EQ(got->n_stalls, 30);
	CHECK_EQ(got->n_samples, 90);
	CHECK_EQ(got->session.duration, 2000000000); /* totals: once a second */
	CHECK(!has_note(got, "skipped"));
	recording_free(got);
	recording_free(rec);
}

TEST(recording_file_large_recordings_take_many_frames_and_stay_equal)
{
	struct recording *rec = recordings_rich(3000, 20), *got;
	const char *path = new_path();
	struct bytes b;

	save(rec, path);
	b = slurp(path);
	CHECK(find_frames(b, NULL, 0) > 10);
	free(b.data);
	got = load(path);
	CHECK_STR(recordings_difference(rec, got) ?: "nothing", "nothing");
	recording_free(got);
	recording_free(rec);
}

TEST(recording_file_writes_only_what_is_worth_a_frame)
{
	struct recording *rec = recordings_rich(1, 5);
	const char *path = new_path();
	struct recording_writer *w;
	struct error err = { 0 };
	struct stat st;
	off_t size;

	recording_create(&w, path, 0, &err);
	recording_write(w, rec, false, &err);
	stat(path, &st);
	size = st.st_size;
	CHECK(size > 200);

	recordings_add_stall(rec, 5);
	rec->session.duration += 999999999;
	recording_write(w, rec, false, &err); /* too little, too soon */
	stat(path, &st);
	CHECK_EQ(st.st_size, size);
	recording_write(w, rec, true, &err);
	stat(path, &st);
	CHECK(st.st_size > size);
	size = st.st_size;

	rec->session.duration += 1;
	recording_write(w, rec, false, &err); /* a second later */
	stat(path, &st);
	CHECK(st.st_size > size);
	size = st.st_size;

	recordings_add_stall(rec, 3000);
	recording_write(w, rec, false, &err); /* about 64 KiB */
	stat(path, &st);
	CHECK(st.st_size > size + 4000);
	recording_abandon(w);
	recording_free(rec);
}

TEST(recording_file_open_stall_is_written_again_when_it_ended)
{
	struct recording *rec = recordings_rich(2, 3), *got;
	const char *path = new_path();
	struct recording_writer *w;
	struct error err = { 0 };

	rec->stalls[1].open = true;
	recording_create(&w, path, 0, &err);
	for (int i = 0; i < 5; i++) {
		rec->stalls[1].duration += 1000000000;
		rec->session.duration += 1000000000;
		recordings_add_samples(rec, &rec->stalls[1], 4);
		CHECK_EQ(recording_write(w, rec, i % 2, &err), 0);
	}
	got = load(path); /* what would be there after a kill */
	CHECK(got->stalls[1].open);
	CHECK_EQ(got->stalls[1].duration, 5020000001);
	CHECK_EQ(got->n_samples, 26);
	recording_free(got);

	rec->stalls[1].open = false;
	CHECK_EQ(recording_finish(w, rec, &err), 0);
	got = load(path);
	CHECK_STR(recordings_difference(rec, got) ?: "nothing", "nothing");
	recording_free(got);
	recording_free(rec);
}

TEST(recording_file_stall_that_never_ended_stays_open)
{
	struct recording *rec = recordings_rich(3, 5), *got;
	const char *path = new_path();

	rec->stalls[2].open = true;
	save(rec, path);
	got = load(path);
	CHECK_STR(recordings_difference(rec, got) ?: "nothing", "nothing");
	recording_free(got);
	recording_free(rec);
}

TEST(recording_file_keeps_what_replaced_frames_after_they_were_written)
{
	struct recording *rec = recordings_rich(20, 7), *got;
	const char *path = new_path();
	struct recording_writer *w;
	struct error err = { 0 };

	rec->stalls[19].open = true; /* some samples are written before and after */
	recording_create(&w, path, 0, &err);
	CHECK_EQ(recording_write(w, rec, true, &err), 0);
	for (int i = 0; i < 8; i++)
		recordings_add_stall(rec, 5);
	resolve(rec);
	CHECK_EQ(recording_finish(w, rec, &err), 0);
	got = load(path);
	CHECK_STR(recordings_difference(rec, got) ?: "nothing", "nothing");
	recording_free(got);
	recording_free(rec);
}

TEST(recording_file_keeps_what_replaced_frames_before_they_were_written)
{
	struct recording *rec = recordings_rich(20, 7), *got;
	const char *path = new_path();

	resolve(rec);
	save(rec, path);
	got = load(path);
	CHECK_STR(recordings_difference(rec, got) ?: "nothing", "nothing");
	recording_free(got);
	recording_free(rec);
}

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

TEST(recording_file_cut_at_any_byte_reads_as_a_prefix)
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

TEST(recording_file_with_any_byte_damaged_loses_at_most_that_frame)
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

TEST(recording_file_reader_finds_the_next_frame_after_damage)
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

TEST(recording_file_reader_finds_a_frame_wherever_its_magic_lies)
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

TEST(recording_file_tail_is_readable_alone)
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

TEST(recording_file_stays_below_its_limit_and_keeps_totals_and_stalls)
{
	static const uint64_t limit = 256 * 1024;
	struct recording *rec = recordings_rich(0, 0), *got;
	const char *path = new_path();
	struct recording_writer *w;
	struct error err = { 0 };
	struct stat st;

	recording_create(&w, path, limit, &err);
	for (uint32_t i = 0; i < 500; i++) {
		recordings_add_stall(rec, 40);
		rec->session.duration += 1000000000;
		hist_add(&rec->loops[0]->lag, i);
		CHECK_EQ(recording_write(w, rec, true, &err), 0);
	}
	CHECK_EQ(recording_finish(w, rec, &err), 0);
	stat(path, &st);
	CHECK(st.st_size <= (off_t)limit);
	CHECK(st.st_size > (off_t)limit / 8 * 7);
	got = load(path);
	CHECK_EQ(got->n_stalls, 500);
	CHECK(got->n_samples > 100 && got->n_samples < 500 * 40);
	CHECK(memcmp(&got->loops[0]->lag, &rec->loops[0]->lag, sizeof(struct hist)) == 0);
	CHECK_EQ(got->session.duration, rec->session.duration);
	CHECK_EQ(got->session.end, END_TARGET_EXITED);
	CHECK(has_note(got, "reached its limit of 0.2 MiB"));
	recording_free(got);
	recording_free(rec);
}

TEST(recording_file_keeps_stalls_whose_samples_did_not_fit)
{
	struct recording *rec = recordings_rich(0, 0), *got;
	const char *path = new_path();
	struct recording_writer *w;
	struct error err = { 0 };

	recording_create(&w, path, 64 * 1024, &err);
	for (uint32_t i = 0; i < 12; i++) {
		recordings_add_stall(rec, 600);
		CHECK_EQ(recording_write(w, rec, true, &err), 0);
	}
	CHECK_EQ(recording_finish(w, rec, &err), 0);
	got = load(path);
	CHECK_EQ(got->n_stalls, 12);
	CHECK(got->n_samples > 600 && got->n_samples < 12 * 600);
	CHECK_EQ(got->session.end, END_TARGET_EXITED);
	recording_free(got);
	recording_free(rec);
}

TEST(recording_file_does_not_say_resolved_when_that_did_not_fit)
{
	struct recording *rec = recordings_rich(40, 40), *got;
	const char *path = new_path();
	struct recording_writer *w;
	struct error err = { 0 };

	recording_create(&w, path, 9 * 1024, &err);
	recording_write(w, rec, true, &err);
	resolve(rec);
	CHECK_EQ(recording_finish(w, rec, &err), 0);
	got = load(path);
	CHECK(rec->session.resolved && !got->session.resolved);
	CHECK_EQ(got->session.end, END_TARGET_EXITED);
	recording_free(got);
	recording_free(rec);
}

TEST(recording_file_of_weeks_does_not_reach_its_limit)
{
	static const uint64_t limit = 1024 * 1024;
	struct recording *rec = recording_new(), *got;
	const char *path = new_path();
	struct recording_writer *w;
	struct error err = { 0 };
	struct stat st;

	recording_add_loop(rec);
	recording_create(&w, path, limit, &err);
	for (uint32_t i = 0; i < 50000; i++) {
		rec->session.duration += 1000000000;
		hist_add(&rec->loops[0]->lag, i);
		CHECK_EQ(recording_write(w, rec, false, &err), 0);
	}
	stat(path, &st);
	CHECK(st.st_size <= (off_t)(limit - limit / 16));
	got = load(path);
	CHECK(got->session.duration > rec->session.duration / 4);
	recording_free(got);
	CHECK_EQ(recording_finish(w, rec, &err), 0);
	got = load(path);
	CHECK_EQ(got->session.duration, rec->session.duration);
	recording_free(got);
	recording_free(rec);
}

TEST(recording_file_is_private_and_never_replaces_or_follows)
{
	struct recording *rec = recordings_rich(1, 1);
	char path[128], link[160], victim[160];
	struct recording_writer *w = NULL;
	struct error err = { 0 };
	struct stat st;

	strcpy(path, new_path());
	save(rec, path);
	stat(path, &st);
	CHECK_EQ(st.st_mode & 07777, 0600);
	CHECK_EQ(recording_create(&w, path, 0, &err), -EEXIST);
	CHECK(strstr(err.msg, path) && strstr(err.msg, "exists") && strstr(err.fix, "-o"));
	CHECK(w == NULL);

	snprintf(link, sizeof(link), "%s.link", path);
	snprintf(victim, sizeof(victim), "%s.victim", path);
	CHECK_EQ(symlink(victim, link), 0);
	CHECK(recording_create(&w, link, 0, &err) < 0);
	CHECK_EQ(access(victim, F_OK), -1);
	CHECK_EQ(recording_create(&w, "/nonexistent/x", 0, &err), -ENOENT);
	recording_free(rec);
}

TEST(recording_file_dash_is_standard_output)
{
	struct recording *rec = recordings_rich(3, 3), *got;
	const char *path = new_path();
	int fd = open(path, O_WRONLY | O_CREAT, 0600), out, status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		out = dup2(fd, STDOUT_FILENO);
		save(rec, "-");
		_exit(out != STDOUT_FILENO || fcntl(STDOUT_FILENO, F_GETFD) < 0);
	}
	close(fd);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	got = load(path);
	CHECK_STR(recordings_difference(rec, got) ?: "nothing", "nothing");
	recording_free(got);
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

TEST(recording_file_is_readable_whatever_byte_was_the_last_that_fitted)
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

TEST(recording_file_on_a_full_disk_is_readable_and_the_error_stays)
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

TEST(recording_file_says_what_it_cannot_read)
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

/* A payload of each frame, which is what the fuzzer likes to begin with. */
static void save_payloads(const char *folder, struct bytes b)
{
	struct file_codec codec = { 0 };
	size_t at[64], n = find_frames(b, at, 64);

	for (size_t i = 0; i < n && i < 64; i++) {
		struct file_frame f;
		char path[512];
		uint8_t *raw;
		FILE *out;

		file_frame_parse(b.data + at[i], &f);
		raw = xcalloc(1, f.raw + 1);
		CHECK(file_frame_expand(&codec, b.data + at[i], &f, raw));
		snprintf(path, sizeof(path), "%s/payload-%zu", folder, i);
		out = fopen(path, "wb");
		CHECK(out && fwrite(raw, f.raw, 1, out) == 1);
		fclose(out);
		free(raw);
	}
	file_codec_destroy(&codec);
}

/* Three frames, and all kinds of records. */
static void save_version_1(const char *path, const char *folder)
{
	struct recording *rec = recordings_rich(2, 2);
	struct recording_writer *w;
	struct error err = { 0 };
	struct bytes b;

	unlink(path);
	CHECK_EQ(recording_create(&w, path, 0, &err), 0);
	recording_write(w, rec, true, &err);
	recordings_add_stall(rec, 3);
	recordings_add_stall(rec, 3);
	recording_write(w, rec, true, &err);
	resolve(rec);
	recording_finish(w, rec, &err);
	recording_free(rec);
	b = slurp(path);
	save_payloads(folder, b);
	free(b.data);
}

/* LAGPROF_REGENERATE=1 makes the files anew; only for a new major version. */
TEST(recording_file_of_version_1_is_readable_for_ever)
{
	const char *folder = test_source("tests/fuzz/corpus/recording");
	struct recording *got;
	size_t resolved = 0;
	char path[512];

	snprintf(path, sizeof(path), "%s/version-1.lagprof", folder);
	if (getenv("LAGPROF_REGENERATE"))
		save_version_1(path, folder);
	got = load(path);
	CHECK(got != NULL);
	CHECK_EQ(got->n_notes, 2);
	CHECK_EQ(got->n_stalls, 4);
	CHECK_EQ(got->n_samples, 10);
	CHECK_EQ(got->stalls[3].blocked, 4000003);
	CHECK_EQ(got->loops[1]->tid, 4250);
	CHECK_EQ(got->loops[1]->lag.n, 301);
	CHECK_STR(got->target.argv[3], "server.js");
	CHECK_EQ(got->samples[9].n_arguments, 2);
	CHECK_STR(got->samples[9].arguments[1].text, "");
	for (size_t i = 0; i < got->n_samples; i++) {
		const struct stack *k = recording_get_stack(got, got->samples[i].stack);

		for (uint32_t j = 0; j < k->n; j++)
			resolved += recording_get_frame(got, k->frames[j])->line >= 300;
	}
	CHECK_EQ(resolved, 80);
	CHECK_EQ(got->session.end, END_TARGET_EXITED);
	recording_free(got);
}
