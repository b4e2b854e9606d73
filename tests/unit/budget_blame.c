#include "analyzers/analyze.h"
#include "analyzers/budget.h"
#include "tests/builder.h"
#include "tests/test.h"

/* A stall of that many ms in a function of that name, all but `waited` of it on a CPU. */
static void block(struct recording *rec, const char *call, const char *function, nsec ms,
		  nsec waited)
{
	struct loop *loop = rec->loops[0];
	char stack[300];
	struct stall *s;

	snprintf(stack, sizeof(stack), "j %s\nj %s @/app/server.js:9\n", call, function);
	build_stall(rec, rec->n_stalls * 500, ms);
	build_sample(rec, stack, ms);
	s = &rec->stalls[rec->n_stalls - 1];
	s->runnable = waited * MS;
	s->running = s->duration - s->runnable;
	hist_add(&loop->lag, s->duration);
	loop->turns++;
}

/*
 * The functions that break a budget, in order of weight, of a recording with
 * hash (85 ms pbkdf2Sync), read (40 ms readFileSync) and late (90 ms, 42 of them
 * waiting for a CPU).
 */
static const char *guilty(const char *expr)
{
	static char names[200];
	struct recording *rec = build_recording("v8");
	struct arena arena = { 0 };
	struct budget_terms terms = { .n = 1 };
	struct budget_report *report;
	struct diagnosis *d;
	struct error err;
	struct budget b;

	hist_init(&rec->loops[0]->lag);
	for (int i = 0; i < 50; i++)
		hist_add(&rec->loops[0]->lag, MS);
	rec->loops[0]->turns = 50;
	block(rec, "pbkdf2Sync @node:internal/crypto/pbkdf2:89", "hash", 85, 0);
	block(rec, "readFileSync @node:fs:448", "read", 40, 0);
	block(rec, "pbkdf2Sync @node:internal/crypto/pbkdf2:89", "late", 90, 42);
	d = diagnose(rec);
	CHECK_EQ(budget_parse(&b, expr, &arena, &err), 0);
	terms.budgets = &b;
	report = budget_check(&terms, rec, d, &arena);
	names[0] = '\0';
	for (size_t i = 0; i < report->rules[0].n_findings; i++) {
		const struct finding *f = &d->findings[report->rules[0].findings[i]];

		strcat(names, f->culprit ? f->culprit->function : "nobody");
		strcat(names, " ");
	}
	arena_free(&arena);
	diagnosis_free(d);
	recording_free(rec);
	return names;
}

TEST(budget_blames_the_findings_that_break_it)
{
	CHECK_STR(guilty("stall.count{cause=sync_crypto}==0"), "late hash ");
	CHECK_STR(guilty("stall.count{cause=sync_fs}==0 warn"), "read ");
	CHECK_STR(guilty("blocked.ratio<0.1%"), "late hash read ");
	CHECK_STR(guilty("lag.max<50ms"), "hash ");
	CHECK_STR(guilty("lag.p999<30ms"), "late hash read ");
	CHECK_STR(guilty("stall.max<30ms"), "late hash read ");
}

TEST(budget_blames_nobody_for_what_is_met_or_for_too_little)
{
	CHECK_STR(guilty("lag.max<2s"), "");
	CHECK_STR(guilty("stall.count>=20"), "");
	CHECK_STR(guilty("stall.count==20"), "");
	CHECK_STR(guilty("busy.ratio<0.001%"), "");
}
