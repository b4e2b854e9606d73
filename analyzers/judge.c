#include "analyzers/judge.h"

#include "analyzers/tally.h"

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

void blame_stall(struct classifier *c, const struct stall *stall, struct part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		parts[i].blame = blame_sample(c, parts[i].sample);
	blame_faults(stall, parts, n);
}

/* What is left of total when the samples' part of it is taken away. */
static nsec rest(nsec total, nsec sampled)
{
	return total > sampled ? total - sampled : 0;
}

static void sum_causes(const struct stall *stall, const struct part *parts, size_t n,
		       nsec sums[CAUSES])
{
	nsec running = 0, blocked = 0, faults, unseen;

	for (size_t i = 0; i < n; i++) {
		const struct sample *s = parts[i].sample;
		enum cause cause = parts[i].blame.cause;

		if (s->state == SAMPLE_RUNNING)
			running += s->weight;
		else if (s->state == SAMPLE_BLOCKED)
			blocked += s->weight;
		else
			continue;
		sums[part_is_code(&parts[i]) ? CAUSE_USER_CODE : cause] += s->weight;
	}
	unseen = rest(stall->blocked, blocked);
	faults = rest(stall->page_fault, sums[CAUSE_PAGE_FAULT]);
	faults = faults < unseen ? faults : unseen;
	sums[CAUSE_PAGE_FAULT] += faults;
	sums[CAUSE_UNKNOWN] += unseen - faults + rest(stall->running, running);
	sums[CAUSE_CPU_STARVATION] = stall->runnable;
	sums[CAUSE_STOPPED] = stall->stopped;
}

static enum cause find_cause(const struct stall *stall, const nsec sums[CAUSES])
{
	enum cause best = CAUSE_UNKNOWN;

	for (int i = 0; i < CAUSES; i++) {
		/* A loop that ran half of the time would have stalled on a free machine as well. */
		if (i == CAUSE_CPU_STARVATION && sums[i] <= stall->duration / 2)
			continue;
		if (sums[i] > sums[best])
			best = i;
	}
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
	struct tally functions = {0}, calls = {0};
	const struct tally_entry *best;

	for (size_t i = 0; i < n; i++)
		if (parts[i].blame.cause == j->cause)
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
	return blocked ? "it slept in an unknown system call" : "too few stacks were sampled";
}

/* Time whose culprit is known, or that has none because the host took it. */
static nsec find_blamed(const struct stall *stall, const struct part *parts, size_t n)
{
	nsec blamed = stall->runnable + stall->stopped;

	for (size_t i = 0; i < n; i++)
		if (parts[i].blame.culprit != NO_FRAME)
			blamed += parts[i].sample->weight;
	return blamed < stall->duration ? blamed : stall->duration;
}

struct judgement judge_stall(struct classifier *c, const struct stall *stall,
			     const struct part *parts, size_t n)
{
	struct judgement j = {.function = NO_FRAME};
	nsec sums[CAUSES] = {0};

	sum_causes(stall, parts, n, sums);
	j.cause = find_cause(stall, sums);
	j.blamed = find_blamed(stall, parts, n);
	if (j.cause == CAUSE_USER_CODE) {
		struct code code = judge_code(c, parts, n, c->rec->session.threshold);

		j.cause = code.cause;
		j.function = code.function;
		j.call = classifier_intern(c, code.call);
		j.hot = code.hot;
		j.callbacks = code.callbacks;
	} else if (j.cause != CAUSE_CPU_STARVATION && j.cause != CAUSE_STOPPED) {
		find_callee(c, parts, n, &j);
	}
	if (j.cause == CAUSE_UNKNOWN)
		j.why = find_why(stall, parts, n);
	return j;
}

static bool cause_is_code(enum cause cause)
{
	return cause == CAUSE_USER_CODE || cause == CAUSE_MICROTASK_STARVATION ||
	       cause == CAUSE_MANY_CALLBACKS;
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
