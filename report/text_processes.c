#include "report/text.h"

#include "core/units.h"

/* What a session that followed several processes says of each. */

static void put_process(struct strbuf *b, const struct recording *rec, int32_t pid)
{
	const struct target_info *process = recording_process(rec, pid);

	strbuf_printf(b, "process %d", pid);
	if (process && process->argc) {
		strbuf_puts(b, " (");
		text_command(b, process);
		strbuf_puts(b, ")");
	}
}

static void put_stalls(struct strbuf *b, const struct finding_part *part)
{
	if (part->stalls == 0) {
		strbuf_puts(b, ": no stall");
		return;
	}
	strbuf_puts(b, ": ");
	strbuf_count(b, part->stalls);
	strbuf_puts(b, part->stalls == 1 ? " stall, " : " stalls, ");
	strbuf_duration(b, part->total);
	if (part->stalls > 1) {
		strbuf_puts(b, ", worst ");
		strbuf_duration(b, part->max);
	}
}

void text_part(struct strbuf *b, const struct recording *rec, const struct finding_part *part)
{
	put_process(b, rec, part->pid);
	if (part->tid && part->tid != part->pid)
		strbuf_printf(b, ", thread %d", part->tid);
	put_stalls(b, part);
}

void text_processes(const struct report *r, const struct page *page, const struct finding *f)
{
	for (size_t i = 0; r->rec->n_processes && i < f->n_parts; i++) {
		struct strbuf b = { 0 };

		strbuf_puts(&b, "in ");
		text_part(&b, r->rec, &f->parts[i]);
		page_print(page, INK_NONE, 2, b.s);
		strbuf_destroy(&b);
	}
}

static bool has_loop(const struct recording *rec, int32_t pid)
{
	for (size_t i = 0; i < rec->n_loops; i++)
		if (rec->loops[i]->pid == pid)
			return true;
	return false;
}

static struct finding_part stalls_of(const struct recording *rec, int32_t pid)
{
	struct finding_part part = { .pid = pid };

	for (size_t i = 0; i < rec->n_stalls; i++) {
		const struct stall *stall = &rec->stalls[i];

		if (stall->phase != PHASE_SERVING || stall->loop >= rec->n_loops ||
		    rec->loops[stall->loop]->pid != pid)
			continue;
		part.stalls++;
		part.total += stall->duration;
		part.max = stall->duration > part.max ? stall->duration : part.max;
	}
	return part;
}

void text_family(const struct report *r, const struct page *page)
{
	const struct recording *rec = r->rec;
	size_t others = 0;

	for (size_t i = 0; i < rec->n_processes; i++) {
		const struct target_info *process = rec->processes[i];
		struct finding_part part = stalls_of(rec, process->pid);
		struct strbuf b = { 0 };

		if (!has_loop(rec, process->pid)) {
			others++;
			continue;
		}
		put_process(&b, rec, process->pid);
		if (process->parent)
			strbuf_printf(&b, ", started by %d", process->parent);
		put_stalls(&b, &part);
		page_print(page, INK_NONE, 0, b.s);
		strbuf_destroy(&b);
	}
	if (others)
		page_printf(page, INK_NONE, 0, "%zu other process%s ran no loop", others,
			    others == 1 ? "" : "es");
}
