#ifndef LAGPROF_TESTS_RECORDING_FILES_H
#define LAGPROF_TESTS_RECORDING_FILES_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file_frame.h"
#include "core/recording_file.h"
#include "tests/recordings.h"
#include "tests/test.h"

/* What the tests of .lagprof files share.  Header only. */

static inline const char *new_path(void)
{
	static char path[128];
	static int n;

	snprintf(path, sizeof(path), "%s/%d.lagprof", test_tmpdir(), n++);
	return path;
}

static inline void save(const struct recording *rec, const char *path)
{
	struct recording_writer *w;
	struct error err = { 0 };

	CHECK_EQ(recording_create(&w, path, 0, &err), 0);
	CHECK_EQ(recording_finish(w, rec, &err), 0);
}

/* NULL if it could not be read. */
static inline struct recording *load(const char *path)
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

static inline struct bytes slurp(const char *path)
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
static inline struct recording *load_bytes(const uint8_t *data, size_t len, struct error *err)
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

static inline bool has_note(const struct recording *rec, const char *words)
{
	for (size_t i = 0; i < rec->n_notes; i++)
		if (strstr(rec->notes[i], words))
			return true;
	return false;
}

/* How many frames a whole file has, and where each begins. */
static inline size_t find_frames(struct bytes b, size_t *at, size_t max)
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
static inline void save_live(struct recording *whole, const char *path, nsec step, bool killed)
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
static inline void resolve(struct recording *rec)
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

#endif
