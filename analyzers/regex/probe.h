#ifndef LAGPROF_ANALYZERS_REGEX_PROBE_H
#define LAGPROF_ANALYZERS_REGEX_PROBE_H

#include "analyzers/regex/rough.h"
#include "analyzers/regex/witness.h"

enum { BEHIND_MAX = 4, READ_MAX = 8 };

/*
 * A search for attacks where the automaton cannot decide: back references,
 * atomic groups and look-behind.  Tries to pump every loop with every symbol
 * it takes, and judges by running.
 */
struct probe {
	const struct automaton *automaton;
	const struct rough *rough;
	const struct syntax *syntax;
	struct prover *prover;
	struct arena *arena;
	struct units behind[BEHIND_MAX]; /* words that look-behinds accept */
	uint32_t n_behind;
	uint32_t read[READ_MAX]; /* characters that look-behinds may go over, the likeliest first */
	uint32_t n_read;
	/* result; growth is linear when nothing was found */
	struct measure best;
	struct attack attack;
	struct pump pump; /* of the rough graph; n 0: none of its */
};

void probe_run(struct probe *p);

#endif
