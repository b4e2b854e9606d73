#include "analyzers/budget_facts.h"

bool budget_is_contended(const struct budget_facts *f)
{
	return f->waited > f->serving / 20 || f->rec->host.throttled > f->serving / 20;
}

const struct stall_diagnosis *stall_diagnosis_of(const struct budget_facts *f,
						 const struct stall *s)
{
	static const struct stall_diagnosis unknown = { .cause = CAUSE_UNKNOWN };

	return s->id < f->d->n_stalls ? &f->d->stalls[s->id] : &unknown;
}

/* Time in which it may have slept only because a thread, or a peer on this machine, had no CPU. */
static nsec waited_for_others(const struct budget_facts *f, const struct stall *s)
{
	enum cause cause = stall_diagnosis_of(f, s)->cause;
	bool waits = cause == CAUSE_LOCK_WAIT || cause == CAUSE_GC || cause == CAUSE_SYNC_NET ||
		     cause == CAUSE_CPU_STARVATION || cause == CAUSE_UNKNOWN;

	return waits && budget_is_contended(f) ? s->blocked : 0;
}

/* What came in while the loop had no CPU is done in one turn: only one callback of it is sure. */
static nsec without_pile(const struct budget_facts *f, const struct stall *s, nsec own)
{
	const struct stall_diagnosis *d = stall_diagnosis_of(f, s);
	bool piles = d->cause == CAUSE_USER_CODE || d->cause == CAUSE_MANY_CALLBACKS;

	return piles && budget_is_contended(f) && d->callback ? nsec_least(own, d->callback) : own;
}

/* Does what blocked take the same CPU time each time, and on a full machine hardly more? */
static bool is_steady(const struct budget_facts *f, const struct stall *s)
{
	enum { AGAIN = 3 };
	const struct stall_diagnosis *d = stall_diagnosis_of(f, s);

	switch (d->cause) {
	case CAUSE_GC: /* shared with threads that may have no CPU */
	case CAUSE_COMPILE:
	case CAUSE_LOCK_WAIT:
	case CAUSE_CPU_STARVATION: /* of what there is beside it, little is known */
	case CAUSE_STOPPED:
	case CAUSE_UNKNOWN:
		return false;
	case CAUSE_USER_CODE:
	case CAUSE_MANY_CALLBACKS:
	case CAUSE_MICROTASK_STARVATION:
		return d->finding < f->d->n_findings && f->again[d->finding] >= AGAIN;
	default:
		return true;
	}
}

/*
 * On a full machine work takes longer than on a free one: caches are cold after
 * each wait, and code is interpreted for longer while the threads that compile
 * it have no CPU.  Up to half of a turn that waited as long as it worked is put
 * down to that.  One call, or the same code again and again, was measured to
 * need the same CPU time beside four neighbours, within 5 %.
 */
static nsec slowed(const struct budget_facts *f, const struct stall *s, nsec own, nsec waited)
{
	return is_steady(f, s) ? nsec_least(own, waited / 3) / 4 : nsec_least(own, waited) / 2;
}

static nsec least_length(const struct budget_facts *f, const struct stall *s, nsec own)
{
	nsec least = without_pile(f, s, nsec_minus(own, waited_for_others(f, s)));

	return nsec_minus(least - slowed(f, s, least, s->duration - least),
			  f->rec->session.error_bound);
}

nsec stall_length(const struct budget_facts *f, const struct stall *s, enum view view)
{
	nsec own = nsec_minus(s->duration, s->runnable + s->stopped + s->held_up);
	nsec clocked = stall_diagnosis_of(f, s)->clocked;

	if (view == VIEW_SEEN)
		return s->duration;
	if (clocked > own)
		return clocked;
	return view == VIEW_OWN ? own : least_length(f, s, own);
}
