#include "analyzers/classify.h"

#include <stdlib.h>

#include "core/names.h"

void classifier_init(struct classifier *c, const struct recording *rec, struct arena *arena)
{
	size_t n = rec->stacks.n_frames;

	*c = (struct classifier){ .rec = rec, .arena = arena, .cap = 16 };
	while (c->cap < n * 2)
		c->cap *= 2;
	c->target = rec->target;
	for (size_t i = 0; i < rec->n_processes && !c->target.runtime; i++)
		c->target.runtime = rec->processes[i]->runtime;
	c->classes = xcalloc(n + 1, sizeof(*c->classes));
	c->slots = xcalloc(c->cap, sizeof(*c->slots));
	c->marks = xcalloc(n + 1, sizeof(*c->marks));
}

void classifier_destroy(struct classifier *c)
{
	free(c->classes);
	free(c->slots);
	free(c->marks);
	strings_destroy(&c->names);
}

const char *classifier_intern(struct classifier *c, const char *name)
{
	return strings_intern(&c->names, c->arena, name);
}

void classifier_mark_none(struct classifier *c)
{
	c->mark++;
}

bool classifier_mark(struct classifier *c, uint32_t function)
{
	if (c->marks[function] == c->mark)
		return false;
	c->marks[function] = c->mark;
	return true;
}

/* Strings of a recording are interned: the same text is the same pointer. */
static bool same_function(const struct frame *a, const struct frame *b)
{
	return a->kind == b->kind && a->function == b->function && a->module == b->module &&
	       a->file == b->file && a->define_line == b->define_line &&
	       (a->function || a->define_line || a->address == b->address);
}

static uint32_t function_of(struct classifier *c, uint32_t id)
{
	const struct frame *f = recording_get_frame(c->rec, id);
	const void *key[] = { f->function, f->module, f->file };
	size_t at = hash_bytes(f->define_line, key, sizeof(key)) & (c->cap - 1);

	for (; c->slots[at]; at = (at + 1) & (c->cap - 1))
		if (same_function(recording_get_frame(c->rec, c->slots[at] - 1), f))
			return c->slots[at] - 1;
	c->slots[at] = id + 1;
	return id;
}

static const char *name_of(struct classifier *c, const struct frame *f)
{
	struct strbuf b = { 0 };
	const char *name;

	if (!f->function || f->kind != FRAME_NATIVE)
		return f->function;
	strbuf_puts_function(&b, f->function);
	name = arena_strdup(c->arena, b.len ? b.s : f->function);
	strbuf_destroy(&b);
	return name;
}

const struct frame_class *classify(struct classifier *c, uint32_t frame)
{
	struct frame_class *class = &c->classes[frame];

	if (!class->known) {
		const struct frame *f = recording_get_frame(c->rec, frame);

		class->name = name_of(c, f);
		class->rule = rule_find(f, class->name);
		class->role = role_of(f, class->name, &c->target);
		class->function = function_of(c, frame);
		class->known = true;
	}
	return class;
}
