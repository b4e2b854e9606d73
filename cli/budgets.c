#include "cli/budgets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyzers/config.h"
#include "cli/terminal.h"
#include "report/text.h"

enum { CONFIG_MAX = 1 << 20 };

/* 1 if there is no such file and none was asked for. */
static int read_config(struct strbuf *text, const char *path, bool wanted, struct error *err)
{
	FILE *in = fopen(path, "re");
	size_t n;

	if (!in && errno == ENOENT && !wanted)
		return 1;
	if (!in)
		return error_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	n = fread(strbuf_extend(text, CONFIG_MAX), 1, CONFIG_MAX, in);
	text->len = n;
	text->s[n] = '\0';
	if (ferror(in))
		error_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	else if (n == CONFIG_MAX)
		error_set(err, -EFBIG, "%s is larger than 1 MiB", path);
	fclose(in);
	return err->code;
}

static int parse_config(struct budgets *b, const struct options *o, struct error *err)
{
	const char *path = o->config ? o->config : "lagprof.json";
	struct strbuf text = { 0 };
	int ret = read_config(&text, path, o->config != NULL, err);

	if (ret == 0)
		ret = config_parse(&b->terms, path, &text, &b->arena, err);
	strbuf_destroy(&text);
	return ret < 0 ? ret : 0;
}

static const char *today(struct arena *arena)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%d", gmtime_r(&now, &tm));
	return arena_strdup(arena, text);
}

static int read_baseline(struct budgets *b, const struct options *o, struct error *err)
{
	int ret;

	for (size_t i = 0; i < b->terms.n && !o->baseline; i++) {
		if (b->terms.budgets[i].factor == 0)
			continue;
		error_set(err, -EINVAL, "budget \"%s\" needs a baseline", b->terms.budgets[i].expr);
		return error_fix(err, "--baseline main.lagprof, a recording to compare with");
	}
	if (!o->baseline)
		return 0;
	ret = loaded_read(&b->baseline, o->baseline, true, err);
	if (ret < 0)
		return error_wrap(err, "baseline");
	b->terms.baseline = b->baseline.rec;
	b->terms.baseline_diagnosis = b->baseline.d;
	return 0;
}

int budgets_parse(struct budgets *b, const struct options *o, struct error *err)
{
	struct budget_terms *t = &b->terms;
	struct budget *all;
	int ret;

	*b = (struct budgets){ 0 };
	t->today = today(&b->arena);
	ret = parse_config(b, o, err);
	if (ret < 0)
		return ret;
	t->any_machine |= o->any_machine;
	all = arena_alloc(&b->arena, (t->n + o->budgets.n + 1) * sizeof(*all));
	if (t->n)
		memcpy(all, t->budgets, t->n * sizeof(*all));
	t->budgets = all;
	for (size_t i = 0; i < o->budgets.n && ret == 0; i++)
		ret = budget_parse(&all[t->n++], o->budgets.items[i], &b->arena, err);
	return ret < 0 ? ret : read_baseline(b, o, err);
}

const struct budget_report *budgets_check(struct budgets *b, const struct recording *rec,
					  const struct diagnosis *d)
{
	if (!b->terms.n && !b->terms.n_allow)
		return NULL;
	ARRAY_GROW(b->reports, b->n_reports, b->cap_reports);
	b->reports[b->n_reports] = budget_check(&b->terms, rec, d, &b->arena);
	return b->reports[b->n_reports++];
}

enum verdict budgets_total(struct budgets *b, const struct options *o, FILE *out)
{
	static const char *const words[] = { "worst", "median" };
	const struct budget_report *total;
	struct page page = { .out = out };

	if (!b->n_reports)
		return VERDICT_NONE;
	total = budget_combine(b->reports, b->n_reports, b->terms.aggregate, &b->arena);
	if (!out)
		return total->verdict;
	page.width = terminal_width(fileno(out));
	page.color = terminal_color(o, fileno(out));
	page_printf(&page, INK_BOLD, 0, "Of %zu recordings the %s:", b->n_reports,
		    words[b->terms.aggregate]);
	text_budget(total, &page);
	return total->verdict;
}

enum exit_status budgets_status(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_FAIL:
		return STATUS_BUDGET;
	case VERDICT_INCONCLUSIVE:
		return STATUS_INCONCLUSIVE;
	default:
		return STATUS_OK;
	}
}

void budgets_free(struct budgets *b)
{
	free(b->reports);
	loaded_free(&b->baseline);
	arena_free(&b->arena);
}
