#include "sampler/pool_watch.h"

static const nsec SEARCH = 250000000;

void pool_watch_init(struct pool_watch *w, const struct target *target, struct space *space)
{
	*w = (struct pool_watch){ .target = target,
				  .space = space,
				  .memory = memory_live_new(target->pid) };
}

void pool_watch_destroy(struct pool_watch *w)
{
	memory_live_free(w->memory);
}

static void search(struct pool_watch *w, nsec now)
{
	struct pool_place place;

	w->next_search = now + SEARCH;
	w->found = pool_find(w->target, w->space, memory_of_live(w->memory), &place);
	if (w->found)
		pool_init(&w->pool, &place);
}

void pool_watch_step(struct pool_watch *w, nsec now, struct threadpool *out)
{
	if (now < pool_watch_due(w))
		return;
	memory_live_forget(w->memory);
	if (!w->found)
		search(w, now);
	if (w->found)
		pool_look(&w->pool, memory_of_live(w->memory), now, out);
}

nsec pool_watch_due(const struct pool_watch *w)
{
	return w->found ? w->pool.next : w->next_search;
}

void pool_watch_stop(struct pool_watch *w, struct threadpool *out)
{
	if (w->found)
		pool_finish(&w->pool, out);
	w->found = false;
	w->next_search = 0;
}
