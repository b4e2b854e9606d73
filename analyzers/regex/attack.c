#include "analyzers/regex/attack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	SUBJECT_MAX = 40 * 1000,
	CONVINCING_STEPS = 15 * 1000,
	HOPELESSLY_SHORT = 60,
	HOPELESS_LENGTH = 3000, /* linear that far: linear */
	MEASURE_STEPS_MAX = 600 * 1000,
	GLANCE_STEPS_MAX = 40 * 1000,
};

void prover_init(struct prover *p, const struct program *program, uint64_t budget)
{
	*p = (struct prover){ .program = program, .left = budget };
}

void prover_free(struct prover *p)
{
	matcher_free(&p->matcher);
	free(p->subject);
}

size_t attack_length(const struct attack *attack, uint32_t size)
{
	size_t n = attack->suffix.n;

	for (uint32_t i = 0; i < attack->n; i++)
		n += attack->pumps[i].prefix.n + (size_t)size * attack->pumps[i].pump.n;
	return n;
}

static uint32_t *append(uint32_t *to, struct units u)
{
	if (!u.n)
		return to; /* perhaps NULL: there may be nothing to spell at all */
	memcpy(to, u.v, u.n * sizeof(*to));
	return to + u.n;
}

static void spell(const struct attack *attack, uint32_t size, uint32_t *to)
{
	for (uint32_t i = 0; i < attack->n; i++) {
		to = append(to, attack->pumps[i].prefix);
		for (uint32_t k = 0; k < size; k++)
			to = append(to, attack->pumps[i].pump);
	}
	append(to, attack->suffix);
}

void prover_charge(struct prover *p, uint64_t steps)
{
	p->left -= steps < p->left ? steps : p->left;
}

uint64_t prover_run(struct prover *p, const struct attack *attack, uint32_t size,
		    uint64_t max_steps, bool *capped)
{
	size_t n = attack_length(attack, size);

	if (n > p->cap) {
		p->cap = n;
		p->subject = xrealloc(p->subject, n, sizeof(*p->subject));
	}
	spell(attack, size, p->subject);
	if (max_steps > p->left)
		max_steps = p->left;
	*capped = match_search(&p->matcher, p->program,
			       (struct match_input){ p->subject, (uint32_t)n, 0 },
			       max_steps) == MATCH_CAPPED;
	prover_charge(p, p->matcher.steps);
	return p->matcher.steps;
}

/* One size and its steps. */
struct point {
	double size, steps;
};

static double slope(struct point x, struct point y)
{
	return log(y.steps / x.steps) / log(y.size / x.size);
}

/*
 * Three sizes in geometric progression: a polynomial has the same slope
 * between each two, an exponential twice the slope at twice the size.
 */
static enum growth judge(const struct point *p, uint32_t n, double *exponent)
{
	double last, before;

	*exponent = 0;
	if (n < 3)
		return GROWTH_LINEAR;
	last = slope(p[n - 2], p[n - 1]);
	before = slope(p[n - 3], p[n - 2]);
	*exponent = last;
	if (last >= 4 && last > before * 1.25)
		return GROWTH_EXPONENTIAL;
	return last >= 1.6 && before >= 1.4 ? GROWTH_POLYNOMIAL : GROWTH_LINEAR;
}

static bool is_as_expected(const struct measure *m, uint32_t expected)
{
	if (expected == EXPECT_EXPONENTIAL)
		return m->growth == GROWTH_EXPONENTIAL;
	return m->growth != GROWTH_LINEAR && m->exponent > expected - 0.4;
}

struct measure prover_measure(struct prover *p, const struct attack *attack, uint32_t expected)
{
	struct measure m = { 0 };
	struct point points[64];
	uint32_t n = 0;

	for (double size = 1; n < 64; size = size < 4 ? size + 1 : size * 1.4142135) {
		uint32_t whole = (uint32_t)(size + 0.5);
		enum growth growth;
		double exponent;
		bool capped;

		if (attack_length(attack, whole) > SUBJECT_MAX)
			break;
		m.size = whole;
		m.steps = prover_run(p, attack, whole, MEASURE_STEPS_MAX, &capped);
		/* Stopped by what was spent on others: nothing was seen. */
		if (capped && !p->left) {
			m.growth = GROWTH_LINEAR;
			break;
		}
		points[n++] = (struct point){ whole, (double)m.steps };
		growth = judge(points, n, &exponent);
		/* Where it was stopped the true slope is larger still. */
		if (!capped || growth > m.growth) {
			m.growth = growth;
			m.exponent = exponent;
		}
		/* So much for so few characters: no size is small enough to see it grow. */
		if (capped && n < 3 && attack_length(attack, whole) <= HOPELESSLY_SHORT) {
			m.growth = GROWTH_POLYNOMIAL;
			m.exponent = n + 1;
		}
		if (capped || (m.steps > CONVINCING_STEPS && is_as_expected(&m, expected)))
			break;
		if (m.exponent < 1.15 && attack_length(attack, whole) > HOPELESS_LENGTH)
			break;
	}
	return m;
}

void prover_choose_suffix(struct prover *p, struct attack *attack, const struct units *suffixes,
			  uint32_t n)
{
	uint64_t most = 0;
	uint32_t chosen = 0;

	for (uint32_t i = 0; i < n && n > 1; i++) {
		uint64_t steps = 0;
		bool capped = false;

		attack->suffix = suffixes[i];
		for (uint32_t size = 4; size <= 32 && !capped; size *= 2)
			steps = GLANCE_STEPS_MAX / size +
				prover_run(p, attack, size, GLANCE_STEPS_MAX, &capped);
		if (steps > most) {
			most = steps;
			chosen = i;
		}
	}
	attack->suffix = suffixes[chosen];
}
