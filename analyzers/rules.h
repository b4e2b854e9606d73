#ifndef LAGPROF_ANALYZERS_RULES_H
#define LAGPROF_ANALYZERS_RULES_H

#include "core/finding.h"

/*
 * What lagprof knows about functions: which of them mean that the loop parses,
 * hashes, waits...  Knowledge is rows in rules.c; to add a known blocking call,
 * add a row there.
 */
enum rule_flags {
	RULE_WEAK = 1, /* counts only where no other rule matches on the way to user code */
	RULE_ENCLOSES =
	    2, /* wins over what it calls: a module loader reads files, but loads a module */
	RULE_BLOCKED = 4, /* only for a thread that sleeps */
};

struct rule {
	enum frame_kind kind;
	const char *where;    /* glob; native and kernel: the module, JS and Python: the file */
	const char *function; /* glob; a frame without a name is "" */
	enum cause cause;
	const char *call; /* as users know it; NULL: the frame's own function.  GC: its kind */
	unsigned flags;
};

/* The first row that matches, or NULL. */
const struct rule *rule_find(const struct frame *f);

#endif
