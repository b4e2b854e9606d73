#include "report/tui/history.h"

#include <stdlib.h>
#include <string.h>

static const nsec SECOND = 1000000000;

void history_advance(struct history *h, nsec at)
{
	uint64_t second = at / SECOND;

	if (second > h->now + HISTORY_SECONDS)
		h->now = second - HISTORY_SECONDS;
	while (h->now < second)
		h->worst[++h->now % HISTORY_SECONDS] = 0;
}

static void put(struct history *h, uint64_t second, nsec lag)
{
	nsec *worst = &h->worst[second % HISTORY_SECONDS];

	if (second > h->now || second + HISTORY_SECONDS <= h->now)
		return;
	if (lag > *worst)
		*worst = lag;
}

void history_stall(struct history *h, nsec start, nsec duration)
{
	nsec end = start + duration < start ? UINT64_MAX : start + duration;
	uint64_t first = start / SECOND, last = end / SECOND;

	history_advance(h, end > start + 1 ? end - 1 : end);
	if (first + HISTORY_SECONDS < h->now)
		first = h->now - HISTORY_SECONDS;
	for (uint64_t s = first; s <= last && s <= h->now; s++) {
		nsec until = (s + 1) * SECOND < end ? (s + 1) * SECOND : end;

		put(h, s, until > start ? until - start : 0);
	}
}

/* The longest lag below the threshold that was counted since. */
static nsec longest_new(const struct hist *lag, const uint64_t *before, nsec threshold)
{
	for (size_t i = hist_bucket(threshold); i-- > 0;)
		if (lag->count[i] > before[i])
			return hist_bucket_upper(i);
	return 0;
}

void history_turns(struct history *h, const struct recording *rec, nsec at)
{
	history_advance(h, at);
	if (rec->n_loops > h->n_before) {
		h->before = xrealloc(h->before, rec->n_loops, sizeof(*h->before));
		for (; h->n_before < rec->n_loops; h->n_before++)
			h->before[h->n_before] = xcalloc(HIST_BUCKETS, sizeof(uint64_t));
	}
	for (size_t i = 0; i < rec->n_loops; i++) {
		const struct hist *lag = &rec->loops[i]->lag;
		nsec longest = longest_new(lag, h->before[i], rec->session.threshold);

		/* Most of the second that has passed lies before `at`. */
		put(h, (at > SECOND / 2 ? at - SECOND / 2 : 0) / SECOND, longest);
		memcpy(h->before[i], lag->count, sizeof(lag->count));
	}
}

nsec history_get(const struct history *h, uint64_t ago)
{
	if (ago >= HISTORY_SECONDS || ago > h->now)
		return 0;
	return h->worst[(h->now - ago) % HISTORY_SECONDS];
}

void history_destroy(struct history *h)
{
	for (size_t i = 0; i < h->n_before; i++)
		free(h->before[i]);
	free(h->before);
	*h = (struct history){ 0 };
}
