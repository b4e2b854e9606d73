#include "report/tui/view.h"

#include "core/units.h"
#include "report/place.h"

static const struct stall *stall_of(const struct list_line *line)
{
	return &line->rec->stalls[line->id];
}

static struct verdict_line what_of(const struct tui *t, uint32_t stall)
{
	if (stall < t->model.n_stalls)
		return t->model.stalls[stall];
	return (struct verdict_line){ .cause = CAUSE_UNKNOWN, .frame = NO_FRAME };
}

static void draw_time(const struct list_line *line, struct spot at)
{
	nsec s = stall_of(line)->start / 1000000000;
	struct strbuf b = { 0 };

	strbuf_printf(&b, "%lu:%02lu:%02lu.%01lu", (unsigned long)(s / 3600),
		      (unsigned long)(s / 60 % 60), (unsigned long)(s % 60),
		      (unsigned long)(stall_of(line)->start / 100000000 % 10));
	at.tone = TONE_DIM;
	canvas_put_right(&line->t->canvas, at, b.s);
	strbuf_destroy(&b);
}

static void draw_length(const struct list_line *line, struct spot at)
{
	struct strbuf b = { 0 };

	put_short(&b, stall_of(line)->duration);
	at.tone = line->dim ? TONE_DIM : tone_of(severity_of(stall_of(line)->duration));
	canvas_put_right(&line->t->canvas, at, b.s);
	strbuf_destroy(&b);
}

static void draw_phase(const struct list_line *line, struct spot at)
{
	const struct stall *s = stall_of(line);

	at.tone = s->open ? TONE_INCIDENT : TONE_DIM;
	canvas_put(&line->t->canvas, at,
		   s->open                     ? "open"
		   : s->phase == PHASE_STARTUP ? "startup"
					       : "");
}

static void draw_cause(const struct list_line *line, struct spot at)
{
	at.tone = line->dim ? TONE_DIM : TONE_PLAIN;
	canvas_put(&line->t->canvas, at, cause_info[what_of(line->t, line->id).cause].id);
}

static void draw_request(const struct list_line *line, struct spot at)
{
	at.tone = line->dim ? TONE_DIM : TONE_PLAIN;
	if (stall_of(line)->request)
		canvas_put(&line->t->canvas, at, stall_of(line)->request);
}

static void draw_what(const struct list_line *line, struct spot at)
{
	struct verdict_line what = what_of(line->t, line->id);

	put_what(line, at, &what);
}

static const struct column columns[] = {
	/* clang-format off */
	{ "TIME",     9,  0, -1, draw_time },
	{ "LAG",      8,  0, -1, draw_length },
	{ "",        -8, 60, -1, draw_phase },
	{ "CAUSE",  -15, 76, -1, draw_cause },
	{ "REQUEST",-20,110, -1, draw_request },
	{ "CULPRIT",  0,  0, -1, draw_what },
	/* clang-format on */
};

/* The newest first, unless turned round. */
static void list(struct tui *t, const struct recording *rec)
{
	uint32_t *ids = tui_ids(t, rec->n_stalls);

	t->n_ids = 0;
	for (size_t i = 0; i < rec->n_stalls; i++) {
		uint32_t id = (uint32_t)(t->upside_down ? i : rec->n_stalls - 1 - i);
		struct verdict_line what = what_of(t, id);

		if (model_matches(rec, &what, t->filter))
			ids[t->n_ids++] = id;
	}
}

static void put_part(struct strbuf *b, const char *name, nsec ns)
{
	if (!ns)
		return;
	strbuf_puts(b, b->len ? ", " : "");
	strbuf_duration(b, ns);
	strbuf_printf(b, " %s", name);
}

static bool has_frame(const struct recording *rec, uint32_t stack, uint32_t frame)
{
	const struct stack *s = recording_get_stack(rec, stack);

	for (uint32_t i = 0; i < s->n; i++)
		if (s->frames[i] == frame)
			return true;
	return false;
}

/* The stack with most of the stall's time among its samples, of those with the culprit if there are
 * any. */
static uint32_t heaviest_stack(const struct recording *rec, uint32_t stall, uint32_t culprit)
{
	uint32_t stack = NO_STACK;
	bool blamed = false;
	nsec most = 0;

	for (size_t i = 0; i < rec->n_samples; i++) {
		const struct sample *s = &rec->samples[i];
		bool has;

		if (s->stall != stall || s->stack == NO_STACK)
			continue;
		has = has_frame(rec, s->stack, culprit);
		if (has < blamed || (has == blamed && s->weight < most))
			continue;
		blamed = has;
		most = s->weight;
		stack = s->stack;
	}
	return stack;
}

/* What its culprit's finding says, once there is one. */
static const char *advice_on(const struct tui *t, const struct recording *rec,
			     const struct verdict_line *what)
{
	uint32_t known = model_find(&t->model, rec, what->cause, what->frame);
	const struct finding *f =
		known < t->model.n_culprits ? t->model.culprits[known].finding : NULL;

	return f ? f->advice : cause_info[what->cause].advice;
}

static void detail(struct tui *t, const struct recording *rec, int width, struct strbuf *title)
{
	uint32_t id = t->ids[t->selected[VIEW_STALLS]];
	const struct stall *s = &rec->stalls[id];
	struct verdict_line what = what_of(t, id);
	struct strbuf b = { 0 };
	const char *advice;

	strbuf_puts_visible(title, what.title ? what.title : "stall");
	strbuf_puts(title, separator(t->canvas.ascii));
	strbuf_duration(title, s->duration);
	put_part(&b, "running", s->running);
	put_part(&b, "waiting for a CPU", s->runnable);
	put_part(&b, "blocked", s->blocked);
	put_part(&b, "stopped", s->stopped);
	strbuf_printf(&b, "%s%u sample%s", b.len ? ", " : "", s->samples,
		      s->samples == 1 ? "" : "s");
	lines_wrap(&t->details, &t->canvas, (struct spot){ 0, 1, width, TONE_PLAIN }, b.s);
	strbuf_destroy(&b);
	if (s->request) {
		strbuf_puts(&b, "request: ");
		strbuf_puts_visible(&b, s->request);
		lines_wrap(&t->details, &t->canvas, (struct spot){ 0, 1, width, TONE_PLAIN }, b.s);
		strbuf_destroy(&b);
	}
	advice = advice_on(t, rec, &what);
	if (advice)
		lines_wrap(&t->details, &t->canvas, (struct spot){ 0, 1, width, TONE_GOOD },
			   advice);
	detail_stack(t, rec, heaviest_stack(rec, id, what.frame), what.frame);
}

static bool dim(const struct tui *t, const struct recording *rec, uint32_t id)
{
	return rec->stalls[id].phase == PHASE_STARTUP;
}

const struct view view_stalls = {
	.name = "Stalls",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(columns[0]),
	.dim = dim,
	.list = list,
	.detail = detail,
};
