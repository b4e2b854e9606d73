#include "analyzers/budget.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/suggest.h"

static const struct {
	const char *name;
	enum budget_metric metric;
	enum budget_unit unit;
	double quantile;
} metrics[] = {
	/* clang-format off */
	{ "lag.p50",       METRIC_LAG_QUANTILE,  UNIT_NS,         0.50 },
	{ "lag.p90",       METRIC_LAG_QUANTILE,  UNIT_NS,         0.90 },
	{ "lag.p95",       METRIC_LAG_QUANTILE,  UNIT_NS,         0.95 },
	{ "lag.p99",       METRIC_LAG_QUANTILE,  UNIT_NS,         0.99 },
	{ "lag.p999",      METRIC_LAG_QUANTILE,  UNIT_NS,         0.999 },
	{ "lag.max",       METRIC_LAG_MAX,       UNIT_NS,         0 },
	{ "lag.mean",      METRIC_LAG_MEAN,      UNIT_NS,         0 },
	{ "stall.count",   METRIC_STALL_COUNT,   UNIT_COUNT,      0 },
	{ "stall.max",     METRIC_STALL_MAX,     UNIT_NS,         0 },
	{ "stall.total",   METRIC_STALL_TOTAL,   UNIT_NS,         0 },
	{ "stall.rate",    METRIC_STALL_RATE,    UNIT_PER_MINUTE, 0 },
	{ "blocked.ratio", METRIC_BLOCKED_RATIO, UNIT_RATIO,      0 },
	{ "busy.ratio",    METRIC_BUSY_RATIO,    UNIT_RATIO,      0 },
	{ "gc.total",      METRIC_GC_TOTAL,      UNIT_NS,         0 },
	{ "pool.wait.p99", METRIC_POOL_WAIT,     UNIT_NS,         0.99 },
	{ "strict.count",  METRIC_STRICT_COUNT,  UNIT_COUNT,      0 },
	/* clang-format on */
};

static const struct {
	const char *suffix;
	enum budget_unit unit;
	double factor;
} units[] = {
	/* clang-format off */
	{ "ns",   UNIT_NS,         1 },
	{ "us",   UNIT_NS,         1e3 },
	{ "ms",   UNIT_NS,         1e6 },
	{ "s",    UNIT_NS,         1e9 },
	{ "%",    UNIT_RATIO,      0.01 },
	{ "/min", UNIT_PER_MINUTE, 1 },
	{ "/s",   UNIT_PER_MINUTE, 60 },
	/* clang-format on */
};

/* What a limit may have, and what is most likely meant where it is missing or wrong. */
static const struct {
	const char *names, *unit, *number, *condition;
} usual[] = {
	[UNIT_NS] = { "us, ms or s", "ms", "50ms", "<50ms" },
	[UNIT_COUNT] = { "none", "", "0", "==0" },
	[UNIT_RATIO] = { "%", "%", "2%", "<2%" },
	[UNIT_PER_MINUTE] = { "/min or /s", "/min", "3/min", "<3/min" },
};

static const char *const selectors[] = { "cause", "file", "module", "phase" };

/* Longest first where one begins another. */
static const struct {
	const char *text;
	enum budget_op op;
} operators[] = {
	{ "<=", OP_LESS_EQUAL }, { ">=", OP_GREATER_EQUAL }, { "==", OP_EQUAL },
	{ "<", OP_LESS },        { ">", OP_GREATER },
};

/* What people write for them. */
static const struct {
	const char *text, *right; /* NULL: there is none */
} mistaken[] = { { "=<", "<=" }, { "=>", ">=" }, { "!=", NULL }, { "<>", NULL }, { "=", "==" } };

struct parser {
	const char *expr, *at;
	enum budget_unit unit; /* of the metric, once that is known */
	struct arena *arena;
	struct error *err;
};

static void skip_space(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static int complain_at(const struct parser *p, const char *at, const char *what)
{
	return error_set(p->err, -EINVAL, "budget \"%s\", column %d: %s", p->expr,
			 (int)(at - p->expr) + 1, what);
}

/* The expression up to there, and what to write then. */
static int fix_at(const struct parser *p, const char *at, const char *text, const char *rest)
{
	return error_fix(p->err, "%.*s%s%s", (int)(at - p->expr), p->expr, text, rest);
}

/* A word of letters, digits and dots, interned in the arena; "" if there is none. */
static const char *take_word(struct parser *p)
{
	const char *from = p->at;

	while (isalnum((unsigned char)*p->at) || *p->at == '.' || *p->at == '_')
		p->at++;
	return arena_strndup(p->arena, from, (size_t)(p->at - from));
}

static int parse_metric(struct parser *p, struct budget *b)
{
	const char *from = p->at, *word = take_word(p);
	struct suggest near = { .word = word };

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		if (strcmp(word, metrics[i].name) == 0) {
			b->metric = metrics[i].metric;
			b->unit = p->unit = metrics[i].unit;
			b->quantile = metrics[i].quantile;
			b->cause = b->metric == METRIC_GC_TOTAL ? CAUSE_GC : b->cause;
			return 0;
		}
		suggest_offer(&near, metrics[i].name);
	}
	complain_at(p, from, "no such metric");
	if (near.best)
		return error_fix(p->err, "%s%s", near.best, p->at);
	return error_fix(p->err, "lag.p99<50ms, stall.count==0, blocked.ratio<2%%");
}

static int fix_with_causes(struct parser *p)
{
	struct strbuf list = { 0 };

	for (size_t i = 0; i < CAUSES; i++)
		strbuf_printf(&list, "%s%s", i ? ", " : "one of ", cause_info[i].id);
	error_fix(p->err, "%s", list.s);
	strbuf_destroy(&list);
	return -EINVAL;
}

static int parse_cause(struct parser *p, struct budget *b, const char *from, const char *value)
{
	struct suggest near = { .word = value };

	b->cause = cause_parse(value);
	if (b->cause >= 0)
		return 0;
	for (size_t i = 0; i < CAUSES; i++)
		suggest_offer(&near, cause_info[i].id);
	complain_at(p, from, "no such cause");
	return near.best ? error_fix(p->err, "cause=%s", near.best) : fix_with_causes(p);
}

static int parse_phase(struct parser *p, struct budget *b, const char *from, const char *value)
{
	if (strcmp(value, "startup") == 0)
		b->phase = PHASE_STARTUP;
	else if (strcmp(value, "serving") == 0)
		b->phase = PHASE_SERVING;
	else if (strcmp(value, "all") == 0)
		b->phase = -1;
	else {
		complain_at(p, from, "a phase is startup, serving or all");
		return error_fix(p->err, "phase=serving");
	}
	return 0;
}

static int refuse_selector(struct parser *p, const char *from, const char *key)
{
	struct suggest near = { .word = key };

	for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++)
		suggest_offer(&near, selectors[i]);
	complain_at(p, from, "a selector is cause=, file=, module= or phase=");
	return near.best ? error_fix(p->err, "%s=", near.best) : -EINVAL;
}

static int parse_selector(struct parser *p, struct budget *b)
{
	const char *from = p->at, *key = take_word(p), *value, *start;

	skip_space(p);
	if (!*key)
		return refuse_selector(p, from, key);
	if (*p->at != '=')
		return complain_at(p, p->at, "\"=\" is missing");
	start = ++p->at;
	p->at += strcspn(p->at, ",}");
	value = arena_strndup(p->arena, start, (size_t)(p->at - start));
	/* A glob that is empty matches nothing: the budget would be met for ever. */
	if (!*value)
		return complain_at(p, start, "a value is missing");
	if (strcmp(key, "cause") == 0)
		return parse_cause(p, b, start, value);
	if (strcmp(key, "phase") == 0)
		return parse_phase(p, b, start, value);
	if (strcmp(key, "file") == 0)
		b->file = value;
	else if (strcmp(key, "module") == 0)
		b->module = value;
	else
		return refuse_selector(p, from, key);
	return 0;
}

static int parse_selectors(struct parser *p, struct budget *b)
{
	const char *open = p->at;

	if (*p->at != '{')
		return 0;
	if (b->metric < METRIC_STALL_COUNT || b->metric > METRIC_BLOCKED_RATIO)
		return complain_at(p, open, "only stall.* and blocked.ratio take selectors");
	if (!strchr(open, '}'))
		return complain_at(p, open, "this \"{\" is not closed");
	do {
		int ret;

		p->at++;
		skip_space(p);
		ret = parse_selector(p, b);
		if (ret < 0)
			return ret;
	} while (*p->at == ',');
	if (*p->at != '}')
		return complain_at(p, open, "this \"{\" is not closed");
	p->at++;
	return 0;
}

static int parse_operator(struct parser *p, struct budget *b)
{
	skip_space(p);
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		size_t len = strlen(operators[i].text);

		if (strncmp(p->at, operators[i].text, len) == 0) {
			b->op = operators[i].op;
			p->at += len;
			return 0;
		}
	}
	for (size_t i = 0; i < sizeof(mistaken) / sizeof(mistaken[0]); i++) {
		size_t len = strlen(mistaken[i].text);

		if (strncmp(p->at, mistaken[i].text, len) != 0)
			continue;
		complain_at(p, p->at, "an operator is one of < <= > >= ==");
		return mistaken[i].right ? fix_at(p, p->at, mistaken[i].right, p->at + len)
					 : -EINVAL;
	}
	if (isalpha((unsigned char)*p->at) && p->unit != UNIT_NS) {
		complain_at(p, p->at, "selectors stand in braces");
		return error_fix(p->err, "stall.count{cause=sync_crypto}==0");
	}
	complain_at(p, p->at, "an operator is missing: < <= > >= ==");
	return fix_at(p, p->at, usual[p->unit].condition, "");
}

/* `usually`: a number that is right here. */
static int parse_number(struct parser *p, const char *usually, double *number)
{
	struct suggest near = { 0 };
	char *end;

	skip_space(p);
	/* strtod() would also read "inf", "nan" and hexadecimals. */
	if ((!isdigit((unsigned char)*p->at) && *p->at != '.') ||
	    (p->at[0] == '0' && tolower((unsigned char)p->at[1]) == 'x')) {
		const char *from = p->at;

		complain_at(p, from,
			    *from == '-' ? "a limit is not negative" : "a number is missing");
		near.word = take_word(p);
		suggest_offer(&near, "baseline");
		return fix_at(p, from, near.best ? near.best : usually, near.best ? p->at : "");
	}
	*number = strtod(p->at, &end);
	p->at = end;
	return 0;
}

/* True, and past it, where a unit that fits stands. */
static bool parse_unit(struct parser *p, struct budget *b)
{
	const char *at = p->at + strspn(p->at, " ");

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i].suffix);

		if (strncmp(at, units[i].suffix, len) == 0 && !isalpha((unsigned char)at[len]) &&
		    units[i].unit == b->unit) {
			b->limit *= units[i].factor;
			p->at = at + len;
			return true;
		}
	}
	return (b->unit == UNIT_COUNT || b->limit == 0) &&
	       (!*p->at || isspace((unsigned char)*p->at));
}

static int refuse_unit(struct parser *p, const struct budget *b, const char *number)
{
	static const char times[] = "*baseline";
	const char *at = p->at + strspn(p->at, " ");
	char what[60], percents[30];

	if (strncmp(at, times, strlen(times)) == 0) {
		complain_at(p, at, "the factor comes behind the baseline");
		return error_fix(p->err, "%.*sbaseline*%.*s", (int)(number - p->expr), p->expr,
				 (int)(p->at - number), number);
	}
	snprintf(what, sizeof(what), "%s%s",
		 *at ? "the unit of this metric is " : "a unit is missing: ", usual[b->unit].names);
	complain_at(p, p->at, what);
	/* "0.8" is meant to be a share. */
	snprintf(percents, sizeof(percents), "%g%%", b->limit * 100);
	if (b->unit == UNIT_RATIO && b->limit <= 1)
		return fix_at(p, number, percents, "");
	return fix_at(p, p->at, usual[b->unit].unit, "");
}

/* A number with its unit. */
static int parse_amount(struct parser *p, struct budget *b)
{
	const char *from;

	skip_space(p);
	from = p->at;
	if (parse_number(p, usual[b->unit].number, &b->limit) < 0)
		return -EINVAL;
	if (b->unit == UNIT_COUNT && b->limit != floor(b->limit))
		return complain_at(p, from, "a number of stalls is whole");
	return parse_unit(p, b) ? 0 : refuse_unit(p, b, from);
}

/* "50ms", "baseline", "baseline*1.2", "baseline+5ms", "baseline*1.2+5ms" */
static int parse_limit(struct parser *p, struct budget *b)
{
	static const char word[] = "baseline";

	skip_space(p);
	if (strncmp(p->at, word, strlen(word)) != 0)
		return parse_amount(p, b);
	p->at += strlen(word);
	b->factor = 1;
	skip_space(p);
	if (*p->at == '*') {
		p->at++;
		if (parse_number(p, "1.2", &b->factor) < 0)
			return -EINVAL;
		if (b->factor == 0)
			return complain_at(p, p->at - 1, "a baseline times 0 is no limit");
		skip_space(p);
	}
	if (*p->at != '+')
		return 0;
	p->at++;
	return parse_amount(p, b);
}

static int parse_level(struct parser *p, struct budget *b)
{
	skip_space(p);
	if (!*p->at)
		return 0;
	if (strncmp(p->at, "warn", 4) == 0) {
		b->warn = true;
		p->at += 4;
		skip_space(p);
	}
	if (!*p->at)
		return 0;
	complain_at(p, p->at, "only \"warn\" may follow");
	return fix_at(p, p->at, "", "");
}

int budget_parse(struct budget *b, const char *expr, struct arena *arena, struct error *err)
{
	static int (*const steps[])(struct parser *, struct budget *) = {
		parse_metric, parse_selectors, parse_operator, parse_limit, parse_level,
	};
	struct parser p = { .expr = arena_strdup(arena, expr), .arena = arena, .err = err };

	*b = (struct budget){ .expr = p.expr, .cause = -1, .phase = PHASE_SERVING };
	p.at = p.expr;
	skip_space(&p);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int ret = steps[i](&p, b);

		if (ret < 0)
			return ret;
	}
	return 0;
}
