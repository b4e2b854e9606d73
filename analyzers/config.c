#include "analyzers/config.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/json_place.h"
#include "core/duration.h"
#include "core/suggest.h"

struct reader {
	const char *name, *text;
	struct budget_terms *terms;
	struct arena *arena;
	struct error *err;
};

/* A value and where it is in the text. */
struct item {
	const json_t *value;
	const char *at;
};

/* A member that an object may have. */
struct member {
	const char *name;
	bool required;
	int (*read)(struct reader *r, struct item item, void *into);
};

static int complain_at(struct reader *r, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int complain_at(struct reader *r, const char *at, const char *fmt, ...)
{
	char what[300];
	int line, column;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	json_place_line(r->text, at, &line, &column);
	return error_set(r->err, -EINVAL, "%s:%d:%d: %s", r->name, line, column, what);
}

static int refuse_member(struct reader *r, struct item object, const char *name,
			 const struct member *members)
{
	struct suggest near = { .word = name };
	const struct member *m;

	for (m = members; m->name; m++)
		suggest_offer(&near, m->name);
	complain_at(r, json_place_member(object.at, name, 1), "no member is called \"%s\"", name);
	return error_fix(r->err, "\"%s\"", near.best ? near.best : members->name);
}

static int read_member(struct reader *r, struct item object, const char *name,
		       const struct member *members, void *into)
{
	for (const struct member *m = members; m->name; m++) {
		struct item item = { json_object_get(object.value, name),
				     json_place_member(object.at, name, 0) };

		if (strcmp(m->name, name) == 0)
			return m->read(r, item, into);
	}
	return refuse_member(r, object, name, members);
}

static int read_object(struct reader *r, struct item item, const struct member *members, void *into)
{
	const char *name;
	json_t *value;

	if (!json_is_object(item.value))
		return complain_at(r, item.at, "an object {...} is wanted here");
	json_object_foreach((json_t *)item.value, name, value)
	{
		int ret = read_member(r, item, name, members, into);

		if (ret < 0)
			return ret;
	}
	for (const struct member *m = members; m->name; m++)
		if (m->required && !json_object_get(item.value, m->name))
			return complain_at(r, item.at, "\"%s\" is missing", m->name);
	return 0;
}

/* into: const char *. */
static int read_text(struct reader *r, struct item item, void *into)
{
	const char *s = json_string_value(item.value);

	if (!s)
		return complain_at(r, item.at, "a \"text\" is wanted here");
	*(const char **)into = arena_strdup(r->arena, s);
	return 0;
}

static int ignore_text(struct reader *r, struct item item, void *into)
{
	const char *s;

	return read_text(r, item, &s);
}

static int read_expr(struct reader *r, struct item item, void *into)
{
	struct budget *b = into;
	bool warn = b->warn;
	struct error err = { 0 };
	const char *expr = NULL;
	int ret = read_text(r, item, &expr);

	if (ret < 0)
		return ret;
	ret = budget_parse(b, expr, r->arena, &err);
	b->warn = b->warn || warn;
	if (ret < 0) {
		complain_at(r, item.at, "%s", err.msg);
		return error_fix(r->err, "%s", err.fix);
	}
	return 0;
}

static int read_level(struct reader *r, struct item item, void *into)
{
	struct budget *b = into;
	const char *level = json_string_value(item.value);

	if (!level || (strcmp(level, "error") != 0 && strcmp(level, "warn") != 0)) {
		complain_at(r, item.at, "a level is \"error\" or \"warn\"");
		return error_fix(r->err, "\"level\": \"warn\"");
	}
	b->warn = b->warn || strcmp(level, "warn") == 0;
	return 0;
}

static const struct member budget_members[] = {
	{ "expr", true, read_expr },
	{ "level", false, read_level },
	{ 0 },
};

static int read_budget(struct reader *r, struct item item, size_t i)
{
	struct budget *b = &r->terms->budgets[i];

	if (json_is_string(item.value))
		return read_expr(r, item, b);
	if (!json_is_object(item.value))
		return complain_at(r, item.at, "a budget is a \"text\" or an object {...}");
	return read_object(r, item, budget_members, b);
}

/* Sixteen hexadecimal digits. */
static int read_fingerprint(struct reader *r, struct item item, void *into)
{
	struct allowance *a = into;
	const char *s = json_string_value(item.value);

	if (!s || strlen(s) != 16 || strspn(s, "0123456789abcdef") != 16)
		return complain_at(r, item.at,
				   "a fingerprint is 16 hexadecimal digits, as `lagprof report -v` "
				   "shows it");
	a->fingerprint = arena_strdup(r->arena, s);
	return 0;
}

static int read_reason(struct reader *r, struct item item, void *into)
{
	struct allowance *a = into;

	if (json_is_string(item.value) && !json_string_length(item.value))
		return complain_at(r, item.at, "the reason is empty");
	return read_text(r, item, &a->reason);
}

static int days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month < 1 || month > 12 ? 0 : days[month - 1] + (leap && month == 2);
}

static bool is_date(const char *s)
{
	for (int i = 0; i < 10; i++)
		if (i == 4 || i == 7 ? s[i] != '-' : s[i] < '0' || s[i] > '9')
			return false;
	return !s[10] && atoi(s + 8) >= 1 && atoi(s + 8) <= days_of(atoi(s), atoi(s + 5));
}

static int read_expires(struct reader *r, struct item item, void *into)
{
	struct allowance *a = into;
	const char *s = json_string_value(item.value);

	if (!s || !is_date(s))
		return complain_at(r, item.at, "a day is wanted here: \"2030-12-31\"");
	a->expires = arena_strdup(r->arena, s);
	return 0;
}

static const struct member allow_members[] = {
	{ "fingerprint", true, read_fingerprint },
	{ "reason", true, read_reason },
	{ "expires", true, read_expires },
	{ 0 },
};

static int read_allowance(struct reader *r, struct item item, size_t i)
{
	return read_object(r, item, allow_members, &r->terms->allow[i]);
}

/* Calls read() for each element. */
static int read_array(struct reader *r, struct item item,
		      int (*read)(struct reader *, struct item, size_t))
{
	for (size_t i = 0; i < json_array_size(item.value); i++) {
		struct item element = { json_array_get(item.value, i),
					json_place_element(item.at, i) };
		int ret = read(r, element, i);

		if (ret < 0)
			return ret;
	}
	if (json_is_array(item.value))
		return 0;
	complain_at(r, item.at, "an array [...] is wanted here");
	if (json_is_string(item.value))
		return error_fix(r->err, "[\"%s\"]", json_string_value(item.value));
	return -EINVAL;
}

static int read_budgets(struct reader *r, struct item item, void *into)
{
	struct budget_terms *t = into;

	t->n = json_array_size(item.value);
	t->budgets = arena_alloc(r->arena, (t->n + 1) * sizeof(*t->budgets));
	return read_array(r, item, read_budget);
}

static int read_allow(struct reader *r, struct item item, void *into)
{
	struct budget_terms *t = into;

	t->n_allow = json_array_size(item.value);
	t->allow = arena_alloc(r->arena, (t->n_allow + 1) * sizeof(*t->allow));
	return read_array(r, item, read_allowance);
}

static int read_min_turns(struct reader *r, struct item item, void *into)
{
	struct budget_terms *t = into;
	json_int_t n = json_integer_value(item.value);

	if (!json_is_integer(item.value) || n < 1)
		return complain_at(r, item.at, "a whole number from 1 on is wanted here");
	t->min_turns = (uint64_t)n;
	return 0;
}

/* The word's index; words end with NULL. */
static int read_word(struct reader *r, struct item item, const char *const *words)
{
	const char *s = json_string_value(item.value);
	struct suggest near = { .word = s ? s : "" };

	for (int i = 0; words[i]; i++) {
		if (s && strcmp(s, words[i]) == 0)
			return i;
		suggest_offer(&near, words[i]);
	}
	complain_at(r, item.at, "\"%s\" or \"%s\" is wanted here", words[0], words[1]);
	return error_fix(r->err, "\"%s\"", near.best ? near.best : words[0]);
}

static int read_aggregate(struct reader *r, struct item item, void *into)
{
	static const char *const words[] = {
		[AGGREGATE_WORST] = "worst", [AGGREGATE_MEDIAN] = "median", NULL
	};
	struct budget_terms *t = into;
	int word = read_word(r, item, words);

	if (word >= 0)
		t->aggregate = (enum budget_aggregate)word;
	return word < 0 ? word : 0;
}

static int read_repeat(struct reader *r, struct item item, void *into)
{
	struct budget_terms *t = into;
	json_int_t n = json_integer_value(item.value);

	if (!json_is_integer(item.value) || n < 1 || n > BUDGET_REPEAT_MAX)
		return complain_at(r, item.at, "a whole number from 1 to %d is wanted here",
				   BUDGET_REPEAT_MAX);
	t->repeat = (uint32_t)n;
	return 0;
}

static int read_warmup(struct reader *r, struct item item, void *into)
{
	struct budget_terms *t = into;
	const char *s = json_string_value(item.value);

	if (s && duration_parse(s, &t->warmup) == 0)
		return 0;
	complain_at(r, item.at, "a length of time is wanted here");
	return error_fix(r->err, "\"warmup\": \"5s\"");
}

static int read_any_machine(struct reader *r, struct item item, void *into)
{
	struct budget_terms *t = into;

	if (!json_is_boolean(item.value))
		return complain_at(r, item.at, "true or false is wanted here");
	t->any_machine = json_is_true(item.value);
	return 0;
}

static const struct member config_members[] = {
	{ "budgets", false, read_budgets },
	{ "minTurns", false, read_min_turns },
	{ "warmup", false, read_warmup },
	{ "repeat", false, read_repeat },
	{ "aggregate", false, read_aggregate },
	{ "anyMachine", false, read_any_machine },
	{ "allow", false, read_allow },
	{ "$schema", false, ignore_text },
	{ 0 },
};

int config_parse(struct budget_terms *terms, const char *name, const struct strbuf *text,
		 struct arena *arena, struct error *err)
{
	struct reader r = {
		.name = name, .text = text->s, .terms = terms, .arena = arena, .err = err
	};
	struct item root;
	json_error_t error;
	int ret;

	root.value = json_loadb(text->s ? text->s : "", text->len, JSON_REJECT_DUPLICATES, &error);
	if (!root.value)
		return error_set(err, -EINVAL, "%s:%d:%d: %s", name, error.line,
				 error.column > 0 ? error.column : 1, error.text);
	root.at = text->s + strspn(text->s, " \t\r\n");
	ret = read_object(&r, root, config_members, terms);
	json_decref((json_t *)root.value);
	return ret;
}
