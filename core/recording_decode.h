#ifndef LAGPROF_CORE_RECORDING_DECODE_H
#define LAGPROF_CORE_RECORDING_DECODE_H

#include "core/idmap.h"
#include "core/recording.h"

/*
 * Makes a recording out of the records of docs/lagprof.proto, all of them
 * hostile: ids are mapped, lengths and numbers checked, and memory and time
 * stay in proportion to the bytes that were read.
 *
 * Ids in a file are its writer's, and what is defined again replaces what was
 * defined before; so stacks are gathered first, and they and what points to
 * them get into their final form in decoder_finish().
 */

/* Frames by their ids in the file, innermost first. */
struct decoded_stack {
	uint32_t *frames;
	uint32_t n;
	enum stack_end end;
	bool replaced; /* contains what replaces its frames already */
	uint32_t id;   /* in rec plus one; 0: not there yet */
};

struct stack_table {
	struct idmap ids; /* to indices in v */
	struct decoded_stack *v;
	size_t n, cap;
};

struct decoded_argument {
	struct argument a; /* frame is an id in the file */
	uint32_t skip;     /* how often that frame occurs nearer to the leaf */
};

/* Arguments of a sample that are believed; more are left out. */
enum { DECODED_ARGUMENTS_MAX = 64 };

struct decoder {
	struct recording *rec;
	struct idmap frames;        /* to ids of rec */
	struct idmap loops, stalls; /* to indices in rec */
	struct stack_table stacks;
	struct stack_table replacements;    /* by the frame that they replace */
	struct decoded_argument *arguments; /* of all samples, in their order */
	size_t n_arguments, cap_arguments;
	uint64_t bad_records;  /* that could not be understood, or are more than is believed */
	uint64_t lost_samples; /* whose stall or stack is not in the file */
	/* For what a file can ask for without paying in bytes. */
	uint64_t work, granted; /* steps left, and ever given */
	size_t held;            /* frames in both tables */
};

void decoder_init(struct decoder *d, struct recording *rec);
/* Takes the payload of one frame. */
void decoder_take(struct decoder *d, const uint8_t *data, size_t len);
/* The one of that id, or NULL. */
struct decoded_stack *stack_table_find(const struct stack_table *t, uint32_t id);
/* Completes the recording; only the counts of d may be looked at afterwards. */
void decoder_finish(struct decoder *d);

#endif
