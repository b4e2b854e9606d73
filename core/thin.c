#include "core/thin.h"

#include <string.h>

/* Samples of a stall that ended so long ago that nobody will add to it. */
static size_t count_old(const struct recording *rec, nsec now)
{
	size_t n = 0;

	while (n < rec->n_samples) {
		const struct stall *s = &rec->stalls[rec->samples[n].stall];

		if (s->open || s->start + s->duration + THIN_AGE > now)
			break;
		n++;
	}
	return n;
}

static bool same_place(const struct sample *a, const struct sample *b)
{
	return a->stack == b->stack && a->syscall == b->syscall && a->arguments == b->arguments;
}

/* The one of two that tells more; arguments are rare and are kept. */
static bool tells_more(const struct sample *a, const struct sample *b)
{
	if (!a->n_arguments != !b->n_arguments)
		return a->n_arguments != 0;
	return a->weight > b->weight;
}

static void merge_into(struct sample *kept, const struct sample *s)
{
	nsec weight = kept->weight + s->weight, at = kept->at;

	if (tells_more(s, kept))
		*kept = *s;
	kept->weight = weight;
	kept->at = at;
}

/*
 * Merges each of n samples into the last kept one of its stall and state, if
 * that has the same place or, with `pairs`, if that has not taken one in
 * yet.  Returns how many are left.
 */
static size_t merge(struct sample *samples, size_t n, bool pairs)
{
	struct sample *last[SAMPLE_STOPPED + 1] = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct sample s = samples[i], **before = &last[s.state];

		if (kept && samples[kept - 1].stall != s.stall)
			memset(last, 0, sizeof(last));
		if (*before && (pairs || same_place(*before, &s))) {
			merge_into(*before, &s);
			*before = pairs ? NULL : *before;
		} else {
			samples[kept] = s;
			*before = &samples[kept++];
		}
	}
	return kept;
}

void recording_thin(struct recording *rec, nsec now)
{
	size_t share = rec->memory_max / 4 / sizeof(*rec->samples), old, left, before;

	if (!rec->memory_max || rec->n_samples < share || rec->n_samples < rec->thin_at)
		return;
	old = count_old(rec, now);
	left = merge(rec->samples, old, false);
	do {
		before = left;
		if (rec->n_samples - old + left > share / 2)
			left = merge(rec->samples, left, true);
	} while (left < before);
	memmove(rec->samples + left, rec->samples + old,
		(rec->n_samples - old) * sizeof(*rec->samples));
	rec->n_samples -= old - left;
	rec->samples_gone += old - left;
	rec->thin_at = rec->n_samples + share / 8;
	recording_note(rec, "samples of older stalls were merged to save memory; "
			    "the times of every stall are whole");
}
