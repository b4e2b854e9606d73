#include "report/html.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* clang-format off */
static const struct {
	const char *slot; /* of the template: <!--lagprof:NAME--> */
	html_part *put;
} parts[] = {
	{ "title", html_title },
	{ "target", html_target },
	{ "verdict", html_verdict },
	{ "budget", html_budget },
	{ "figures", html_figures },
	{ "findings", html_findings },
	{ "strict", html_strict },
	{ "processes", html_processes },
	{ "lag", html_lag },
	{ "host", html_host },
	{ "threadpool", html_threadpool },
	{ "doubts", html_doubts },
	{ "session", html_session },
	{ "data", html_data },
};
/* clang-format on */

void html_text(FILE *out, const char *s)
{
	struct strbuf b = { 0 };

	strbuf_puts_visible(&b, s);
	html_take(out, &b);
}

void html_take(FILE *out, struct strbuf *b)
{
	struct strbuf safe = { 0 };

	if (b->s)
		strbuf_puts_visible(&safe, b->s);
	for (const char *p = safe.s ? safe.s : ""; *p; p++) {
		switch (*p) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*p, out);
		}
	}
	strbuf_destroy(&safe);
	strbuf_destroy(b);
}

/* An image and not colored boxes: printers leave those out. */
void html_bar(FILE *out, const double *shares, int n)
{
	double x = 0;

	fputs("<svg class=\"bar\" viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\""
	      " aria-hidden=\"true\">",
	      out);
	for (int i = 0; i < n; i++) {
		if (shares[i] > 0)
			fprintf(out,
				"<rect class=\"part%d\" x=\"%.2f\" width=\"%.2f\" height=\"1\"/>",
				i, 100 * x, 100 * shares[i]);
		x += shares[i];
	}
	fputs("</svg>", out);
}

static void put_part(FILE *out, const struct report *r, const char *slot, size_t len)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strlen(parts[i].slot) == len && memcmp(parts[i].slot, slot, len) == 0) {
			parts[i].put(out, r);
			return;
		}
	}
	assert(!"a slot of the template that nothing fills");
}

static int render(const struct report *r, FILE *out, struct error *err)
{
	static const char open[] = "<!--lagprof:", close[] = "-->";
	const char *p = html_template, *slot, *end;

	while ((slot = strstr(p, open))) {
		fwrite(p, 1, (size_t)(slot - p), out);
		slot += strlen(open);
		end = strstr(slot, close);
		assert(end);
		put_part(out, r, slot, (size_t)(end - slot));
		p = end + strlen(close);
	}
	fputs(p, out);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the HTML report");
	return 0;
}

const struct renderer renderer_html = {
	.name = "html",
	.help = "one page that works offline: time line, findings, flame graph, stalls",
	.suffix = ".html",
	.render = render,
};
