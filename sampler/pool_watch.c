#include "sampler/pool_watch.h"

static const nsec SEARCH = 250000000; /* the first ones; then ever less often */
enum { SEARCH_RARELY = 3 };           /* powers of two */

void pool_watch_init(struct pool_watch *w, const struct target *target, struct space *space)
{
	*w = (struct pool_watch){ .target = target,
				  .space = space,
				  .memory = memory_live_new(target->pid),
				  .counts.pid = target->pid };
	hist_init(&w->counts.queue_wait);
}

void pool_watch_destroy(struct pool_watch *w)
{
	memory_live_free(w->memory);
}

static void search(struct pool_watch *w, nsec now)
{
	struct pool_place place;

	w->next_search = now + (SEARCH << w->searches);
	w->searches += w->searches < SEARCH_RARELY;
	w->found = pool_find(w->target, w->space, memory_of_live(w->memory), &place);
	if (w->found)
		pool_init(&w->pool, &place);
}

void pool_watch_step(struct pool_watch *w, nsec now)
{
	if (now < pool_watch_due(w))
		return;
	memory_live_use(w->memory, space_memory(w->space));
	memory_live_forget(w->memory);
	if (!w->found)
		search(w, now);
	if (w->found)
		pool_look(&w->pool, memory_of_live(w->memory), now, &w->counts);
}

nsec pool_watch_due(const struct pool_watch *w)
{
	return w->found ? w->pool.next : w->next_search;
}

void pool_watch_stop(struct pool_watch *w)
{
	if (w->found)
		pool_finish(&w->pool, &w->counts);
	w->found = false;
	w->searches = 0;
	w->next_search = 0;
}

void pool_watch_weigh(struct pool_watch *w, double idle)
{
	w->counts.saturated_idle += (nsec)((double)(w->counts.saturated - w->weighed) * idle);
	w->weighed = w->counts.saturated;
}

static bool is_worse(const struct threadpool *a, const struct threadpool *b)
{
	return a->saturated != b->saturated ? a->saturated > b->saturated : a->busy > b->busy;
}

void pool_watch_report(const struct pool_watch *w, struct threadpool *worst)
{
	if (!w->counts.known)
		return;
	if (!worst->known || worst->pid == w->counts.pid || is_worse(&w->counts, worst))
		*worst = w->counts;
}
