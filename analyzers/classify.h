#ifndef LAGPROF_ANALYZERS_CLASSIFY_H
#define LAGPROF_ANALYZERS_CLASSIFY_H

#include "analyzers/roles.h"
#include "analyzers/rules.h"

/*
 * What the tables say about each frame of a recording, looked up once a frame,
 * when it is first asked for.
 */
struct frame_class {
	const struct rule *rule; /* NULL: none matches */
	const char *name;        /* the function in short: no return type, templates, parameters */
	uint32_t function;       /* equal for frames of the same function, whatever their lines */
	enum role role;
	bool known; /* the rest is filled in */
};

struct classifier {
	const struct recording *rec;
	struct target_info target; /* the recording's, with the runtime of a child if it has none */
	struct frame_class *classes; /* by frame id */
	uint32_t *slots;             /* hash table of frame id + 1, one frame a function */
	size_t cap;                  /* of slots: a power of two */
	uint32_t *marks;             /* by frame id: the last mark set on a function */
	uint32_t mark;
	struct strings names; /* in arena */
	struct arena *arena;
};

/* Strings are put into arena; rec and arena outlive the classifier. */
void classifier_init(struct classifier *c, const struct recording *rec, struct arena *arena);
void classifier_destroy(struct classifier *c);

const struct frame_class *classify(struct classifier *c, uint32_t frame);
/* The one copy of a name, so that equal calls are equal pointers; NULL stays NULL. */
const char *classifier_intern(struct classifier *c, const char *name);
/* Begins a new set of functions; and puts one in: false if it was in already. */
void classifier_mark_none(struct classifier *c);
bool classifier_mark(struct classifier *c, uint32_t function);

#endif
