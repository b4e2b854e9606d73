#include "analyzers/judge.h"

#include "analyzers/clocked.h"
#include "analyzers/syscalls.h"
#include "analyzers/tally.h"

enum { SYSCALL_EXIT_GROUP = 231 };

/* A sleep that is no system call is a fault, as far as the kernel counted faults. */
static void blame_faults(const struct stall *stall, struct part *parts, size_t n)
{
	nsec faults = stall->page_fault;

	for (size_t i = 0; i < n && faults > 0; i++) {
		const struct sample *s = parts[i].sample;

		if (s->state != SAMPLE_BLOCKED || s->syscall >= 0)
			continue;
		parts[i].blame.cause = CAUSE_PAGE_FAULT;
		parts[i].blame.call = NULL;
		faults -= s->weight < faults ? s->weight : faults;
	}
}

/*
 * A sleep whose caller was not seen: a poll, or in a connection, which is what a child's output may
 * come through.
 */
static bool is_lost_wait(const struct part *p)
{
	if (p->sample->state != SAMPLE_BLOCKED || p->blame.culprit != NO_FRAME)
		return false;
	return p->blame.cause == CAUSE_SYNC_NET ||
	       (p->blame.cause == CAUSE_UNKNOWN && syscall_polls(p->sample->syscall));
}

/* Those of a turn that was seen to wait for a child are the ones in which it waits. */
static void blame_lost_waits(struct part *parts, size_t n)
{
	const char *call = NULL;
	bool child = false;

	for (size_t i = 0; i < n; i++) {
		if (parts[i].blame.cause != CAUSE_SYNC_CHILD || parts[i].blame.culprit == NO_FRAME)
			continue;
		child = true;
		call = parts[i].blame.call;
	}
	for (size_t i = 0; child && i < n; i++) {
		struct part *p = &parts[i];

		if (!is_lost_wait(p))
			continue;
		p->blame.cause = CAUSE_SYNC_CHILD;
		p->blame.call = call;
	}
}

void blame_stall(struct classifier *c, const struct stall *stall, struct part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		parts[i].blame = blame_sample(c, parts[i].sample);
	blame_faults(stall, parts, n);
	blame_lost_waits(parts, n);
}

static double positive(double v)
{
	return v > 0 ? v : 0;
}

/*
 * The samples of one state speak for all of the stall's time in it, also where
 * some were lost; but not where they cover less than a quarter.  Returns the
 * time that none speaks for.  In doubles: numbers of a file may be any.
 */
static double add_state(const struct part *parts, size_t n, enum sample_state state, nsec total,
			double sums[CAUSES])
{
	double sampled = 0, scale;

	for (size_t i = 0; i < n; i++)
		if (parts[i].sample->state == state)
			sampled += (double)parts[i].sample->weight;
	scale = sampled < (double)total && sampled >= (double)total / 4 ? (double)total / sampled
									: 1;
	for (size_t i = 0; i < n; i++) {
		enum cause cause = part_is_code(&parts[i]) ? CAUSE_USER_CODE : parts[i].blame.cause;

		if (parts[i].sample->state == state)
			sums[cause] += (double)parts[i].sample->weight * scale;
	}
	return positive((double)total - sampled * scale);
}

static void sum_causes(const struct stall *stall, const struct part *parts, size_t n,
		       double sums[CAUSES])
{
	double asleep, awake, faults;

	awake = add_state(parts, n, SAMPLE_RUNNING, stall->running, sums);
	asleep = add_state(parts, n, SAMPLE_BLOCKED, stall->blocked, sums);
	faults = positive((double)stall->page_fault - sums[CAUSE_PAGE_FAULT]);
	faults = faults < asleep ? faults : asleep;
	sums[CAUSE_PAGE_FAULT] += faults;
	sums[CAUSE_UNKNOWN] += awake + asleep - faults;
	sums[CAUSE_STOPPED] = (double)stall->stopped;
}

static bool cause_is_code(enum cause cause)
{
	return cause == CAUSE_USER_CODE || cause == CAUSE_MICROTASK_STARVATION ||
	       cause == CAUSE_MANY_CALLBACKS;
}

/*
 * The host is to blame for a loop that waited for a CPU, or for somebody who did, unless the loop
 * would have stalled on a free machine as well: else a quarter of the stall is enough.  On a full
 * one work takes longer than that, so where the wait is most of the stall, what is little of it
 * must be twice the threshold to be sure: a third more where one call took it.
 */
static bool is_starved(const struct stall *stall, nsec threshold, double call)
{
	nsec held_up = stall->held_up < stall->blocked ? stall->held_up : stall->blocked;
	nsec own = stall->running + stall->blocked - held_up;
	nsec waited = stall->runnable + held_up;

	if (own < threshold)
		return waited > stall->duration / 4 && waited > stall->stopped;
	return waited > stall->duration / 2 && own < stall->duration / 4 && own < 2 * threshold &&
	       3 * call < 4 * (double)threshold;
}

/* Code of all kinds, and the causes of which the CPU time is another on a full machine. */
static bool cause_varies(enum cause cause)
{
	return cause_is_code(cause) || cause == CAUSE_GC || cause == CAUSE_COMPILE ||
	       cause == CAUSE_LOCK_WAIT || cause == CAUSE_UNKNOWN;
}

static enum cause most_of(const double sums[CAUSES])
{
	enum cause best = CAUSE_UNKNOWN;

	for (int i = 0; i < CAUSES; i++)
		if (sums[i] > sums[best])
			best = i;
	return best;
}

static uint32_t culprit_function(struct classifier *c, const struct part *p)
{
	const struct stack *stack = sample_stack(c->rec, p->sample);

	if (!stack || p->blame.culprit == NO_FRAME)
		return NO_FRAME;
	return classify(c, stack->frames[p->blame.culprit])->function;
}

/* The function that made the calls of that cause, then the call it spent most time in. */
static void find_callee(struct classifier *c, const struct part *parts, size_t n,
			struct judgement *j)
{
	struct tally functions = { 0 }, calls = { 0 };
	const struct tally_entry *best;

	for (size_t i = 0; i < n; i++)
		if (parts[i].blame.cause == j->cause && culprit_function(c, &parts[i]) != NO_FRAME)
			tally_add(&functions, culprit_function(c, &parts[i]),
				  parts[i].sample->weight, 0);
	best = tally_heaviest(&functions);
	if (best)
		j->function = (uint32_t)best->key;
	for (size_t i = 0; i < n; i++)
		if (parts[i].blame.cause == j->cause &&
		    culprit_function(c, &parts[i]) == j->function)
			tally_add(&calls, (uintptr_t)parts[i].blame.call, parts[i].sample->weight,
				  0);
	best = tally_heaviest(&calls);
	if (best)
		j->call = (const char *)(uintptr_t)best->key;
	tally_destroy(&functions);
	tally_destroy(&calls);
}

/* Why nothing can be said about the largest part of a stall. */
static const char *find_why(const struct stall *stall, const struct part *parts, size_t n)
{
	size_t stacks = 0, blocked = 0;

	for (size_t i = 0; i < n; i++) {
		stacks += parts[i].blame.begin > 0 || parts[i].blame.culprit != NO_FRAME;
		blocked += parts[i].sample->state == SAMPLE_BLOCKED;
	}
	if (n == 0)
		return stall->blocked > stall->running ? "it slept, and no stack was sampled"
						       : "no stack was sampled";
	if (stacks == 0)
		return "its stacks could not be read";
	if (parts[n - 1].sample->syscall == SYSCALL_EXIT_GROUP)
		return "the process was exiting";
	return blocked ? "it slept in an unknown system call" : "too few stacks were sampled";
}

/* Time whose culprit is known, or that has none because the host took it. */
static nsec find_blamed(const struct stall *stall, const struct part *parts, size_t n,
			const struct judgement *j)
{
	nsec blamed = stall->runnable + stall->stopped;
	bool code = cause_is_code(j->cause) && j->function != NO_FRAME;

	for (size_t i = 0; i < n; i++)
		if (parts[i].blame.culprit != NO_FRAME || (code && part_is_code(&parts[i])))
			blamed += parts[i].sample->weight;
	return blamed < stall->duration ? blamed : stall->duration;
}

/* What ticks and promise jobs leave behind has to be collected: the storm is to blame for that too.
 */
static bool is_storm(struct classifier *c, const struct part *parts, size_t n,
		     const double sums[CAUSES])
{
	return sums[CAUSE_USER_CODE] > sums[CAUSE_GC] / 6 &&
	       judge_code(c, parts, n, c->rec->session.threshold).cause ==
		       CAUSE_MICROTASK_STARVATION;
}

struct judgement judge_stall(struct classifier *c, const struct stall *stall,
			     const struct part *parts, size_t n)
{
	struct judgement j = { .function = NO_FRAME };
	nsec threshold = c->rec->session.threshold;
	double sums[CAUSES] = { 0 };

	sum_causes(stall, parts, n, sums);
	j.clocked = clocked_time(c, stall, parts, n);
	j.cause = j.beside = most_of(sums);
	if (j.clocked < threshold &&
	    is_starved(stall, threshold, cause_varies(j.cause) ? 0 : sums[j.cause]))
		j.cause = CAUSE_CPU_STARVATION;
	if (j.cause == CAUSE_GC && is_storm(c, parts, n, sums))
		j.cause = CAUSE_USER_CODE;
	if (j.cause == CAUSE_USER_CODE) {
		struct code code = judge_code(c, parts, n, threshold);

		j.cause = code.cause;
		j.function = code.function;
		j.call = classifier_intern(c, code.call);
		j.hot = code.hot;
		j.callbacks = code.callbacks;
		j.callback = code.longest;
	} else if (j.cause != CAUSE_CPU_STARVATION && j.cause != CAUSE_STOPPED) {
		find_callee(c, parts, n, &j);
	}
	if (j.cause == CAUSE_UNKNOWN)
		j.why = j.call ? j.call : find_why(stall, parts, n);
	j.blamed = find_blamed(stall, parts, n, &j);
	return j;
}

bool judgement_covers(struct classifier *c, const struct judgement *j, const struct part *p)
{
	if (cause_is_code(j->cause))
		return part_is_code(p) &&
		       (j->function == NO_FRAME || find_function(c, p, j->function) != NO_FRAME);
	if (p->blame.cause != j->cause || culprit_function(c, p) != j->function)
		return false;
	return j->cause == CAUSE_GC || p->blame.call == j->call;
}

uint32_t judgement_culprit(struct classifier *c, const struct judgement *j, const struct part *p)
{
	return cause_is_code(j->cause) ? find_function(c, p, j->function) : p->blame.culprit;
}
