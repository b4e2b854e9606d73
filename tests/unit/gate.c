#include "report/gate.h"

#include <jansson.h>

#include "analyzers/analyze.h"
#include "tests/builder.h"
#include "tests/test.h"

/* Renders into a malloc'ed string; frees rec. */
static char *render(const struct renderer *renderer, struct recording *rec,
		    const struct budget_report *budget)
{
	struct diagnosis *d = diagnose(rec);
	struct report report = { .rec = rec, .diagnosis = d, .budget = budget, .root = "/app" };
	struct error err;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	CHECK_EQ(renderer->render(&report, out, &err), 0);
	fclose(out);
	diagnosis_free(d);
	recording_free(rec);
	return text;
}

/* One stall of that many ms for each function of file. */
static struct recording *blocked_in(const char *file, nsec ms, int functions)
{
	struct recording *rec = build_recording("v8");

	hist_add(&rec->loops[0]->lag, ms * MS);
	rec->loops[0]->turns = 1;
	for (int i = 0; i < functions; i++) {
		char stack[400];

		snprintf(stack, sizeof(stack),
			 "j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n"
			 "j login%d @%s:%d\n",
			 i, file, 10 + i);
		build_stall(rec, (nsec)i * 200, ms);
		build_sample(rec, stack, ms);
	}
	return rec;
}

static size_t occurrences(const char *text, const char *words)
{
	size_t n = 0;

	for (const char *p = strstr(text, words); p; p = strstr(p + 1, words))
		n++;
	return n;
}

static struct budget_result exceeded[] = {
	{ "lag.p99<50ms", "error", "61 ms", false, (const uint32_t[]){ 0 }, 1 },
	{ "stall.count==0", "warn", "3", false, (const uint32_t[]){ 0, 1 }, 2 },
	{ "lag.max<2s", "error", "61 ms", true, NULL, 0 },
};
static struct budget_result doubtful[] = {
	{ "lag.max<2s", "error", "61 ms", true, NULL, 0, true },
};
static const struct budget_report failed = { VERDICT_FAIL, NULL, exceeded, 3 };
static const struct budget_report unsure = { VERDICT_INCONCLUSIVE, "only 3 turns", doubtful, 1 };

/* How many annotations a culprit in that file makes. */
static size_t annotated(const char *file)
{
	char *text = render(&renderer_github, blocked_in(file, 60, 1), NULL);
	size_t n = occurrences(text, "::warning file=");

	free(text);
	return n;
}

TEST(gate_names_only_the_user_s_files_inside_the_repository)
{
	CHECK_EQ(annotated("/app/src/server.js"), 1);
	CHECK_EQ(annotated("file:///app/src/server.mjs"), 1);
	CHECK_EQ(annotated("/application/server.js"), 0);
	CHECK_EQ(annotated("/etc/passwd"), 0);
	CHECK_EQ(annotated("/app/../etc/passwd"), 0);
	CHECK_EQ(annotated("/app/a/.."), 0);
	CHECK_EQ(annotated("/app/..a/b.js"), 1);
	CHECK_EQ(annotated("/app/node_modules/express/index.js"), 0);
	CHECK_EQ(annotated("server.js"), 0);
}

TEST(gate_github_annotates_the_line)
{
	char *text = render(&renderer_github, blocked_in("/app/server.js", 60, 1), NULL);

	CHECK(strncmp(text, "::warning file=server.js,line=10,title=synchronous crypto::pbkdf2Sync",
		      68) == 0);
	free(text);
}

TEST(gate_github_escapes_hostile_names)
{
	struct recording *rec = blocked_in("/app/x.js", 60, 1);
	char *text;

	/* The builder ends a name at a newline, so this one is put in afterwards. */
	for (size_t i = 0; i < rec->stacks.n_frames; i++)
		if (rec->stacks.frames[i].file && strstr(rec->stacks.frames[i].file, "/app/"))
			rec->stacks.frames[i].file =
				recording_intern(rec, "/app/a,b:%0Ac\n::error::x.js");
	text = render(&renderer_github, rec, NULL);
	CHECK(strstr(text, "file=a%2Cb%3A%250Ac\\x0a%3A%3Aerror%3A%3Ax.js,line=10") != NULL);
	CHECK_EQ(occurrences(text, "\n"), 1);
	free(text);
}

TEST(gate_github_keeps_to_ten_of_a_kind_and_says_so)
{
	char *text = render(&renderer_github, blocked_in("/app/server.js", 60, 13), NULL);

	CHECK_EQ(occurrences(text, "::warning "), 10);
	CHECK(strstr(text, "lagprof: 3 more") != NULL);
	free(text);
}

TEST(gate_github_is_red_only_where_the_budget_is)
{
	struct budget_report passed = { VERDICT_PASS, NULL, exceeded + 1, 2 };
	char *text = render(&renderer_github, blocked_in("/app/server.js", 160, 1), &passed);

	CHECK_EQ(occurrences(text, "::error"), 0);
	free(text);
	text = render(&renderer_github, blocked_in("/app/server.js", 160, 2), &failed);
	CHECK(strstr(text, "::error title=lagprof%3A budget exceeded::lag.p99<50ms, "
			   "measured 61 ms\n") != NULL);
	CHECK(strstr(text, "::warning title=lagprof%3A budget exceeded::stall.count==0") != NULL);
	CHECK_EQ(occurrences(text, "::error file=server.js,line=1"), 1);
	CHECK_EQ(occurrences(text, "::warning file=server.js,line=1"), 1);
	free(text);
	text = render(&renderer_github, blocked_in("/etc/x.js", 160, 1), &unsure);
	CHECK(strstr(text, "::error title=lagprof%3A inconclusive::inconclusive: only 3 turns") !=
	      NULL);
	free(text);
}

TEST(gate_shows_what_breaks_a_budget_as_an_error_however_short_it_is)
{
	static const struct {
		const struct renderer *renderer;
		const char *shown;
	} formats[] = {
		{ &renderer_github, "::error file=server.js" },
		{ &renderer_sarif, "\"level\": \"error\"" },
		{ &renderer_gitlab, "\"severity\": \"major\"" },
		{ &renderer_junit, "61 ms\">pbkdf2Sync" },
		{ &renderer_markdown, "notice, **over budget**" },
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		char *text =
			render(formats[i].renderer, blocked_in("/app/server.js", 25, 2), &failed);

		CHECK_EQ(occurrences(text, formats[i].shown), 1);
		free(text);
	}
}

TEST(gate_gitlab_lists_each_fingerprint_once)
{
	char *text = render(&renderer_gitlab, blocked_in("/app/a\"\xff b.js", 60, 3), NULL);
	json_error_t error;
	json_t *root = json_loads(text, 0, &error), *first = json_array_get(root, 0);
	json_t *place = json_object_get(first, "location");

	CHECK_EQ(json_array_size(root), 3);
	CHECK_STR(json_string_value(json_object_get(first, "severity")), "minor");
	CHECK_STR(json_string_value(json_object_get(place, "path")), "a\"\ufffd b.js");
	for (size_t i = 1; i < json_array_size(root); i++)
		CHECK(strcmp(json_string_value(
				     json_object_get(json_array_get(root, i), "fingerprint")),
			     json_string_value(json_object_get(first, "fingerprint"))) != 0);
	json_decref(root);
	free(text);
}

TEST(gate_sarif_has_a_relative_uri_and_the_rule_of_the_cause)
{
	char *text = render(&renderer_sarif, blocked_in("/app/a b%.js", 60, 1), NULL);
	json_error_t error;
	json_t *root = json_loads(text, 0, &error);
	json_t *run = json_array_get(json_object_get(root, "runs"), 0);
	json_t *result = json_array_get(json_object_get(run, "results"), 0);
	json_t *driver = json_object_get(json_object_get(run, "tool"), "driver");
	json_t *rule =
		json_array_get(json_object_get(driver, "rules"),
			       (size_t)json_integer_value(json_object_get(result, "ruleIndex")));

	CHECK_STR(json_string_value(json_object_get(result, "ruleId")), "sync_crypto");
	CHECK_STR(json_string_value(json_object_get(rule, "id")), "sync_crypto");
	CHECK(strstr(text, "\"uri\": \"a%20b%25.js\"") != NULL);
	CHECK(strstr(text, "\"startLine\": 10") != NULL);
	json_decref(root);
	free(text);
}

TEST(gate_junit_has_a_case_for_each_budget)
{
	char *text = render(&renderer_junit, blocked_in("/app/<x>&\".js", 60, 1), &failed);

	CHECK(strstr(text, "tests=\"3\" failures=\"1\" errors=\"0\" time=\"10.000\"") != NULL);
	CHECK(strstr(text, "name=\"lag.p99&#60;50ms\" time=\"0\"><failure type=\"budget\"") !=
	      NULL);
	CHECK(strstr(text, "name=\"lag.max&#60;2s\" time=\"0\"/>") != NULL);
	CHECK(strstr(text, "&#60;x&#62;&#38;&#34;.js") != NULL);
	free(text);
	text = render(&renderer_junit, blocked_in("/app/x.js", 60, 1), &unsure);
	CHECK(strstr(text, "tests=\"1\" failures=\"0\" errors=\"1\"") != NULL);
	CHECK(strstr(text, "only 3 turns") != NULL);
	free(text);
}

TEST(gate_markdown_has_no_markup_of_the_target_s)
{
	char *text = render(&renderer_markdown, blocked_in("/app/|<img src=x>`[a](b).js", 60, 1),
			    &failed);

	CHECK(strstr(text, "\\|\\<img src=x\\>\\`\\[a\\](b).js:10 login0 |") != NULL);
	CHECK(strstr(text, "**Budget fail: 2 of 3 budgets exceeded**") != NULL);
	CHECK(strstr(text, "| stall.count==0 | 3 | over (warning) |") != NULL);
	free(text);
}

TEST(gate_markdown_stays_below_the_limit_of_a_job_summary)
{
	struct recording *rec = build_recording("v8");
	struct diagnosis d = { .n_findings = 20000 };
	struct report report = { .rec = rec, .diagnosis = &d };
	struct error err;
	char *text = NULL, *title = xcalloc(1, 10001);
	size_t len;
	FILE *out = open_memstream(&text, &len);

	memset(title, '|', 10000);
	d.findings = xcalloc(d.n_findings, sizeof(*d.findings));
	for (size_t i = 0; i < d.n_findings; i++)
		d.findings[i].title = title;
	CHECK_EQ(renderer_markdown.render(&report, out, &err), 0);
	fclose(out);
	CHECK(len < 900 * 1000);
	CHECK(len > 800 * 1000);
	CHECK(strstr(text, "more findings do not fit here") != NULL);
	free(d.findings);
	free(title);
	free(text);
	recording_free(rec);
}

/* 3 KB of a folder's names. */
#define TEN(s)    s s s s s s s s s s
#define LONG_FILE "/app/" TEN(TEN("folder of thirty bytes \u00e9\u00e9\u00e9/")) "x.js"

/* For tests/golden/gate.sh, which reads them as the services do. */
TEST(gate_documents_are_written_for_the_parsers)
{
	static const struct renderer *const formats[] = {
		&renderer_sarif,  &renderer_junit,    &renderer_gitlab,
		&renderer_github, &renderer_markdown,
	};
	/* Those in the root first, as tests/golden/gate.sh counts them. */
	static const char *const files[] = {
		"/app/server.js",
		"/app/\xff\x01\xef\xbf\xbf<a>&\"'|`,:%\u202e.js",
		"/app/%0A::error::x,line=1.js",
		"/app/%25%0D%3A%2C.js",
		"/app/\x1b[31m\x1b]0;x\x07\xc2\x9b"
		"31m.js",
		"/app/\u200f\u2066\u061c\ufeff.js",
		"/app/-->]]><![CDATA[<!--.js",
		"/app/\u732b\U0001f408\u0301 e\u0301.js",
		"/app/[x](javascript:alert(1))**b**\\.js",
		"/app/\xc3(\xed\xa0\x80\xf4\x90\x80\x80.js",
		"/app/\r\t'\"&amp;&#0;.js",
		LONG_FILE,
		"/elsewhere/x.js",
	};
	const char *dir = getenv("LAGPROF_GATE_DIR");

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		for (size_t k = 0; k < sizeof(files) / sizeof(files[0]); k++) {
			char path[512];
			char *text = render(formats[i], blocked_in(files[k], 160, 13), &failed);
			FILE *out;

			snprintf(path, sizeof(path), "%s/%zu.%s", dir ? dir : test_tmpdir(), k,
				 formats[i]->name);
			out = fopen(path, "w");
			CHECK(out != NULL);
			fputs(text, out);
			fclose(out);
			free(text);
		}
	}
}
