#include "core/excerpt.h"

#include <stdlib.h>

enum { NONE = UINT32_MAX };

struct copier {
	struct recording *to;
	const struct recording *from;
	uint32_t *stalls, *stacks; /* by id in from: the id in to, or NONE */
	uint32_t first_loop;       /* in to */
};

static void copy_info(struct recording *to, struct target_info *info, const struct target_info *t)
{
	*info = *t;
	info->argv = arena_alloc(&to->arena, (t->argc + 1) * sizeof(*info->argv));
	for (uint32_t i = 0; i < t->argc; i++)
		info->argv[i] = recording_intern(to, t->argv[i]);
	info->exe = recording_intern(to, t->exe);
	info->cwd = recording_intern(to, t->cwd);
	info->runtime = recording_intern(to, t->runtime);
	info->runtime_version = recording_intern(to, t->runtime_version);
}

static void copy_scripts(struct recording *to, const struct recording *from)
{
	for (size_t i = 0; i < from->n_maps; i++) {
		const struct script_map *map = &from->maps[i];
		const char *file = arena_strndup(&to->arena, map->script, map->file_len);

		recording_script_map(to, file, xstrdup(map->url));
	}
	for (size_t i = 0; i < from->n_scripts; i++) {
		const struct script_lines *s = &from->scripts[i];

		recording_script_lines(to, recording_intern(to, s->file), s->first, s->n);
	}
}

static void copy_session(struct recording *to, const struct recording *from)
{
	to->session = from->session;
	to->session.probe = recording_intern(to, from->session.probe);
	to->session.unwinder = recording_intern(to, from->session.unwinder);
	copy_info(to, &to->target, &from->target);
	copy_scripts(to, from);
}

static void copy_loops(struct copier *c)
{
	c->first_loop = (uint32_t)c->to->n_loops;
	for (size_t i = 0; i < c->from->n_loops; i++) {
		struct loop *loop = recording_add_loop(c->to);

		*loop = *c->from->loops[i];
		loop->name = recording_intern(c->to, loop->name);
	}
}

static void copy_stall(struct copier *c, const struct stall *s)
{
	struct stall *copy = recording_add_stall(c->to);
	uint32_t id = copy->id;

	*copy = *s;
	copy->id = id;
	copy->loop += c->first_loop;
	copy->request = recording_intern(c->to, s->request);
	copy->peer = recording_intern(c->to, s->peer);
	c->stalls[s->id] = id;
}

static void copy_stalls(struct copier *c, nsec since)
{
	for (size_t i = 0; i < c->from->n_stalls; i++) {
		const struct stall *s = &c->from->stalls[i];

		c->stalls[i] = NONE;
		if (s->open || s->start + s->duration >= since)
			copy_stall(c, s);
	}
}

static uint32_t copy_stack(struct copier *c, uint32_t id)
{
	const struct stack *k = recording_get_stack(c->from, id);
	uint32_t *frames;

	if (c->stacks[id] != NONE)
		return c->stacks[id];
	frames = xcalloc(k->n + 1, sizeof(*frames));
	for (uint32_t i = 0; i < k->n; i++)
		frames[i] = recording_frame(c->to, recording_get_frame(c->from, k->frames[i]));
	c->stacks[id] = recording_stack(c->to, frames, k->n, k->end);
	free(frames);
	return c->stacks[id];
}

static void copy_samples(struct copier *c)
{
	for (size_t i = 0; i < c->from->n_samples; i++) {
		struct sample s = c->from->samples[i];

		if (s.stall >= c->from->n_stalls || c->stalls[s.stall] == NONE)
			continue;
		s.stall = c->stalls[s.stall];
		s.stack = copy_stack(c, s.stack);
		recording_add_sample(c->to, &s);
	}
}

static uint32_t *new_ids(size_t n)
{
	uint32_t *ids = xcalloc(n + 1, sizeof(*ids));

	for (size_t i = 0; i < n; i++)
		ids[i] = NONE;
	return ids;
}

void recording_excerpt(struct recording *to, const struct recording *from, nsec since)
{
	struct copier c = { .to = to,
			    .from = from,
			    .stalls = new_ids(from->n_stalls),
			    .stacks = new_ids(from->stacks.n_stacks) };

	if (to->n_loops == 0 && to->target.pid == 0)
		copy_session(to, from);
	else
		copy_info(to, recording_add_process(to), &from->target);
	for (size_t i = 0; i < from->n_processes; i++)
		copy_info(to, recording_add_process(to), from->processes[i]);
	copy_loops(&c);
	copy_stalls(&c, since);
	copy_samples(&c);
	free(c.stalls);
	free(c.stacks);
}
