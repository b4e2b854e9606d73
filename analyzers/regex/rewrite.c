#include "analyzers/regex/rewrite.h"

#include <string.h>

#include "core/strings.h"

enum {
	ROUNDS = 4, /* a rewrite of a rewrite */
	CANDIDATES_MAX = 24,
	PROOF_STEPS_MAX = 3 * 1000 * 1000, /* for all candidates together */
	PATTERN_MAX = 4096,
};

struct rewriter {
	const char *text; /* of the pattern in hand */
	size_t len;
	const struct syntax *syntax;
	const char *candidates[CANDIDATES_MAX];
	size_t n;
	struct arena *arena;
	struct strbuf out;
	uint64_t left; /* steps */
};

static bool is_endless(const struct node *n)
{
	return n->kind == NODE_REPEAT && n->repeat.max == REPEAT_FOREVER &&
	       n->repeat.mode != REPEAT_POSSESSIVE;
}

static bool is_greedy(const struct node *n)
{
	return n->kind == NODE_REPEAT && n->repeat.mode == REPEAT_GREEDY;
}

/* x*, x+ or x{n,} of one set. */
static bool is_run(const struct node *n)
{
	return is_endless(n) && n->repeat.body->kind == NODE_SET;
}

static bool is_optional(const struct node *n)
{
	return n->kind == NODE_REPEAT && n->repeat.min == 0 && n->repeat.max == 1;
}

static bool same_run(const struct node *x, const struct node *y)
{
	return is_run(x) && is_run(y) && x->repeat.mode == y->repeat.mode &&
	       charset_equal(x->repeat.body->set, y->repeat.body->set);
}

/* What a group holds, if it is one. */
static const struct node *inside(const struct node *n)
{
	return n->kind == NODE_CAPTURE ? n->part.body : n;
}

static void put_text(struct rewriter *r, const struct node *n)
{
	strbuf_add(&r->out, r->text + n->start, n->end - n->start);
}

/* Begins a candidate: everything before byte `end`. */
static void put_until(struct rewriter *r, uint32_t end)
{
	r->out.len = 0;
	strbuf_add(&r->out, r->text, end);
}

/* Ends it: everything from byte `start` on. */
static void put_rest(struct rewriter *r, uint32_t start)
{
	strbuf_add(&r->out, r->text + start, r->len - start);
	if (r->n < CANDIDATES_MAX && r->out.len <= PATTERN_MAX)
		r->candidates[r->n++] = arena_strndup(r->arena, r->out.s, r->out.len);
}

/* (x+)+ is (x+), and (x+)* is (x+)?. */
static void merge_nested(struct rewriter *r, const struct node *n)
{
	const struct node *body = n->repeat.body, *inner = inside(body);

	if (!is_endless(n) || !is_endless(inner) || n->repeat.min > 1 || inner->repeat.min > 1 ||
	    n->repeat.mode != inner->repeat.mode)
		return;
	put_until(r, n->start);
	put_text(r, body);
	if (!n->repeat.min)
		strbuf_puts(&r->out, is_greedy(n) ? "?" : "??");
	put_rest(r, n->end);
}

/* (s?x+)* is (s?x)* when all but x+ may be empty: each x can be a turn of its own. */
static void unnest_run(struct rewriter *r, const struct node *n)
{
	const struct node *body = inside(n->repeat.body), *run = NULL;

	if (!is_endless(n) || !is_greedy(n) || body->kind != NODE_SEQUENCE)
		return;
	for (uint32_t i = 0; i < body->list.n; i++) {
		const struct node *item = inside(body->list.items[i]);

		if (item->width.min == 0)
			continue;
		if (run || !is_run(item) || item->repeat.min != 1)
			return;
		run = item;
	}
	if (!run || !is_greedy(run))
		return;
	put_until(r, run->start);
	put_text(r, run->repeat.body);
	put_rest(r, run->end);
}

/* The first item of a repeat's body, when it is optional and x+ of the given run comes last. */
static const struct node *optional_before(const struct node *repeat, const struct node *run)
{
	const struct node *body;

	if (!is_endless(repeat))
		return NULL;
	body = inside(repeat->repeat.body);
	if (body->kind != NODE_SEQUENCE || body->list.n != 2 || !is_optional(body->list.items[0]) ||
	    !is_greedy(repeat) || !is_greedy(body->list.items[0]) ||
	    !same_run(inside(body->list.items[1]), run))
		return NULL;
	return body->list.items[0];
}

/* x+(s?x+)* is x+(sx+)*. */
static void require_separator(struct rewriter *r, const struct node *x, const struct node *y)
{
	const struct node *run = inside(x), *separator;

	if (!is_run(run) || !is_greedy(run) || run->repeat.min == 0)
		return;
	separator = optional_before(inside(y), run);
	if (!separator)
		return;
	put_until(r, separator->start);
	put_text(r, separator->repeat.body);
	put_rest(r, separator->end);
}

/* x*x+ is x+, x+x+ is x{2,}. */
static void merge_runs(struct rewriter *r, const struct node *x, const struct node *y)
{
	uint32_t min;

	if (!same_run(x, y))
		return;
	min = x->repeat.min + y->repeat.min;
	put_until(r, x->start);
	put_text(r, x->repeat.body);
	if (min > 1)
		strbuf_printf(&r->out, "{%u,}", min);
	else
		strbuf_puts(&r->out, min ? "+" : "*");
	strbuf_puts(&r->out, x->repeat.mode == REPEAT_LAZY ? "?" : "");
	put_rest(r, y->end);
}

/* x+s?x* is x+(?:sx*)?, and x*s?x+ is (?:x*s)?x+. */
static void split_at_separator(struct rewriter *r, struct node *const *items)
{
	const struct node *x = items[0], *s = items[1], *y = items[2];
	bool tail = y->repeat.min == 0;

	if (!same_run(x, y) || !is_optional(s) || (!tail && x->repeat.min) || !is_greedy(x) ||
	    !is_greedy(s))
		return;
	put_until(r, tail ? s->start : x->start);
	strbuf_puts(&r->out, "(?:");
	if (!tail)
		put_text(r, x);
	put_text(r, s->repeat.body);
	if (tail)
		put_text(r, y);
	strbuf_puts(&r->out, ")?");
	if (!tail)
		put_text(r, y);
	put_rest(r, y->end);
}

static void put_character(struct rewriter *r, uint32_t c)
{
	if (c < 0x80 && (c == '_' || (c | 0x20) - 'a' < 26u || c - '0' < 10u))
		strbuf_printf(&r->out, "%c", (char)c);
	else if (c <= 0xff)
		strbuf_printf(&r->out, "\\x%02x", c);
	else if (r->syntax->engine == REGEX_PCRE2)
		strbuf_printf(&r->out, "\\x{%x}", c);
	else if (c <= 0xffff)
		strbuf_printf(&r->out, "\\u%04x", c);
	else
		strbuf_printf(&r->out, r->syntax->engine == REGEX_V8 ? "\\u{%x}" : "\\U%08x", c);
}

static void put_class(struct rewriter *r, const struct charset *set)
{
	if (set->n == 1 && set->ranges[0].lo == 0 && set->ranges[0].hi >= r->syntax->max_char) {
		strbuf_puts(&r->out, "[\\s\\S]");
		return;
	}
	strbuf_puts(&r->out, "[");
	for (uint32_t i = 0; i < set->n; i++) {
		put_character(r, set->ranges[i].lo);
		if (set->ranges[i].hi > set->ranges[i].lo) {
			strbuf_puts(&r->out, "-");
			put_character(r, set->ranges[i].hi);
		}
	}
	strbuf_puts(&r->out, "]");
}

/* (?:.|\s)* is [\s\S]*. */
static void merge_alternatives(struct rewriter *r, const struct node *n)
{
	const struct node *choice = inside(n->repeat.body);
	const struct charset *set;

	if (!is_endless(n) || choice->kind != NODE_CHOICE)
		return;
	for (uint32_t i = 0; i < choice->list.n; i++)
		if (choice->list.items[i]->kind != NODE_SET)
			return;
	set = choice->list.items[0]->set;
	for (uint32_t i = 1; i < choice->list.n; i++)
		set = charset_union(set, choice->list.items[i]->set, r->arena);
	put_until(r, choice->start);
	put_class(r, set);
	put_rest(r, choice->end);
}

static void rewrite_below(struct rewriter *r, const struct node *n)
{
	switch (n->kind) {
	case NODE_SEQUENCE:
		for (uint32_t i = 0; i + 1 < n->list.n; i++) {
			merge_runs(r, n->list.items[i], n->list.items[i + 1]);
			require_separator(r, n->list.items[i], n->list.items[i + 1]);
			if (i + 2 < n->list.n)
				split_at_separator(r, n->list.items + i);
		}
		/* fall through */
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++)
			rewrite_below(r, n->list.items[i]);
		break;
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		rewrite_below(r, n->part.body);
		break;
	case NODE_LOOK:
		rewrite_below(r, n->look.body);
		break;
	case NODE_REPEAT:
		merge_nested(r, n);
		unnest_run(r, n);
		merge_alternatives(r, n);
		rewrite_below(r, n->repeat.body);
		break;
	default:
		break;
	}
}

static bool may_end_in(const struct node *n, const struct charset *set);

static bool sequence_may_end_in(const struct node *n, const struct charset *set)
{
	for (uint32_t i = n->list.n; i > 0; i--) {
		if (may_end_in(n->list.items[i - 1], set))
			return true;
		if (n->list.items[i - 1]->width.min > 0)
			return false;
	}
	return false;
}

static bool choice_may_end_in(const struct node *n, const struct charset *set)
{
	for (uint32_t i = 0; i < n->list.n; i++)
		if (may_end_in(n->list.items[i], set))
			return true;
	return false;
}

/* Can the last character that n takes be in the set? */
static bool may_end_in(const struct node *n, const struct charset *set)
{
	switch (n->kind) {
	case NODE_SET:
		return charset_overlap(n->set, set);
	case NODE_SEQUENCE:
		return sequence_may_end_in(n, set);
	case NODE_CHOICE:
		return choice_may_end_in(n, set);
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		return may_end_in(n->part.body, set);
	case NODE_REPEAT:
		return may_end_in(n->repeat.body, set);
	case NODE_EMPTY:
	case NODE_ASSERTION:
	case NODE_LOOK:
		return false;
	default:
		return true;
	}
}

/* The run that n begins with; NULL: none. */
static const struct node *first_run(const struct node *n)
{
	const struct node *first = inside(n);

	while (first->kind == NODE_SEQUENCE && first->list.n)
		first = inside(first->list.items[0]);
	return is_run(first) && is_greedy(first) ? first : NULL;
}

/* Can a match of n, which begins with that run, end in x after the run's end? */
static bool may_end_after(const struct node *n, const struct node *run)
{
	const struct node *sequence = inside(n);

	for (; sequence->kind == NODE_SEQUENCE && sequence->list.n;
	     sequence = inside(sequence->list.items[0]))
		for (uint32_t i = sequence->list.n; i > 1; i--) {
			if (may_end_in(sequence->list.items[i - 1], run->repeat.body->set))
				return true;
			if (sequence->list.items[i - 1]->width.min > 0)
				return false;
		}
	return false;
}

/*
 * x+y is (?<!x)x+y: a match that begins inside a run of x could begin at its
 * start.  Unless what begins is the search, after a match that ended there: no
 * alternative may end in an x, but by the run itself, which leaves no match behind.
 */
static void guard(struct rewriter *r, const struct node *n, struct node *const *all, uint32_t n_all)
{
	const struct node *run = first_run(n);

	/* x* may match nothing right after a match. */
	if (!run || n->width.min == 0)
		return;
	for (uint32_t i = 0; i < n_all; i++)
		if (all[i] == n ? may_end_after(n, run) : may_end_in(all[i], run->repeat.body->set))
			return;
	put_until(r, n->start);
	strbuf_puts(&r->out, "(?<!");
	put_text(r, run->repeat.body);
	strbuf_puts(&r->out, ")");
	put_rest(r, n->start);
}

/* Does the match depend on where a group began? */
static bool refers_back(const struct node *n)
{
	switch (n->kind) {
	case NODE_BACKREFERENCE:
	case NODE_CONDITION:
		return true;
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++)
			if (refers_back(n->list.items[i]))
				return true;
		return false;
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		return refers_back(n->part.body);
	case NODE_REPEAT:
		return refers_back(n->repeat.body);
	case NODE_LOOK:
		return refers_back(n->look.body);
	default:
		return false;
	}
}

static void guard_search(struct rewriter *r, struct node *root)
{
	if (refers_back(root))
		return;
	if (root->kind != NODE_CHOICE) {
		guard(r, root, &root, 1);
		return;
	}
	for (uint32_t i = 0; i < root->list.n; i++)
		guard(r, root->list.items[i], root->list.items, root->list.n);
}

static void collect(struct rewriter *r, const struct regex_pattern *pattern)
{
	struct syntax *syntax = arena_alloc(r->arena, sizeof(*syntax));

	r->text = pattern->text;
	r->len = pattern->len;
	r->n = 0;
	syntax_parse_as_written(syntax, pattern, r->arena);
	r->syntax = syntax;
	/* What + and ? say is the other way round there. */
	if (!syntax->root || syntax->mode & MODE_UNGREEDY)
		return;
	rewrite_below(r, syntax->root);
	guard_search(r, syntax->root);
}

/* How bad a verdict is: less is better. */
static uint32_t badness(const struct decision *d)
{
	switch (d->verdict) {
	case REGEX_SAFE:
		return 0;
	case REGEX_POLYNOMIAL:
		return d->degree * 2 - !d->inner;
	default:
		return 1000;
	}
}

/* Takes what it costs from *left, in steps. */
static uint32_t badness_of(const struct regex_pattern *pattern, uint64_t *left)
{
	struct arena a = { 0 };
	struct decision d = { .verdict = REGEX_UNKNOWN };
	struct syntax syntax;
	struct program program;
	struct prover prover;

	syntax_parse(&syntax, pattern, &a);
	if (syntax.root) {
		program_compile(&program, &syntax);
		prover_init(&prover, &program, *left);
		decide(&d, &syntax, &prover, &a);
		*left = prover.left;
		prover_free(&prover);
		program_free(&program);
	}
	arena_free(&a);
	return badness(&d);
}

/* The best of the candidates, if it is better than *worst; true: there is one. */
static bool choose(struct rewriter *r, struct regex_pattern *best, uint32_t *worst)
{
	struct regex_pattern original = *best;
	bool found = false;

	for (size_t i = 0; i < r->n && *worst && r->left; i++) {
		struct regex_pattern candidate = original;
		uint32_t bad;

		candidate.text = r->candidates[i];
		candidate.len = strlen(candidate.text);
		bad = badness_of(&candidate, &r->left);
		if (bad >= *worst || rewrite_compare(&original, &candidate) == SAME_NOT)
			continue;
		*best = candidate;
		*worst = bad;
		found = true;
	}
	return found;
}

const char *rewrite_find(const struct regex_pattern *pattern, const struct decision *d,
			 bool *captures, struct arena *a)
{
	struct arena scratch = { 0 };
	struct rewriter r = { .arena = &scratch, .left = PROOF_STEPS_MAX };
	struct regex_pattern best = *pattern;
	uint32_t worst = badness(d);
	const char *found = NULL;

	/* Candidates are C strings. */
	if (pattern->len > PATTERN_MAX || memchr(pattern->text, '\0', pattern->len))
		return NULL;
	for (int round = 0; round < ROUNDS && worst; round++) {
		collect(&r, &best);
		if (!choose(&r, &best, &worst))
			break;
	}
	if (worst == 0) {
		enum sameness same = rewrite_compare(pattern, &best);

		*captures = same == SAME_CAPTURES;
		if (same != SAME_NOT)
			found = arena_strndup(a, best.text, best.len);
	}
	strbuf_destroy(&r.out);
	arena_free(&scratch);
	return found;
}
