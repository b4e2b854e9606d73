#ifndef LAGPROF_CORE_STALL_H
#define LAGPROF_CORE_STALL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/duration.h"

/* Stalls and what was sampled inside them. */

enum phase { PHASE_STARTUP, PHASE_SERVING };

enum sample_state { SAMPLE_RUNNING, SAMPLE_RUNNABLE, SAMPLE_BLOCKED, SAMPLE_STOPPED };

/* What a runtime or the sampler read out of the live target about the call in hand. */
enum argument_key {
	/* clang-format off */
	ARG_ITERATIONS, ARG_COST, ARG_DIGEST, ARG_KEYLEN, ARG_BYTES, ARG_PATH, ARG_HOST, ARG_COMMAND,
	ARG_PEER, ARG_PATTERN, ARG_FLAGS, ARG_SUBJECT_LENGTH, ARG_DURATION, ARG_DESCRIPTOR,
	ARG_LEVEL, ARG_GC_KIND, ARG_MODULE,
	ARG_CALLBACK, /* no evidence: a number that differs for two callbacks of one function */
	ARG_KEYS
	/* clang-format on */
};

struct argument {
	enum argument_key key;
	int64_t number;   /* when text is NULL */
	const char *text; /* interned */
	uint32_t frame;   /* index in the sample's stack of the call it belongs to */
};

/* Does not change any more once it has been added. */
struct sample {
	uint32_t stall; /* id */
	uint32_t stack; /* id */
	nsec at;
	nsec weight; /* the samples of one state of a stall add up to that state's time */
	enum sample_state state;
	int16_t syscall; /* x86-64 number of the system call it slept in, -1: none or unknown */
	uint16_t n_arguments;
	const struct argument *arguments;
};

struct stall {
	uint32_t id;   /* index in recording.stalls */
	uint32_t loop; /* index in recording.loops */
	nsec start, duration;
	nsec running, runnable, blocked, stopped; /* add up to duration */
	nsec throttled;  /* part of runnable that a cgroup quota took, 0 if unknown */
	nsec page_fault; /* part of blocked spent in major faults, 0 if unknown */
	nsec held_up;    /* part of blocked that who it waited for had no CPU, 0 if unknown */
	uint32_t samples;
	enum phase phase;
	bool open;           /* had not ended when last looked at */
	bool cut;            /* had begun before the session: start and duration are lower bounds */
	const char *request; /* what the loop had read, or NULL: "GET /path" */
	const char *peer;    /* who sent it, or NULL: "10.0.0.7:51234" */
	double confidence;   /* of request, 0..1 */
};

/* The argument of that key with the leaf-most frame, or NULL. */
const struct argument *sample_argument(const struct sample *s, enum argument_key key);

#endif
