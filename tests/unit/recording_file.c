#include "core/recording_file.h"

#include <errno.h>
#include <sys/wait.h>

#include "tests/recording_files.h"

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

TEST(recording_file_keeps_processes_and_calls_that_block)
{
	struct recording *rec = recordings_rich(20, 30), *got;
	struct strict_call call = { .loop = 0,
				    .stack = rec->samples[3].stack,
				    .syscall = 257,
				    .count = 3,
				    .first = 42,
				    .key = ARG_PATH,
				    .text = "/etc/motd" };
	const char *path = new_path();
	struct target_info *child = recording_add_process(rec);

	child->pid = 77;
	child->parent = 42;
	child->exe = recording_intern(rec, "/usr/bin/node");
	rec->session.strict = true;
	rec->session.strict_missed = 5;
	recording_add_call(rec, &call);
	recording_add_call(rec, &call);
	save(rec, path);
	got = load(path);
	CHECK_EQ(got->n_processes, 1);
	CHECK_EQ(recording_process(got, 77)->parent, 42);
	CHECK_STR(recording_process(got, 77)->exe, "/usr/bin/node");
	CHECK(recording_process(got, 78) == NULL);
	CHECK(got->session.strict && got->session.strict_missed == 5);
	CHECK_EQ(got->n_calls, 1);
	CHECK_EQ(got->calls[0].count, 6);
	CHECK_EQ(got->calls[0].first, 42);
	CHECK_STR(got->calls[0].text, "/etc/motd");
	CHECK_EQ(recording_get_stack(got, got->calls[0].stack)->n,
		 recording_get_stack(rec, call.stack)->n);
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

TEST(recording_file_replaces_a_recording_when_told_and_nothing_else)
{
	struct recording *rec = recordings_rich(1, 1);
	char path[128], text[] = "notes\n";
	struct recording_writer *w = NULL;
	struct error err = { 0 };
	FILE *file;

	strcpy(path, new_path());
	save(rec, path);
	CHECK_EQ(recording_replace(&w, path, 0, &err), 0);
	CHECK_EQ(recording_finish(w, rec, &err), 0);
	CHECK_EQ(truncate(path, 0), 0);
	CHECK_EQ(recording_replace(&w, path, 0, &err), 0);
	CHECK_EQ(recording_finish(w, rec, &err), 0);
	file = fopen(path, "we");
	CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
	CHECK_EQ(recording_replace(&w, path, 0, &err), -EEXIST);
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

TEST(recording_file_phases_go_by_when_serving_began_though_stalls_were_written_before)
{
	struct recording *rec = recordings_rich(20, 30), *got;
	const char *path = new_path();

	CHECK(rec->n_stalls > 2 && rec->stalls[1].phase == PHASE_STARTUP);
	rec->stalls[1].phase = PHASE_SERVING;
	save(rec, path);
	got = load(path);
	CHECK_EQ(got->stalls[1].phase, PHASE_STARTUP);
	recording_free(got);
	recording_free(rec);
}
