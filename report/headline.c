#include "report/renderer.h"

#include "core/units.h"
#include "report/place.h"

/* "0.8 s": periods are compared with each other, so they keep one unit. */
static void put_period(struct strbuf *b, nsec period)
{
	if (period >= 100000000 && period < 10000000000)
		strbuf_printf(b, "%.1f s", (double)period / 1e9);
	else
		strbuf_duration(b, period);
}

void finding_times(struct strbuf *b, const struct finding *f)
{
	strbuf_count(b, f->stalls);
	strbuf_puts(b, f->stalls == 1 ? " stall, " : " stalls, ");
	strbuf_duration(b, f->total);
	if (f->stalls > 1) {
		strbuf_puts(b, ", worst ");
		strbuf_duration(b, f->max);
	}
	if (f->period > 0) {
		strbuf_puts(b, ", every ");
		put_period(b, f->period);
	}
}

void finding_headline(struct strbuf *b, const struct report *report, const struct finding *f)
{
	const char *dot = separator(report->ascii);

	strbuf_puts_visible(b, f->title);
	if (f->culprit)
		strbuf_titled_place(b, report->rec, f->culprit, f->title, dot);
	strbuf_puts(b, dot);
	finding_times(b, f);
	strbuf_puts(b, dot);
	strbuf_printf(b, "%.0f %% on CPU", f->on_cpu * 100);
}

/* Which loop it was, where there are several. */
static void put_thread(struct strbuf *b, const char *dot, const struct recording *rec,
		       const struct loop *loop)
{
	if (rec->n_processes)
		strbuf_printf(b, "%spid %d", dot, loop->pid);
	if (rec->n_loops > 1 && loop->tid != loop->pid)
		strbuf_printf(b, "%stid %d", dot, loop->tid);
}

void stall_line(struct strbuf *b, const struct recording *rec, const struct stall *stall,
		const struct stall_diagnosis *d, const char *title, bool ascii)
{
	const char *dot = separator(ascii);

	strbuf_printf(b, "%.1f s%s", (double)stall->start / 1e9, dot);
	strbuf_puts(b, stall->open ? "blocked for " : "stall ");
	strbuf_duration(b, stall->duration);
	if (stall->open)
		strbuf_puts(b, " so far");
	strbuf_printf(b, "%s%s%s", dot, cause_info[d->cause].id, dot);
	strbuf_puts_visible(b, title);
	if (d->culprit)
		strbuf_titled_place(b, rec, d->culprit, title, dot);
	if (stall->loop < rec->n_loops)
		put_thread(b, dot, rec, rec->loops[stall->loop]);
	if (stall->request) {
		strbuf_puts(b, dot);
		strbuf_puts_visible(b, stall->request);
	}
	if (stall->phase == PHASE_STARTUP)
		strbuf_printf(b, "%sstartup", dot);
}
