#include "report/html.h"

#include "core/units.h"
#include "report/text.h"

/* How long the turns of each loop were. */

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

static void put_loop(FILE *out, const struct loop *loop, bool folded)
{
	struct strbuf b = { 0 };

	fputs(folded ? "<details><summary>" : "<p>", out);
	text_loop(&b, loop);
	html_take(out, &b);
	fputs(folded ? "</summary>\n" : "</p>\n", out);
	if (loop->lag.n) {
		put_quantiles(out, &loop->lag);
		put_bins(out, &loop->lag);
	}
	fputs(folded ? "</details>\n" : "", out);
}

void html_lag(FILE *out, const struct report *r)
{
	enum { OPEN = 2 };

	for (size_t i = 0; i < r->rec->n_loops; i++)
		put_loop(out, r->rec->loops[i], i >= OPEN);
}
