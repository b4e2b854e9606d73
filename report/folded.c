#include "report/renderer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/names.h"
#include "report/place.h"

/*
 * Folded stacks, one a line, root first, semicolons between frames, then the
 * weight in ns: what flamegraph.pl, inferno and speedscope read.  The weights
 * add up to the length of all stalls: time without a sample has lines of its own.
 */
static char *make_name(const struct frame *f)
{
	struct strbuf name = { 0 };

	strbuf_puts_visible(&name, f->function ? f->function : "(anonymous)");
	if (f->file) {
		strbuf_puts(&name, " (");
		strbuf_puts_visible(&name, path_base(f->file));
		if (f->line)
			strbuf_printf(&name, ":%u", f->line);
		strbuf_puts(&name, ")");
	}
	for (char *p = name.s; *p; p++)
		if (*p == ';')
			*p = ':';
	return name.s;
}

/* The names of frames by id, made when first asked for: stacks share most of them. */
struct names {
	const struct recording *rec;
	char **v;
};

static const char *name_of(struct names *names, uint32_t frame)
{
	if (!names->v[frame])
		names->v[frame] = make_name(recording_get_frame(names->rec, frame));
	return names->v[frame];
}

static void names_destroy(struct names *names)
{
	for (size_t i = 0; i < names->rec->stacks.n_frames; i++)
		free(names->v[i]);
	free(names->v);
}

/* What the thread did at the leaf when it did not run. */
static const char *const states[] = {
	[SAMPLE_RUNNING] = NULL,
	[SAMPLE_RUNNABLE] = "[waiting for a CPU]",
	[SAMPLE_BLOCKED] = "[blocked]",
	[SAMPLE_STOPPED] = "[stopped]",
};

/* Sorted by stack and state, so that each line comes once. */
struct row {
	uint32_t stack;
	enum sample_state state;
	nsec weight;
};

static int by_stack(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->stack != y->stack)
		return x->stack < y->stack ? -1 : 1;
	return (int)x->state - (int)y->state;
}

static void print_row(struct names *names, const struct row *r, FILE *out)
{
	const struct recording *rec = names->rec;
	const struct stack *stack = NULL;

	if (r->stack < rec->stacks.n_stacks)
		stack = recording_get_stack(rec, r->stack);
	for (uint32_t i = stack ? stack->n : 0; i-- > 0;) {
		fputs(name_of(names, stack->frames[i]), out);
		if (i > 0)
			fputc(';', out);
	}
	if (!stack || stack->n == 0)
		fputs("[no stack]", out);
	if (states[r->state])
		fprintf(out, ";%s", states[r->state]);
	fprintf(out, " %" PRIu64 "\n", r->weight);
}

/* The time of all stalls in a state that no sample covers. */
static void print_unsampled(const struct recording *rec, const nsec sampled[4], FILE *out)
{
	nsec all[4] = { 0 };

	for (size_t i = 0; i < rec->n_stalls; i++) {
		all[SAMPLE_RUNNING] += rec->stalls[i].running;
		all[SAMPLE_RUNNABLE] += rec->stalls[i].runnable;
		all[SAMPLE_BLOCKED] += rec->stalls[i].blocked;
		all[SAMPLE_STOPPED] += rec->stalls[i].stopped;
	}
	for (int state = 0; state < 4; state++) {
		if (all[state] <= sampled[state])
			continue;
		fprintf(out, "[no sample]%s%s %" PRIu64 "\n", states[state] ? ";" : "",
			states[state] ? states[state] : "", all[state] - sampled[state]);
	}
}

static int render(const struct report *report, FILE *out, struct error *err)
{
	const struct recording *rec = report->rec;
	struct row *rows = xcalloc(rec->n_samples + 1, sizeof(*rows));
	struct names names = { rec, xcalloc(rec->stacks.n_frames + 1, sizeof(char *)) };
	nsec sampled[4] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < rec->n_samples; i++) {
		const struct sample *s = &rec->samples[i];

		rows[i] = (struct row){ s->stack, s->state, s->weight };
		sampled[s->state] += s->weight;
	}
	qsort(rows, rec->n_samples, sizeof(*rows), by_stack);
	for (size_t i = 0; i < rec->n_samples; i++) {
		if (n > 0 && by_stack(&rows[n - 1], &rows[i]) == 0)
			rows[n - 1].weight += rows[i].weight;
		else
			rows[n++] = rows[i];
	}
	for (size_t i = 0; i < n; i++)
		print_row(&names, &rows[i], out);
	print_unsampled(rec, sampled, out);
	names_destroy(&names);
	free(rows);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the folded stacks");
	return 0;
}

const struct renderer renderer_folded = {
	.name = "folded",
	.help = "one line a stack, root first, weight in ns (flamegraph.pl, speedscope)",
	.suffix = ".folded",
	.render = render,
};
