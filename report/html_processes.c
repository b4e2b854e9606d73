#include "report/html.h"

#include <stdlib.h>

#include "core/units.h"
#include "report/text.h"

/* Where several processes were followed: what each of them has to do with the stalls. */

struct share {
	uint64_t stalls;
	double total, worst, busy, watched; /* ns */
	size_t loops;
};

/* Of each loop. */
static struct share *share_out(const struct recording *rec)
{
	struct share *shares = xcalloc(rec->n_loops + 1, sizeof(*shares));

	for (size_t i = 0; i < rec->n_loops; i++) {
		shares[i].loops = 1;
		shares[i].busy = (double)rec->loops[i]->busy;
		shares[i].watched = shares[i].busy + (double)rec->loops[i]->polled;
	}
	for (size_t i = 0; i < rec->n_stalls; i++) {
		const struct stall *stall = &rec->stalls[i];
		struct share *s = &shares[stall->loop < rec->n_loops ? stall->loop : 0];

		s->stalls++;
		s->total += (double)stall->duration;
		if ((double)stall->duration > s->worst)
			s->worst = (double)stall->duration;
	}
	return shares;
}

static struct share add_up(const struct recording *rec, const struct share *shares, int32_t pid)
{
	struct share sum = { 0 };

	for (size_t i = 0; i < rec->n_loops; i++) {
		if (rec->loops[i]->pid != pid)
			continue;
		sum.loops++;
		sum.stalls += shares[i].stalls;
		sum.total += shares[i].total;
		sum.worst = shares[i].worst > sum.worst ? shares[i].worst : sum.worst;
		sum.busy += shares[i].busy;
		sum.watched += shares[i].watched;
	}
	return sum;
}

static void put_duration(FILE *out, double ns)
{
	struct strbuf b = { 0 };

	fputs("<td class=\"num\">", out);
	if (ns > 0) {
		strbuf_duration(&b, ns < 1e19 ? (nsec)ns : UINT64_MAX);
		html_take(out, &b);
	}
	fputs("</td>", out);
}

static void put_process(FILE *out, const struct target_info *process, const struct share *s,
			double all)
{
	double share = all > 0 ? s->total / all : 0;
	struct strbuf b = { 0 };

	fprintf(out, "<tr><td class=\"num\">%d</td><td><code>", process->pid);
	text_command(&b, process);
	html_take(out, &b);
	fputs("</code></td><td class=\"num\">", out);
	if (process->parent > 0)
		fprintf(out, "%d", process->parent);
	fprintf(out, "</td><td class=\"num\">%zu</td><td class=\"num\">%.1f %%</td>", s->loops,
		s->watched > 0 ? 100 * s->busy / s->watched : 0);
	fprintf(out, "<td class=\"num\">%llu</td>", (unsigned long long)s->stalls);
	put_duration(out, s->total);
	put_duration(out, s->worst);
	fputs("<td class=\"split\">", out);
	html_bar(out, &share, 1);
	fputs("</td></tr>\n", out);
}

/* Returns how many were left out, because they ran no loop. */
static size_t put_rows(FILE *out, const struct recording *rec, const struct share *shares)
{
	size_t others = 0;
	double all = 0;

	for (size_t i = 0; i < rec->n_loops; i++)
		all += shares[i].total;
	for (size_t i = 0; i <= rec->n_processes; i++) {
		const struct target_info *process = i ? rec->processes[i - 1] : &rec->target;
		struct share sum = add_up(rec, shares, process->pid);

		if (sum.loops)
			put_process(out, process, &sum, all);
		else
			others++;
	}
	return others;
}

void html_processes(FILE *out, const struct report *r)
{
	struct share *shares;
	size_t others;

	if (!r->rec->n_processes)
		return;
	shares = share_out(r->rec);
	fputs("<section class=\"processes\" aria-labelledby=\"processes\">\n"
	      "<h2 id=\"processes\">Processes</h2>\n<div class=\"scroll\" tabindex=\"0\" "
	      "role=\"region\" aria-label=\"table of processes\"><table><thead><tr>"
	      "<th scope=\"col\" class=\"num\">pid</th><th scope=\"col\">command</th>"
	      "<th scope=\"col\" class=\"num\">started by</th>"
	      "<th scope=\"col\" class=\"num\">loops</th>"
	      "<th scope=\"col\" class=\"num\">busy</th>"
	      "<th scope=\"col\" class=\"num\">stalls</th>"
	      "<th scope=\"col\" class=\"num\">stalled</th>"
	      "<th scope=\"col\" class=\"num\">worst</th><th></th></tr></thead><tbody>\n",
	      out);
	others = put_rows(out, r->rec, shares);
	fputs("</tbody></table></div>\n", out);
	if (others)
		fprintf(out, "<p class=\"hint\">%zu more ran no loop.</p>\n", others);
	fputs("</section>\n", out);
	free(shares);
}
