#include <stdlib.h>
#include <string.h>

#include "analyzers/regex/parser.h"

/*
 * V8 rewrites a choice of three or more alternatives before it compiles it:
 * literal ones that stand together are sorted by their first character, three
 * or more with a common beginning share it, and single characters become a
 * class.  (?:a|b|a)* is safe because of that, so we do the same
 * (RegExpDisjunction::ToNode).
 */

enum { PREFIX_DEPTH_MAX = 40 };

static void merge_choice(struct parser *p, struct node *n, uint32_t depth);

static uint32_t atom_length(const struct node *n)
{
	if (n->kind == NODE_SET)
		return n->literal;
	if (n->kind != NODE_SEQUENCE)
		return 0;
	for (uint32_t i = 0; i < n->list.n; i++)
		if (n->list.items[i]->kind != NODE_SET || !n->list.items[i]->literal)
			return 0;
	return n->list.n;
}

static struct node *atom_at(struct node *n, uint32_t i)
{
	return n->kind == NODE_SET ? n : n->list.items[i];
}

static bool same_set(const struct node *x, const struct node *y)
{
	return charset_equal(x->set, y->set);
}

/* One past the atoms that stand together from i on. */
static uint32_t end_of_atoms(const struct node *n, uint32_t i)
{
	while (i < n->list.n && atom_length(n->list.items[i]))
		i++;
	return i;
}

static uint32_t first_char(struct node *n)
{
	const struct charset *set = atom_at(n, 0)->set;

	return set->n ? set->ranges[0].lo : 0;
}

struct sort_key {
	uint32_t c, order;
	struct node *atom;
};

static int compare_keys(const void *a, const void *b)
{
	const struct sort_key *x = a, *y = b;

	if (x->c != y->c)
		return x->c < y->c ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* By first character; those that share it keep their order. */
static void sort_atoms(struct node **v, uint32_t n)
{
	struct sort_key *keys = xcalloc(n, sizeof(*keys));

	for (uint32_t i = 0; i < n; i++)
		keys[i] = (struct sort_key){ first_char(v[i]), i, v[i] };
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (uint32_t i = 0; i < n; i++)
		v[i] = keys[i].atom;
	free(keys);
}

static uint32_t common_prefix(struct node **v, uint32_t n)
{
	uint32_t length = atom_length(v[0]);

	for (uint32_t i = 1; i < n; i++) {
		uint32_t k = 1, most = atom_length(v[i]);

		if (length > most)
			length = most;
		while (k < length && same_set(atom_at(v[0], k), atom_at(v[i], k)))
			k++;
		if (k < length)
			length = k;
	}
	return length;
}

static struct node *make(struct parser *p, enum node_kind kind, const struct node *from,
			 const struct node *to)
{
	struct node *n = arena_alloc(p->arena, sizeof(*n));

	n->kind = kind;
	n->start = from->start;
	n->end = to->end;
	return n;
}

static struct node *make_list(struct parser *p, enum node_kind kind, struct node **v, uint32_t n)
{
	struct node *list = make(p, kind, v[0], v[n - 1]);

	list->list.items = arena_alloc(p->arena, n * sizeof(*v));
	list->list.n = n;
	memcpy(list->list.items, v, n * sizeof(*v));
	return list;
}

/* What is left of an atom after its first characters. */
static struct node *atom_rest(struct parser *p, struct node *atom, uint32_t from)
{
	uint32_t length = atom_length(atom);

	if (from == length)
		return make(p, NODE_EMPTY, atom, atom);
	if (from + 1 == length)
		return atom_at(atom, from);
	return make_list(p, NODE_SEQUENCE, atom->list.items + from, length - from);
}

/* ab|ac|ad as a(?:b|c|d) */
static struct node *share_prefix(struct parser *p, struct node **v, uint32_t n, uint32_t depth)
{
	uint32_t prefix = common_prefix(v, n);
	struct node **parts = arena_alloc(p->arena, ((size_t)prefix + 1) * sizeof(*parts));
	struct node **rests = arena_alloc(p->arena, n * sizeof(*rests));

	for (uint32_t i = 0; i < n; i++)
		rests[i] = atom_rest(p, v[i], prefix);
	for (uint32_t i = 0; i < prefix; i++)
		parts[i] = atom_at(v[0], i);
	parts[prefix] = make_list(p, NODE_CHOICE, rests, n);
	merge_choice(p, parts[prefix], depth + 1);
	return make_list(p, NODE_SEQUENCE, parts, prefix + 1);
}

static void share_prefixes(struct parser *p, struct node *n, uint32_t depth)
{
	struct node **v = n->list.items;
	uint32_t kept = 0, next;

	for (uint32_t i = 0; i < n->list.n; i = next) {
		uint32_t end = end_of_atoms(n, i);

		next = i + 1;
		while (next < end && same_set(atom_at(v[i], 0), atom_at(v[next], 0)))
			next++;
		if (next > i + 2) {
			v[kept++] = share_prefix(p, v + i, next - i, depth);
		} else {
			memmove(v + kept, v + i, (next - i) * sizeof(*v));
			kept += next - i;
		}
	}
	n->list.n = kept;
}

/* b|c|d as [bcd] */
static void merge_single(struct parser *p, struct node *n)
{
	struct node **v = n->list.items;
	uint32_t kept = 0, next;

	for (uint32_t i = 0; i < n->list.n; i = next) {
		next = i + 1;
		while (atom_length(v[i]) == 1 && next < n->list.n && atom_length(v[next]) == 1)
			next++;
		if (next > i + 1) {
			struct node *set = make(p, NODE_SET, v[i], v[next - 1]);

			for (uint32_t k = i; k < next; k++)
				charset_add_set(&p->set, v[k]->set);
			set->set = parser_finish_set(p);
			v[kept++] = set;
		} else {
			v[kept++] = v[i];
		}
	}
	n->list.n = kept;
}

static void merge_choice(struct parser *p, struct node *n, uint32_t depth)
{
	if (n->list.n <= 2 || depth > PREFIX_DEPTH_MAX)
		return;
	for (uint32_t i = 0; i < n->list.n;) {
		uint32_t end = end_of_atoms(n, i);

		if (end > i)
			sort_atoms(n->list.items + i, end - i);
		i = end > i ? end : i + 1;
	}
	share_prefixes(p, n, depth);
	merge_single(p, n);
}

/*
 * Python takes a common beginning out of a choice, and if single characters
 * or classes are left (not [^...] or the dot), makes one class of them
 * (sre_parse, _parse_sub).
 */
static struct node *first_item(struct node *n)
{
	return n->kind == NODE_SEQUENCE ? n->list.items[0] : n;
}

static bool share_first(const struct node *n)
{
	struct node *first = first_item(n->list.items[0]);

	for (uint32_t i = 0; i < n->list.n; i++) {
		struct node *other = first_item(n->list.items[i]);

		if (other->kind != NODE_SET || !same_set(first, other))
			return false;
	}
	return true;
}

static struct node *without_first(struct parser *p, struct node *n)
{
	if (n->kind != NODE_SEQUENCE)
		return make(p, NODE_EMPTY, n, n);
	if (n->list.n == 2)
		return n->list.items[1];
	return make_list(p, NODE_SEQUENCE, n->list.items + 1, n->list.n - 1);
}

static bool all_mergeable(const struct node *n)
{
	for (uint32_t i = 0; i < n->list.n; i++)
		if (n->list.items[i]->kind != NODE_SET || n->list.items[i]->negated)
			return false;
	return true;
}

static void merge_python(struct parser *p, struct node *n)
{
	struct node **parts = NULL, *choice, *set;
	uint32_t prefix = 0, room = 0;

	while (share_first(n)) {
		if (prefix + 1 >= room) {
			struct node **more = arena_alloc(p->arena, (2 * room + 8) * sizeof(*more));

			if (prefix)
				memcpy(more, parts, prefix * sizeof(*more));
			parts = more;
			room = 2 * room + 8;
		}
		parts[prefix++] = first_item(n->list.items[0]);
		for (uint32_t i = 0; i < n->list.n; i++)
			n->list.items[i] = without_first(p, n->list.items[i]);
	}
	choice = make_list(p, NODE_CHOICE, n->list.items, n->list.n);
	if (all_mergeable(choice)) {
		for (uint32_t i = 0; i < choice->list.n; i++)
			charset_add_set(&p->set, choice->list.items[i]->set);
		set = make(p, NODE_SET, choice, choice);
		set->set = parser_finish_set(p);
		choice = set;
	}
	if (!prefix) {
		*n = *choice;
		return;
	}
	parts[prefix] = choice;
	set = make_list(p, NODE_SEQUENCE, parts, prefix + 1);
	set->start = n->start;
	set->end = n->end;
	*n = *set;
}

void parse_merge_choices(struct parser *p, struct node *n)
{
	if (n->kind == NODE_CHOICE && p->engine == REGEX_PYTHON)
		merge_python(p, n);
	switch (n->kind) {
	case NODE_CHOICE:
		if (p->engine == REGEX_V8)
			merge_choice(p, n, 0);
		/* fall through */
	case NODE_SEQUENCE:
		for (uint32_t i = 0; i < n->list.n; i++)
			parse_merge_choices(p, n->list.items[i]);
		break;
	case NODE_CAPTURE:
	case NODE_ATOMIC:
		parse_merge_choices(p, n->part.body);
		break;
	case NODE_CONDITION:
		parse_merge_choices(p, n->part.body);
		parse_merge_choices(p, n->part.otherwise);
		break;
	case NODE_REPEAT:
		parse_merge_choices(p, n->repeat.body);
		break;
	case NODE_LOOK:
		parse_merge_choices(p, n->look.body);
		break;
	default:
		break;
	}
}
