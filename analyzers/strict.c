#include "analyzers/strict.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/evidence.h"
#include "analyzers/fingerprint.h"
#include "analyzers/glob.h"
#include "analyzers/title.h"

enum { SYSCALL_CLONE = 56, SYSCALL_FORK = 57, SYSCALL_VFORK = 58 };

/* One call of the recording, read like a sample of a thread that sleeps in it. */
struct seen {
	struct sample sample;
	struct argument argument;
	struct blame blame;
	uint32_t function; /* of the culprit */
};

static bool is_wanted(enum cause cause)
{
	return cause == CAUSE_SYNC_FS || cause == CAUSE_SYNC_DNS || cause == CAUSE_SYNC_CHILD ||
	       cause == CAUSE_SLEEP || cause == CAUSE_COMPILE;
}

/* Starting a child has no asynchronous form; it blocks where its end is waited for. */
static bool waits_for_child(const char *call)
{
	return call && (glob_match("*Sync", call) || glob_match("*system", call) ||
			glob_match("p*open", call) || glob_match("subprocess.*", call));
}

/*
 * Inside a language's runtime a system call is the program's when one of the
 * calls that it offers is on the stack: not when a library looks up the time zone.
 */
static bool is_asked_for(struct classifier *c, const struct stack *stack, const struct blame *b)
{
	if (!c->target.runtime)
		return true;
	for (uint32_t i = 0; i < b->begin; i++) {
		const struct rule *rule = classify(c, stack->frames[i])->rule;

		if (rule && rule->cause == b->cause && !(rule->flags & RULE_WEAK))
			return true;
	}
	return false;
}

/* False if it is none of the code's own doing. */
static bool read_call(struct classifier *c, const struct strict_call *call, struct seen *seen)
{
	bool forks = call->syscall >= SYSCALL_CLONE && call->syscall <= SYSCALL_VFORK;
	const struct stack *stack;

	seen->argument = (struct argument){ .key = call->key, .text = call->text };
	seen->sample = (struct sample){ .stack = call->stack,
					.weight = call->count,
					.state = SAMPLE_BLOCKED,
					.syscall = call->syscall,
					.n_arguments = call->text != NULL,
					.arguments = &seen->argument };
	seen->blame = blame_sample(c, &seen->sample);
	stack = sample_stack(c->rec, &seen->sample);
	if (!stack || seen->blame.culprit == NO_FRAME || !is_wanted(seen->blame.cause) ||
	    !is_asked_for(c, stack, &seen->blame) || (forks && !waits_for_child(seen->blame.call)))
		return false;
	seen->function = classify(c, stack->frames[seen->blame.culprit])->function;
	return true;
}

static int compare_values(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Those of one cause, call and culprit side by side. */
static int compare_places(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int order = compare_values(x->blame.cause, y->blame.cause);

	if (!order)
		order = compare_values(x->function, y->function);
	/* Calls are interned. */
	return order ? order : compare_values((uintptr_t)x->blame.call, (uintptr_t)y->blame.call);
}

static void add_support(struct support_list *list, const struct seen *seen)
{
	ARRAY_GROW(list->v, list->n, list->cap);
	list->v[list->n++] = (struct support){ .sample = &seen->sample,
					       .begin = seen->blame.begin,
					       .culprit = seen->blame.culprit };
}

static void make_strict(struct diagnosis *d, struct classifier *c, const struct seen *seen,
			size_t n)
{
	struct judgement j = { .cause = seen->blame.cause,
			       .call = seen->blame.call,
			       .function = seen->function };
	struct strict_finding *s = &d->strict[d->n_strict++];
	struct finding f = { .cause = j.cause, .call = j.call };
	struct support_list support = { 0 };

	*s = (struct strict_finding){ .cause = j.cause, .call = j.call };
	for (size_t i = 0; i < n; i++) {
		add_support(&support, &seen[i]);
		s->calls += seen[i].sample.weight;
	}
	f.culprit = s->culprit = support_culprit(c->rec, &support, 0);
	s->stack = support_stack(c->rec, &support);
	evidence_collect(&j, &support, &s->evidence);
	s->title = title_make(&d->arena, &j, &s->evidence);
	s->advice = advice_find(&j, &c->target, false);
	fingerprint(s->fingerprint, c->rec, &f, 0);
	d->strict_calls += s->calls;
	support_destroy(&support);
}

static int by_calls(const void *a, const void *b)
{
	const struct strict_finding *x = a, *y = b;
	int order = compare_values(y->calls, x->calls);

	return order ? order : strcmp(x->fingerprint, y->fingerprint);
}

void strict_make(struct diagnosis *d, struct classifier *c)
{
	const struct recording *rec = c->rec;
	struct seen *seen = xcalloc(rec->n_calls + 1, sizeof(*seen));
	size_t n = 0, end;

	for (size_t i = 0; i < rec->n_calls; i++)
		n += read_call(c, &rec->calls[i], &seen[n]);
	qsort(seen, n, sizeof(*seen), compare_places);
	for (size_t i = 0; i < n; i++)
		seen[i].sample.arguments = &seen[i].argument;
	d->strict = xcalloc(n + 1, sizeof(*d->strict));
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && compare_places(&seen[i], &seen[end]) == 0; end++)
			;
		make_strict(d, c, seen + i, end - i);
	}
	qsort(d->strict, d->n_strict, sizeof(*d->strict), by_calls);
	free(seen);
}
