#include "analyzers/code.h"

#include <string.h>

#include "analyzers/glob.h"
#include "analyzers/tally.h"
#include "core/names.h"

/* Where user code begins, or the leaf where there is none. */
static uint32_t first_frame(const struct stack *stack, const struct part *p)
{
	return stack && p->blame.begin < p->blame.limit ? p->blame.begin : 0;
}

uint32_t find_function(struct classifier *c, const struct part *p, uint32_t function)
{
	const struct stack *stack = sample_stack(c->rec, p->sample);

	for (uint32_t i = first_frame(stack, p); stack && i < p->blame.limit; i++)
		if (classify(c, stack->frames[i])->function == function)
			return i;
	return NO_FRAME;
}

/* Adds the sample's weight once to every function of at least that role on its stack. */
static void add_inclusive(struct classifier *c, const struct part *p, enum role least,
			  struct tally *t)
{
	const struct stack *stack = sample_stack(c->rec, p->sample);

	classifier_mark_none(c);
	for (uint32_t i = p->blame.begin; stack && i < p->blame.limit; i++) {
		const struct frame_class *class = classify(c, stack->frames[i]);

		if (class->role >= least && classifier_mark(c, class->function))
			tally_add(t, class->function, p->sample->weight, i - p->blame.begin);
	}
}

/* All of Python runs under Python's frames: where there are none, they could not be read in time.
 */
static bool lacks_python(struct classifier *c, const struct stack *stack)
{
	const char *runtime = c->target.runtime;

	if (!runtime || strcmp(runtime, "cpython") != 0)
		return false;
	for (uint32_t i = 0; i < stack->n; i++)
		if (recording_get_frame(c->rec, stack->frames[i])->kind == FRAME_PYTHON)
			return false;
	return true;
}

static bool holds_half(const struct tally_entry *e, nsec total)
{
	return e->weight >= total - e->weight;
}

/*
 * Callers hold what their callees hold: of those that hold half, the innermost is the one with the
 * least.  But for a few samples a caller's name may be lost: of about the same, the nearest.
 */
static const struct tally_entry *innermost(const struct tally *t, nsec total)
{
	enum { LOST = 20 };
	const struct tally_entry *best = NULL;
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < t->n; i++)
		if (holds_half(&t->v[i], total) && t->v[i].weight < least)
			least = t->v[i].weight;
	for (size_t i = 0; i < t->n; i++) {
		const struct tally_entry *e = &t->v[i];

		if (holds_half(e, total) && e->weight - least <= total / LOST &&
		    (!best ||
		     e->distance / (double)e->weight < best->distance / (double)best->weight))
			best = e;
	}
	return best;
}

/* The innermost function of at least that role that holds half of the code's time. */
static uint32_t find_dominant(struct classifier *c, const struct part *parts, size_t n,
			      enum role least)
{
	const struct tally_entry *best = NULL;
	struct tally t = { 0 };
	uint32_t function = NO_FRAME;
	nsec total = 0;

	for (size_t i = 0; i < n; i++) {
		const struct stack *stack = sample_stack(c->rec, parts[i].sample);

		if (!part_is_code(&parts[i]) || (stack && lacks_python(c, stack)))
			continue;
		total += parts[i].sample->weight;
		add_inclusive(c, &parts[i], least, &t);
	}
	tally_merge(&t);
	best = innermost(&t, total);
	if (best)
		function = (uint32_t)best->key;
	tally_destroy(&t);
	return function;
}

/* The function that is blamed by most samples, each for itself. */
static uint32_t find_commonest(struct classifier *c, const struct part *parts, size_t n)
{
	const struct tally_entry *best;
	struct tally t = { 0 };
	uint32_t function = NO_FRAME;

	for (size_t i = 0; i < n; i++) {
		const struct part *p = &parts[i];
		const struct stack *stack = sample_stack(c->rec, p->sample);

		if (part_is_code(p) && stack && p->blame.culprit != NO_FRAME)
			tally_add(&t, classify(c, stack->frames[p->blame.culprit])->function,
				  p->sample->weight, 0);
	}
	best = tally_heaviest(&t);
	if (best)
		function = (uint32_t)best->key;
	tally_destroy(&t);
	return function;
}

/* How a turn's code is made up of callbacks, as far as samples can tell. */
struct callbacks {
	nsec total, jobs;      /* all, and what ran as a tick or promise job */
	nsec queueing;         /* of jobs: between two of them, or making new ones */
	nsec current, longest; /* of one callback without a break */
	uint32_t breaks;       /* times that another callback began */
	uint32_t entry;        /* function of the current callback, NO_FRAME between two */
	int64_t object;        /* what it was called on, 0 unknown */
	struct tally entries;  /* by function */
	struct tally kinds;    /* of jobs, by the queue's interned name */
};

/* The outermost user function on a stack: the callback that the loop called. */
static uint32_t find_entry(struct classifier *c, const struct part *p)
{
	const struct stack *stack = sample_stack(c->rec, p->sample);
	bool known = p->blame.limit < stack->n;

	for (uint32_t i = p->blame.limit; i-- > p->blame.begin;) {
		const struct frame_class *class = classify(c, stack->frames[i]);
		enum frame_kind kind = recording_get_frame(c->rec, stack->frames[i])->kind;

		/* A native caller of the callback may be the program's own loop, if none is known.
		 */
		if (class->role == ROLE_ENTRY ||
		    (class->role >= ROLE_DEPENDENCY && (kind != FRAME_NATIVE || known)))
			return class->function;
	}
	return NO_FRAME;
}

/* The kind of job that runs: of the innermost queue around the user code, or NULL. */
static const struct rule *find_job(struct classifier *c, const struct part *p)
{
	const struct stack *stack = sample_stack(c->rec, p->sample);

	for (uint32_t i = first_frame(stack, p); i < stack->n; i++) {
		const struct rule *rule = classify(c, stack->frames[i])->rule;

		if (rule && rule->cause == CAUSE_MICROTASK_STARVATION)
			return rule;
	}
	return NULL;
}

static void count_callback(struct classifier *c, const struct part *p, struct callbacks *cb)
{
	const struct stack *stack = sample_stack(c->rec, p->sample);
	nsec weight = p->sample->weight;
	const struct argument *object;
	const struct rule *job;
	uint32_t entry;

	/* What an incomplete stack does not show may be the callback. */
	if (!stack || stack->end != STACK_COMPLETE || lacks_python(c, stack))
		return;
	job = find_job(c, p);
	entry = find_entry(c, p);
	object = sample_argument(p->sample, ARG_CALLBACK);
	cb->total += weight;
	if (job) {
		cb->jobs += weight;
		if (p->blame.cause == CAUSE_MICROTASK_STARVATION)
			cb->queueing += weight;
		tally_add(&cb->kinds, (uintptr_t)classifier_intern(c, job->call), weight, 0);
	}
	if (entry != cb->entry || (object && cb->object && object->number != cb->object)) {
		cb->breaks++;
		cb->current = 0;
		cb->entry = entry;
	}
	if (object)
		cb->object = object->number;
	if (entry == NO_FRAME)
		return;
	cb->current += weight;
	if (cb->current > cb->longest)
		cb->longest = cb->current;
	tally_add(&cb->entries, entry, weight, 0);
}

/*
 * One long callback never shows the queue at work, and one that runs as long as
 * the threshold is a stall by itself.
 */
static bool are_many(const struct callbacks *cb, nsec threshold)
{
	if (cb->jobs > cb->total / 2 && cb->queueing >= cb->jobs / 5)
		return true;
	return cb->breaks >= 4 && cb->longest < threshold && cb->longest < cb->total / 2;
}

/* Is one of the callbacks, many times, as good as all there is? */
static bool is_most(const struct tally_entry *top, const struct callbacks *cb)
{
	return top->weight >= cb->total - cb->total / 4;
}

/* Many short callbacks rather than one long one? */
static bool judge_callbacks(struct classifier *c, const struct part *parts, size_t n,
			    nsec threshold, struct code *code)
{
	struct callbacks cb = { .entry = NO_FRAME };
	const struct tally_entry *top;
	bool many;

	for (size_t i = 0; i < n; i++)
		if (part_is_code(&parts[i]))
			count_callback(c, &parts[i], &cb);
	top = tally_heaviest(&cb.entries);
	many = top && are_many(&cb, threshold);
	code->longest = cb.longest;
	if (many) {
		code->cause = CAUSE_MANY_CALLBACKS;
		if (cb.jobs > cb.total / 2) {
			code->cause = CAUSE_MICROTASK_STARVATION;
			code->call = (const char *)(uintptr_t)tally_heaviest(&cb.kinds)->key;
		}
		code->function = (uint32_t)top->key;
		code->callbacks = is_most(top, &cb) ? 1 : (uint32_t)cb.entries.n;
	}
	tally_destroy(&cb.entries);
	tally_destroy(&cb.kinds);
	return many;
}

/* The call (a sort, an addon) that most of the code's time hangs under, or NULL. */
static const char *find_code_call(const struct part *parts, size_t n)
{
	const struct tally_entry *best;
	const char *call = NULL;
	struct tally t = { 0 };
	nsec total = 0;

	for (size_t i = 0; i < n; i++) {
		if (parts[i].blame.cause != CAUSE_USER_CODE)
			continue;
		total += parts[i].sample->weight;
		if (parts[i].blame.call)
			tally_add(&t, (uintptr_t)parts[i].blame.call, parts[i].sample->weight, 0);
	}
	best = tally_heaviest(&t);
	if (best && best->weight > total / 2)
		call = (const char *)(uintptr_t)best->key;
	tally_destroy(&t);
	return call;
}

/* The nearest named function of a package that the culprit called in that sample, or NO_FRAME. */
static uint32_t package_call(struct classifier *c, const struct part *p, uint32_t culprit)
{
	const struct stack *stack = sample_stack(c->rec, p->sample);
	uint32_t at = find_function(c, p, culprit);

	while (at != NO_FRAME && at-- > p->blame.begin) {
		const struct frame_class *class = classify(c, stack->frames[at]);

		if (class->role == ROLE_DEPENDENCY && class->name && class->name[0] &&
		    class->name[0] != '(')
			return stack->frames[at];
	}
	return NO_FRAME;
}

/* "cloneDeep (lodash)" */
static const char *put_package_call(struct classifier *c, uint32_t frame)
{
	const struct frame *f = recording_get_frame(c->rec, frame);
	const char *in_package = f->file ? path_in_package(f->file) : NULL;

	const char *name = classify(c, frame)->name;
	size_t len = in_package ? package_name_length(in_package) : 0;

	/* "graphql (graphql)" says no more. */
	if (!in_package || (strlen(name) == len && strncmp(name, in_package, len) == 0))
		return name;
	return arena_printf(c->arena, "%s (%.*s)", name, (int)len, in_package);
}

/* Users know a package by what they call of it, not by the function that is hot inside of it. */
static const char *find_package_call(struct classifier *c, const struct part *parts, size_t n,
				     uint32_t culprit)
{
	const struct tally_entry *best;
	const char *call = NULL;
	struct tally t = { 0 };

	for (size_t i = 0; i < n; i++) {
		uint32_t frame = NO_FRAME;

		if (part_is_code(&parts[i]))
			frame = package_call(c, &parts[i], culprit);
		if (frame != NO_FRAME)
			tally_add(&t, classify(c, frame)->function, parts[i].sample->weight, 0);
	}
	best = tally_heaviest(&t);
	if (best)
		call = put_package_call(c, (uint32_t)best->key);
	tally_destroy(&t);
	return call;
}

/* What the runtime's functions are known by, where that is not their own name. */
static const struct {
	const char *file, *function; /* of node's own modules, "": V8's; "*": any function */
	const char *name;            /* "%s": the function's */
} builtins[] = {
	{ "", "DateTimeFormat", "new Intl.%s" },
	{ "", "NumberFormat", "new Intl.%s" },
	{ "", "Collator", "new Intl.%s" },
	{ "", "Segmenter", "new Intl.%s" },
	{ "node:internal/errors", "prepareStackTrace*", "Error.stack" },
	{ "node:internal/url", "URL*", "new %s" },
	{ "node:internal/url", "*", "URL.%s" },
	{ "node:internal/encoding", "*", "TextDecoder.%s" },
	{ "node:buffer", "*", "Buffer.%s" },
	{ "node:events", "*", "EventEmitter.%s" },
};

static const char *builtin_pattern(const char *file, const char *name)
{
	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (strcmp(builtins[i].file, file) == 0 && glob_match(builtins[i].function, name))
			return builtins[i].name;
	return NULL;
}

/* "Date.parse", "String.normalize" of V8; "Buffer.concat", "v8.writeHeapSnapshot" of node. */
static const char *put_builtin_call(struct classifier *c, uint32_t frame)
{
	static const char prototype[] = ".prototype.";
	const struct frame *f = recording_get_frame(c->rec, frame);
	const char *file = f->file ? f->file : "", *name = classify(c, frame)->name;
	const char *found = strstr(name, prototype), *pattern = builtin_pattern(file, name);
	const char *hole = pattern ? strstr(pattern, "%s") : NULL;

	if (hole)
		return arena_printf(c->arena, "%.*s%s", (int)(hole - pattern), pattern, name);
	if (pattern)
		return pattern;
	if (found)
		return arena_printf(c->arena, "%.*s.%s", (int)(found - name), name,
				    found + strlen(prototype));
	if (!file[0] || strchr(name, '.'))
		return name;
	return arena_printf(c->arena, "%s.%s", path_base(file + strlen("node:")), name);
}

/* The function of the runtime that own code called in that sample, or NO_FRAME. */
static uint32_t builtin_call(struct classifier *c, const struct part *p)
{
	const struct stack *stack = sample_stack(c->rec, p->sample);

	if (!stack || p->blame.begin >= p->blame.limit || p->blame.cause != CAUSE_USER_CODE ||
	    classify(c, stack->frames[p->blame.begin])->role < ROLE_OWN)
		return NO_FRAME;
	for (uint32_t i = p->blame.begin; i-- > 0;) {
		const char *name = classify(c, stack->frames[i])->name;

		if (recording_get_frame(c->rec, stack->frames[i])->kind == FRAME_JS && name &&
		    name[0] && name[0] != '(')
			return stack->frames[i];
	}
	return NO_FRAME;
}

/* What own code spends most of its time in calls of, or NULL. */
static const char *find_builtin_call(struct classifier *c, const struct part *parts, size_t n)
{
	const struct tally_entry *best;
	const char *call = NULL;
	struct tally t = { 0 };
	nsec total = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t frame = NO_FRAME;

		if (!part_is_code(&parts[i]))
			continue;
		total += parts[i].sample->weight;
		frame = builtin_call(c, &parts[i]);
		if (frame != NO_FRAME)
			tally_add(&t, classify(c, frame)->function, parts[i].sample->weight, 0);
	}
	best = tally_heaviest(&t);
	if (best && best->weight > total / 2)
		call = put_builtin_call(c, (uint32_t)best->key);
	tally_destroy(&t);
	return call;
}

struct code judge_code(struct classifier *c, const struct part *parts, size_t n, nsec threshold)
{
	struct code code = { .cause = CAUSE_USER_CODE, .function = NO_FRAME };
	uint32_t hot;

	if (judge_callbacks(c, parts, n, threshold, &code)) {
		code.hot = classify(c, code.function)->name;
		return code;
	}
	hot = find_dominant(c, parts, n, ROLE_ENTRY);
	if (hot == NO_FRAME)
		hot = find_dominant(c, parts, n, ROLE_DEPENDENCY);
	code.function = find_dominant(c, parts, n, ROLE_OWN);
	if (code.function == NO_FRAME || classify(c, hot)->role == ROLE_ENTRY)
		code.function = hot;
	if (code.function == NO_FRAME)
		code.function = find_commonest(c, parts, n);
	if (hot == NO_FRAME)
		hot = code.function;
	if (hot != NO_FRAME && classify(c, hot)->role == ROLE_DEPENDENCY)
		code.hot = find_package_call(c, parts, n, code.function);
	else
		code.hot = find_builtin_call(c, parts, n);
	if (hot != NO_FRAME && !code.hot)
		code.hot = classify(c, hot)->name;
	code.call = find_code_call(parts, n);
	return code;
}
