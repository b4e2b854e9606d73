#ifndef LAGPROF_CORE_RECORDING_ENCODE_H
#define LAGPROF_CORE_RECORDING_ENCODE_H

#include "core/recording.h"
#include "lagprof.pb-c.h"

/* What is written and read at most: far beyond what is met. */
enum {
	RECORD_TEXT_MAX = 64 * 1024, /* bytes */
	RECORD_ARGV_MAX = 4096,
	RECORD_STACK_MAX = 65536, /* frames */
};

/*
 * The parts of a recording as the records of docs/lagprof.proto, each appended
 * to `out` with its length before it.
 */
void encode_session(struct strbuf *out, const struct session *s);
void encode_target(struct strbuf *out, const struct target_info *t);
void encode_call(struct strbuf *out, const struct strict_call *c);
void encode_process(struct strbuf *out, const struct target_info *t);
void encode_threadpool(struct strbuf *out, const struct threadpool *t);
void encode_host(struct strbuf *out, const struct host *h);
void encode_loop(struct strbuf *out, uint32_t id, const struct loop *loop);
void encode_note(struct strbuf *out, const char *note);
void encode_frame(struct strbuf *out, uint32_t id, const struct frame *f);

/* How stacks are written: most differ from an earlier one near the leaf only. */
struct stack_form {
	bool replaced; /* recording_replace_frames() has been here */
	bool based;    /* the last `common` frames are those of stack `base`, too, from `from` on */
	uint32_t base, from, common;
};
void encode_stack(struct strbuf *out, uint32_t id, const struct stack *k,
		  const struct stack_form *form);
void encode_replacement(struct strbuf *out, const struct frame_replacement *r);
void encode_stall(struct strbuf *out, const struct stall *s);

enum { SAMPLE_ROWS = 256 };

/* Samples on their way into one record, as columns. */
struct sample_rows {
	size_t n, n_arguments, cap_arguments;
	int64_t at[SAMPLE_ROWS]; /* differences to the row before */
	uint32_t stall[SAMPLE_ROWS], stack[SAMPLE_ROWS], state[SAMPLE_ROWS];
	uint64_t weight[SAMPLE_ROWS];
	int32_t syscall[SAMPLE_ROWS];
	nsec last_at;
	Lagprof__Argument *arguments;
};

/* A row more (n must be below SAMPLE_ROWS); k is the sample's stack. */
void sample_rows_add(struct sample_rows *rows, const struct sample *s, const struct stack *k);
/* Appends the record, if there are rows, and empties rows. */
void encode_samples(struct strbuf *out, struct sample_rows *rows);

#endif
