#include "analyzers/title.h"

#include <inttypes.h>
#include <string.h>

#include "core/units.h"

/* Longer texts are cut: a title is one line. */
enum { TEXT_MAX = 80 };

static void put_text(struct strbuf *b, const char *s)
{
	size_t len = strlen(s);

	if (len <= TEXT_MAX) {
		strbuf_puts(b, s);
		return;
	}
	for (len = TEXT_MAX - 3; len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80;)
		len--;
	strbuf_add(b, s, len);
	strbuf_puts(b, "...");
}

/* " text" if that argument is known and is text. */
static void add_text(struct strbuf *b, const struct evidence *e, enum argument_key key)
{
	if (!e->has[key] || !e->args[key].text)
		return;
	strbuf_puts(b, " ");
	put_text(b, e->args[key].text);
}

/* The number of an argument, 0 where it is unknown, text or senseless. */
static uint64_t number(const struct evidence *e, enum argument_key key)
{
	if (!e->has[key] || e->args[key].text || e->args[key].number < 0)
		return 0;
	return (uint64_t)e->args[key].number;
}

static void add_bytes(struct strbuf *b, const struct evidence *e)
{
	if (number(e, ARG_BYTES)) {
		strbuf_puts(b, " ");
		strbuf_bytes(b, number(e, ARG_BYTES));
	}
}

static void add_crypto(struct strbuf *b, const struct evidence *e)
{
	if (number(e, ARG_ITERATIONS))
		strbuf_printf(b, " %" PRIu64 " iterations", number(e, ARG_ITERATIONS));
	if (number(e, ARG_COST))
		strbuf_printf(b, " cost %" PRIu64, number(e, ARG_COST));
	add_text(b, e, ARG_DIGEST);
	add_bytes(b, e);
}

static void add_compression(struct strbuf *b, const struct evidence *e)
{
	add_bytes(b, e);
	if (number(e, ARG_LEVEL))
		strbuf_printf(b, " level %" PRIu64, number(e, ARG_LEVEL));
}

/* How its time grows with the subject, where that was proved. */
static void add_growth(struct strbuf *b, const struct redos *redos)
{
	if (strcmp(redos->verdict, "safe") == 0)
		strbuf_puts(b, ", linear");
	else if (strcmp(redos->verdict, "exponential") == 0)
		strbuf_puts(b, ", exponential");
	else if (strcmp(redos->verdict, "polynomial") == 0)
		strbuf_puts(b, redos->degree == 2   ? ", quadratic"
			       : redos->degree == 3 ? ", cubic"
						    : ", polynomial");
}

static void put_regex(struct strbuf *b, const struct judgement *j, const struct evidence *e)
{
	if (e->has[ARG_PATTERN] && e->args[ARG_PATTERN].text) {
		strbuf_puts(b, "/");
		put_text(b, e->args[ARG_PATTERN].text);
		strbuf_puts(b, "/");
		if (e->has[ARG_FLAGS] && e->args[ARG_FLAGS].text)
			put_text(b, e->args[ARG_FLAGS].text);
	} else {
		strbuf_puts(b, j->call ? j->call : "regular expression");
	}
	if (number(e, ARG_SUBJECT_LENGTH))
		strbuf_printf(b, " on %" PRIu64 " characters", number(e, ARG_SUBJECT_LENGTH));
	if (e->redos)
		add_growth(b, e->redos);
}

static void put_code(struct strbuf *b, const struct judgement *j)
{
	if (j->call)
		put_text(b, j->call);
	else if (j->hot)
		put_text(b, j->hot);
	else if (j->function == UINT32_MAX)
		strbuf_puts(b, "code without a name");
	else
		strbuf_puts(b, "(anonymous function)");
}

static void put_callbacks(struct strbuf *b, const struct judgement *j)
{
	if (j->cause == CAUSE_MICROTASK_STARVATION)
		strbuf_printf(b, "starved by %s", j->call ? j->call : "microtasks");
	else if (j->callbacks > 1)
		strbuf_printf(b, "%u different callbacks in one turn", j->callbacks);
	else
		strbuf_puts(b, "one callback many times in one turn");
}

/* "to a pipe", "to /dev/pts/3", "to descriptor 1" */
static void add_descriptor(struct strbuf *b, const struct evidence *e)
{
	const char *text = e->has[ARG_DESCRIPTOR] ? e->args[ARG_DESCRIPTOR].text : NULL;

	if (text && strncmp(text, "pipe:", 5) == 0) {
		strbuf_puts(b, " to a pipe");
	} else if (text) {
		strbuf_puts(b, " to ");
		put_text(b, text);
	} else if (number(e, ARG_DESCRIPTOR)) {
		strbuf_printf(b, " to descriptor %" PRIu64, number(e, ARG_DESCRIPTOR));
	}
}

static void add_arguments(struct strbuf *b, enum cause cause, const struct evidence *e)
{
	switch (cause) {
	case CAUSE_SYNC_CRYPTO:
		add_crypto(b, e);
		break;
	case CAUSE_SYNC_FS:
		add_text(b, e, ARG_PATH);
		add_bytes(b, e);
		break;
	case CAUSE_SYNC_DNS:
		add_text(b, e, ARG_HOST);
		break;
	case CAUSE_SYNC_CHILD:
		if (e->has[ARG_COMMAND] && e->args[ARG_COMMAND].text) {
			strbuf_puts(b, " \"");
			put_text(b, e->args[ARG_COMMAND].text);
			strbuf_puts(b, "\"");
		}
		break;
	case CAUSE_SYNC_NET:
		add_text(b, e, ARG_PEER);
		break;
	case CAUSE_COMPILE:
		add_text(b, e, ARG_MODULE);
		break;
	case CAUSE_COMPRESSION:
		add_compression(b, e);
		break;
	case CAUSE_SLEEP:
		if (number(e, ARG_DURATION)) {
			strbuf_puts(b, " ");
			strbuf_duration(b, number(e, ARG_DURATION));
		}
		break;
	case CAUSE_PAGE_FAULT:
		add_text(b, e, ARG_PATH);
		break;
	case CAUSE_BLOCKING_OUTPUT:
		add_descriptor(b, e);
		break;
	default:
		add_bytes(b, e);
		break;
	}
}

static void put_title(struct strbuf *b, const struct judgement *j, const struct evidence *e)
{
	switch (j->cause) {
	case CAUSE_REGEX:
		put_regex(b, j, e);
		break;
	case CAUSE_GC:
		strbuf_puts(b, "garbage collection");
		if (e->has[ARG_GC_KIND] && e->args[ARG_GC_KIND].text)
			strbuf_printf(b, " (%s)", e->args[ARG_GC_KIND].text);
		break;
	case CAUSE_MICROTASK_STARVATION:
	case CAUSE_MANY_CALLBACKS:
		put_callbacks(b, j);
		break;
	case CAUSE_USER_CODE:
		put_code(b, j);
		break;
	case CAUSE_CPU_STARVATION:
	case CAUSE_STOPPED:
		strbuf_puts(b, cause_info[j->cause].label);
		break;
	case CAUSE_UNKNOWN:
		strbuf_printf(b, "unknown: %s", j->why ? j->why : "no reason was found");
		break;
	default:
		put_text(b, j->call ? j->call : cause_info[j->cause].label);
		add_arguments(b, j->cause, e);
		break;
	}
}

const char *title_make(struct arena *a, const struct judgement *j, const struct evidence *e)
{
	struct strbuf b = { 0 };
	const char *title;

	put_title(&b, j, e);
	title = arena_strdup(a, b.s);
	strbuf_destroy(&b);
	return title;
}
