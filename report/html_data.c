#include "report/html.h"

#include <stdlib.h>

#include "report/html_pack.h"
#include "report/origin.h"
#include "report/place.h"
#include "report/text.h"
#include "report/texts.h"
#include "report/tree.h"

/*
 * What the page's script draws, as columns (html_pack.h).  Rows of one table have
 * one prefix: "stall.start".  Texts are numbers into the column "text"; frames
 * are numbered as the tree first comes to them, which is why neighbours in the
 * tree have neighbouring numbers and compress well.
 */
struct data {
	struct gzip gzip;
	struct texts texts;
	const struct report *r;
	const struct recording *rec;
	struct weights weights;
	struct tree tree;
	uint64_t *rows;     /* the column in hand */
	uint32_t *numbers;  /* of each frame of the recording: its number here + 1, 0: not used */
	uint32_t *frames;   /* of each number: the frame */
	uint32_t *culprits; /* of each frame: its place as text + 1, 0: not yet made */
	uint32_t n_frames;
};

static void number_frames(struct data *d)
{
	size_t all = d->rec->stacks.n_frames + WEIGHT_OWN_FRAMES;

	d->numbers = xcalloc(all, sizeof(*d->numbers));
	d->frames = xcalloc(all, sizeof(*d->frames));
	d->culprits = xcalloc(all, sizeof(*d->culprits));
	for (size_t i = 0; i < d->tree.n; i++) {
		uint32_t frame = d->tree.nodes[i].frame;

		if (d->numbers[frame])
			continue;
		d->frames[d->n_frames++] = frame;
		d->numbers[frame] = d->n_frames;
	}
}

static void open_data(struct data *d, FILE *out, const struct report *r)
{
	size_t most = CAUSES;

	*d = (struct data){ .r = r, .rec = r->rec };
	weights_make(&d->weights, d->rec);
	tree_make(&d->tree, d->rec, &d->weights);
	number_frames(d);
	texts_init(&d->texts);
	gzip_open(&d->gzip, out, true);
	most = d->weights.n > most ? d->weights.n : most;
	most = d->tree.n > most ? d->tree.n : most;
	most = d->n_frames > most ? d->n_frames : most;
	most = d->rec->n_stalls > most ? d->rec->n_stalls : most;
	most = d->rec->n_loops > most ? d->rec->n_loops : most;
	d->rows = xcalloc(most, sizeof(*d->rows));
}

static void close_data(struct data *d)
{
	pack_bytes(&d->gzip, "text", d->texts.all.s, d->texts.all.len);
	gzip_close(&d->gzip);
	texts_destroy(&d->texts);
	tree_destroy(&d->tree);
	weights_destroy(&d->weights);
	free(d->rows);
	free(d->numbers);
	free(d->frames);
	free(d->culprits);
}

/* Makes a column of an expression over i. */
#define COLUMN(d, name, n, expression)                         \
	do {                                                   \
		for (size_t i = 0; i < (n); i++)               \
			(d)->rows[i] = (expression);           \
		pack_column(&(d)->gzip, name, (d)->rows, (n)); \
	} while (0)
#define DELTAS(d, name, n, expression)                         \
	do {                                                   \
		for (size_t i = 0; i < (n); i++)               \
			(d)->rows[i] = (expression);           \
		pack_deltas(&(d)->gzip, name, (d)->rows, (n)); \
	} while (0)

/*
 * The page counts in microseconds: nanoseconds are noise, which does not
 * compress.  What is cut off is carried to the next row, so that sums stay right.
 */
static uint64_t carry_us(nsec ns, nsec *carry)
{
	nsec whole = (ns + *carry) / 1000;

	*carry = (ns + *carry) % 1000;
	return whole;
}

static void put_session(struct data *d)
{
	const struct session *s = &d->rec->session;
	nsec serving = s->serving_since < s->duration ? s->serving_since : s->duration;

	COLUMN(d, "session.duration", 1, s->duration / 1000);
	COLUMN(d, "session.threshold", 1, s->threshold / 1000);
	COLUMN(d, "session.serving", 1, serving / 1000);
}

static uint32_t loop_label(struct data *d, const struct loop *loop)
{
	struct strbuf b = { 0 };

	strbuf_puts_visible(&b, loop->name ? loop->name : "loop");
	strbuf_printf(&b, " %d", loop->tid);
	return texts_take(&d->texts, &b);
}

/* "4243 node worker.js". */
static uint32_t process_label(struct data *d, int32_t pid)
{
	const struct target_info *process = recording_process(d->rec, pid);
	struct strbuf b = { 0 };

	strbuf_printf(&b, "%d ", pid);
	if (process)
		text_command(&b, process);
	return texts_take(&d->texts, &b);
}

static void put_words(struct data *d)
{
	COLUMN(d, "loop.label", d->rec->n_loops, loop_label(d, d->rec->loops[i]));
	COLUMN(d, "loop.process", d->rec->n_loops, process_label(d, d->rec->loops[i]->pid));
	COLUMN(d, "cause.label", CAUSES, texts_add(&d->texts, cause_info[i].label));
	COLUMN(d, "origin.id", ORIGINS, texts_add(&d->texts, origin_ids[i]));
	COLUMN(d, "origin.label", ORIGINS, texts_add(&d->texts, origin_labels[i]));
	COLUMN(d, "severity.name", SEVERITY_INCIDENT + 1, texts_add(&d->texts, severity_names[i]));
}

/* "server.js:33 login", made once for each frame. */
static uint32_t culprit_text(struct data *d, const struct frame *f)
{
	struct strbuf b = { 0 };
	uint32_t *known;

	if (!f)
		return 0;
	known = &d->culprits[f - d->rec->stacks.frames];
	if (!*known) {
		strbuf_place(&b, d->rec, f);
		*known = texts_take(&d->texts, &b) + 1;
	}
	return *known - 1;
}

static void put_findings(struct data *d)
{
	const struct finding *f = d->r->diagnosis->findings;
	size_t n = d->r->diagnosis->n_findings;

	COLUMN(d, "finding.title", n, texts_add(&d->texts, f[i].title));
	COLUMN(d, "finding.culprit", n, culprit_text(d, f[i].culprit));
	COLUMN(d, "finding.cause", n, f[i].cause);
}

static void put_stalls(struct data *d)
{
	const struct stall *s = d->rec->stalls;
	const struct stall_diagnosis *is = d->r->diagnosis->stalls;
	size_t n = d->rec->n_stalls;
	nsec carry[4] = { 0 };

	DELTAS(d, "stall.start", n, s[i].start / 1000);
	COLUMN(d, "stall.running", n, carry_us(s[i].running, &carry[0]));
	COLUMN(d, "stall.runnable", n, carry_us(s[i].runnable, &carry[1]));
	COLUMN(d, "stall.blocked", n, carry_us(s[i].blocked, &carry[2]));
	COLUMN(d, "stall.stopped", n, carry_us(s[i].stopped, &carry[3]));
	COLUMN(d, "stall.loop", n, s[i].loop);
	COLUMN(d, "stall.serving", n, s[i].phase == PHASE_SERVING);
	COLUMN(d, "stall.open", n, s[i].open);
	COLUMN(d, "stall.severity", n, is[i].severity);
	COLUMN(d, "stall.cause", n, is[i].cause);
	COLUMN(d, "stall.finding", n, is[i].finding);
	COLUMN(d, "stall.culprit", n, culprit_text(d, is[i].culprit));
	COLUMN(d, "stall.request", n, texts_add(&d->texts, s[i].request));
}

static const struct frame *frame_of(const struct data *d, size_t number)
{
	return weight_frame(d->rec, d->frames[number]);
}

static uint32_t function_text(struct data *d, const struct frame *f)
{
	struct strbuf b = { 0 };

	strbuf_function(&b, f);
	return texts_take(&d->texts, &b);
}

static enum origin number_origin(const struct data *d, size_t number)
{
	if (d->frames[number] >= d->rec->stacks.n_frames)
		return ORIGIN_NONE;
	return origin_of(frame_of(d, number), &d->rec->target);
}

static void put_frames(struct data *d)
{
	size_t n = d->n_frames;

	COLUMN(d, "frame.function", n, function_text(d, frame_of(d, i)));
	COLUMN(d, "frame.full", n, texts_add(&d->texts, frame_of(d, i)->function));
	COLUMN(d, "frame.file", n, texts_add(&d->texts, frame_of(d, i)->file));
	COLUMN(d, "frame.module", n, texts_add(&d->texts, frame_of(d, i)->module));
	COLUMN(d, "frame.line", n, tree_line(frame_of(d, i)));
	COLUMN(d, "frame.origin", n, number_origin(d, i));
}

static void put_tree(struct data *d)
{
	const struct tree_node *nodes = d->tree.nodes;

	DELTAS(d, "node.depth", d->tree.n, nodes[i].depth);
	DELTAS(d, "node.frame", d->tree.n, d->numbers[nodes[i].frame] - 1);
}

/* What a stall spent running without a sample is what is missing to its length. */
static bool is_rest(const struct weight *w)
{
	return w->stack == WEIGHT_NO_STACK && w->state == SAMPLE_RUNNING;
}

/* The weights, in order of stalls: what a stall spent at a node. */
static void put_weights(struct data *d)
{
	struct weight *v = d->weights.v;
	uint32_t *leaves = d->tree.leaves;
	uint64_t rest = d->tree.n; /* its node: none */
	size_t n = 0;
	nsec carry = 0;

	for (size_t i = 0; i < d->weights.n; i++) {
		if (is_rest(&v[i])) {
			rest = leaves[i];
			continue;
		}
		leaves[n] = leaves[i];
		v[n++] = v[i];
	}
	pack_column(&d->gzip, "session.rest", &rest, 1);
	DELTAS(d, "weight.stall", n, v[i].stall);
	DELTAS(d, "weight.node", n, leaves[i]);
	COLUMN(d, "weight.us", n, carry_us(v[i].ns, &carry));
}

void html_data(FILE *out, const struct report *r)
{
	struct data d;

	open_data(&d, out, r);
	put_session(&d);
	put_words(&d);
	put_findings(&d);
	put_stalls(&d);
	put_frames(&d);
	put_tree(&d);
	put_weights(&d);
	close_data(&d);
}
