#ifndef LAGPROF_ANALYZERS_RULES_H
#define LAGPROF_ANALYZERS_RULES_H

#include "core/finding.h"

/*
 * What lagprof knows about functions: which of them mean that the loop parses,
 * hashes, waits...  Knowledge is rows; to add a known blocking call, add a row
 * to rules_native.c or rules_script.c, the narrow before the wide.
 */
enum rule_flags {
	RULE_WEAK = 1,     /* counts only where no other rule matches on the way to user code */
	RULE_ENCLOSES = 2, /* wins over what it calls: loading a module reads files */
	RULE_BLOCKED = 4,  /* only for a thread that sleeps */
	RULE_NAMELESS = 8, /* inner machinery: another frame names the call, if it can */
};

struct rule {
	const char *where;    /* glob over the module (native, kernel) or the file (JS, Python) */
	const char *function; /* glob over the short name; a frame without a name is "" */
	enum cause cause;     /* CAUSES: nothing is known, and no later row is asked */
	const char *call;     /* as users know it; NULL: the frame's own function.  GC: its kind */
	unsigned flags;
};

/*
 * The first row that matches, or NULL if none does or nothing is known.  name
 * is the frame's function in short (strbuf_puts_function), NULL unknown.
 */
const struct rule *rule_find(const struct frame *f, const char *name);
/* All rows for frames of a kind, up to one whose function is NULL. */
const struct rule *rules_of(enum frame_kind kind);

#endif
