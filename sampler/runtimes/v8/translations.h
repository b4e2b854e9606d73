#ifndef LAGPROF_SAMPLER_RUNTIMES_V8_TRANSLATIONS_H
#define LAGPROF_SAMPLER_RUNTIMES_V8_TRANSLATIONS_H

#include "sampler/runtimes/v8/positions.h"

/*
 * Decoders of what optimized code keeps for the case that it is given up.  Pure,
 * like those of positions.h.
 */

/* A function that the code stands for, and where it is. */
struct v8_translated {
	int32_t bytecode;  /* offset; -1: it has not begun */
	uint32_t function; /* index of its SharedFunctionInfo among the literals */
};

/*
 * The frames that the interpreter would have, outermost first, by the translation at
 * offset `at` of the table; operands: v8_layout.translations.  Returns how many; 0: the
 * table makes no sense, or holds more than max.
 */
size_t v8_translation_frames(struct v8_bytes table, const char *operands, size_t at,
			     struct v8_translated *frames, size_t max);

/* The table behind Maglev's code that says where calls go on when the code is given up. */
struct v8_safepoints {
	uint32_t n, entry_size, pc_size, index_size;
};
enum { V8_SAFEPOINT_HEADER = 16, V8_SAFEPOINTS_MAX = 1 << 16 };

/* Takes the header; length_at: v8_layout.safepoint_length.  False if it makes no sense. */
bool v8_safepoints_open(struct v8_safepoints *s, const uint8_t header[V8_SAFEPOINT_HEADER],
			int32_t length_at);
/* Entry i of the entries behind the header: its pc, and its exit's index or -1. */
void v8_safepoint(const struct v8_safepoints *s, const uint8_t *entries, uint32_t i, uint32_t *pc,
		  int64_t *index);

#endif
