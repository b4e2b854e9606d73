#include "report/html.h"

#include "core/units.h"
#include "report/text.h"

/* The thread pool, what could not be seen, and how the session saw the rest. */

static void open_fact(FILE *out, const char *name)
{
	fprintf(out, "<div><dt>%s</dt><dd>", name);
}

static void close_fact(FILE *out, struct strbuf *b)
{
	html_take(out, b);
	fputs("</dd></div>\n", out);
}

static void put_duration(FILE *out, const char *name, nsec ns)
{
	struct strbuf b = { 0 };

	open_fact(out, name);
	strbuf_duration(&b, ns);
	close_fact(out, &b);
}

static void put_text(FILE *out, const char *name, const char *text)
{
	struct strbuf b = { 0 };

	if (!text)
		return;
	open_fact(out, name);
	strbuf_puts_visible(&b, text);
	close_fact(out, &b);
}

void html_threadpool(FILE *out, const struct report *r)
{
	const struct threadpool *pool = &r->rec->threadpool;
	double busy = pool->observed ? (double)pool->busy / (double)pool->observed : 0;

	if (!pool->known)
		return;
	fprintf(out,
		"<section class=\"panel\" aria-labelledby=\"threadpool\">\n"
		"<h2 id=\"threadpool\">Thread pool</h2>\n"
		"<p>%u threads, busy %.0f %% of the time",
		pool->size, 100 * busy);
	if (r->rec->n_processes && pool->pid)
		fprintf(out, " (process %d)", pool->pid);
	fputs("</p>\n", out);
	html_bar(out, &busy, 1);
	fputs("<dl class=\"facts\">\n", out);
	put_duration(out, "all of them busy for", pool->saturated);
	if (pool->lookups)
		put_duration(out, "look-ups of names waited for", pool->lookups);
	if (pool->queue_wait.n) {
		put_duration(out, "work that had to wait, p50",
			     hist_quantile(&pool->queue_wait, 0.5));
		put_duration(out, "work that had to wait, p99",
			     hist_quantile(&pool->queue_wait, 0.99));
		put_duration(out, "work that had to wait, max", pool->queue_wait.max);
	}
	fputs("</dl>\n", out);
	if (r->diagnosis->pool.advice) {
		fprintf(out, "<p><strong>%s.</strong> ",
			r->diagnosis->pool.lookups ? "Full of look-ups" : "Saturated");
		html_text(out, r->diagnosis->pool.advice);
		fputs("</p>\n", out);
	}
	fputs("</section>\n", out);
}

static void put_doubt(FILE *out, uint64_t n, const char *words)
{
	struct strbuf b = { 0 };

	if (!n)
		return;
	strbuf_count(&b, n);
	fputs("<li>", out);
	html_take(out, &b);
	fprintf(out, " %s</li>\n", words);
}

static bool all_seen(const struct report *r)
{
	const struct session *s = &r->rec->session;
	const struct diagnosis *d = r->diagnosis;

	return !s->lost_samples && !s->lost_turns && d->complete_ratio >= 1 &&
	       d->unattributed_ratio < 0.0005 && !r->rec->n_notes;
}

void html_doubts(FILE *out, const struct report *r)
{
	const struct recording *rec = r->rec;
	const struct diagnosis *d = r->diagnosis;

	if (!text_saw_turns(rec) || all_seen(r)) {
		fputs(text_saw_turns(rec) ? "<p>Nothing was lost: every turn was timed and every "
					    "stack is complete.</p>\n"
					  : "<p>No turn of a loop was observed.</p>\n",
		      out);
		if (!rec->n_notes)
			return;
	}
	fputs("<ul>\n", out);
	put_doubt(out, rec->session.lost_turns, "turns were lost: their lag is unknown");
	put_doubt(out, rec->session.lost_samples, "samples were lost");
	if (d->unattributed_ratio >= 0.0005)
		fprintf(out, "<li>%.1f %% of the stalled time has no known culprit</li>\n",
			100 * d->unattributed_ratio);
	for (int end = STACK_COMPLETE + 1; end < STACK_ENDS; end++) {
		struct strbuf b = { 0 };

		strbuf_printf(&b, "of %zu stacks %s", rec->n_samples, text_stack_ends[end]);
		put_doubt(out, d->incomplete[end], b.s);
		strbuf_destroy(&b);
	}
	for (size_t i = 0; i < rec->n_notes; i++) {
		fputs("<li>", out);
		html_text(out, rec->notes[i]);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static const char *const end_names[] = {
	[END_RUNNING] = "it was still running",
	[END_TARGET_EXITED] = "the target ended",
	[END_INTERRUPTED] = "it was interrupted",
	[END_DURATION] = "its time was up",
	[END_CUT_SHORT] = "it was cut short",
	[END_PRIVILEGES] = "the target changed its privileges",
};

static void put_cost(FILE *out, const struct session *s)
{
	struct strbuf b = { 0 };

	if (!s->own_cpu || !s->duration)
		return;
	open_fact(out, "lagprof itself");
	strbuf_printf(&b, "%.1f %% of a CPU", 100 * (double)s->own_cpu / (double)s->duration);
	close_fact(out, &b);
}

void html_session(FILE *out, const struct report *r)
{
	const struct session *s = &r->rec->session;

	fputs("<dl class=\"facts\">\n", out);
	put_text(out, "lagprof", LAGPROF_VERSION);
	put_duration(out, "observed for", s->duration);
	put_text(out, "until", end_names[s->end]);
	put_duration(out, "a stall lasts at least", s->threshold);
	put_text(out, "probe", s->probe);
	if (s->error_bound)
		put_duration(out, "lags are right to", s->error_bound);
	if (s->sample_hz) {
		struct strbuf b = { 0 };

		open_fact(out, "samples in stalls");
		strbuf_printf(&b, "%zu, %u a second", r->rec->n_samples, s->sample_hz);
		close_fact(out, &b);
	}
	put_text(out, "unwinder", s->unwinder);
	put_cost(out, s);
	if (s->intrinsic_latency)
		put_duration(out, "the machine itself pauses for up to", s->intrinsic_latency);
	put_text(out, "program", r->rec->target.exe);
	fputs("</dl>\n", out);
}
