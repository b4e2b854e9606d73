#include "report/html.h"

#include <string.h>
#include <time.h>

#include "core/units.h"
#include "report/gate.h"
#include "report/place.h"
#include "report/text.h"

/* What is said first: target, verdict, budgets and the figures that people watch. */

void html_title(FILE *out, const struct report *r)
{
	struct strbuf b = { 0 };

	if (r->diagnosis->n_findings) {
		html_text(out, r->diagnosis->findings[0].title);
		fputs(" · ", out);
	}
	text_command(&b, &r->rec->target);
	html_take(out, &b);
	fputs(" · lagprof", out);
}

static void put_time(FILE *out, int64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / 1000000000);
	char iso[32], words[32];
	struct tm tm;

	if (unix_ns <= 0 || !gmtime_r(&seconds, &tm))
		return;
	strftime(iso, sizeof(iso), "%Y-%m-%dT%H:%M:%SZ", &tm);
	strftime(words, sizeof(words), "%Y-%m-%d %H:%M:%S UTC", &tm);
	fprintf(out, " <time datetime=\"%s\">%s</time>", iso, words);
}

void html_target(FILE *out, const struct report *r)
{
	const struct target_info *t = &r->rec->target;
	struct strbuf b = { 0 };

	fputs("<p class=\"target\"><code>", out);
	text_command(&b, t);
	html_take(out, &b);
	fprintf(out, "</code> <span>pid %d</span>", t->pid);
	if (t->runtime) {
		fputs(" <span>", out);
		html_text(out, text_runtime(t));
		if (t->runtime_version) {
			fputs(" ", out);
			html_text(out, t->runtime_version);
		}
		fputs("</span>", out);
	}
	put_time(out, r->rec->session.start_unix_ns);
	fputs("</p>", out);
}

void html_verdict(FILE *out, const struct report *r)
{
	const struct diagnosis *d = r->diagnosis;
	struct strbuf b = { 0 };
	const char *mood = d->n_findings ? severity_names[d->findings[0].severity] : "pass";

	fprintf(out, "<h1 class=\"%s\">", text_saw_turns(r->rec) ? mood : "inconclusive");
	text_totals(&b, r);
	html_take(out, &b);
	fputs("</h1>", out);
	if (d->n_findings) {
		fputs("<p class=\"headline\">", out);
		finding_headline(&b, r, &d->findings[0]);
		html_take(out, &b);
		fputs("</p>", out);
	}
	/* Answers are late although no turn is. */
	if (d->pool.saturated)
		fputs("<p class=\"headline\">The <a href=\"#threadpool\">thread pool</a> is "
		      "saturated: its work waits for a free thread.</p>",
		      out);
}

/* The findings whose stalls break a budget, the worst first. */
static void put_breakers(FILE *out, const struct report *r, const struct budget_result *rule)
{
	enum { MOST = 3 };

	for (size_t i = 0; i < rule->n_findings && i < MOST; i++) {
		/* Redaction may have merged some. */
		if (rule->findings[i] >= r->diagnosis->n_findings)
			continue;
		fputs(i ? ", " : "", out);
		html_text(out, r->diagnosis->findings[rule->findings[i]].title);
	}
	if (rule->n_findings > MOST)
		fprintf(out, " and %zu more", rule->n_findings - MOST);
}

static void put_rule(FILE *out, const struct report *r, const struct budget_result *rule)
{
	static const struct {
		const char *class, *word;
	} outcomes[] = {
		[RULE_MET] = { "ok", "met" },
		[RULE_WARNED] = { "warn", "over" },
		[RULE_UNSURE] = { "warn", "unsure" },
		[RULE_OVER] = { "over", "over" },
	};
	enum rule_outcome outcome = gate_outcome(rule);

	fprintf(out, "<tr class=\"%s\"><td>%s</td><td><code>", outcomes[outcome].class,
		outcomes[outcome].word);
	html_text(out, rule->expr);
	fputs("</code></td><td class=\"num\">", out);
	html_text(out, rule->value ? rule->value : "nothing");
	fprintf(out, "</td><td>%s</td><td>",
		strcmp(rule->level, "warn") == 0 ? "warning" : "error");
	put_breakers(out, r, rule);
	fputs("</td></tr>\n", out);
}

void html_budget(FILE *out, const struct report *r)
{
	static const struct {
		const char *id, *words;
	} verdicts[] = {
		[VERDICT_PASS] = { "pass", "Within budget" },
		[VERDICT_FAIL] = { "fail", "Over budget" },
		[VERDICT_INCONCLUSIVE] = { "inconclusive", "Budget inconclusive" },
	};
	const struct budget_report *budget = r->budget;

	if (!budget || budget->verdict == VERDICT_NONE)
		return;
	fprintf(out,
		"<section class=\"budget %s\" aria-labelledby=\"budget\">\n<h2 id=\"budget\">%s",
		verdicts[budget->verdict].id, verdicts[budget->verdict].words);
	if (budget->reason) {
		fputs(": ", out);
		html_text(out, budget->reason);
	}
	fputs("</h2>\n<table><thead><tr><th scope=\"col\">result</th><th scope=\"col\">budget</th>"
	      "<th scope=\"col\" class=\"num\">measured</th><th "
	      "scope=\"col\">level</th><th scope=\"col\">by</th></tr></thead>"
	      "<tbody>\n",
	      out);
	for (size_t i = 0; i < budget->n_rules; i++)
		put_rule(out, r, &budget->rules[i]);
	fputs("</tbody></table>\n</section>\n", out);
}

/* Which of the limits that people alert on is passed, for the color. */
static const char *lag_band(nsec lag)
{
	return lag >= 100000000 ? "incident" : lag >= 50000000 ? "warning" : "plain";
}

static void put_lag(FILE *out, const char *name, nsec lag)
{
	struct strbuf b = { 0 };

	fprintf(out, "<div class=\"%s\"><dt>%s</dt><dd>", lag_band(lag), name);
	strbuf_duration(&b, lag);
	html_take(out, &b);
	fputs("</dd></div>\n", out);
}

static void put_share(FILE *out, const char *name, double part, double whole)
{
	fprintf(out, "<div class=\"plain\"><dt>%s</dt><dd>%.1f %%</dd></div>\n", name,
		100 * part / whole);
}

/* Of the first loop, which is the main one. */
void html_figures(FILE *out, const struct report *r)
{
	const struct loop *loop = r->rec->n_loops ? r->rec->loops[0] : NULL;
	struct strbuf b = { 0 };

	if (!loop || !loop->lag.n)
		return;
	fputs("<dl class=\"figures\">\n", out);
	put_lag(out, "lag p50", hist_quantile(&loop->lag, 0.5));
	put_lag(out, "lag p99", hist_quantile(&loop->lag, 0.99));
	put_lag(out, "lag max", loop->lag.max);
	if (loop->busy + loop->polled)
		put_share(out, "loop busy", (double)loop->busy,
			  (double)(loop->busy + loop->polled));
	fputs("<div class=\"plain\"><dt>turns</dt><dd>", out);
	strbuf_count(&b, loop->turns);
	html_take(out, &b);
	fputs("</dd></div>\n</dl>\n", out);
}
