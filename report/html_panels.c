#include "report/html.h"

#include "core/units.h"
#include "report/text.h"

/* The panels below the findings: lag, host, thread pool, what could not be seen, the session. */

static void put_duration(FILE *out, nsec ns)
{
	struct strbuf b = { 0 };

	strbuf_duration(&b, ns);
	html_take(out, &b);
}

static void put_count(FILE *out, uint64_t n)
{
	struct strbuf b = { 0 };

	strbuf_count(&b, n);
	html_take(out, &b);
}

/* Turns by length, in steps of 1, 2 and 5. */
enum { BINS = 23 };

struct bins {
	uint64_t turns[BINS];
	double ns[BINS]; /* time in them */
	double all;
	int first, last; /* that are not empty */
};

/* Lower limit of a bin; the first begins at 0, the last has no upper one. */
static nsec bin_from(int bin)
{
	static const nsec steps[] = { 1, 2, 5 };
	nsec ns = 1000;

	for (int i = (bin - 1) / 3; i > 0; i--)
		ns *= 10;
	return bin ? ns * steps[(bin - 1) % 3] : 0;
}

static void fill_bins(struct bins *b, const struct hist *h)
{
	int bin = 0;

	*b = (struct bins){ .first = -1 };
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		nsec upper = hist_bucket_upper(i);

		if (!h->count[i])
			continue;
		while (bin + 1 < BINS && upper >= bin_from(bin + 1))
			bin++;
		b->first = b->first < 0 ? bin : b->first;
		b->last = bin;
		b->turns[bin] += h->count[i];
		b->ns[bin] += (double)h->count[i] * (double)upper;
		b->all += (double)h->count[i] * (double)upper;
	}
}

static void put_bin(FILE *out, const struct bins *b, int bin, double most)
{
	double share = b->ns[bin] / most;
	nsec from = bin_from(bin);

	fprintf(out, "<tr class=\"%s\"><th scope=\"row\">",
		from >= 100000000  ? "incident"
		: from >= 50000000 ? "warning"
		: from >= 20000000 ? "notice"
				   : "plain");
	if (bin + 1 < BINS) {
		put_duration(out, from);
		fputs(" – ", out);
		put_duration(out, bin_from(bin + 1));
	} else {
		put_duration(out, from);
		fputs(" or more", out);
	}
	fputs("</th><td class=\"num\">", out);
	put_count(out, b->turns[bin]);
	fprintf(out, "</td><td class=\"num\">%.1f %%</td><td>", 100 * b->ns[bin] / b->all);
	html_bar(out, &share, 1);
	fputs("</td></tr>\n", out);
}

static void put_bins(FILE *out, const struct hist *h)
{
	struct bins b;
	double most = 0;

	fill_bins(&b, h);
	for (int i = 0; i < BINS; i++)
		most = b.ns[i] > most ? b.ns[i] : most;
	fputs("<table class=\"lag\"><thead><tr><th scope=\"col\">lag</th>"
	      "<th scope=\"col\" class=\"num\">turns</th>"
	      "<th scope=\"col\" class=\"num\">of busy time</th><th></th></tr></thead><tbody>\n",
	      out);
	for (int i = b.first; i <= b.last && most > 0; i++)
		put_bin(out, &b, i, most);
	fputs("</tbody></table>\n", out);
}

static void put_quantiles(FILE *out, const struct hist *h)
{
	static const struct {
		const char *name;
		double q;
	} rows[] = { { "p50", 0.5 },
		     { "p90", 0.9 },
		     { "p99", 0.99 },
		     { "p99.9", 0.999 },
		     { "p99.99", 0.9999 } };

	fputs("<table class=\"quantiles\"><thead><tr>", out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(out, "<th scope=\"col\" class=\"num\">%s</th>", rows[i].name);
	fputs("<th scope=\"col\" class=\"num\">max</th><th scope=\"col\" class=\"num\">mean</th>"
	      "</tr></thead><tbody><tr>",
	      out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fputs("<td class=\"num\">", out);
		put_duration(out, hist_quantile(h, rows[i].q));
		fputs("</td>", out);
	}
	fputs("<td class=\"num\">", out);
	put_duration(out, h->max);
	fputs("</td><td class=\"num\">", out);
	put_duration(out, h->sum / h->n);
	fputs("</td></tr></tbody></table>\n", out);
}

void html_lag(FILE *out, const struct report *r)
{
	for (size_t i = 0; i < r->rec->n_loops; i++) {
		const struct loop *loop = r->rec->loops[i];
		struct strbuf b = { 0 };

		fputs("<p>", out);
		text_loop(&b, loop);
		html_take(out, &b);
		fputs("</p>\n", out);
		if (!loop->lag.n)
			continue;
		put_quantiles(out, &loop->lag);
		put_bins(out, &loop->lag);
	}
}

static void put_state(FILE *out, int part, const char *name, double ns, double all)
{
	fprintf(out,
		"<div><dt><svg class=\"key\" viewBox=\"0 0 1 1\" aria-hidden=\"true\">"
		"<rect class=\"part%d\" width=\"1\" height=\"1\"/></svg>%s</dt><dd>",
		part, name);
	/* The times of a hostile recording may add up to more than fits. */
	put_duration(out, ns < 1e19 ? (nsec)ns : UINT64_MAX);
	fprintf(out, " <span>%.1f %%</span></dd></div>\n", 100 * ns / all);
}

/* What the threads did during all stalls. */
void html_host(FILE *out, const struct report *r)
{
	static const char *const names[] = { "on a CPU", "waiting for a CPU",
					     "blocked in the kernel", "stopped" };
	double ns[4] = { 0 }, shares[4], throttled = 0, faults = 0, all = 0;

	for (size_t i = 0; i < r->rec->n_stalls; i++) {
		const struct stall *s = &r->rec->stalls[i];

		ns[0] += (double)s->running;
		ns[1] += (double)s->runnable;
		ns[2] += (double)s->blocked;
		ns[3] += (double)s->stopped;
		throttled += (double)s->throttled;
		faults += (double)s->page_fault;
	}
	all = ns[0] + ns[1] + ns[2] + ns[3];
	if (all <= 0)
		return;
	for (int i = 0; i < 4; i++)
		shares[i] = ns[i] / all;
	fputs("<section class=\"panel\" aria-labelledby=\"host\">\n"
	      "<h2 id=\"host\">Where the stalled time went</h2>\n",
	      out);
	html_bar(out, shares, 4);
	fputs("<dl class=\"states\">\n", out);
	for (int i = 0; i < 4; i++)
		put_state(out, i, names[i], ns[i], all);
	if (throttled > 0)
		put_state(out, 4, "of it throttled by a CPU quota", throttled, all);
	if (faults > 0)
		put_state(out, 4, "of it waiting for pages from disk", faults, all);
	fputs("</dl>\n</section>\n", out);
}
