#include "analyzers/regex/guilty.h"
#include "analyzers/regex/rewrite.h"
#include "analyzers/regex/subject.h"

enum {
	PROOF_STEPS_MAX = 30 * 1000 * 1000, /* of the matcher, for one pattern */
	REPORT_STEPS_MAX = 1000 * 1000,     /* for one size */
};

struct analysis {
	const struct regex_pattern *pattern;
	struct regex_verdict *out;
	struct arena *arena;  /* of the verdict */
	struct arena scratch; /* of everything else */
	struct syntax syntax;
	struct program program;
	struct prover prover;
};

static struct regex_text text_of(struct analysis *t, struct units u)
{
	return subject_encode(u.v, u.n, t->syntax.max_char, t->arena);
}

static void report_steps(struct analysis *t, const struct attack *attack)
{
	static const uint32_t sizes[REGEX_SIZES] = { 20, 40, 80 };
	struct regex_steps *steps = t->out->steps;
	bool capped = false;

	t->prover.left = UINT64_MAX;
	for (int i = 0; i < REGEX_SIZES; i++) {
		steps[i].size = sizes[i];
		steps[i].steps = REPORT_STEPS_MAX;
		if (!capped)
			steps[i].steps =
				prover_run(&t->prover, attack, sizes[i], REPORT_STEPS_MAX, &capped);
		steps[i].capped = capped;
	}
}

static void report_attack(struct analysis *t, const struct attack *attack)
{
	struct regex_pump *pumps = arena_alloc(t->arena, (attack->n + 1) * sizeof(*pumps));

	for (uint32_t i = 0; i < attack->n; i++) {
		pumps[i].prefix = text_of(t, attack->pumps[i].prefix);
		pumps[i].pump = text_of(t, attack->pumps[i].pump);
	}
	t->out->attack.pumps = pumps;
	t->out->attack.n = attack->n;
	t->out->attack.suffix = text_of(t, attack->suffix);
	report_steps(t, attack);
}

static void report_rewrite(struct analysis *t, const struct decision *d)
{
	bool captures = true;

	t->out->rewrite = rewrite_find(t->pattern, d, &captures, t->arena);
	if (t->out->rewrite && !captures)
		t->out->reason = "the groups of the rewrite do not always capture the same";
}

static void report(struct analysis *t, const struct decision *d)
{
	struct regex_verdict *v = t->out;

	v->verdict = d->verdict;
	v->reason = d->reason;
	if (d->verdict == REGEX_POLYNOMIAL)
		v->degree = (int)d->degree;
	if (d->verdict == REGEX_POLYNOMIAL || d->verdict == REGEX_EXPONENTIAL)
		v->kind = d->inner ? REGEX_INNER : REGEX_SEARCH_LOOP;
	if (v->kind)
		report_rewrite(t, d);
	if (d->attack.n) {
		struct span guilty = guilty_find(d, &t->syntax, &t->scratch);

		v->guilty.start = guilty.start;
		v->guilty.end = guilty.end;
		report_attack(t, &d->attack);
	}
}

void regex_analyze(const struct regex_pattern *pattern, struct arena *a, struct regex_verdict *out)
{
	struct analysis t = { .pattern = pattern, .out = out, .arena = a };
	struct decision d;

	*out = (struct regex_verdict){ .verdict = REGEX_UNKNOWN, .engine = pattern->engine };
	syntax_parse(&t.syntax, pattern, &t.scratch);
	if (t.syntax.root) {
		program_compile(&t.program, &t.syntax);
		prover_init(&t.prover, &t.program, PROOF_STEPS_MAX);
		decide(&d, &t.syntax, &t.prover, &t.scratch);
		report(&t, &d);
		prover_free(&t.prover);
		program_free(&t.program);
	} else {
		out->reason = t.syntax.error;
		out->invalid = !t.syntax.unsupported;
		out->placed = t.syntax.placed;
		out->at = t.syntax.error_at;
	}
	arena_free(&t.scratch);
}
