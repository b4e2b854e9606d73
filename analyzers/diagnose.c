#include "analyzers/analyze.h"

#include <stdlib.h>

#include "analyzers/evidence.h"
#include "analyzers/findings.h"
#include "analyzers/strict.h"
#include "analyzers/threadpool.h"
#include "analyzers/title.h"

/* What the samples as a whole are worth. */
static void count_stacks(const struct recording *rec, struct diagnosis *d)
{
	size_t complete = 0;

	for (size_t i = 0; i < rec->n_samples; i++) {
		enum stack_end end = STACK_NO_REGISTERS;

		if (rec->samples[i].stack < rec->stacks.n_stacks)
			end = recording_get_stack(rec, rec->samples[i].stack)->end;
		if (end == STACK_COMPLETE)
			complete++;
		else
			d->incomplete[end]++;
	}
	d->complete_ratio = rec->n_samples ? (double)complete / (double)rec->n_samples : 1;
}

static void judge_all(struct diagnosis *d, struct stalls *stalls, struct judgement *judgements)
{
	const struct recording *rec = stalls->classifier.rec;
	nsec blamed = 0;

	for (size_t i = 0; i < rec->n_stalls; i++) {
		const struct stall *stall = &rec->stalls[i];
		size_t n;
		const struct part *parts = stalls_parts(stalls, stall, &n);

		judgements[i] = judge_stall(&stalls->classifier, stall, parts, n);
		d->stalls[i].cause = judgements[i].cause;
		d->stalls[i].severity = severity_of(stall->duration);
		d->stalls[i].beside = judgements[i].beside;
		d->stalls[i].clocked = judgements[i].clocked;
		d->stalls[i].callback = judgements[i].callback;
		d->stalled += stall->duration;
		blamed += judgements[i].blamed;
		if (stall->phase == PHASE_SERVING) {
			d->serving_stalled += stall->duration;
			d->serving_stalls++;
		}
	}
	if (d->stalled)
		d->unattributed_ratio = 1 - (double)blamed / (double)d->stalled;
}

struct diagnosis *diagnose(const struct recording *rec)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct judgement *judgements = xcalloc(rec->n_stalls + 1, sizeof(*judgements));
	struct stalls stalls;

	stalls_init(&stalls, rec, &d->arena);
	d->n_stalls = rec->n_stalls;
	d->stalls = xcalloc(rec->n_stalls + 1, sizeof(*d->stalls));
	judge_all(d, &stalls, judgements);
	findings_make(d, &stalls, judgements);
	strict_make(d, &stalls.classifier);
	count_stacks(rec, d);
	threadpool_judge(rec, d);
	stalls_destroy(&stalls);
	free(judgements);
	return d;
}

void diagnosis_free(struct diagnosis *d)
{
	if (!d)
		return;
	free(d->findings);
	free(d->strict);
	free(d->stalls);
	arena_free(&d->arena);
	free(d);
}

/* The max last samples of the stall that is going on or has just ended, at most; how many. */
static size_t collect_last(const struct recording *rec, const struct stall *stall,
			   struct part *parts, size_t max)
{
	size_t left = max;

	for (size_t i = rec->n_samples; i-- > 0 && left > 0;)
		if (rec->samples[i].stall == stall->id)
			parts[--left].sample = &rec->samples[i];
	for (size_t i = left; i < max; i++)
		parts[i - left] = parts[i];
	return max - left;
}

struct stall_diagnosis diagnose_stall(const struct recording *rec, const struct stall *stall,
				      const char **title, struct arena *a)
{
	size_t n, max = stall->samples < rec->n_samples ? stall->samples : rec->n_samples;
	struct part *parts = xcalloc(max + 1, sizeof(*parts));
	struct support_list support = { 0 };
	struct stall_diagnosis d = { .severity = severity_of(stall->duration),
				     .finding = UINT32_MAX };
	struct classifier c;
	struct evidence evidence;
	struct judgement j;

	classifier_init(&c, rec, a);
	n = collect_last(rec, stall, parts, max);
	blame_stall(&c, stall, parts, n);
	j = judge_stall(&c, stall, parts, n);
	support_add(&support, &c, &j, parts, n);
	evidence_collect(&j, &support, &evidence);
	d.cause = j.cause;
	d.culprit = support_culprit(rec, &support, 0);
	*title = title_make(a, &j, &evidence);
	support_destroy(&support);
	classifier_destroy(&c);
	free(parts);
	return d;
}
