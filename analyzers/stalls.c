#include "analyzers/stalls.h"

#include <stdlib.h>

/* A file may name stalls that are not there. */
static bool belongs(const struct recording *rec, size_t sample)
{
	return rec->samples[sample].stall < rec->n_stalls;
}

void stalls_init(struct stalls *s, const struct recording *rec, struct arena *arena)
{
	uint32_t longest = 0, *next = xcalloc(rec->n_stalls + 1, sizeof(*next));

	*s = (struct stalls){ 0 };
	classifier_init(&s->classifier, rec, arena);
	s->first = xcalloc(rec->n_stalls + 1, sizeof(*s->first));
	s->order = xcalloc(rec->n_samples + 1, sizeof(*s->order));
	for (size_t i = 0; i < rec->n_samples; i++)
		if (belongs(rec, i))
			s->first[rec->samples[i].stall + 1]++;
	for (size_t i = 1; i <= rec->n_stalls; i++) {
		longest = s->first[i] > longest ? s->first[i] : longest;
		s->first[i] += s->first[i - 1];
		next[i] = s->first[i];
	}
	for (size_t i = 0; i < rec->n_samples; i++)
		if (belongs(rec, i))
			s->order[next[rec->samples[i].stall]++] = (uint32_t)i;
	s->parts = xcalloc(longest + 1, sizeof(*s->parts));
	free(next);
}

void stalls_destroy(struct stalls *s)
{
	classifier_destroy(&s->classifier);
	free(s->first);
	free(s->order);
	free(s->parts);
}

const struct part *stalls_parts(struct stalls *s, const struct stall *stall, size_t *n)
{
	const struct recording *rec = s->classifier.rec;
	uint32_t first = s->first[stall->id];

	*n = s->first[stall->id + 1] - first;
	for (size_t i = 0; i < *n; i++)
		s->parts[i].sample = &rec->samples[s->order[first + i]];
	blame_stall(&s->classifier, stall, s->parts, *n);
	return s->parts;
}
