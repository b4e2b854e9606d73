#ifndef LAGPROF_SAMPLER_STACKS_H
#define LAGPROF_SAMPLER_STACKS_H

#include "sampler/request.h"
#include "sampler/runtime.h"

/*
 * Turns the registers and stack bytes of a sample into a stack of the
 * recording: unwinds, completes the tail from live memory, lets each runtime
 * name its frames.
 */
struct stack_maker;

/* pid 0: no live memory (fixtures).  space and rec outlive it. */
struct stack_maker *stack_maker_new(const struct unwinder *unwinder, struct space *space, pid_t pid,
				    struct recording *rec);
void stack_maker_free(struct stack_maker *m);
/* The runtime that is found is noted in info (rec->target unless told otherwise). */
void stack_maker_describe(struct stack_maker *m, struct target_info *info);
/* exec: forget runtimes and caches. */
void stack_maker_reset(struct stack_maker *m);

/*
 * Looks for runtimes in the target, if its code mappings changed since the
 * last time, but at most once a second.  stack_maker_make() does so by itself; a
 * session calls it when the target is up, so that the first stall need not wait
 * for symbols to load (about 50 ms for node).
 */
void stack_maker_attach(struct stack_maker *m);

struct raw_sample {
	struct regs regs;
	const uint8_t *stack; /* bytes from regs.r[DW_RSP] up */
	size_t stack_len;
	const uint64_t
		*kernel; /* pc and return addresses, leaf first; PERF_CONTEXT_* are skipped */
	size_t n_kernel;
};

/* Lets it point into one block of copies, which is malloc'ed and returned. */
void *raw_sample_copy(struct raw_sample *raw);

/*
 * Makes the stack and fills s->stack, s->arguments and s->n_arguments (valid until the next call).
 * s->at says when it was taken (CLOCK_MONOTONIC; 0: long ago): see struct runtime_argument.
 */
void stack_maker_make(struct stack_maker *m, const struct raw_sample *raw, struct sample *s);
/*
 * The system call of the stack made last was given a file name, which was read where another
 * could stand by now.  It is the call's if the thread is still in it: then the caller adds it to
 * s, as stack_maker_make() filled it.
 */
bool stack_maker_path_in_doubt(const struct stack_maker *m);
void stack_maker_believe_path(struct stack_maker *m, struct sample *s);
/* The request that the stack made last works on; raw is that of the last call.  False: none known.
 */
bool stack_maker_request(struct stack_maker *m, const struct raw_sample *raw, bool queries,
			 struct request *out);

#endif
