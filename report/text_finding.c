#include "report/text.h"

#include <inttypes.h>
#include <string.h>

#include "core/units.h"
#include "report/place.h"

/* How an argument reads in prose.  Those that the title shows are left out. */
static const struct {
	enum argument_key key;
	const char *words; /* before the value */
	enum { AS_BYTES, AS_KEY, AS_TEXT } form;
	uint32_t titled; /* bits of causes whose title has it */
} evidence_rows[] = {
	{ ARG_KEYLEN, "key of", AS_KEY, 0 },
	{ ARG_BYTES, "input of", AS_BYTES,
	  1u << CAUSE_SYNC_CRYPTO | 1u << CAUSE_LARGE_PARSE | 1u << CAUSE_LARGE_SERIALIZE |
		  1u << CAUSE_COMPRESSION | 1u << CAUSE_SYNC_FS },
	{ ARG_PATH, "file", AS_TEXT,
	  1u << CAUSE_SYNC_FS | 1u << CAUSE_PAGE_FAULT | 1u << CAUSE_COMPILE },
	{ ARG_HOST, "host", AS_TEXT, 1u << CAUSE_SYNC_DNS },
	{ ARG_PEER, "peer", AS_TEXT, 1u << CAUSE_SYNC_NET },
	{ ARG_DESCRIPTOR, "descriptor", AS_TEXT,
	  1u << CAUSE_BLOCKING_OUTPUT | 1u << CAUSE_SYNC_FS | 1u << CAUSE_SYNC_NET },
	{ ARG_MODULE, "module", AS_TEXT, 1u << CAUSE_COMPILE },
};

static void put_value(struct strbuf *b, const struct argument *a, int form, const char *call)
{
	if (a->text)
		strbuf_puts_visible(b, a->text);
	else if (form == AS_KEY && call && strncmp(call, "generate", 8) == 0)
		/* RSA and its kin are known by their bits. */
		strbuf_printf(b, "%" PRId64 " bits", a->number);
	else if (form != AS_TEXT && a->number >= 0)
		strbuf_bytes(b, (uint64_t)a->number);
	else
		strbuf_printf(b, "%" PRId64, a->number);
}

/* What a verdict of the regex engine means, in words. */
static const struct {
	const char *verdict, *words;
} redos_rows[] = {
	{ "safe", "the pattern takes time in proportion to its subject" },
	{ "polynomial", "the pattern backtracks in polynomial time" },
	{ "exponential", "the pattern backtracks in exponential time" },
	{ "bounded", "the pattern backtracks up to a bound" },
	{ "suspect", "the pattern may backtrack" },
};

void text_redos(struct strbuf *b, const struct redos *redos)
{
	for (size_t i = 0; redos->verdict && i < sizeof(redos_rows) / sizeof(redos_rows[0]); i++) {
		if (strcmp(redos->verdict, redos_rows[i].verdict) != 0)
			continue;
		strbuf_puts(b, redos_rows[i].words);
		if (redos->degree > 1)
			strbuf_printf(b, " (degree %d)", redos->degree);
	}
}

static void put_redos(struct strbuf *b, const struct redos *redos)
{
	struct strbuf words = { 0 };

	text_redos(&words, redos);
	if (words.len)
		strbuf_printf(b, "%s%s", b->len ? ", " : "", words.s);
	if (words.len && redos->attack) {
		strbuf_puts(b, ", on ");
		strbuf_puts_visible(b, redos->attack);
	}
	strbuf_destroy(&words);
}

void text_evidence(struct strbuf *b, const struct finding *f)
{
	for (size_t i = 0; i < sizeof(evidence_rows) / sizeof(evidence_rows[0]); i++) {
		enum argument_key key = evidence_rows[i].key;

		if (!f->evidence.has[key] || evidence_rows[i].titled >> f->cause & 1)
			continue;
		strbuf_printf(b, "%s%s ", b->len ? ", " : "", evidence_rows[i].words);
		put_value(b, &f->evidence.args[key], evidence_rows[i].form, f->call);
	}
	if (f->evidence.redos)
		put_redos(b, f->evidence.redos);
}

void text_requests(struct strbuf *b, const struct report *r, const struct finding *f)
{
	enum { KINDS = 32 };
	struct {
		const char *request; /* interned */
		uint32_t stalls;
	} kinds[KINDS] = { 0 };
	size_t n = 0, best = 0, k;

	for (size_t i = 0; i < r->rec->n_stalls; i++) {
		const char *request = r->rec->stalls[i].request;

		if (!request || r->diagnosis->stalls[i].finding != f->id)
			continue;
		for (k = 0; k < n && kinds[k].request != request; k++)
			;
		if (k == KINDS)
			continue;
		n += k == n;
		kinds[k].request = request;
		kinds[k].stalls++;
		best = kinds[k].stalls > kinds[best].stalls ? k : best;
	}
	if (n == 0)
		return;
	if (kinds[best].stalls < f->stalls)
		strbuf_printf(b, "%u of the stalls ", kinds[best].stalls);
	strbuf_puts(b, "while it served ");
	strbuf_puts_visible(b, kinds[best].request);
}

void text_starvation(struct strbuf *b, const struct finding *f)
{
	bool code = f->cause != CAUSE_CPU_STARVATION;

	if (code && f->starved < 0.25)
		return;
	strbuf_printf(b, "%.0f %% of its time the thread waited for a CPU", f->starved * 100);
	if (f->throttled >= 0.005)
		strbuf_printf(b, ", %.0f %% held back by a CPU quota", f->throttled * 100);
	strbuf_puts(b, code ? ": on a free machine these stalls are shorter." : ".");
}

/* What a stack is shortened to: kernel frames say little once the cause is known. */
struct shape {
	uint32_t leaf;    /* the first frame outside the kernel */
	uint32_t culprit; /* UINT32_MAX: unknown, or not on this stack */
};

/* A function with many lines or calls that is blamed for all of them has many frames. */
static bool same_function(const struct frame *a, const struct frame *b)
{
	return a->kind == b->kind && a->function && a->function == b->function &&
	       a->module == b->module && a->file == b->file && a->define_line == b->define_line;
}

uint32_t culprit_on_stack(const struct recording *rec, const struct finding *f)
{
	uint32_t near = UINT32_MAX;

	for (uint32_t i = 0; i < f->stack->n; i++) {
		const struct frame *frame = recording_get_frame(rec, f->stack->frames[i]);

		if (frame == f->culprit)
			return i;
		if (near == UINT32_MAX && same_function(frame, f->culprit))
			near = i;
	}
	return near;
}

static struct shape find_shape(const struct recording *rec, const struct finding *f)
{
	struct shape shape = { .culprit = UINT32_MAX };
	bool user = false;

	for (uint32_t i = 0; i < f->stack->n; i++) {
		const struct frame *frame = recording_get_frame(rec, f->stack->frames[i]);

		if (!user && frame->kind != FRAME_KERNEL) {
			shape.leaf = i;
			user = true;
		}
	}
	if (f->culprit)
		shape.culprit = culprit_on_stack(rec, f);
	return shape;
}

/* The leaf and the frames around the culprit say what happened; the rest says where from. */
static bool is_shown(uint32_t i, const struct shape *shape)
{
	enum { LEAF = 2, CALL = 4, CALLERS = 2 };

	if (i < shape->leaf)
		return false;
	if (i < shape->leaf + LEAF)
		return true;
	if (shape->culprit == UINT32_MAX)
		return i < shape->leaf + LEAF + CALL + CALLERS;
	return i + CALL >= shape->culprit && i <= shape->culprit + CALLERS;
}

static void print_frame(const struct report *r, const struct page *page, uint32_t id, bool culprit)
{
	struct strbuf b = { 0 };

	strbuf_puts(&b, culprit ? "> " : "  ");
	strbuf_frame(&b, r->rec, recording_get_frame(r->rec, id));
	page_print(page, culprit ? INK_BOLD : INK_DIM, 4, b.s);
	strbuf_destroy(&b);
}

static void print_skipped(const struct report *r, const struct page *page, uint32_t n)
{
	if (n)
		page_printf(page, INK_DIM, 6, "%s%u frame%s", ellipsis(r->ascii), n,
			    n == 1 ? "" : "s");
}

void text_stack(const struct report *r, const struct page *page, const struct finding *f)
{
	uint32_t skipped = 0;
	struct shape shape;

	if (!f->stack)
		return;
	shape = find_shape(r->rec, f);
	for (uint32_t i = 0; i < f->stack->n; i++) {
		if (!r->verbose && !is_shown(i, &shape)) {
			skipped++;
			continue;
		}
		print_skipped(r, page, skipped);
		skipped = 0;
		print_frame(r, page, f->stack->frames[i], i == shape.culprit);
	}
	print_skipped(r, page, skipped);
}
