#include "analyzers/regex/regex.h"

/* "a".repeat(n) + "!": enough to try it by hand. */
static const char *attack_text(const struct regex_attack *attack, struct arena *a)
{
	struct strbuf out = { 0 };
	const char *text;

	for (uint32_t i = 0; i < attack->n; i++) {
		const struct regex_pump *p = &attack->pumps[i];

		strbuf_puts(&out, i ? " + " : "");
		if (p->prefix.len) {
			regex_quote(&out, p->prefix);
			strbuf_puts(&out, " + ");
		}
		regex_quote(&out, p->pump);
		strbuf_puts(&out, ".repeat(n)");
	}
	if (attack->suffix.len) {
		strbuf_puts(&out, " + ");
		regex_quote(&out, attack->suffix);
	}
	text = arena_strndup(a, out.s ? out.s : "", out.len);
	strbuf_destroy(&out);
	return text;
}

const struct redos *regex_evidence(const struct regex_verdict *v, struct arena *a)
{
	struct redos *r = arena_alloc(a, sizeof(*r));

	r->verdict = regex_class_names[v->verdict];
	r->kind = regex_kind_names[v->kind];
	r->degree = v->verdict == REGEX_POLYNOMIAL ? v->degree : -1;
	r->guilty_start = v->guilty.start;
	r->guilty_end = v->guilty.end;
	if (v->attack.n)
		r->attack = attack_text(&v->attack, a);
	return r;
}
