#include "report/html.h"

#include "core/units.h"

/* What the threads did in the stalls, and what the machine under them did meanwhile. */

static void put_duration(FILE *out, nsec ns)
{
	struct strbuf b = { 0 };

	strbuf_duration(&b, ns);
	html_take(out, &b);
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
static void put_stalled(FILE *out, const struct report *r)
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

static void put_share(FILE *out, const char *name, nsec part, nsec whole)
{
	fprintf(out, "<div><dt>%s</dt><dd>%.1f %%</dd></div>\n", name,
		100 * (double)part / (double)whole);
}

static void put_figures(FILE *out, const struct host *host)
{
	fputs("<dl class=\"facts\">\n", out);
	if (host->cpus)
		fprintf(out, "<div><dt>CPUs for the target</dt><dd>%u</dd></div>\n", host->cpus);
	put_share(out, "all CPUs idle", host->idle, host->cpu);
	if (host->steal > host->cpu / 1000)
		put_share(out, "taken by the hypervisor", host->steal, host->cpu);
	if (host->quota)
		fprintf(out, "<div><dt>quota of its cgroup</dt><dd>%.3g CPUs</dd></div>\n",
			(double)host->quota / 1000);
	if (host->throttled) {
		fputs("<div><dt>held back by the quota</dt><dd>", out);
		put_duration(out, host->throttled);
		fputs("</dd></div>\n", out);
	}
	fputs("</dl>\n", out);
}

static void put_neighbours(FILE *out, const struct report *r)
{
	const struct host *host = &r->rec->host;
	double most = host->n_neighbours ? (double)host->neighbours[0].time : 0;

	if (most <= 0)
		return;
	fputs("<table class=\"lag\"><caption>Who ran while a loop was ready and waited for a CPU"
	      "</caption><thead><tr><th scope=\"col\">program</th>"
	      "<th scope=\"col\" class=\"num\">for</th><th></th></tr></thead><tbody>\n",
	      out);
	for (uint32_t i = 0; i < host->n_neighbours; i++) {
		const struct neighbour *n = &host->neighbours[i];
		double share = (double)n->time / most;

		fputs("<tr><th scope=\"row\">", out);
		html_text(out, n->name ? n->name : "?");
		if (n->pid == r->rec->target.pid)
			fputs(" <span class=\"place\">other threads of the target</span>", out);
		else
			fprintf(out, " <span class=\"place\">%d</span>", n->pid);
		fputs("</th><td class=\"num\">", out);
		put_duration(out, n->time);
		fputs("</td><td>", out);
		html_bar(out, &share, 1);
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody></table>\n", out);
}

static void put_machine(FILE *out, const struct report *r)
{
	if (!r->rec->host.cpu)
		return;
	fputs("<section class=\"panel\" aria-labelledby=\"machine\">\n"
	      "<h2 id=\"machine\">The machine</h2>\n",
	      out);
	put_figures(out, &r->rec->host);
	put_neighbours(out, r);
	fputs("</section>\n", out);
}

void html_host(FILE *out, const struct report *r)
{
	put_stalled(out, r);
	put_machine(out, r);
}
