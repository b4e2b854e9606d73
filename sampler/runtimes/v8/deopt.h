#ifndef LAGPROF_SAMPLER_RUNTIMES_V8_DEOPT_H
#define LAGPROF_SAMPLER_RUNTIMES_V8_DEOPT_H

#include "sampler/runtimes/v8/translations.h"
#include "sampler/runtimes/v8/v8.h"

/*
 * The exits of optimized code: calls behind it, one for each place where it may be
 * given up.  What V8 keeps for each says which bytecode of which functions goes on
 * there: also the only thing that tells lines where code has no position table.
 */
struct v8_exits {
	uint64_t data; /* the FixedArray that has it all */
	int64_t first; /* offset of the first exit in the code */
	int64_t n;
	int64_t eager; /* the first so many: left when a check fails; the others: when a call
			  returns */
};

/* False if the code has no such data. */
bool v8_exits_read(struct v8 *v8, const struct v8_code *code, struct v8_exits *exits);
/* Number of the exit at an offset of the code, -1: there is none. */
int64_t v8_exit_at(const struct v8_exits *exits, int64_t offset);
/*
 * Bytes of code or of its tables at addr, malloc'ed; NULL if they cannot be read, or if the
 * sample has read so many that exit_budget, 0 from then on, is used up.
 */
uint8_t *v8_exit_bytes(struct v8 *v8, uint64_t addr, size_t len);
/* Where the call returns that is left by an exit; one behind the code: Maglev keeps none. */
bool v8_exit_return(struct v8 *v8, const struct v8_exits *exits, int64_t index, int64_t *offset);
/* What goes on when it is left by an exit, outermost first, at most RUNTIME_MAX_INLINED; 0:
 * unknown. */
size_t v8_exit_frames(struct v8 *v8, const struct v8_exits *exits, int64_t index,
		      struct v8_translated *frames);
/* Function and position of such a frame. */
bool v8_exit_site(struct v8 *v8, const struct v8_exits *exits, const struct v8_translated *frame,
		  struct v8_site *site);
/* Those of all frames: see v8_optimized_sites(). */
size_t v8_exit_sites(struct v8 *v8, const struct v8_exits *exits, int64_t index,
		     struct v8_site *sites, size_t max);
/*
 * maglev.c.  The same at an offset of Maglev's code.  At the last byte of a call they are
 * exact.  Elsewhere the innermost may be missing, and a position V8_UNTRIED.  0: not known.
 */
size_t v8_maglev_sites(struct v8 *v8, const struct v8_code *code, const struct v8_exits *exits,
		       int64_t offset, struct v8_site *sites, size_t max, bool *exact);

#endif
