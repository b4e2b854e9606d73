#include "cli/budgets.h"

int budgets_parse(struct budgets *b, const struct options *o, struct error *err)
{
	*b = (struct budgets){ .n = o->budgets.n };
	b->list = arena_alloc(&b->arena, (b->n + 1) * sizeof(*b->list));
	for (size_t i = 0; i < b->n; i++) {
		int ret = budget_parse(&b->list[i], o->budgets.items[i], &b->arena, err);

		if (ret < 0)
			return ret;
	}
	return 0;
}

const struct budget_report *budgets_check(struct budgets *b, const struct recording *rec,
					  const struct diagnosis *d)
{
	return b->n ? budget_check(b->list, b->n, rec, d, BUDGET_MIN_TURNS, &b->arena) : NULL;
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
	arena_free(&b->arena);
}
