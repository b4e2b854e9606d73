#include "report/text.h"

#include <inttypes.h>

#include "core/units.h"
#include "report/place.h"

static const char *const kind_names[] = {
	[LOOP_EPOLL] = "epoll",       [LOOP_POLL] = "poll",   [LOOP_SELECT] = "select",
	[LOOP_IO_URING] = "io_uring", [LOOP_LIBUV] = "libuv", [LOOP_ASYNCIO] = "asyncio",
};

static void finish(const struct page *page, enum ink ink, struct strbuf *b)
{
	page_print(page, ink, 0, b->s);
	strbuf_destroy(b);
}

static void put_quantile(struct strbuf *b, const char *name, uint64_t ns)
{
	strbuf_puts(b, name);
	strbuf_duration(b, ns);
}

const char *text_loop_kind(enum loop_kind kind)
{
	return kind_names[kind];
}

void text_loop(struct strbuf *b, const struct loop *loop)
{
	nsec total = loop->busy + loop->polled;

	strbuf_printf(b, "loop %s (", kind_names[loop->kind]);
	strbuf_puts_visible(b, loop->name ? loop->name : "?");
	if (loop->pid != loop->tid && loop->pid)
		strbuf_printf(b, ", pid %d", loop->pid);
	strbuf_printf(b, ", tid %d): ", loop->tid);
	strbuf_count(b, loop->turns);
	strbuf_puts(b, loop->turns == 1 ? " turn" : " turns");
	if (total)
		strbuf_printf(b, ", busy %.1f %%", 100 * (double)loop->busy / (double)total);
	if (loop->lag.n) {
		put_quantile(b, ", lag p50 ", hist_quantile(&loop->lag, 0.5));
		put_quantile(b, ", p99 ", hist_quantile(&loop->lag, 0.99));
		put_quantile(b, ", max ", loop->lag.max);
	}
	if (loop->lost) {
		strbuf_puts(b, ", lost ");
		strbuf_count(b, loop->lost);
	}
}

void text_loops(const struct report *r, const struct page *page)
{
	for (size_t i = 0; i < r->rec->n_loops; i++) {
		struct strbuf b = { 0 };

		text_loop(&b, r->rec->loops[i]);
		finish(page, INK_NONE, &b);
	}
}

/* "4 threads, busy 74 %, all of them busy for 2.7 s; work that waited: p50 68 ms, ...". */
static void put_pool(struct strbuf *b, const struct threadpool *pool)
{
	strbuf_printf(b, "%u threads", pool->size);
	if (pool->observed)
		strbuf_printf(b, ", busy %.0f %%",
			      100 * (double)pool->busy / (double)pool->observed);
	if (pool->saturated)
		put_quantile(b, ", all of them busy for ", pool->saturated);
	if (pool->lookups)
		put_quantile(b, ", look-ups of names waited for ", pool->lookups);
	if (!pool->queue_wait.n)
		return;
	put_quantile(b, "; work that had to wait: p50 ", hist_quantile(&pool->queue_wait, 0.5));
	put_quantile(b, ", p99 ", hist_quantile(&pool->queue_wait, 0.99));
	put_quantile(b, ", max ", pool->queue_wait.max);
	if (pool->resolution)
		put_quantile(b, ", known to ", pool->resolution);
}

void text_threadpool(const struct report *r, const struct page *page)
{
	const struct threadpool *pool = &r->rec->threadpool;
	const struct pool_verdict *verdict = &r->diagnosis->pool;
	struct strbuf b = { 0 };

	if (!pool->known)
		return;
	strbuf_puts(&b, "thread pool");
	if (r->rec->n_processes && pool->pid)
		strbuf_printf(&b, " of process %d", pool->pid);
	strbuf_puts(&b, verdict->lookups     ? " full of look-ups of names: "
			: verdict->saturated ? " saturated: "
					     : ": ");
	put_pool(&b, pool);
	finish(page, verdict->saturated ? INK_YELLOW : INK_NONE, &b);
	if (verdict->advice)
		page_print(page, INK_NONE, 2, verdict->advice);
}

static void put_neighbours(struct strbuf *b, const struct host *host, int32_t target)
{
	enum { SHOWN = 3 };

	for (uint32_t i = 0; i < host->n_neighbours && i < SHOWN; i++) {
		const struct neighbour *n = &host->neighbours[i];

		strbuf_puts(b, i ? ", " : "; while the loop waited for a CPU ran ");
		strbuf_puts_visible(b, n->name ? n->name : "?");
		if (n->pid == target)
			strbuf_puts(b, " (other threads of the target) ");
		else
			strbuf_printf(b, " (%d) ", n->pid);
		strbuf_duration(b, n->time);
	}
}

/* What the machine gave: only what may explain something. */
void text_host(const struct report *r, const struct page *page)
{
	const struct host *host = &r->rec->host;
	struct strbuf b = { 0 };

	if (!host->cpu)
		return;
	strbuf_printf(&b, "machine: %u CPU%s, %.0f %% idle", host->cpus, host->cpus == 1 ? "" : "s",
		      100 * (double)host->idle / (double)host->cpu);
	if (host->steal > host->cpu / 100)
		strbuf_printf(&b, ", %.0f %% stolen by the hypervisor",
			      100 * (double)host->steal / (double)host->cpu);
	if (host->quota)
		strbuf_printf(&b, ", quota %.3g CPUs", (double)host->quota / 1000);
	if (host->throttled)
		put_quantile(&b, " that held its threads back for ", host->throttled);
	put_neighbours(&b, host, r->rec->target.pid);
	finish(page, INK_DIM, &b);
}

static void put_lost(struct strbuf *b, const struct session *session)
{
	if (session->lost_samples) {
		strbuf_count(b, session->lost_samples);
		strbuf_puts(b, session->lost_samples == 1 ? " sample lost" : " samples lost");
	}
	if (session->lost_turns) {
		strbuf_puts(b, b->len ? ", " : "");
		strbuf_count(b, session->lost_turns);
		strbuf_puts(b, session->lost_turns == 1 ? " turn lost" : " turns lost");
	}
}

const char *const text_stack_ends[STACK_ENDS] = {
	[STACK_TRUNCATED] = "are deeper than what could be copied",
	[STACK_SEAM] = "changed while they were being copied",
	[STACK_NO_UNWIND_INFO] = "lead through code that does not say how to leave it",
	[STACK_BAD_FRAME] = "hold a frame that leads nowhere",
	[STACK_NOT_CODE] = "hold a return address that is not code",
	[STACK_TOO_DEEP] = "have more frames than are followed",
	[STACK_NO_REGISTERS] = "came without registers",
};

static void put_incomplete(struct strbuf *b, const struct diagnosis *d)
{
	const char *between = " (";

	if (d->complete_ratio >= 1)
		return;
	strbuf_printf(b, "%s%.1f %% of the stacks are incomplete", b->len ? ", " : "",
		      100 * (1 - d->complete_ratio));
	for (int end = 0; end < STACK_ENDS; end++) {
		if (!d->incomplete[end])
			continue;
		strbuf_puts(b, between);
		strbuf_count(b, d->incomplete[end]);
		strbuf_printf(b, " %s", text_stack_ends[end]);
		between = ", ";
	}
	strbuf_puts(b, ")");
}

void text_doubts(const struct report *r, const struct page *page)
{
	const struct recording *rec = r->rec;
	struct strbuf b = { 0 };

	put_lost(&b, &rec->session);
	put_incomplete(&b, r->diagnosis);
	if (r->diagnosis->unattributed_ratio >= 0.0005)
		strbuf_printf(&b, "%s%.1f %% of the stalled time has no known culprit",
			      b.len ? ", " : "", 100 * r->diagnosis->unattributed_ratio);
	if (b.len)
		finish(page, INK_YELLOW, &b);
	for (size_t i = 0; i < rec->n_notes; i++) {
		strbuf_puts(&b, "note: ");
		strbuf_puts_visible(&b, rec->notes[i]);
		finish(page, INK_YELLOW, &b);
	}
}

static void put_own_cpu(struct strbuf *b, const struct session *s)
{
	/* Starting takes as much as a minute of watching: a share of a moment misleads. */
	if (s->duration < 1000000000)
		put_quantile(b, ", lagprof used ", s->own_cpu);
	else
		strbuf_printf(b, ", lagprof used %.1f %%",
			      100 * (double)s->own_cpu / (double)s->duration);
	strbuf_puts(b, " of a CPU");
}

void text_probe(const struct report *r, const struct page *page)
{
	const struct session *s = &r->rec->session;
	struct strbuf b = { 0 };

	strbuf_printf(&b, "probe %s", s->probe ? s->probe : "unknown");
	if (s->error_bound)
		put_quantile(&b, ", lags right to ", s->error_bound);
	if (s->sample_hz)
		strbuf_printf(&b, ", %u samples/s in stalls", s->sample_hz);
	if (s->own_cpu && s->duration)
		put_own_cpu(&b, s);
	if (s->target_cpu && s->duration)
		strbuf_printf(&b, " and about %.2g %% of the target's",
			      100 * (double)s->target_cpu / (double)s->duration);
	if (s->steps)
		strbuf_printf(&b, ", %u step%s between exact and light", s->steps,
			      s->steps > 1 ? "s" : "");
	if (s->intrinsic_latency)
		put_quantile(&b, "; the machine itself pauses for up to ", s->intrinsic_latency);
	finish(page, INK_DIM, &b);
}
