#include "analyzers/redos.h"

#include <string.h>

#include "analyzers/glob.h"

enum {
	/* A longer one may have been cut, and a part of a pattern proves nothing. */
	PATTERN_MAX = 4000,
	REWRITE_MAX = 200,   /* longer ones are left to `lagprof regex` */
	HUGE_SUBJECT = 50000 /* characters that a linear pattern needs milliseconds for */
};

static const char *text_of(const struct evidence *e, enum argument_key key)
{
	return e->has[key] ? e->args[key].text : NULL;
}

static bool is_pcre2(const struct frame *f)
{
	return (f->function && glob_match("pcre2_*", f->function)) ||
	       (f->module && glob_match("*/libpcre2*", f->module));
}

/* A runtime tells the patterns of its own engine only; a native target is told by the library. */
static bool find_engine(const struct recording *rec, const struct stack *stack,
			enum regex_engine *engine)
{
	const char *runtime = rec->target.runtime ? rec->target.runtime : "";

	*engine = strcmp(runtime, "cpython") == 0 ? REGEX_PYTHON : REGEX_V8;
	if (*engine == REGEX_PYTHON || strcmp(runtime, "v8") == 0)
		return true;
	*engine = REGEX_PCRE2;
	for (uint32_t i = 0; stack && i < stack->n; i++)
		if (is_pcre2(recording_get_frame(rec, stack->frames[i])))
			return true;
	return false;
}

const struct redos_proof *redos_judge(const struct recording *rec, const struct stack *stack,
				      const struct evidence *e, struct arena *a)
{
	const char *text = text_of(e, ARG_PATTERN), *flags = text_of(e, ARG_FLAGS);
	struct regex_pattern pattern = { .text = text, .flags = flags ? flags : "" };
	struct redos_proof *proof;

	if (!text || !find_engine(rec, stack, &pattern.engine))
		return NULL;
	pattern.len = strlen(text);
	if (pattern.len > PATTERN_MAX)
		return NULL;
	proof = arena_alloc(a, sizeof(*proof));
	regex_analyze(&pattern, a, &proof->verdict);
	if (proof->verdict.verdict == REGEX_UNKNOWN)
		return NULL;
	proof->evidence = *regex_evidence(&proof->verdict, a);
	return proof;
}

static const char *advise_rewrite(const struct redos_proof *proof, const char *flags,
				  struct arena *a)
{
	struct strbuf b = { 0 };
	const char *advice;

	strbuf_puts(&b, "Write /");
	strbuf_puts_visible(&b, proof->verdict.rewrite);
	strbuf_printf(&b, "/%s instead: it finds the same and is safe", flags);
	/* The engine's only note about a rewrite. */
	strbuf_puts(&b, proof->verdict.reason ? ", though its groups may hold other text." : ".");
	advice = arena_strdup(a, b.s);
	strbuf_destroy(&b);
	return advice;
}

static const char *advise_safe(const struct evidence *e)
{
	if (e->has[ARG_SUBJECT_LENGTH] && e->args[ARG_SUBJECT_LENGTH].number >= HUGE_SUBJECT)
		return "Not the pattern, it takes time in proportion to its subject, but the "
		       "subject is huge: cap its length, match it piece by piece, or match in a "
		       "worker.";
	return "Not the pattern, it takes time in proportion to its subject: match less text, less "
	       "often, or in a worker.";
}

const char *redos_advice(const struct redos_proof *proof, const struct evidence *e, struct arena *a)
{
	const struct regex_verdict *v = &proof->verdict;
	const char *flags = text_of(e, ARG_FLAGS);

	if (v->verdict == REGEX_SAFE)
		return advise_safe(e);
	if (v->rewrite && strlen(v->rewrite) <= REWRITE_MAX)
		return advise_rewrite(proof, flags ? flags : "", a);
	if (v->kind == REGEX_SEARCH_LOOP)
		return "Every position of the subject is tried as a start: anchor the pattern, "
		       "look "
		       "for a literal part of it first, or cap the length of the subject.";
	if (v->kind == REGEX_INNER)
		return "Repeats in the pattern can take the same characters: let each take what "
		       "the "
		       "next cannot, cap the length of the subject, or use a linear-time engine.";
	return NULL;
}
