#include "analyzers/regex/parser.h"

/*
 * Before V8 enters an alternative it checks the next characters against what
 * the alternative must take, looking past negative look-around but not past
 * positive one (GetQuickCheckDetails, EmitQuickCheck).  So a negative
 * look-around is only run where what follows it can match, and (?<!a*)b is
 * linear.  We say the same with a look-ahead, which changes nothing else.
 *
 * An alternative is one of a choice, one more round of a repeat, what comes
 * after a repeat, and the whole pattern where the search tries a position.  As
 * many characters are checked as every alternative of the choice takes, four
 * at most, and three count as two.  Each is checked by mask and value, so more
 * may pass than can match.  The search also skips positions where a character
 * up to eight ahead is none of the few that can come there (BoyerMooreLookahead).
 *
 * This is how V8 8 to 12 do it; 13 looks past positive look-around too.
 * It is for subjects of Latin-1: in others two characters are checked at most.
 */

enum {
	CHECKED_MAX = 4,
	SKIP_MAX = 8,             /* characters ahead */
	SKIP_CHARACTERS_MAX = 16, /* that can come there, told apart by their low 7 bits */
	/* A look-around that reads less costs nothing worth a check. */
	COSTLY_WIDTH = 16,
	/* Nodes seen: to work out one check, and all of a pattern. */
	WALK_MAX = 4000,
	WALKS_MAX = 400 * 1000,
};

/* What comes after a node. */
struct tail {
	struct node *const *items; /* n of them, then next */
	uint32_t n;
	const struct node *repeat; /* or one more round, left of which are a must */
	uint32_t left;
	const struct tail *next; /* NULL: nothing that is checked */
};

/* What can come at a position.  All zero: anything. */
struct position {
	uint8_t mask, value; /* (c & mask) == value for c up to 0xff */
	bool never;          /* no such c */
	bool narrow;         /* and no other either */
	bool known;
	uint64_t low[2]; /* if known: the low 7 bits of all */
};

struct walk {
	struct parser *p;
	uint32_t budget; /* of this walk */
	uint32_t spent;  /* by all of them */
	uint32_t checked;
	const struct node *look; /* the first costly one that was passed */
	uint32_t look_at;        /* characters before it */
};

static bool take_budget(struct walk *w)
{
	if (!w->budget)
		return false;
	w->budget--;
	return true;
}

static void start_walk(struct walk *w)
{
	w->budget = w->spent < WALKS_MAX ? WALK_MAX : 0;
	w->spent += WALK_MAX - w->budget;
	w->look = NULL;
	w->look_at = SKIP_MAX;
}

static uint32_t eats(struct walk *w, const struct node *n, const struct tail *t, uint32_t enough);

static uint32_t eats_items(struct walk *w, struct node *const *items, uint32_t n,
			   const struct tail *t, uint32_t enough)
{
	struct tail rest = { .items = items + 1, .n = n - 1, .next = t };

	return eats(w, items[0], &rest, enough);
}

static uint32_t eats_repeat(struct walk *w, const struct node *n, uint32_t left,
			    const struct tail *t, uint32_t enough);

static uint32_t eats_next(struct walk *w, const struct tail *t, uint32_t enough)
{
	while (t && !t->repeat && !t->n)
		t = t->next;
	if (!t || !enough)
		return 0;
	return t->repeat ? eats_repeat(w, t->repeat, t->left, t->next, enough)
			 : eats_items(w, t->items, t->n, t->next, enough);
}

static uint32_t eats_repeat(struct walk *w, const struct node *n, uint32_t left,
			    const struct tail *t, uint32_t enough)
{
	struct tail again = { .repeat = n, .left = left - 1, .next = t };

	if (!left || node_measure(n->repeat.body).min == 0)
		return eats_next(w, t, enough);
	return eats(w, n->repeat.body, &again, enough);
}

static uint32_t eats_choice(struct walk *w, const struct node *n, const struct tail *t,
			    uint32_t enough)
{
	for (uint32_t i = 0; i < n->list.n; i++)
		enough = eats(w, n->list.items[i], t, enough);
	return enough;
}

/* The least characters that n and then t take, as V8 counts them; enough at most. */
static uint32_t eats(struct walk *w, const struct node *n, const struct tail *t, uint32_t enough)
{
	uint32_t next;

	if (!enough || !take_budget(w))
		return 0;
	switch (n->kind) {
	case NODE_SET:
		return 1 + eats_next(w, t, enough - 1);
	case NODE_SEQUENCE:
		return n->list.n ? eats_items(w, n->list.items, n->list.n, t, enough)
				 : eats_next(w, t, enough);
	case NODE_CHOICE:
		return eats_choice(w, n, t, enough);
	case NODE_CAPTURE:
		return eats(w, n->part.body, t, enough);
	case NODE_REPEAT:
		return eats_repeat(w, n, n->repeat.min, t, enough);
	case NODE_LOOK:
		if (n->look.negative || n->look.check)
			return eats_next(w, t, enough);
		return n->look.behind ? 0 : eats(w, n->look.body, NULL, enough);
	case NODE_ASSERTION:
		/* In a line's end V8 sees (?=newline)|$. */
		next = eats_next(w, t, enough);
		return n->assertion.kind == ASSERT_LINE_END && next > 1 ? 1 : next;
	default:
		return eats_next(w, t, enough);
	}
}

/* The bits that vary between lo and hi: all below the first one in which they differ. */
static uint32_t varying_bits(uint32_t lo, uint32_t hi)
{
	uint32_t bits = lo ^ hi;

	for (uint32_t shift = 1; shift < 8; shift *= 2)
		bits |= bits >> shift;
	return bits;
}

static void add_low(struct position *p, uint32_t lo, uint32_t hi)
{
	for (uint32_t c = lo; c <= hi && c - lo < 128; c++)
		p->low[c / 64 % 2] |= 1ull << c % 64;
}

static struct position position_of(const struct charset *set)
{
	uint32_t all = 0xff, any = 0;
	struct position out = { .never = true, .narrow = true, .known = true };

	for (uint32_t i = 0; i < set->n; i++) {
		uint32_t lo = set->ranges[i].lo, hi = set->ranges[i].hi;

		add_low(&out, lo, hi);
		if (hi > 0xff)
			out.narrow = false;
		if (lo > 0xff)
			continue;
		hi = hi > 0xff ? 0xff : hi;
		all &= lo & ~varying_bits(lo, hi);
		any |= hi | varying_bits(lo, hi);
		out.never = false;
	}
	if (!out.never)
		out.mask = (uint8_t) ~(all ^ any);
	out.value = (uint8_t)all & out.mask;
	return out;
}

static void merge(struct position *into, const struct position *other)
{
	into->narrow &= other->narrow;
	into->known &= other->known;
	into->low[0] |= other->low[0];
	into->low[1] |= other->low[1];
	if (other->never)
		return;
	if (into->never) {
		into->never = false;
		into->mask = other->mask;
		into->value = other->value;
	}
	into->mask &= other->mask & (uint8_t) ~(into->value ^ other->value);
	into->value &= into->mask;
}

static void fill(struct walk *w, struct position *out, uint32_t at, const struct node *n,
		 const struct tail *t);

static void fill_repeat(struct walk *w, struct position *out, uint32_t at, const struct tail *t);

/* Positions that nothing is said of let everything pass. */
static void fill_next(struct walk *w, struct position *out, uint32_t at, const struct tail *t)
{
	while (t && !t->repeat && !t->n)
		t = t->next;
	if (!t || at == w->checked)
		return;
	if (t->repeat) {
		fill_repeat(w, out, at, t);
	} else {
		struct tail rest = { .items = t->items + 1, .n = t->n - 1, .next = t->next };

		fill(w, out, at, t->items[0], &rest);
	}
}

static void merge_from(struct walk *w, struct position *out, const struct position *other,
		       uint32_t at)
{
	for (uint32_t i = at; i < w->checked; i++)
		merge(&out[i], &other[i]);
}

/* What t begins with: a round of its loop, or what follows that. */
static void fill_repeat(struct walk *w, struct position *out, uint32_t at, const struct tail *t)
{
	const struct node *n = t->repeat;
	struct tail again = { .repeat = n, .left = t->left - 1, .next = t->next };
	struct position other[SKIP_MAX] = { 0 };

	if (node_measure(n->repeat.body).min == 0)
		return;
	if (t->left) {
		fill(w, out, at, n->repeat.body, &again);
		return;
	}
	/* V8 does not look at a loop twice. */
	if (n->repeat.max > 0)
		fill(w, other, at, n->repeat.body, n->repeat.max == 1 ? t->next : NULL);
	fill_next(w, out, at, t->next);
	if (n->repeat.max > 0)
		merge_from(w, out, other, at);
}

static void fill_choice(struct walk *w, struct position *out, uint32_t at, const struct node *n,
			const struct tail *t)
{
	fill(w, out, at, n->list.items[0], t);
	for (uint32_t i = 1; i < n->list.n; i++) {
		struct position other[SKIP_MAX] = { 0 };

		fill(w, other, at, n->list.items[i], t);
		merge_from(w, out, other, at);
	}
}

static void fill_never(struct walk *w, struct position *out, uint32_t at)
{
	for (uint32_t i = at; i < w->checked; i++)
		out[i] = (struct position){ .never = true, .narrow = true, .known = true };
}

static void note_look(struct walk *w, const struct node *n, uint32_t at)
{
	if (at >= w->look_at || node_measure(n->look.body).max <= COSTLY_WIDTH)
		return;
	w->look = n;
	w->look_at = at;
}

/* Works out what passes at the positions from `at` on, where n comes and then t. */
static void fill(struct walk *w, struct position *out, uint32_t at, const struct node *n,
		 const struct tail *t)
{
	struct tail rest;

	if (!take_budget(w))
		return;
	switch (n->kind) {
	case NODE_EMPTY:
		fill_next(w, out, at, t);
		break;
	case NODE_SET:
		out[at] = position_of(n->set);
		fill_next(w, out, at + 1, t);
		break;
	case NODE_SEQUENCE:
		rest = (struct tail){ .items = n->list.items, .n = n->list.n, .next = t };
		fill_next(w, out, at, &rest);
		break;
	case NODE_CHOICE:
		fill_choice(w, out, at, n, t);
		break;
	case NODE_CAPTURE:
		fill(w, out, at, n->part.body, t);
		break;
	case NODE_REPEAT:
		rest = (struct tail){ .repeat = n, .left = n->repeat.min, .next = t };
		fill_repeat(w, out, at, &rest);
		break;
	case NODE_LOOK:
		if (n->look.negative || n->look.check) {
			if (n->look.negative)
				note_look(w, n, at);
			fill_next(w, out, at, t);
		} else if (!n->look.behind) {
			fill(w, out, at, n->look.body, NULL);
		}
		break;
	case NODE_ASSERTION:
		if (n->assertion.kind == ASSERT_END)
			fill_never(w, out, at);
		else if (n->assertion.kind != ASSERT_LINE_END)
			fill_next(w, out, at, t);
		break;
	default:
		break;
	}
}

static const struct charset *passing(struct parser *p, const struct position *at)
{
	for (uint32_t c = 0; c <= 0xff && !at->never; c++)
		if ((c & at->mask) == at->value)
			charset_add(&p->set, c, c);
	if (!at->narrow)
		charset_add(&p->set, 0x100, p->max_char);
	return parser_finish_set(p);
}

static struct node *make_node(struct parser *p, enum node_kind kind, const struct node *at)
{
	struct node *n = arena_alloc(p->arena, sizeof(*n));

	*n = (struct node){ .kind = kind, .start = at->start, .end = at->end };
	return n;
}

static struct node *make_sequence(struct parser *p, struct node **items, uint32_t n)
{
	struct node *sequence = make_node(p, NODE_SEQUENCE, items[0]);

	sequence->end = items[n - 1]->end;
	sequence->list.items = arena_alloc(p->arena, n * sizeof(*items));
	for (uint32_t i = 0; i < n; i++)
		sequence->list.items[i] = items[i];
	sequence->list.n = n;
	node_measure(sequence);
	return sequence;
}

/* A look-ahead for n characters. */
static struct node *make_check(struct walk *w, const struct position *positions, uint32_t n)
{
	struct node *check, *sets[SKIP_MAX];

	for (uint32_t i = 0; i < n; i++) {
		sets[i] = make_node(w->p, NODE_SET, w->look);
		sets[i]->set = passing(w->p, &positions[i]);
	}
	check = make_node(w->p, NODE_LOOK, w->look);
	check->look.body = make_sequence(w->p, sets, n);
	check->look.check = true;
	node_measure(check);
	return check;
}

/* The check of n, an alternative of a choice whose alternatives take so much; then comes t. */
static struct node *check_of(struct walk *w, const struct node *n, const struct tail *t,
			     uint32_t eaten)
{
	struct position positions[SKIP_MAX] = { 0 };
	uint32_t useful;

	w->checked = eaten >= CHECKED_MAX ? CHECKED_MAX : eaten == 3 ? 2 : eaten;
	if (!w->checked)
		return NULL;
	start_walk(w);
	if (n)
		fill(w, positions, 0, n, t);
	else
		fill_next(w, positions, 0, t);
	useful = w->checked;
	while (useful > 0 && !positions[useful - 1].mask && !positions[useful - 1].never)
		useful--;
	/* Does it spare a look-around? */
	return w->look && useful > w->look_at ? make_check(w, positions, useful) : NULL;
}

/* The characters from..to ahead, of which V8 looks at the last, for any of theirs. */
struct interval {
	uint32_t from, to;
	int points;
};

static int count_low(const struct position *p)
{
	return p->known ? __builtin_popcountll(p->low[0]) + __builtin_popcountll(p->low[1]) : 128;
}

/* As FindBestInterval does, for a subject in which those characters are rare. */
static void find_interval(const struct position *positions, uint32_t n, int most,
			  struct interval *best)
{
	for (uint32_t i = 0; i < n; i++) {
		struct position all = { .known = true };
		uint32_t from = i;
		int points;

		for (; i < n && count_low(&positions[i]) <= most; i++)
			merge(&all, &positions[i]);
		points = (int)(i - from) *
			 ((i - from < 4 || from <= 4 ? 64 : 128) - count_low(&all));
		if (points > best->points)
			*best = (struct interval){ from, i - 1, points };
	}
}

static void add_passing_low(struct parser *p, const struct position *at)
{
	for (uint32_t c = 0; c <= 0xff; c++)
		if (at->low[c / 64 % 2] >> c % 64 & 1)
			charset_add(&p->set, c, c);
	if (!at->narrow)
		charset_add(&p->set, 0x100, p->max_char);
}

/* What the search skips over; NULL: nothing that spares a look-around. */
static struct node *skip_of(struct walk *w, const struct node *root, uint32_t eaten)
{
	static const struct position anything[SKIP_MAX];
	struct position positions[SKIP_MAX] = { 0 };
	struct interval best = { 0 };
	struct node *check;

	w->checked = eaten;
	start_walk(w);
	fill(w, positions, 0, root, NULL);
	for (int most = 4; most <= SKIP_CHARACTERS_MAX; most *= 2)
		find_interval(positions, eaten, most, &best);
	if (!best.points || !w->look || best.to < w->look_at)
		return NULL;
	for (uint32_t i = best.from; i < best.to; i++)
		merge(&positions[best.to], &positions[i]);
	check = make_check(w, anything, best.to + 1);
	add_passing_low(w->p, &positions[best.to]);
	check->look.body->list.items[best.to]->set = parser_finish_set(w->p);
	return check;
}

static void put_before(struct walk *w, struct node **slot, struct node *check)
{
	if (check)
		*slot = make_sequence(w->p, (struct node *[]){ check, *slot }, 2);
}

static void add_checks(struct walk *w, struct node **slot, const struct tail *t);

static void add_to_choice(struct walk *w, struct node *n, const struct tail *t)
{
	uint32_t eaten;

	start_walk(w);
	eaten = eats(w, n, t, CHECKED_MAX);
	for (uint32_t i = 0; i < n->list.n; i++) {
		struct node *check = check_of(w, n->list.items[i], t, eaten);

		add_checks(w, &n->list.items[i], t);
		put_before(w, &n->list.items[i], check);
	}
}

static void add_to_repeat(struct walk *w, struct node **slot, const struct tail *t)
{
	struct node *n = *slot, *enter, *leave;
	struct tail again = { .repeat = n, .next = t };
	uint32_t eaten;

	start_walk(w);
	eaten = eats_next(w, t, CHECKED_MAX);
	enter = check_of(w, n->repeat.body, n->repeat.max == 1 ? t : &again, eaten);
	leave = check_of(w, NULL, t, eaten);
	add_checks(w, &n->repeat.body, n->repeat.max == 1 ? t : &again);
	put_before(w, &n->repeat.body, enter);
	if (leave)
		*slot = make_sequence(w->p, (struct node *[]){ n, leave }, 2);
}

static void add_checks(struct walk *w, struct node **slot, const struct tail *t)
{
	struct node *n = *slot;

	switch (n->kind) {
	case NODE_SEQUENCE:
		for (uint32_t i = 0; i < n->list.n; i++) {
			struct tail rest = { .items = n->list.items + i + 1,
					     .n = n->list.n - i - 1,
					     .next = t };

			add_checks(w, &n->list.items[i], &rest);
		}
		break;
	case NODE_CHOICE:
		add_to_choice(w, n, t);
		break;
	case NODE_CAPTURE:
		add_checks(w, &n->part.body, t);
		break;
	case NODE_REPEAT:
		if (n->repeat.max > 0)
			add_to_repeat(w, slot, t);
		break;
	case NODE_LOOK:
		/* What is read to the left is never checked. */
		if (!n->look.behind && !n->look.check)
			add_checks(w, &n->look.body, NULL);
		break;
	default:
		break;
	}
}

static bool has_costly_look(struct node *n)
{
	switch (n->kind) {
	case NODE_SEQUENCE:
	case NODE_CHOICE:
		for (uint32_t i = 0; i < n->list.n; i++)
			if (has_costly_look(n->list.items[i]))
				return true;
		return false;
	case NODE_CAPTURE:
		return has_costly_look(n->part.body);
	case NODE_REPEAT:
		return has_costly_look(n->repeat.body);
	case NODE_LOOK:
		return (n->look.negative && node_measure(n->look.body).max > COSTLY_WIDTH) ||
		       has_costly_look(n->look.body);
	default:
		return false;
	}
}

struct node *parse_check_looks(struct parser *p, struct node *root)
{
	struct walk w = { .p = p };
	struct node *check = NULL, *skip = NULL;
	uint32_t eaten = 0;

	if (!has_costly_look(root))
		return root;
	if (!(p->mode & MODE_ANCHORED)) {
		start_walk(&w);
		eaten = eats(&w, root, NULL, SKIP_MAX);
	}
	if (eaten) {
		check = check_of(&w, root, NULL, eaten);
		skip = skip_of(&w, root, eaten);
	}
	add_checks(&w, &root, NULL);
	put_before(&w, &root, check);
	put_before(&w, &root, skip);
	return root;
}
