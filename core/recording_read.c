#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file_frame.h"
#include "core/recording_decode.h"
#include "core/recording_file.h"

enum {
	CHUNK = 256 * 1024,
	/* How many bytes a file may unfold to: these, and so many for each of its own. */
	RAW_FREE = 4 << 20,
	RAW_PER_BYTE = 32,
	/* How many bytes are summed up in vain for each byte read, to find the next whole frame. */
	SUMS_FREE = 64 << 20,
	SUMS_PER_BYTE = 8,
};
/* What is not a recording so far in is none. */
static const uint64_t skipped_max = 1ull << 30;

/* A window that slides over the file, which may be a pipe and may shrink. */
struct input {
	int fd;
	uint8_t *data;
	size_t at, end, cap; /* data[at..end) is read and not yet used */
	uint64_t total;      /* bytes read */
	bool eof;
	int error; /* -errno of read(2) */
};

struct reader {
	struct input in;
	struct file_codec codec;
	struct decoder decoder;
	uint8_t *raw;
	size_t raw_cap;
	uint64_t unfolded, summed; /* bytes, so far */
	uint64_t skipped;
	unsigned frames; /* read; stops at UINT_MAX */
	bool ended;      /* the last frame was seen */
	bool refused;    /* unfolds to more than is believed */
};

/* Tries to have n bytes at hand; returns how many there are. */
static size_t need(struct input *in, size_t n)
{
	while (in->end - in->at < n && !in->eof) {
		ssize_t got;

		if (in->cap - in->at < n && in->at) {
			memmove(in->data, in->data + in->at, in->end - in->at);
			in->end -= in->at;
			in->at = 0;
		}
		/* Grows with what was really read, not with what a length field asks for. */
		if (in->end == in->cap) {
			in->cap = in->cap ? in->cap * 2 : CHUNK;
			in->data = xrealloc(in->data, in->cap, 1);
		}
		got = read(in->fd, in->data + in->end, in->cap - in->end);
		if (got < 0 && errno == EINTR)
			continue;
		in->error = got < 0 ? -errno : 0;
		in->eof = got <= 0;
		in->end += got > 0 ? (size_t)got : 0;
		in->total += got > 0 ? (uint64_t)got : 0;
	}
	return in->end - in->at;
}

static void skip(struct reader *r, size_t n)
{
	r->in.at += n;
	r->skipped += n;
}

/* Moves on to what may be the beginning of a frame, at least one byte. */
static void resync(struct reader *r)
{
	skip(r, 1);
	while (r->skipped < skipped_max &&
	       need(&r->in, sizeof(file_frame_magic)) >= sizeof(file_frame_magic)) {
		const uint8_t *from = r->in.data + r->in.at;
		size_t n = r->in.end - r->in.at;
		const uint8_t *found = memmem(from, n, file_frame_magic, sizeof(file_frame_magic));

		if (found) {
			skip(r, (size_t)(found - from));
			return;
		}
		skip(r, n - (sizeof(file_frame_magic) - 1));
	}
	if (r->in.eof)
		skip(r, r->in.end - r->in.at);
}

static bool unfold(struct reader *r, const uint8_t *frame, const struct file_frame *f)
{
	if (r->unfolded + f->raw > RAW_FREE + r->in.total * RAW_PER_BYTE) {
		r->refused = true;
		return false;
	}
	if (r->raw_cap < f->raw) {
		r->raw = xrealloc(r->raw, f->raw, 1);
		r->raw_cap = f->raw;
	}
	if (!file_frame_expand(&r->codec, frame, f, r->raw))
		return false;
	r->unfolded += f->raw;
	decoder_take(&r->decoder, r->raw, f->raw);
	return true;
}

/* Takes the frame at hand; false if there is no whole one. */
static bool take_frame(struct reader *r)
{
	struct file_frame f;
	size_t size;

	if (need(&r->in, FILE_FRAME_HEADER_SIZE) < FILE_FRAME_HEADER_SIZE ||
	    !file_frame_parse(r->in.data + r->in.at, &f))
		return false;
	size = FILE_FRAME_HEADER_SIZE + f.stored;
	if (r->summed > SUMS_FREE + r->in.total * SUMS_PER_BYTE || need(&r->in, size) < size)
		return false;
	r->summed += size;
	if (!file_frame_intact(r->in.data + r->in.at, &f))
		return false;
	if (f.type == FILE_FRAME_RECORDS || f.type == FILE_FRAME_END)
		if (!unfold(r, r->in.data + r->in.at, &f))
			return false;
	r->in.at += size;
	r->frames += r->frames != UINT_MAX;
	r->ended = f.type == FILE_FRAME_END;
	return true;
}

static int take_header(struct reader *r, const char *path, struct error *err)
{
	unsigned major = 0;
	int ret;

	if (need(&r->in, FILE_HEADER_SIZE) < FILE_HEADER_SIZE)
		return r->in.error ? 0 : -EINVAL;
	ret = file_header_check(r->in.data + r->in.at, &major);
	if (ret == -EPROTONOSUPPORT) {
		error_set(err, ret, "%s has format %u, this lagprof knows up to %u", path, major,
			  FILE_MAJOR);
		error_fix(err, "read it with the lagprof that wrote it, or a newer one");
		return ret;
	}
	if (ret == 0)
		r->in.at += FILE_HEADER_SIZE;
	return ret;
}

static void conclude(struct reader *r, struct recording *rec)
{
	const struct decoder *d = &r->decoder;

	decoder_finish(&r->decoder);
	if (!r->ended)
		rec->session.end = END_CUT_SHORT;
	if (r->skipped)
		recording_note(rec, "%" PRIu64 " damaged or incomplete bytes were skipped",
			       r->skipped);
	if (r->refused)
		recording_note(rec, "the recording unfolds to more than is believed: "
				    "the rest was left out");
	if (r->in.error)
		recording_note(rec, "the rest of the file could not be read: %s",
			       strerror(-r->in.error));
	if (d->bad_records)
		recording_note(rec, "%" PRIu64 " records were not understood or too many",
			       d->bad_records);
	if (d->lost_samples)
		recording_note(rec,
			       "%" PRIu64 " samples were left out: their stall or stack is lost",
			       d->lost_samples);
}

static int read_all(struct reader *r, struct recording *rec, const char *path, struct error *err)
{
	int header;

	decoder_init(&r->decoder, rec);
	header = take_header(r, path, err);
	if (header == -EPROTONOSUPPORT)
		return header;
	while (!r->ended && !r->refused && r->skipped < skipped_max && need(&r->in, 1))
		if (!take_frame(r) && !r->refused)
			resync(r);
	conclude(r, rec);
	if (r->in.error && r->frames == 0)
		return error_set(err, r->in.error, "cannot read %s: %s", path,
				 strerror(-r->in.error));
	if (header < 0 && r->frames == 0)
		return error_set(err, -EINVAL, "%s is %s", path,
				 r->in.total ? "not a lagprof recording" : "empty");
	return 0;
}

int recording_read(struct recording **out, const char *path, struct error *err)
{
	bool from_stdin = strcmp(path, "-") == 0;
	struct reader r = { .in.fd = STDIN_FILENO };
	struct recording *rec;
	int ret;

	if (!from_stdin)
		r.in.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r.in.fd < 0) {
		ret = -errno;
		return error_set(err, ret, "cannot open %s: %s", path, strerror(-ret));
	}
	rec = recording_new();
	rec->memory_max = 0; /* what was written was bounded when it was made */
	ret = read_all(&r, rec, path, err);
	if (ret < 0)
		recording_free(rec);
	else
		*out = rec;
	if (!from_stdin)
		close(r.in.fd);
	file_codec_destroy(&r.codec);
	free(r.in.data);
	free(r.raw);
	return ret;
}
