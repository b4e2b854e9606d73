#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file_frame.h"
#include "core/recording_encode.h"
#include "core/recording_file.h"

enum {
	FRAME_BYTES = 64 * 1024, /* raw bytes that are worth a frame */
	SAMPLE_BYTES = 32,       /* what a new sample is taken to need */
	/* When everything in use is defined again: after so many frames that are not tiny… */
	WINDOW_FRAMES = 64,
	WINDOW_BYTES = 1024 * 1024,
	RECENT = 16,    /* stacks that a new one is compared to */
	COMMON_MIN = 4, /* frames at the root that are worth pointing to them */
};
static const nsec second = 1000000000;
static const nsec window_time = 60000000000; /* … or so long */
static const uint64_t default_size = 256 << 20;

struct bitmap {
	uint64_t *words;
	size_t n;
};

struct recording_writer {
	char *path;
	int fd;
	bool regular;       /* made by us: can be cut back to its last whole frame */
	struct error error; /* the first failure */
	uint64_t size, max_size;
	struct file_codec codec;
	struct strbuf raw, out; /* the next frame, before and after compression */
	struct sample_rows rows;
	nsec told; /* session time when the totals were last written */

	/* What the current window has defined. */
	unsigned window_frames;
	uint64_t window_size; /* w->size at its beginning */
	nsec window_start;
	struct bitmap frames, stacks;
	uint32_t recent[RECENT]; /* stacks, in a ring */
	unsigned n_recent;       /* ever put there */
	size_t n_notes;
	struct target_info target;

	size_t n_replaced;   /* written */
	size_t n_stalls;     /* known; those not in unsettled are written for good */
	uint32_t *unsettled; /* ids */
	size_t n_unsettled, cap_unsettled;
	uint64_t samples; /* written, of all that rec ever had */
	bool full;        /* near max_size: no more stacks and samples */
	bool said_so;     /* in this window */
	size_t dropped;   /* frames that did not fit either */
};

/* Was i in the set?  It is now. */
static bool bitmap_put(struct bitmap *b, size_t i)
{
	uint64_t bit = 1ull << (i % 64);
	bool was;

	while (i / 64 >= b->n) {
		size_t n = b->n ? b->n * 2 : 16;

		b->words = xrealloc(b->words, n, sizeof(*b->words));
		memset(b->words + b->n, 0, (n - b->n) * sizeof(*b->words));
		b->n = n;
	}
	was = b->words[i / 64] & bit;
	b->words[i / 64] |= bit;
	return was;
}

static void begin_window(struct recording_writer *w, nsec now)
{
	w->window_frames = 0;
	w->window_size = w->size;
	w->window_start = now;
	if (w->frames.n)
		memset(w->frames.words, 0, w->frames.n * sizeof(*w->frames.words));
	if (w->stacks.n)
		memset(w->stacks.words, 0, w->stacks.n * sizeof(*w->stacks.words));
	w->n_recent = 0;
	w->n_notes = 0;
	w->said_so = false;
	w->target = (struct target_info){ 0 };
}

static bool window_is_over(const struct recording_writer *w, nsec now)
{
	return w->window_frames >= WINDOW_FRAMES &&
	       (w->size - w->window_size >= WINDOW_BYTES || now - w->window_start >= window_time);
}

static void fail(struct recording_writer *w, int code)
{
	error_set(&w->error, code, "cannot write %s: %s", w->path, strerror(-code));
	if (code == -ENOSPC || code == -EDQUOT || code == -EFBIG)
		error_fix(&w->error, "make room, or record to another place: -o FILE");
	/* A torn frame would only be skipped by every reader; the whole ones stay. */
	if (w->regular && ftruncate(w->fd, (off_t)w->size) < 0)
		w->regular = false;
}

static void write_out(struct recording_writer *w, const void *data, size_t len)
{
	const char *p = data;
	size_t left = len;

	while (left) {
		ssize_t n = write(w->fd, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			fail(w, n < 0 ? -errno : -EIO);
			return;
		}
		p += n;
		left -= (size_t)n;
	}
	w->size += len;
}

/* What only the last frame may use. */
static uint64_t reserve(const struct recording_writer *w)
{
	uint64_t share = w->max_size / 16;

	return share < FRAME_BYTES ? share : FRAME_BYTES;
}

/* Writes what has been gathered as one frame; false if it does not fit any more. */
static bool emit(struct recording_writer *w, enum file_frame_type type)
{
	uint64_t limit = w->max_size - (type == FILE_FRAME_END ? 0 : reserve(w));

	encode_samples(&w->raw, &w->rows);
	if (w->error.code)
		w->raw.len = 0;
	if (w->error.code || (w->raw.len == 0 && type != FILE_FRAME_END))
		return true;
	file_frame_encode(&w->codec, type, w->raw.s, w->raw.len, &w->out);
	w->raw.len = 0;
	if (w->size + w->out.len > limit) {
		w->dropped++;
		return false;
	}
	write_out(w, w->out.s, w->out.len);
	w->full |= w->size > w->max_size / 8 * 7;
	w->window_frames++;
	return true;
}

/* After every record, so that frames stay small. */
static void settle(struct recording_writer *w)
{
	if (w->raw.len >= FRAME_BYTES)
		emit(w, FILE_FRAME_RECORDS);
}

static void put_stalls(struct recording_writer *w, const struct recording *rec, bool tick)
{
	size_t first_new = w->n_stalls;

	for (; w->n_stalls < rec->n_stalls; w->n_stalls++) {
		ARRAY_GROW(w->unsettled, w->n_unsettled, w->cap_unsettled);
		w->unsettled[w->n_unsettled++] = (uint32_t)w->n_stalls;
	}
	for (size_t i = 0; i < w->n_unsettled; i++) {
		const struct stall *s = &rec->stalls[w->unsettled[i]];

		if (s->open && !tick && w->unsettled[i] < first_new)
			continue;
		encode_stall(&w->raw, s);
		settle(w);
	}
}

/* After they have safely been written, only stalls that are open can still change. */
static void settle_stalls(struct recording_writer *w, const struct recording *rec)
{
	size_t still = 0;

	for (size_t i = 0; i < w->n_unsettled; i++)
		if (rec->stalls[w->unsettled[i]].open)
			w->unsettled[still++] = w->unsettled[i];
	w->n_unsettled = still;
}

static void put_frame(struct recording_writer *w, const struct recording *rec, uint32_t id)
{
	if (!bitmap_put(&w->frames, id))
		encode_frame(&w->raw, id, recording_get_frame(rec, id));
}

static uint32_t common_frames(const struct stack *a, const struct stack *b)
{
	uint32_t n = 0;

	while (n < a->n && n < b->n && a->frames[a->n - 1 - n] == b->frames[b->n - 1 - n])
		n++;
	return n;
}

static void put_stack(struct recording_writer *w, const struct recording *rec, uint32_t id)
{
	const struct stack *k = recording_get_stack(rec, id);
	struct stack_form form = { .replaced = rec->stacks.n_replaced != 0 };

	if (bitmap_put(&w->stacks, id))
		return;
	for (unsigned i = 0; i < w->n_recent && i < RECENT; i++) {
		const struct stack *r = recording_get_stack(rec, w->recent[i]);
		uint32_t common = common_frames(k, r);

		if (common >= COMMON_MIN && common > form.common)
			form = (struct stack_form){ .replaced = form.replaced,
						    .based = true,
						    .base = w->recent[i],
						    .from = r->n - common,
						    .common = common };
	}
	for (uint32_t i = 0; i < k->n - form.common; i++)
		put_frame(w, rec, k->frames[i]);
	encode_stack(&w->raw, id, k, &form);
	/* Only whole ones, so that no more hangs on a damaged frame than must. */
	if (!form.based)
		w->recent[w->n_recent++ % RECENT] = id;
}

static void put_sample(struct recording_writer *w, const struct recording *rec,
		       const struct sample *s)
{
	put_stack(w, rec, s->stack);
	sample_rows_add(&w->rows, s, recording_get_stack(rec, s->stack));
	if (w->rows.n == SAMPLE_ROWS)
		encode_samples(&w->raw, &w->rows);
	settle(w);
}

/* How many samples at rec's end have not been written. */
static size_t new_samples(const struct recording_writer *w, const struct recording *rec)
{
	uint64_t n = rec->n_samples + rec->samples_gone - w->samples;

	return n < rec->n_samples ? (size_t)n : rec->n_samples;
}

static void put_samples(struct recording_writer *w, const struct recording *rec)
{
	/* What was written of them has other frames now. */
	if (w->n_replaced != rec->stacks.n_replaced)
		w->n_recent = 0;
	for (size_t i = rec->n_samples - new_samples(w, rec); i < rec->n_samples && !w->full; i++)
		put_sample(w, rec, &rec->samples[i]);
	w->samples = rec->n_samples + rec->samples_gone;
}

static void put_replacements(struct recording_writer *w, const struct recording *rec)
{
	for (; w->n_replaced < rec->stacks.n_replaced; w->n_replaced++) {
		const struct frame_replacement *r = &rec->stacks.replaced[w->n_replaced];

		for (uint32_t i = 0; i < r->n; i++)
			put_frame(w, rec, r->with[i]);
		encode_replacement(&w->raw, r);
		settle(w);
	}
}

static void put_full_note(struct recording_writer *w)
{
	char note[160];

	snprintf(note, sizeof(note),
		 "the file reached its limit of %.1f MiB: stacks and samples after that were left "
		 "out",
		 (double)w->max_size / (1 << 20));
	encode_note(&w->raw, note);
	w->said_so = true;
}

static void put_session(struct recording_writer *w, const struct recording *rec)
{
	struct session session = rec->session;

	session.resolved &= w->dropped == 0;
	encode_session(&w->raw, &session);
}

static bool same_target(const struct target_info *a, const struct target_info *b)
{
	/* Strings are interned. */
	return a->pid == b->pid && a->argc == b->argc && a->argv == b->argv && a->exe == b->exe &&
	       a->runtime == b->runtime && a->runtime_version == b->runtime_version &&
	       a->threads == b->threads;
}

static void put_totals(struct recording_writer *w, const struct recording *rec)
{
	put_session(w, rec);
	if (!same_target(&w->target, &rec->target)) {
		encode_target(&w->raw, &rec->target);
		w->target = rec->target;
	}
	for (size_t i = 0; i < rec->n_calls; i++) {
		put_stack(w, rec, rec->calls[i].stack);
		encode_call(&w->raw, &rec->calls[i]);
		settle(w);
	}
	for (size_t i = 0; i < rec->n_processes; i++)
		encode_process(&w->raw, rec->processes[i]);
	encode_threadpool(&w->raw, &rec->threadpool);
	encode_host(&w->raw, &rec->host);
	for (size_t i = 0; i < rec->n_loops; i++) {
		encode_loop(&w->raw, (uint32_t)i, rec->loops[i]);
		settle(w);
	}
	if (w->full && !w->said_so)
		put_full_note(w);
	for (; w->n_notes < rec->n_notes; w->n_notes++)
		encode_note(&w->raw, rec->notes[w->n_notes]);
	w->told = rec->session.duration;
}

/*
 * Totals are written every second, and less often in the second half of
 * max_size: each time what is left has halved the time doubles, so that a
 * session of weeks never comes to the end of it.
 */
static bool totals_due(const struct recording_writer *w, const struct recording *rec)
{
	double usable = (double)(w->max_size - reserve(w)), room = usable - (double)w->size;
	double every = (double)second;

	if (room < usable / 2)
		every *= usable / 2 / (room > 1 ? room : 1);
	return w->window_frames == 0 || window_is_over(w, rec->session.duration) ||
	       (double)(rec->session.duration - w->told) >= every;
}

static void put_news(struct recording_writer *w, const struct recording *rec, bool tick, bool last)
{
	size_t dropped = w->dropped;

	if (window_is_over(w, rec->session.duration))
		begin_window(w, rec->session.duration);
	put_stalls(w, rec, tick);
	put_samples(w, rec);
	put_replacements(w, rec);
	if (tick && !last)
		put_totals(w, rec);
	emit(w, FILE_FRAME_RECORDS);
	if (w->dropped == dropped)
		settle_stalls(w, rec);
}

int recording_write(struct recording_writer *w, const struct recording *rec, bool force,
		    struct error *err)
{
	size_t fresh = new_samples(w, rec);
	bool tick = totals_due(w, rec);

	if (!w->error.code &&
	    (tick || (!w->full && (force || fresh * SAMPLE_BYTES >= FRAME_BYTES))))
		put_news(w, rec, tick, false);
	if (w->error.code)
		*err = w->error;
	return w->error.code;
}

/*
 * The totals come last: they know whether all the rest was written.  What did
 * not fit any more has another chance, for the last frame may use the reserve.
 */
static void finish(struct recording_writer *w, const struct recording *rec)
{
	bool done;

	put_news(w, rec, true, true);
	put_stalls(w, rec, true);
	put_totals(w, rec);
	done = emit(w, FILE_FRAME_END);
	if (!done) {
		put_totals(w, rec);
		done = emit(w, FILE_FRAME_END);
	}
	if (!done) {
		put_session(w, rec);
		emit(w, FILE_FRAME_END);
	}
	if (!w->error.code && w->regular && fdatasync(w->fd) < 0)
		fail(w, -errno);
}

int recording_finish(struct recording_writer *w, const struct recording *rec, struct error *err)
{
	int ret;

	if (!w->error.code)
		finish(w, rec);
	ret = w->error.code;
	if (ret)
		*err = w->error;
	recording_abandon(w);
	return ret;
}

void recording_abandon(struct recording_writer *w)
{
	if (w->fd != STDOUT_FILENO)
		close(w->fd);
	file_codec_destroy(&w->codec);
	strbuf_destroy(&w->raw);
	strbuf_destroy(&w->out);
	free(w->rows.arguments);
	free(w->frames.words);
	free(w->stacks.words);
	free(w->unsettled);
	free(w->path);
	free(w);
}

/* Whether a regular file holds a recording, or nothing at all. */
static bool is_recording(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t header[FILE_HEADER_SIZE];
	struct stat st;
	bool is = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		ssize_t n = pread(fd, header, sizeof(header), 0);
		unsigned major;

		is = n == 0 || (n == sizeof(header) && file_header_check(header, &major) == 0);
	}
	close(fd);
	return is;
}

int recording_replace(struct recording_writer **out, const char *path, uint64_t max_size,
		      struct error *err)
{
	if (is_recording(path))
		unlink(path);
	return recording_create(out, path, max_size, err);
}

int recording_create(struct recording_writer **out, const char *path, uint64_t max_size,
		     struct error *err)
{
	bool to_stdout = strcmp(path, "-") == 0;
	uint8_t header[FILE_HEADER_SIZE];
	struct recording_writer *w;
	int fd = STDOUT_FILENO;

	if (!to_stdout)
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		int ret = -errno;

		error_set(err, ret, "cannot create %s: %s", path, strerror(-ret));
		if (ret == -EEXIST)
			error_fix(err,
				  "it is not a recording: remove it, or use another name: -o FILE");
		else
			error_fix(err, "write it somewhere else: -o /tmp/NAME.lagprof");
		return ret;
	}
	w = xcalloc(1, sizeof(*w));
	w->fd = fd;
	w->regular = !to_stdout;
	w->path = xstrdup(to_stdout ? "standard output" : path);
	w->max_size = max_size ? max_size : default_size;
	file_header_put(header);
	write_out(w, header, sizeof(header));
	if (w->error.code) {
		int ret = w->error.code;

		*err = w->error;
		if (w->regular)
			unlink(path);
		recording_abandon(w);
		return ret;
	}
	*out = w;
	return 0;
}
