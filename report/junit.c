#include "report/renderer.h"

#include <errno.h>
#include <string.h>

#include "core/utf8.h"
#include "report/gate.h"
#include "report/text.h"

/* JUnit XML: a test case for each budget, the findings as the suite's output. */

/* Safe text as XML character data; also what strbuf_puts_visible() lets through and XML does not.
 */
static void put_xml(FILE *out, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	while (len > 0) {
		uint32_t point = 0;
		size_t n = utf8_decode(s, len, &point);

		if (n == 0 || (point < 0x20 && point != '\n') || point == 0xfffe || point == 0xffff)
			fputs("\xef\xbf\xbd", out);
		else if (point == '<' || point == '>' || point == '&' || point == '"')
			fprintf(out, "&#%u;", point);
		else
			fwrite(s, 1, n, out);
		n = n ? n : 1;
		s += n;
		len -= n;
	}
}

static void take(FILE *out, struct strbuf *b)
{
	put_xml(out, b->s);
	strbuf_destroy(b);
}

/* The lines that the rule is broken at. */
static void put_guilty(FILE *out, const struct report *r, const struct budget_result *rule)
{
	struct strbuf b = { 0 };

	for (size_t i = 0; i < rule->n_findings; i++) {
		/* Redaction may have merged some. */
		if (rule->findings[i] >= r->diagnosis->n_findings)
			continue;
		finding_headline(&b, r, &r->diagnosis->findings[rule->findings[i]]);
		strbuf_puts(&b, "\n");
	}
	take(out, &b);
}

static void put_outcome(FILE *out, const struct report *r, const struct budget_result *rule)
{
	enum rule_outcome outcome = gate_outcome(rule);
	const char *element = outcome == RULE_UNSURE ? "error" : "failure";
	struct strbuf b = { 0 };

	if (outcome == RULE_MET) {
		fputs("/>\n", out);
		return;
	}
	gate_rule(&b, rule);
	if (outcome == RULE_WARNED) {
		fputs("><system-out>warning: ", out);
		take(out, &b);
		fputs("</system-out></testcase>\n", out);
		return;
	}
	if (r->budget->verdict == VERDICT_INCONCLUSIVE) {
		strbuf_puts(&b, "; ");
		gate_verdict(&b, r->budget);
	}
	fprintf(out, "><%s type=\"budget\" message=\"", element);
	take(out, &b);
	fputs("\">", out);
	put_guilty(out, r, rule);
	fprintf(out, "</%s></testcase>\n", element);
}

static void put_cases(FILE *out, const struct report *r)
{
	const struct budget_report *budget = r->budget;

	for (size_t i = 0; budget && i < budget->n_rules; i++) {
		struct strbuf name = { 0 };

		strbuf_puts_visible(&name, budget->rules[i].expr);
		fputs("  <testcase classname=\"lagprof\" name=\"", out);
		take(out, &name);
		fputs("\" time=\"0\"", out);
		put_outcome(out, r, &budget->rules[i]);
	}
}

static void put_output(FILE *out, const struct report *r)
{
	struct strbuf b = { 0 };

	text_totals(&b, r);
	for (size_t i = 0; i < r->diagnosis->n_findings; i++) {
		strbuf_puts(&b, "\n");
		finding_headline(&b, r, &r->diagnosis->findings[i]);
	}
	fputs("  <system-out>", out);
	take(out, &b);
	fputs("</system-out>\n", out);
}

static size_t count(const struct budget_report *budget, enum rule_outcome outcome)
{
	size_t n = 0;

	for (size_t i = 0; budget && i < budget->n_rules; i++)
		n += gate_outcome(&budget->rules[i]) == outcome;
	return n;
}

static int render(const struct report *r, FILE *out, struct error *err)
{
	nsec duration = r->rec->session.duration;

	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
		" <testsuite name=\"lagprof\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
		"time=\"%llu.%03llu\">\n",
		r->budget ? r->budget->n_rules : 0, count(r->budget, RULE_OVER),
		count(r->budget, RULE_UNSURE), (unsigned long long)(duration / 1000000000),
		(unsigned long long)(duration / 1000000 % 1000));
	put_cases(out, r);
	put_output(out, r);
	fputs(" </testsuite>\n</testsuites>\n", out);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the JUnit report");
	return 0;
}

const struct renderer renderer_junit = {
	.name = "junit",
	.help = "JUnit XML, a test case for each budget",
	.suffix = ".xml",
	.render = render,
};
