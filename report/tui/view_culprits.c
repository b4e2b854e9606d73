#include "report/tui/view.h"

#include "core/units.h"
#include "report/place.h"
#include "report/text.h"

static const struct culprit *culprit_of(const struct list_line *line)
{
	return &line->t->model.culprits[line->id];
}

static void put_right(const struct list_line *line, struct spot at, struct strbuf *b)
{
	if (line->dim)
		at.tone = TONE_DIM;
	canvas_put_right(&line->t->canvas, at, b->s);
	strbuf_destroy(b);
}

static void draw_count(const struct list_line *line, struct spot at)
{
	struct strbuf b = { 0 };

	strbuf_count(&b, culprit_of(line)->stalls);
	put_right(line, at, &b);
}

static void draw_blocked(const struct list_line *line, struct spot at)
{
	struct strbuf b = { 0 };

	put_short(&b, culprit_of(line)->total);
	put_right(line, at, &b);
}

static void draw_max(const struct list_line *line, struct spot at)
{
	struct strbuf b = { 0 };

	put_short(&b, culprit_of(line)->max);
	at.tone = tone_of(culprit_of(line)->severity);
	put_right(line, at, &b);
}

static void draw_share(const struct list_line *line, struct spot at)
{
	const struct culprit *c = culprit_of(line);
	nsec all = line->t->model.serving;
	struct strbuf b = { 0 };

	if (c->serving && all)
		strbuf_printf(&b, "%.0f %%", 100 * (double)c->serving / (double)all);
	else
		strbuf_puts(&b, "-");
	put_right(line, at, &b);
}

static void draw_cause(const struct list_line *line, struct spot at)
{
	at.tone = line->dim ? TONE_DIM : TONE_PLAIN;
	canvas_put(&line->t->canvas, at, cause_info[culprit_of(line)->cause].id);
}

static void draw_culprit(const struct list_line *line, struct spot at)
{
	const struct culprit *c = culprit_of(line);
	struct verdict_line what = { c->cause, c->title, c->frame };

	if (!c->serving) {
		at.tone = TONE_DIM;
		at.column += canvas_put(&line->t->canvas, at, "startup ");
		at.width = line->t->canvas.columns - at.column;
	}
	put_what(line, at, &what);
}

static const struct column columns[] = {
	/* clang-format off */
	{ "COUNT",    5, 46, SORT_COUNT,   draw_count },
	{ "BLOCKED",  8,  0, SORT_BLOCKED, draw_blocked },
	{ "MAX",      7,  0, SORT_MAX,     draw_max },
	{ "SHARE",    5, 60, -1,           draw_share },
	{ "CAUSE",  -15, 76, SORT_CAUSE,   draw_cause },
	{ "CULPRIT",  0,  0, SORT_PLACE,   draw_culprit },
	/* clang-format on */
};

static void list(struct tui *t, const struct recording *rec)
{
	uint32_t *ids = tui_ids(t, t->model.n_culprits);

	t->n_ids = model_sort_culprits(&t->model, rec, t->sort, t->filter, ids);
	for (size_t i = 0; t->upside_down && i < t->n_ids / 2; i++) {
		uint32_t other = ids[t->n_ids - 1 - i];

		ids[t->n_ids - 1 - i] = ids[i];
		ids[i] = other;
	}
}

static void add_wrapped(struct tui *t, int width, enum tone tone, struct strbuf *b)
{
	if (b->len)
		lines_wrap(&t->details, &t->canvas, (struct spot){ 0, 1, width, tone }, b->s);
	strbuf_destroy(b);
}

static void add_finding(struct tui *t, const struct finding *f, int width)
{
	struct strbuf b = { 0 };

	strbuf_printf(&b, "%s, %s, %.0f %% on CPU", cause_info[f->cause].label,
		      severity_names[f->severity], f->on_cpu * 100);
	if (f->serving_stalls < f->stalls)
		strbuf_printf(&b, ", %u of the stalls while starting",
			      f->stalls - f->serving_stalls);
	add_wrapped(t, width, TONE_PLAIN, &b);
	text_evidence(&b, f);
	add_wrapped(t, width, TONE_PLAIN, &b);
	text_starvation(&b, f);
	add_wrapped(t, width, TONE_WARNING, &b);
	if (f->advice)
		strbuf_puts_visible(&b, f->advice);
	add_wrapped(t, width, TONE_GOOD, &b);
}

static void detail(struct tui *t, const struct recording *rec, int width, struct strbuf *title)
{
	const struct culprit *c = &t->model.culprits[t->ids[t->selected[VIEW_CULPRITS]]];
	struct strbuf b = { 0 };

	strbuf_puts_visible(title, c->title);
	if (c->finding) {
		struct finding now = *c->finding;

		/* It may have stalled again since. */
		now.stalls = c->stalls;
		now.total = c->total;
		now.max = c->max;
		strbuf_puts(title, separator(t->canvas.ascii));
		finding_times(title, &now);
		add_finding(t, c->finding, width);
	} else {
		strbuf_printf(&b, "%s, %s", cause_info[c->cause].label,
			      severity_names[c->severity]);
		add_wrapped(t, width, TONE_PLAIN, &b);
	}
	detail_stack(t, rec, c->stack, c->frame);
}

static bool dim(const struct tui *t, const struct recording *rec, uint32_t id)
{
	return t->model.culprits[id].serving == 0;
}

const struct view view_culprits = {
	.name = "Culprits",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(columns[0]),
	.dim = dim,
	.list = list,
	.detail = detail,
};
