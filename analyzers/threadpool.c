#include "analyzers/threadpool.h"

/* What the field acts on: less is how a pool in use looks. */
static const nsec MIN_SATURATED = 100000000, MIN_WAIT = 10000000;
static const nsec HIGH_LAG = 30000000; /* at the 99th percentile */
static const double MIN_SHARE = 0.01;  /* of the time, saturated */
static const double IDLE = 0.25;       /* share of the CPUs from which on more threads find some */
static const double HELD_BACK = 0.05;  /* of the time, by a quota */
enum { MIN_WAITED = 5 };

static double share(nsec part, nsec whole)
{
	return whole ? (double)part / (double)whole : 0;
}

/* Did work wait because, for so long, no thread was free for it? */
static bool is_full(const struct threadpool *pool, nsec full)
{
	return pool->known && pool->size && full >= MIN_SATURATED &&
	       share(full, pool->observed / pool->size) >= MIN_SHARE &&
	       pool->queue_wait.n >= MIN_WAITED &&
	       hist_quantile(&pool->queue_wait, 0.99) >= MIN_WAIT;
}

/*
 * Is it the look-ups that wait?  libuv gives them no more than half of the threads, and on these
 * they wait for a name server, whatever the CPUs do.
 */
static bool is_full_of_lookups(const struct threadpool *pool)
{
	return is_full(pool, pool->lookups) && pool->lookups > pool->saturated / 2;
}

static const char *advise_lookups(const struct threadpool *pool, struct arena *a)
{
	const char *host = pool->lookup_host;

	return arena_printf(
		a,
		"It is look-ups of names%s%s%s that wait, for libuv gives them %u of its "
		"%u threads: see why the name server is slow, keep connections and answers "
		"(agents with keepAlive, a cache), or use dns.resolve(), which needs no "
		"thread. More threads help little.",
		host[0] ? " (such as " : "", host, host[0] ? ")" : "", (pool->size + 1) / 2,
		pool->size);
}

/* A loop of the process whose pool it is (0: unknown, any). */
static bool is_of_pool(const struct recording *rec, size_t loop)
{
	return loop < rec->n_loops &&
	       (!rec->threadpool.pid || rec->loops[loop]->pid == rec->threadpool.pid);
}

/* Do the turns of its own loop take long, for another reason than a want of CPUs? */
static bool is_blocked(const struct recording *rec)
{
	nsec stalled = 0, waited = 0;
	bool high = false;

	for (size_t i = 0; i < rec->n_loops; i++)
		if (is_of_pool(rec, i) && rec->loops[i]->lag.n &&
		    hist_quantile(&rec->loops[i]->lag, 0.99) >= HIGH_LAG)
			high = true;
	for (size_t i = 0; i < rec->n_stalls; i++) {
		if (rec->stalls[i].phase != PHASE_SERVING || !is_of_pool(rec, rec->stalls[i].loop))
			continue;
		stalled += rec->stalls[i].duration;
		waited += rec->stalls[i].runnable + rec->stalls[i].held_up;
	}
	return high && waited < stalled / 2;
}

static double idle_share(const struct recording *rec)
{
	const struct host *host = &rec->host;

	if (host->quota && share(host->throttled, rec->session.duration) >= HELD_BACK)
		return 0;
	return share(rec->threadpool.saturated_idle, rec->threadpool.saturated);
}

static const char *advise(const struct recording *rec, struct arena *a)
{
	uint32_t size = rec->threadpool.size, cpus = rec->host.cpus;
	double idle = idle_share(rec);

	if (is_blocked(rec))
		return "Unblock the loop first: while its turns take this long, more threads help "
		       "nobody.";
	if (!cpus || !rec->host.cpu)
		return "A larger pool (UV_THREADPOOL_SIZE) helps only while CPUs are idle.";
	if (idle < IDLE)
		return arena_printf(a,
				    "Leave UV_THREADPOOL_SIZE at %u: the CPUs were %.0f %% busy "
				    "meanwhile, and more threads would only wait for each other. "
				    "Give the pool less work, or the service more CPUs.",
				    size, 100 * (1 - idle));
	if (size < cpus)
		return arena_printf(
			a,
			"Start it with UV_THREADPOOL_SIZE=%u, one thread a CPU: %.0f %% of "
			"the CPUs were idle meanwhile.",
			cpus, 100 * idle);
	return arena_printf(
		a,
		"%.0f %% of the CPUs were idle meanwhile, so its threads wait for disks or "
		"the network: move the work that holds them longest off the pool, or "
		"let UV_THREADPOOL_SIZE exceed the %u CPUs by a little.",
		100 * idle, cpus);
}

void threadpool_judge(const struct recording *rec, struct diagnosis *d)
{
	const struct threadpool *pool = &rec->threadpool;

	d->pool.lookups = is_full_of_lookups(pool);
	d->pool.saturated = d->pool.lookups || is_full(pool, pool->saturated);
	d->pool.advice = NULL;
	if (d->pool.lookups)
		d->pool.advice = advise_lookups(pool, &d->arena);
	else if (d->pool.saturated)
		d->pool.advice = advise(rec, &d->arena);
}
