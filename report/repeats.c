#include "report/repeats.h"

#include <stdlib.h>
#include <string.h>

#include "core/units.h"
#include "report/place.h"

enum { SHOWN = 5, PLACES_MAX = 256 };
static const nsec WINDOW = 10000000000;

struct repeat {
	enum cause cause;
	int32_t pid;
	char *place; /* as a line names it */
	nsec since;  /* the window's first stall */
	uint32_t shown, held;
	nsec held_total, held_max, shown_max;
};

static char *place_of(const struct recording *rec, const struct stall_diagnosis *d)
{
	struct strbuf b = { 0 };

	strbuf_puts(&b, "");
	if (d->culprit)
		strbuf_place(&b, rec, d->culprit);
	return b.s ? b.s : xcalloc(1, 1);
}

static struct repeat *find(struct repeats *r, enum cause cause, int32_t pid, const char *place)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].cause == cause && r->v[i].pid == pid &&
		    strcmp(r->v[i].place, place) == 0)
			return &r->v[i];
	return NULL;
}

/* The place's entry; NULL when there are too many of them.  Takes the place over. */
static struct repeat *entry_of(struct repeats *r, enum cause cause, int32_t pid, char *place)
{
	struct repeat *e = find(r, cause, pid, place);

	if (e || r->n == PLACES_MAX) {
		free(place);
		return e;
	}
	ARRAY_GROW(r->v, r->n, r->cap);
	r->v[r->n] = (struct repeat){ .cause = cause, .pid = pid, .place = place };
	return &r->v[r->n++];
}

bool repeats_show(struct repeats *r, const struct recording *rec, const struct stall *stall,
		  const struct stall_diagnosis *d)
{
	int32_t pid = stall->loop < rec->n_loops ? rec->loops[stall->loop]->pid : 0;
	struct repeat *e = entry_of(r, d->cause, pid, place_of(rec, d));

	if (!e)
		return true;
	if (e->shown == 0)
		e->since = stall->start;
	/* Twice as bad as all before is news. */
	if (e->shown < SHOWN || stall->duration > 2 * e->shown_max) {
		e->shown++;
		e->shown_max = stall->duration > e->shown_max ? stall->duration : e->shown_max;
		return true;
	}
	e->held++;
	e->held_total += stall->duration;
	e->held_max = stall->duration > e->held_max ? stall->duration : e->held_max;
	return false;
}

static void tell(const struct repeat *e, bool ascii, struct strbuf *out)
{
	const char *dot = separator(ascii);

	strbuf_puts(out, ellipsis(ascii));
	strbuf_puts(out, " ");
	strbuf_count(out, e->held);
	strbuf_printf(out, " more%s%s", dot, cause_info[e->cause].id);
	if (e->place[0])
		strbuf_printf(out, "%s%s", dot, e->place);
	strbuf_puts(out, dot);
	strbuf_duration(out, e->held_total);
	strbuf_puts(out, ", worst ");
	strbuf_duration(out, e->held_max);
	strbuf_puts(out, "\n");
}

void repeats_tell(struct repeats *r, nsec now, bool ascii, struct strbuf *out)
{
	for (size_t i = 0; i < r->n; i++) {
		struct repeat *e = &r->v[i];

		if (!e->shown || now < e->since + WINDOW)
			continue;
		if (e->held)
			tell(e, ascii, out);
		e->shown = e->held = 0;
		e->held_total = e->held_max = e->shown_max = 0;
	}
}

void repeats_destroy(struct repeats *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].place);
	free(r->v);
	*r = (struct repeats){ 0 };
}
