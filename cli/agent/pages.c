#include "cli/agent/pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/analyze.h"
#include "report/renderer.h"

enum { SECONDS_DEFAULT = 60, SECONDS_MAX = WINDOW_LONGEST / 1000000000 };
static const nsec PATIENCE = 8000000000; /* less than what scrapers have */
static const char *const state_words[OBSERVED_STATES] = {
	"starting",
	"observed",
	"observed, but no thread of it was seen to poll",
	"not observed",
	"not observed: there are too many processes",
};

static bool refuse(struct page *page, unsigned status, const char *why)
{
	page->status = status;
	strbuf_printf(&page->body, "%s\n", why);
	return true;
}

static void put_member(struct strbuf *out, const struct member *m)
{
	const struct vitals *v = &m->vitals;
	uint64_t stalls = 0;

	for (size_t i = 0; i < CAUSES; i++)
		stalls += v->total.stalls[i];
	strbuf_printf(out, "process %d ", m->pid);
	strbuf_puts_visible(out, m->app->name);
	strbuf_printf(out, ": %s", state_words[m->state]);
	if (m->state == OBSERVED_LOOP)
		strbuf_printf(out, ", probe %s, loops %u, turns %llu, stalls %llu", v->probe,
			      v->loops, (unsigned long long)v->total.lag.n,
			      (unsigned long long)stalls);
	if (m->why[0]) {
		strbuf_puts(out, ": ");
		strbuf_puts_visible(out, m->why);
	}
	strbuf_puts(out, "\n");
}

static bool index_page(struct pages *p, const struct query *query, struct page *page)
{
	struct strbuf *out = &page->body;
	const struct fleet *f = p->fleet;
	struct metrics m;

	fleet_metrics(p->fleet, &m);
	strbuf_printf(
		out,
		"lagprof agent " LAGPROF_VERSION "\n\n"
		"/metrics                       for Prometheus\n"
		"/debug/pprof/stalls?seconds=N  stacks of the stalls of the last N seconds (%d; at "
		"most %d),\n"
		"                               &app=NAME: of that program only\n"
		"/healthz                       does the agent work?\n\n",
		SECONDS_DEFAULT, SECONDS_MAX);
	for (size_t i = 0; i < m.n_wanted; i++) {
		strbuf_puts(out, "processes called ");
		strbuf_puts_visible(out, m.wanted[i].pattern);
		strbuf_printf(out, ": %u\n", m.wanted[i].processes);
	}
	for (size_t i = 0; i < f->n_members; i++)
		put_member(out, f->members[i]);
	if (f->crowded)
		strbuf_printf(out, "there were more than %d; the others were left out\n",
			      FLEET_MEMBERS_MAX);
	return true;
}

/* Of the agent only: what it could not observe is in the metrics. */
static bool health_page(struct pages *p, const struct query *query, struct page *page)
{
	unsigned observed = 0;

	for (size_t i = 0; i < p->fleet->n_members; i++)
		observed += p->fleet->members[i]->state == OBSERVED_LOOP;
	strbuf_printf(&page->body, "the agent works; %u of %zu processes are observed\n", observed,
		      p->fleet->n_members);
	return true;
}

static bool metrics_page(struct pages *p, const struct query *query, struct page *page)
{
	struct metrics m;

	fleet_metrics(p->fleet, &m);
	page->type = METRICS_CONTENT_TYPE;
	metrics_write(&page->body, &m);
	return true;
}

/* -1: not a number that is allowed. */
static long parse_seconds(const char *text)
{
	char *end;
	long n;

	if (!text)
		return SECONDS_DEFAULT;
	n = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || n < 1 || n > SECONDS_MAX)
		return -1;
	return n;
}

static bool profile_page(struct pages *p, const struct query *query, struct page *page)
{
	long seconds = parse_seconds(query->seconds);

	if (seconds < 0)
		return refuse(page, 400, "seconds is a number from 1 to 3600");
	if (p->until)
		return refuse(page, 503, "another profile is being made");
	if (!fleet_ask(p->fleet, query->app, (nsec)seconds * 1000000000))
		return refuse(page, 404, "app: no program of that name was seen; / lists them");
	p->until = p->fleet->now + PATIENCE;
	return false;
}

static const struct row {
	const char *path;
	bool (*answer)(struct pages *p, const struct query *query, struct page *page);
	bool parameters; /* it takes some */
} rows[] = {
	/* clang-format off */
	{ "/", index_page },
	{ "/healthz", health_page },
	{ "/metrics", metrics_page },
	{ "/debug/pprof/stalls", profile_page, true },
	/* clang-format on */
};

bool pages_answer(void *arg, const struct query *query, struct page *page)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(query->path, rows[i].path) != 0)
			continue;
		if (query->more || (!rows[i].parameters && (query->app || query->seconds)))
			return refuse(page, 400,
				      "unknown or repeated parameter; / lists what there is");
		return rows[i].answer(arg, query, page);
	}
	return refuse(page, 404, "no such page; / lists what there is");
}

static int render_profile(struct page *page, const struct recording *rec, struct error *err)
{
	struct diagnosis *d = diagnose(rec);
	struct report report = { .rec = rec, .diagnosis = d };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int ret = out ? renderer_pprof.render(&report, out, err) : -ENOMEM;

	if (out)
		fclose(out);
	if (ret == 0)
		strbuf_add(&page->body, text, len);
	free(text);
	diagnosis_free(d);
	page->type = "application/octet-stream";
	page->file = "stalls.pb.gz";
	return ret;
}

void pages_complete(struct pages *p, nsec now)
{
	struct page page = { .status = 200, .type = "text/plain; charset=utf-8" };
	struct error err = { 0 };
	struct recording *rec;

	if (!p->until || (!fleet_answered(p->fleet) && now < p->until))
		return;
	p->until = 0;
	rec = fleet_window(p->fleet, &err);
	if (!rec)
		refuse(&page, 503, err.msg);
	else if (render_profile(&page, rec, &err) < 0)
		refuse(&page, 500, err.msg);
	recording_free(rec);
	server_answer(p->server, &page);
}
