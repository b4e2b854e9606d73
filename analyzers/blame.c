#include "analyzers/blame.h"

#include <string.h>

#include "analyzers/syscalls.h"
#include "core/names.h"

enum {
	SYSCALL_WRITE = 1,
	SYSCALL_WRITEV = 20,
	SYSCALL_FUTEX = 202,
};

const struct stack *sample_stack(const struct recording *rec, const struct sample *s)
{
	const struct stack *stack;

	if (s->stack >= rec->stacks.n_stacks)
		return NULL;
	stack = recording_get_stack(rec, s->stack);
	/* What stands for a stack without room says nothing, neither that code of nobody ran. */
	return stack->n && !frame_is_left_out(recording_get_frame(rec, stack->frames[0])) ? stack
											  : NULL;
}

/* What a sample says of its thread, as far as the rows ask. */
enum doing { RUNS, SLEEPS, SLEEPS_ON_LOCK };

static enum doing doing_of(const struct sample *s)
{
	if (s->state != SAMPLE_BLOCKED)
		return RUNS;
	return s->syscall == SYSCALL_FUTEX ? SLEEPS_ON_LOCK : SLEEPS;
}

/*
 * Causes that use a CPU or a file.  A call of theirs that sleeps on a lock does
 * neither: it hands work to the thread pool, or waits for another thread.  A compiler waits for its
 * own helpers.
 */
static bool never_locks(enum cause cause)
{
	switch (cause) {
	case CAUSE_SYNC_CRYPTO:
	case CAUSE_LARGE_PARSE:
	case CAUSE_LARGE_SERIALIZE:
	case CAUSE_REGEX:
	case CAUSE_SYNC_FS:
	case CAUSE_COMPRESSION:
	case CAUSE_MICROTASK_STARVATION:
	case CAUSE_USER_CODE:
		return true;
	default:
		return false;
	}
}

/* The strength of a row for this sample: 0 does not count, then weak, plain, enclosing. */
static int strength(const struct rule *rule, enum doing doing)
{
	if (!rule || ((rule->flags & RULE_BLOCKED) && doing == RUNS))
		return 0;
	if (doing == SLEEPS_ON_LOCK && never_locks(rule->cause))
		return 0;
	if (rule->flags & RULE_WEAK)
		return 1;
	return rule->flags & RULE_ENCLOSES ? 3 : 2;
}

/*
 * Does what a call allocates have to be collected because of the call: reading or making a large
 * value, not a callback of the program's that it calls?
 */
static bool makes_garbage(enum cause cause)
{
	switch (cause) {
	case CAUSE_LARGE_PARSE:
	case CAUSE_LARGE_SERIALIZE:
	case CAUSE_SYNC_CRYPTO:
	case CAUSE_SYNC_FS:
	case CAUSE_COMPRESSION:
	case CAUSE_COMPILE:
		return true;
	default:
		return false;
	}
}

struct match {
	const struct rule *rule;
	const char *module; /* interned */
	int strength;       /* 0: nothing matched */
	bool kernel;        /* it is a frame of the kernel */
};

/* The outermost frame that runs a loop: a synchronous child's loop is inside of it. */
static uint32_t find_limit(struct classifier *c, const struct stack *stack)
{
	for (uint32_t i = stack->n; i-- > 0;)
		if (classify(c, stack->frames[i])->role == ROLE_LOOP)
			return i;
	return stack->n;
}

/* Is a frame of that row in the same library: module, or package of a script? */
static bool same_library(const struct rule *rule, const struct frame *f, const struct match *best)
{
	if (f->module || best->module)
		return best->module == f->module;
	return strcmp(best->rule->where, rule->where) == 0;
}

/* A row for all of a library knows less than one for the call by which it was entered. */
static bool knows_better(const struct rule *rule, const struct frame *f, const struct match *best)
{
	return best->rule && same_library(rule, f, best) &&
	       strcmp(best->rule->function, "*") == 0 && strcmp(rule->function, "*") != 0;
}

/* A collector inside of a call that is known works for that call. */
static bool causes_collection(const struct rule *rule, const struct match *best)
{
	return best->rule && best->rule->cause == CAUSE_GC && makes_garbage(rule->cause);
}

/*
 * Goes from the leaf to the nearest user frame (b->begin) for the strongest row,
 * the leaf-most of equals: what runs now, unless something around it says more.
 */
static struct match find_match(struct classifier *c, const struct stack *stack, enum doing *doing,
			       struct blame *b)
{
	struct match best = { 0 };
	bool node = false;
	uint32_t i;

	for (i = 0; i < b->limit; i++) {
		const struct frame *f = recording_get_frame(c->rec, stack->frames[i]);
		const struct frame_class *class = classify(c, stack->frames[i]);
		int s = strength(class->rule, *doing);

		if (s == 0 && class->role >= ROLE_DEPENDENCY)
			break;
		node |= !class->rule && class->role == ROLE_INTERNAL;
		if (s > best.strength || (s && s == best.strength &&
					  (knows_better(class->rule, f, &best) ||
					   causes_collection(class->rule, &best))))
			best = (struct match){ class->rule, f->module, s, f->kind == FRAME_KERNEL };
		/* A collector that sleeps on a lock waits for its own helpers: the call goes on. */
		if (s && class->rule->cause == CAUSE_GC)
			*doing = RUNS;
	}
	b->begin = i;
	/* A job that is the runtime's own code is no queue at work. */
	if (i == b->limit && node && best.rule && best.rule->cause == CAUSE_MICROTASK_STARVATION)
		return (struct match){ 0 };
	return best;
}

static const char *call_of(const struct frame_class *class)
{
	return class->rule->call ? class->rule->call : class->name;
}

/*
 * The call as its user knows it is the outermost frame of that cause; *end is
 * the frame after it, 0 if there is none.  A collector's call is its kind,
 * which the frames nearest the leaf know.
 */
static const char *find_call(struct classifier *c, const struct stack *stack, const struct blame *b,
			     enum doing doing, uint32_t *end)
{
	const char *call = NULL, *nameless = NULL;

	*end = 0;
	for (uint32_t i = 0; i < b->begin; i++) {
		const struct frame_class *class = classify(c, stack->frames[i]);

		if (!strength(class->rule, doing) || class->rule->cause != b->cause)
			continue;
		*end = i + 1;
		if (b->cause == CAUSE_GC)
			call = call ? call : class->rule->call;
		else if (class->rule->flags & RULE_NAMELESS)
			nameless = call_of(class);
		else
			call = call_of(class);
	}
	return call ? call : nameless;
}

/* The frame to blame from `from` on: an entry, else own code, else whatever is nearest. */
static uint32_t find_culprit(struct classifier *c, const struct stack *stack, uint32_t from,
			     uint32_t limit)
{
	enum role best = ROLE_LOOP;
	uint32_t culprit = NO_FRAME;

	for (uint32_t i = from; i < limit && best < ROLE_ENTRY; i++) {
		const struct frame_class *class = classify(c, stack->frames[i]);

		/* An addon without symbols says nothing. */
		if (class->role > best && (class->role > ROLE_ADDON || class->name)) {
			best = class->role;
			culprit = i;
		}
	}
	/* A package that does it by itself, from a timer say, rather than node that called it. */
	for (uint32_t i = from; i-- > 0 && best < ROLE_DEPENDENCY;) {
		if (classify(c, stack->frames[i])->role >= ROLE_DEPENDENCY) {
			best = ROLE_DEPENDENCY;
			culprit = i;
		}
	}
	return culprit;
}

/* Packages load packages: the one that was asked for is the outermost. */
static uint32_t outermost_package(struct classifier *c, const struct stack *stack, uint32_t from,
				  uint32_t culprit, uint32_t limit)
{
	if (culprit == NO_FRAME || classify(c, stack->frames[culprit])->role != ROLE_DEPENDENCY)
		return culprit;
	for (uint32_t i = limit; i-- > from;)
		if (classify(c, stack->frames[i])->role == ROLE_DEPENDENCY)
			return i;
	return culprit;
}

/* A callback of a sort: the sort was called, and its caller is to blame. */
static void look_for_sort(struct classifier *c, const struct stack *stack, struct blame *b)
{
	for (uint32_t i = b->begin; i < b->limit; i++) {
		const struct rule *rule = classify(c, stack->frames[i])->rule;

		if (rule && rule->cause == CAUSE_USER_CODE) {
			uint32_t culprit = find_culprit(c, stack, i + 1, b->limit);

			if (culprit == NO_FRAME)
				return;
			b->call = rule->call;
			b->begin = i + 1;
			b->culprit = culprit;
			return;
		}
	}
}

static const char *addon_name(struct classifier *c, const char *module)
{
	const char *base = path_base(module), *tag = strstr(base, ".cpython-");

	return tag ? arena_strndup(c->arena, base, (size_t)(tag - base)) : base;
}

/* Code of an addon that no row knows is named after its file: "_json" of _json.cpython-311.so. */
static const char *find_addon(struct classifier *c, const struct stack *stack, uint32_t begin)
{
	for (uint32_t i = 0; i < begin; i++)
		if (classify(c, stack->frames[i])->role == ROLE_ADDON)
			return addon_name(c, recording_get_frame(c->rec, stack->frames[i])->module);
	return NULL;
}

static bool text_begins(const struct argument *a, const char *prefix)
{
	return a && a->text && strncmp(a->text, prefix, strlen(prefix)) == 0;
}

/* What the descriptor says about a read or write that blocks: files, unless it is known better. */
static enum cause cause_of_descriptor(const struct sample *s, enum cause cause)
{
	const struct argument *fd = sample_argument(s, ARG_DESCRIPTOR);
	bool writes = s->syscall == SYSCALL_WRITE || s->syscall == SYSCALL_WRITEV;

	if (text_begins(fd, "socket:"))
		return CAUSE_SYNC_NET;
	if (writes && (text_begins(fd, "pipe:") || text_begins(fd, "/dev/pts") ||
		       text_begins(fd, "/dev/tty") || text_begins(fd, "/dev/console")))
		return CAUSE_BLOCKING_OUTPUT;
	return cause;
}

/*
 * Why a thread sleeps in that system call when its stack says nothing stronger
 * than `weak`: false if the call is not known, or the kernel's frames know better.
 */
static bool blame_syscall(const struct sample *s, const struct match *weak, struct blame *b)
{
	const struct syscall_rule *rule = syscall_rule_find(s->syscall);

	if (!rule || weak->kernel)
		return false;
	b->cause = rule->cause;
	b->call = rule->name;
	if (weak->rule && weak->rule->cause == CAUSE_BLOCKING_OUTPUT)
		b->cause = CAUSE_BLOCKING_OUTPUT;
	if (rule->cause == CAUSE_SYNC_FS)
		b->cause = cause_of_descriptor(s, b->cause);
	/* For no descriptor: select() as a sleep, like time.sleep() before 3.11. */
	if (syscall_polls(s->syscall) && sample_argument(s, ARG_DURATION)) {
		b->cause = CAUSE_SLEEP;
		b->call = weak->rule && weak->rule->call ? weak->rule->call : b->call;
	}
	return true;
}

/*
 * A poll whose caller is not on the stack, as far as it could be read: it may be
 * that of a synchronous child, a connection, anything.
 */
static bool is_lost_poll(struct classifier *c, const struct sample *s, const struct stack *stack)
{
	if (!syscall_polls(s->syscall) || (stack && stack->end == STACK_COMPLETE))
		return false;
	for (uint32_t i = 0; stack && i < stack->n; i++)
		if (classify(c, stack->frames[i])->role >= ROLE_DEPENDENCY)
			return false;
	return true;
}

/* No row names the call, but the runtime saw a pattern in its arguments. */
static bool has_pattern(const struct sample *s, uint32_t begin)
{
	const struct argument *pattern = sample_argument(s, ARG_PATTERN);

	return pattern && pattern->frame <= begin;
}

/* A call on a file that sleeps for a time tries a lock again and again: sqlite's of a database. */
static bool naps_for_lock(const struct sample *s, const struct rule *rule)
{
	const struct syscall_rule *call = syscall_rule_find(s->syscall);

	return rule->cause == CAUSE_SYNC_FS && call && call->cause == CAUSE_SLEEP;
}

/* The strongest row decides; for a thread that sleeps a weak one yields to the system call. */
static void find_cause(struct classifier *c, const struct sample *s, const struct match *match,
		       struct blame *b)
{
	bool sleeps = s->state == SAMPLE_BLOCKED;

	if (sleeps && !match->rule && is_lost_poll(c, s, sample_stack(c->rec, s)))
		return;
	if (sleeps && match->strength < 2 && blame_syscall(s, match, b))
		return;
	if (sleeps && match->rule && naps_for_lock(s, match->rule)) {
		b->cause = CAUSE_LOCK_WAIT;
		b->call = match->rule->call;
	} else if (match->rule) {
		b->cause = match->rule->cause;
	} else if (has_pattern(s, b->begin)) {
		b->cause = CAUSE_REGEX;
	} else if (!sleeps) {
		b->cause = CAUSE_USER_CODE;
	}
}

static void blame_stack(struct classifier *c, const struct sample *s, const struct stack *stack,
			struct blame *b)
{
	enum doing doing = doing_of(s);
	struct match match;
	const char *call;
	uint32_t end;

	b->limit = find_limit(c, stack);
	match = find_match(c, stack, &doing, b);
	find_cause(c, s, &match, b);
	call = find_call(c, stack, b, doing, &end);
	b->call = call ? call : b->call;
	if (b->begin < b->limit)
		end = b->begin;
	b->culprit = find_culprit(c, stack, end, b->limit);
	if (b->cause == CAUSE_COMPILE)
		b->culprit = outermost_package(c, stack, end, b->culprit, b->limit);
	if (b->cause == CAUSE_USER_CODE && !b->call)
		look_for_sort(c, stack, b);
	if (b->cause == CAUSE_USER_CODE && !b->call)
		b->call = find_addon(c, stack, b->begin);
}

struct blame blame_sample(struct classifier *c, const struct sample *s)
{
	struct blame b = { .cause = CAUSE_UNKNOWN, .culprit = NO_FRAME };
	const struct stack *stack = sample_stack(c->rec, s);

	if (s->state == SAMPLE_RUNNABLE || s->state == SAMPLE_STOPPED) {
		b.cause = s->state == SAMPLE_STOPPED ? CAUSE_STOPPED : CAUSE_CPU_STARVATION;
		return b;
	}
	if (stack) {
		blame_stack(c, s, stack, &b);
	} else if (s->state == SAMPLE_BLOCKED && !is_lost_poll(c, s, NULL)) {
		struct match none = { 0 };

		blame_syscall(s, &none, &b);
	}
	b.call = classifier_intern(c, b.call);
	return b;
}
