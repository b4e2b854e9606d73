#ifndef LAGPROF_ANALYZERS_REGEX_ATTACK_H
#define LAGPROF_ANALYZERS_REGEX_ATTACK_H

#include "analyzers/regex/program.h"

/* An attack in units of the subject, and how the matcher's work grows with its size. */

struct units {
	const uint32_t *v;
	uint32_t n;
};

enum { ATTACK_PUMPS_MAX = 16 };

struct attack {
	struct {
		struct units prefix, pump;
	} pumps[ATTACK_PUMPS_MAX];
	uint32_t n;
	struct units suffix;
};

enum growth { GROWTH_LINEAR, GROWTH_POLYNOMIAL, GROWTH_EXPONENTIAL };

struct measure {
	enum growth growth;
	double exponent; /* of the polynomial that the last sizes lie on */
	uint32_t size;   /* the largest that was run */
	uint64_t steps;  /* there */
};

/* Runs attacks; holds the memory for it. */
struct prover {
	const struct program *program;
	struct matcher matcher;
	uint32_t *subject;
	size_t cap;
	uint64_t left; /* steps that may still be spent in all */
};

/* Units of the subject of one size. */
size_t attack_length(const struct attack *attack, uint32_t size);

void prover_init(struct prover *p, const struct program *program, uint64_t budget);
void prover_free(struct prover *p);
/* Takes the cost of other work, in steps, from what is left. */
void prover_charge(struct prover *p, uint64_t steps);
/* Steps on the attack of one size; *capped: it was stopped at max_steps. */
uint64_t prover_run(struct prover *p, const struct attack *attack, uint32_t size,
		    uint64_t max_steps, bool *capped);
/*
 * How steps grow, by running larger and larger sizes until it is as fast as
 * expected: a degree, or EXPECT_EXPONENTIAL.
 */
struct measure prover_measure(struct prover *p, const struct attack *attack, uint32_t expected);
#define EXPECT_EXPONENTIAL UINT32_MAX

/* Takes the suffix with which steps grow fastest at small sizes. */
void prover_choose_suffix(struct prover *p, struct attack *attack, const struct units *suffixes,
			  uint32_t n);

#endif
