#include "cli/regex_json.h"

#include <string.h>

static void member(struct strbuf *out, const char *name, const char *value)
{
	if (!value)
		return;
	strbuf_printf(out, ",\"%s\":", name);
	regex_quote(out, (struct regex_text){ value, strlen(value) });
}

static void put_attack(struct strbuf *out, const struct regex_attack *attack)
{
	strbuf_puts(out, ",\"attack\":{\"pumps\":[");
	for (uint32_t i = 0; i < attack->n; i++) {
		strbuf_puts(out, i ? ",{\"prefix\":" : "{\"prefix\":");
		regex_quote(out, attack->pumps[i].prefix);
		strbuf_puts(out, ",\"pump\":");
		regex_quote(out, attack->pumps[i].pump);
		strbuf_puts(out, "}");
	}
	strbuf_puts(out, "],\"suffix\":");
	regex_quote(out, attack->suffix);
	strbuf_puts(out, "},\"steps\":[");
}

static void put_reason(struct strbuf *out, const struct regex_verdict *v)
{
	struct strbuf b = { 0 };

	if (v->placed)
		strbuf_printf(&b, "%s at byte %u", v->reason, v->at);
	member(out, "reason", v->placed ? b.s : v->reason);
	strbuf_destroy(&b);
}

void regex_json(struct strbuf *out, const struct regex_pattern *pattern,
		const struct regex_verdict *v)
{
	strbuf_puts(out, "{\"pattern\":");
	regex_quote(out, (struct regex_text){ pattern->text, pattern->len });
	member(out, "flags", pattern->flags);
	member(out, "engine", regex_engine_names[v->engine]);
	member(out, "verdict", regex_class_names[v->verdict]);
	if (v->degree)
		strbuf_printf(out, ",\"degree\":%d", v->degree);
	member(out, "kind", regex_kind_names[v->kind]);
	if (v->attack.n) {
		put_attack(out, &v->attack);
		for (int i = 0; i < REGEX_SIZES; i++)
			strbuf_printf(out, "%s[%u,%llu]", i ? "," : "", v->steps[i].size,
				      (unsigned long long)v->steps[i].steps);
		strbuf_puts(out, "]");
	}
	if (v->guilty.end > v->guilty.start)
		strbuf_printf(out, ",\"guilty\":{\"start\":%u,\"end\":%u}", v->guilty.start,
			      v->guilty.end);
	member(out, "rewrite", v->rewrite);
	put_reason(out, v);
	strbuf_puts(out, "}");
}
