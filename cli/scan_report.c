#include "cli/scan_report.h"

#include <stdlib.h>
#include <string.h>

#include "cli/regex_json.h"
#include "cli/regex_text.h"
#include "core/units.h"
#include "report/sarif_log.h"

static bool is_dangerous(const struct scan_result *r)
{
	enum regex_class verdict = r->judged->verdict.verdict;

	return verdict == REGEX_EXPONENTIAL || verdict == REGEX_POLYNOMIAL;
}

static void put_counted(struct strbuf *b, size_t n, const char *one, const char *many)
{
	strbuf_count(b, n);
	strbuf_printf(b, " %s", n == 1 ? one : many);
}

/* "1,234 files, 567 patterns: 3 exponential, 20 polynomial, 544 safe" */
static void put_totals(struct strbuf *b, const struct scanning *s)
{
	static const enum regex_class order[] = { REGEX_EXPONENTIAL, REGEX_POLYNOMIAL,
						  REGEX_BOUNDED,     REGEX_SUSPECT,
						  REGEX_UNKNOWN,     REGEX_SAFE };
	const char *separator = ": ";

	put_counted(b, s->n_read, "file, ", "files, ");
	put_counted(b, s->n, "pattern", "patterns");
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (!s->counts[order[i]])
			continue;
		strbuf_puts(b, separator);
		put_counted(b, s->counts[order[i]], regex_class_names[order[i]],
			    regex_class_names[order[i]]);
		separator = ", ";
	}
}

void scan_text(const struct page *page, bool ascii, bool verbose, const struct scanning *s)
{
	struct strbuf b = { 0 };

	for (size_t i = 0; i < s->n; i++) {
		const struct scan_result *r = &s->results[i];

		if (!is_dangerous(r) && !(verbose && r->judged->verdict.verdict != REGEX_SAFE))
			continue;
		b.len = 0;
		strbuf_puts_visible(&b, r->path);
		strbuf_printf(&b, ":%u:%u", r->line, r->column);
		page_print(page, INK_BOLD, 0, b.s);
		regex_text(page, ascii, &r->judged->pattern, &r->judged->verdict);
		page_gap(page);
	}
	b.len = 0;
	put_totals(&b, s);
	page_print(page, INK_NONE, 0, b.s);
	strbuf_destroy(&b);
}

static void put_string(struct strbuf *b, const char *s)
{
	struct strbuf utf8 = { 0 };

	strbuf_puts_utf8(&utf8, s, strlen(s));
	regex_quote(b, (struct regex_text){ utf8.s ? utf8.s : "", utf8.len });
	strbuf_destroy(&utf8);
}

static void put_result(struct strbuf *b, const struct scan_result *r)
{
	strbuf_puts(b, "{\"file\":");
	put_string(b, r->path);
	strbuf_printf(b, ",\"line\":%u,\"column\":%u,\"regex\":", r->line, r->column);
	regex_json(b, &r->judged->pattern, &r->judged->verdict);
	strbuf_puts(b, "}");
}

static void put_unread(struct strbuf *b, const struct sources *sources)
{
	strbuf_puts(b, "\"unread\":[");
	for (size_t i = 0; i < sources->n_unread; i++) {
		strbuf_puts(b, i ? ",{\"file\":" : "{\"file\":");
		put_string(b, sources->unread[i].path);
		strbuf_puts(b, ",\"reason\":");
		put_string(b, sources->unread[i].why);
		strbuf_puts(b, "}");
	}
	strbuf_puts(b, "],");
}

void scan_json(FILE *out, const struct scanning *s)
{
	const char *separator = "";
	struct strbuf b = { 0 };

	strbuf_printf(&b, "{\"schema\":\"lagprof.scan/1\",\"files\":%zu,\"patterns\":%zu,",
		      s->n_read, s->n);
	strbuf_printf(&b, "\"different\":%zu,\"verdicts\":{", s->n_judged);
	for (int i = 0; i < REGEX_CLASSES; i++)
		strbuf_printf(&b, "%s\"%s\":%zu", i ? "," : "", regex_class_names[i], s->counts[i]);
	strbuf_puts(&b, "},");
	put_unread(&b, &s->sources);
	strbuf_puts(&b, "\"results\":[");
	for (size_t i = 0; i < s->n; i++) {
		if (s->results[i].judged->verdict.verdict == REGEX_SAFE)
			continue;
		strbuf_printf(&b, "%s\n", separator);
		put_result(&b, &s->results[i]);
		fwrite(b.s, 1, b.len, out);
		b.len = 0;
		separator = ",";
	}
	strbuf_puts(&b, "\n]}\n");
	fwrite(b.s, 1, b.len, out);
	strbuf_destroy(&b);
}

/* The same for the same pattern in the same file, wherever in it; `nth` tells its uses apart. */
static void fingerprint(char out[17], const char *path, const struct regex_pattern *p, uint64_t nth)
{
	uint64_t hash = hash_bytes(nth, path, strlen(path));

	hash = hash_bytes(hash, p->text, p->len);
	hash = hash_bytes(hash, p->flags, strlen(p->flags) + 1);
	snprintf(out, 17, "%016llx", (unsigned long long)hash);
}

/* How many of the results before i are the same pattern in the same file. */
static uint64_t count_before(const struct scanning *s, size_t i)
{
	const struct scan_result *r = &s->results[i];
	uint64_t n = 0;

	for (size_t k = i; k > 0 && s->results[k - 1].path == r->path && i - k < 1000; k--)
		n += s->results[k - 1].judged == r->judged;
	return n;
}

static const char *below(const char *root, const char *path)
{
	size_t len = strlen(root);

	return strncmp(path, root, len) == 0 && path[len] == '/' ? path + len + 1 : path;
}

static void put_message(struct strbuf *b, const struct judged *j)
{
	struct arena a = { 0 };
	const struct redos *redos = regex_evidence(&j->verdict, &a);

	strbuf_printf(b, "This pattern takes %s time",
		      j->verdict.verdict == REGEX_EXPONENTIAL ? "exponential" : "polynomial");
	if (j->verdict.degree)
		strbuf_printf(b, " (about n^%d)", j->verdict.degree);
	strbuf_puts(b, j->verdict.kind == REGEX_SEARCH_LOOP
			       ? ", since every position is tried as a start"
			       : ", even from one start");
	if (redos->attack) {
		strbuf_puts(b, ", on ");
		strbuf_puts_visible(b, redos->attack);
	}
	strbuf_puts(b, ".");
	if (j->verdict.rewrite) {
		strbuf_puts(b, " Safe and matching the same: /");
		strbuf_puts_visible(b, j->verdict.rewrite);
		strbuf_printf(b, "/%s", j->pattern.flags);
	}
	arena_free(&a);
}

static void add_result(struct sarif_log *log, const struct scanning *s, size_t i, const char *root)
{
	const struct scan_result *r = &s->results[i];
	bool exponential = r->judged->verdict.verdict == REGEX_EXPONENTIAL;
	struct strbuf message = { 0 };
	char print[17];

	put_message(&message, r->judged);
	fingerprint(print, below(root, r->path), &r->judged->pattern, count_before(s, i));
	sarif_log_add(log, &(struct sarif_result){ .rule = exponential ? 0 : 1,
						   .level = exponential ? "error" : "warning",
						   .message = message.s,
						   .path = below(root, r->path),
						   .line = r->line,
						   .column = r->column,
						   .fingerprint = print });
	strbuf_destroy(&message);
}

int scan_sarif(FILE *out, const struct scanning *s, const char *root, struct error *err)
{
	static const char help[] = "Use the rewrite where there is one, cap the length of what is "
				   "matched, or use a linear-time engine.";
	static const struct sarif_rule rules[] = {
		{ "regex_exponential", "regex of exponential time", help },
		{ "regex_polynomial", "regex of polynomial time", help },
	};
	struct sarif_log *log = sarif_log_new(rules, 2);

	/* The worst first: services keep no more than the first thousands. */
	for (int exponential = 1; exponential >= 0; exponential--)
		for (size_t i = 0; i < s->n; i++)
			if (is_dangerous(&s->results[i]) &&
			    (s->results[i].judged->verdict.verdict == REGEX_EXPONENTIAL) ==
				    exponential)
				add_result(log, s, i, root);
	return sarif_log_write(log, out, err);
}
