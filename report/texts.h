#ifndef LAGPROF_REPORT_TEXTS_H
#define LAGPROF_REPORT_TEXTS_H

#include "core/strings.h"

/*
 * Texts that an output refers to by number, each once.
 * Made visible (strbuf_puts_visible) as they come in.  Number 0 is "".
 */
struct texts {
	struct strbuf all; /* in order, each with its NUL */
	size_t *starts;    /* in all */
	uint32_t *slots;   /* hash table of numbers; 0: free */
	size_t n, cap, slot_cap;
};

void texts_init(struct texts *t);
/* The number of s; NULL counts as "". */
uint32_t texts_add(struct texts *t, const char *s);
/* The same of what is in b, which is emptied. */
uint32_t texts_take(struct texts *t, struct strbuf *b);
void texts_destroy(struct texts *t);

#endif
