#include "analyzers/regex/program.h"

/* V8 looks from the end only when the match cannot be longer than this. */
enum { V8_BACK_LIMIT = 1024 };

/* How a tree begins or ends, as far as the engines look. */
typedef bool (*anchor_test)(const struct node *n, const struct syntax *syntax);

static bool all_alternatives(const struct node *n, const struct syntax *syntax, anchor_test test)
{
	for (uint32_t i = 0; i < n->list.n; i++)
		if (!test(n->list.items[i], syntax))
			return false;
	return true;
}

/* Does an item hold before anything can have been taken?  PCRE2 looks at the first one only. */
static bool first_items(const struct node *n, const struct syntax *syntax, anchor_test test)
{
	for (uint32_t i = 0; i < n->list.n; i++) {
		if (test(n->list.items[i], syntax))
			return true;
		if (n->list.items[i]->width.max > 0 || syntax->engine == REGEX_PCRE2)
			return false;
	}
	return false;
}

static bool last_items(const struct node *n, const struct syntax *syntax, anchor_test test)
{
	for (uint32_t i = n->list.n; i > 0; i--) {
		if (test(n->list.items[i - 1], syntax))
			return true;
		if (n->list.items[i - 1]->width.max > 0)
			return false;
	}
	return false;
}

/* Is it x* for an x that takes anything at all, or (line) anything but a newline? */
static bool is_dot_star(const struct node *n, const struct syntax *syntax, bool line)
{
	const struct charset *set;

	if (n->kind != NODE_REPEAT || n->repeat.min || n->repeat.max != REPEAT_FOREVER ||
	    n->repeat.body->kind != NODE_SET)
		return false;
	set = n->repeat.body->set;
	if (!line)
		return set->n == 1 && set->ranges[0].lo == 0 &&
		       set->ranges[0].hi >= syntax->max_char;
	return set->n == 2 && set->ranges[0].lo == 0 && set->ranges[0].hi == '\n' - 1 &&
	       set->ranges[1].lo == '\n' + 1 && set->ranges[1].hi >= syntax->max_char;
}

static bool starts_at_start(const struct node *n, const struct syntax *syntax)
{
	switch (n->kind) {
	case NODE_ASSERTION:
		return n->assertion.kind == ASSERT_START;
	case NODE_SEQUENCE:
		return first_items(n, syntax, starts_at_start);
	case NODE_CHOICE:
		return all_alternatives(n, syntax, starts_at_start);
	case NODE_CAPTURE:
		return starts_at_start(n->part.body, syntax);
	case NODE_LOOK:
		return syntax->engine == REGEX_V8 && !n->look.negative && !n->look.behind &&
		       starts_at_start(n->look.body, syntax);
	case NODE_REPEAT:
		return syntax->engine == REGEX_PCRE2 && is_dot_star(n, syntax, false);
	default:
		return false;
	}
}

static bool starts_at_line(const struct node *n, const struct syntax *syntax)
{
	switch (n->kind) {
	case NODE_ASSERTION:
		return n->assertion.kind == ASSERT_LINE_START || n->assertion.kind == ASSERT_START;
	case NODE_SEQUENCE:
		return first_items(n, syntax, starts_at_line);
	case NODE_CHOICE:
		return all_alternatives(n, syntax, starts_at_line);
	case NODE_CAPTURE:
		return starts_at_line(n->part.body, syntax);
	case NODE_REPEAT:
		return is_dot_star(n, syntax, true) || is_dot_star(n, syntax, false);
	default:
		return false;
	}
}

static bool ends_at_end(const struct node *n, const struct syntax *syntax)
{
	switch (n->kind) {
	case NODE_ASSERTION:
		return n->assertion.kind == ASSERT_END;
	case NODE_SEQUENCE:
		return last_items(n, syntax, ends_at_end);
	case NODE_CHOICE:
		return all_alternatives(n, syntax, ends_at_end);
	case NODE_CAPTURE:
		return ends_at_end(n->part.body, syntax);
	default:
		return false;
	}
}

/* One character, or its two cases. */
static bool is_literal(const struct charset *set)
{
	return set->n > 0 && set->n <= 2 && set->ranges[0].lo == set->ranges[0].hi &&
	       set->ranges[set->n - 1].lo == set->ranges[set->n - 1].hi;
}

/* The last literal that every match must hold; NULL: there is none. */
static const struct charset *last_literal(const struct node *n)
{
	const struct charset *found = NULL;

	switch (n->kind) {
	case NODE_SET:
		return is_literal(n->set) ? n->set : NULL;
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		return last_literal(n->part.body);
	case NODE_REPEAT:
		return n->repeat.min ? last_literal(n->repeat.body) : NULL;
	case NODE_SEQUENCE:
		for (uint32_t i = n->list.n; i > 0 && !found; i--)
			found = last_literal(n->list.items[i - 1]);
		return found;
	case NODE_CHOICE:
		found = last_literal(n->list.items[0]);
		for (uint32_t i = 1; i < n->list.n && found; i++) {
			const struct charset *other = last_literal(n->list.items[i]);

			if (!other || !charset_equal(found, other))
				found = NULL;
		}
		return found;
	default:
		return NULL;
	}
}

void prefilter_init(struct prefilter *f, const struct syntax *syntax)
{
	const struct node *root = syntax->root;

	*f = (struct prefilter){ .from_end = UINT32_MAX };
	f->anchored = syntax->mode & MODE_ANCHORED;
	if (syntax->engine != REGEX_PYTHON)
		f->anchored |= starts_at_start(root, syntax);
	if (syntax->engine == REGEX_PCRE2) {
		f->line_starts = !f->anchored && starts_at_line(root, syntax);
		f->required = last_literal(root);
	}
	if (syntax->engine == REGEX_V8 && !f->anchored && ends_at_end(root, syntax) &&
	    root->width.max < V8_BACK_LIMIT)
		f->from_end = root->width.max;
}
