#ifndef LAGPROF_SAMPLER_POLL_CHOICE_H
#define LAGPROF_SAMPLER_POLL_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/recording.h"

/*
 * Which of a thread's polls is the loop's.  Pure.
 *
 * The first poll seen is taken at once, so that no turn is missed.  Polls that
 * do not match are either made inside a turn (deeper on the stack: a
 * synchronous child process, a blocking client) or the real loop, when the
 * first one was such a nested one.
 */
struct poll_choice {
	uint64_t key, sp, ip; /* chosen; 0: none yet; ip: 0 unknown */
	/* The last one that did not match, and how often it came with none that did in between. */
	uint64_t other_key, other_matches;
	uint32_t others;
	nsec others_since;
};

struct poll_seen {
	uint64_t key, sp, ip; /* ip: of the system call, 0 unknown */
	nsec at;
};

/*
 * The thread waits inside a turn, in a poll at that stack pointer, and the
 * loop's own is not known: it is one that is called from less deep.
 */
void poll_choice_nested(struct poll_choice *c, uint64_t sp);

/*
 * Feeds a poll that did not match.  matches: how many polls of the chosen key
 * there were so far; key_alive: its descriptor is still open.  True if the
 * choice changed.
 */
bool poll_choice_feed(struct poll_choice *c, const struct poll_seen *poll, uint64_t matches,
		      bool key_alive);

#endif
