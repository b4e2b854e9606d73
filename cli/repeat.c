#include "cli/repeat.h"

#include <string.h>

/* "x.lagprof" as "x-2.lagprof" in run 2. */
static const char *numbered(const char *path, uint32_t run, struct arena *arena)
{
	const char *name, *dot;

	if (!path || run == 1 || strcmp(path, "-") == 0)
		return path;
	name = strrchr(path, '/');
	dot = strrchr(name ? name : path, '.');
	dot = dot ? dot : path + strlen(path);
	return arena_printf(arena, "%.*s-%u%s", (int)(dot - path), path, run, dot);
}

/* Did the run end as its verdict says, and not by a failure? */
static bool is_judged(const struct budgets *b, uint32_t run, int status)
{
	return b->n_reports == run && status == (int)budgets_status(b->reports[run - 1]->verdict);
}

int repeat_launch(const struct options *o, char **argv, struct budgets *budgets,
		  struct speaker *speaker)
{
	uint32_t runs = speaker->screen || !budgets->terms.repeat ? 1 : budgets->terms.repeat;

	for (uint32_t run = 1; run <= runs; run++) {
		struct options here = *o;
		int status;

		here.output = numbered(o->output, run, &budgets->arena);
		here.html = numbered(o->html, run, &budgets->arena);
		here.json = numbered(o->json, run, &budgets->arena);
		status = launch(&here, argv, budgets, speaker);
		if (runs == 1 || !is_judged(budgets, run, status))
			return status;
	}
	return (int)budgets_status(budgets_total(budgets, o, o->quiet ? NULL : speaker->out));
}
