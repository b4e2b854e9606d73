#include "report/renderer.h"

#include <jansson.h>

#include "analyzers/analyze.h"
#include "report/page.h"
#include "report/place.h"
#include "tests/builder.h"
#include "tests/test.h"

#define LOGIN                                            \
	"n PKCS5_PBKDF2_HMAC @/usr/bin/node\n"           \
	"j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n" \
	"j login @/app/server.js:33/30\n"                \
	"j emit @node:events:517\n"                      \
	"n uv_run @/usr/bin/node\n"                      \
	"n main @/usr/bin/node"

static const struct argument hashing[] = {
	{ .key = ARG_ITERATIONS, .number = 60000, .frame = 1 },
	{ .key = ARG_DIGEST, .text = "sha512", .frame = 1 },
};

/* 24 stalls of 70 ms and one of 151 ms, 0.8 s apart. */
static struct recording *make_logins(void)
{
	struct recording *rec = build_recording("v8");

	for (nsec i = 0; i < 24; i++) {
		nsec ms = i == 7 ? 151 : 68;

		build_stall(rec, i * 800, ms);
		build_sample_full(rec, LOGIN, ms, SAMPLE_RUNNING, -1, hashing, 2);
	}
	return rec;
}

/* Renders into a malloc'ed string. */
static char *render(const struct renderer *renderer, const struct report *report)
{
	struct error err;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	CHECK_EQ(renderer->render(report, out, &err), 0);
	fclose(out);
	return text;
}

TEST(headline_reads_as_designed)
{
	struct recording *rec = make_logins();
	struct diagnosis *d = diagnose(rec);
	struct report report = { .rec = rec, .diagnosis = d };
	struct strbuf b = { 0 };

	finding_headline(&b, &report, &d->findings[0]);
	CHECK_STR(b.s, "pbkdf2Sync 60000 iterations sha512 \u00b7 server.js:33 login \u00b7 "
		       "24 stalls, 1.7 s, worst 151 ms, every 0.8 s \u00b7 100 % on CPU");
	strbuf_destroy(&b);
	report.ascii = true;
	finding_headline(&b, &report, &d->findings[0]);
	CHECK_STR(b.s, "pbkdf2Sync 60000 iterations sha512 | server.js:33 login | "
		       "24 stalls, 1.7 s, worst 151 ms, every 0.8 s | 100 % on CPU");
	strbuf_destroy(&b);
	diagnosis_free(d);
	recording_free(rec);
}

/* Renders a recording; the caller frees the text. */
static char *render_recording(const struct renderer *renderer, struct recording *rec,
			      struct report report)
{
	char *text;

	report.rec = rec;
	report.diagnosis = diagnose(rec);
	text = render(renderer, &report);
	diagnosis_free((struct diagnosis *)report.diagnosis);
	return text;
}

/* Names and texts as a target that means harm would choose them. */
static const struct argument evil[] = {
	{ .key = ARG_PATH, .text = "/x\033[2J\n\xff\xfe;\"</script>\u202e", .frame = 0 },
	{ .key = ARG_BYTES, .number = -1, .frame = 0 },
	{ .key = ARG_ITERATIONS, .text = "not a number", .frame = 0 },
	{ .key = ARG_DESCRIPTOR, .number = 1, .frame = 0 },
};

static struct recording *make_hostile(void)
{
	static const char *argv[] = { "node", "\033]0;owned\007", "\xc3\x28" };
	struct recording *rec = build_recording("v8");
	struct stall *stall;

	rec->target.argv = argv;
	rec->target.argc = 3;
	rec->target.exe = "/usr/bin/\xff";
	rec->target.runtime_version = "20.20.2";
	rec->loops[0]->name = "no\nde";
	rec->session.lost_samples = 3;
	rec->session.error_bound = 20000;
	rec->session.intrinsic_latency = 1500000;
	rec->session.own_cpu = 77 * MS;
	hist_add(&rec->loops[0]->lag, 151 * MS);
	hist_add(&rec->loops[0]->lag, 800000);
	rec->loops[0]->turns = 2;
	rec->loops[0]->busy = 152 * MS;
	rec->loops[0]->polled = UINT64_MAX;
	rec->session.serving_since = UINT64_MAX;
	recording_note(rec, "the target said: %s", "\033[31m\xff");
	rec->threadpool.known = true;
	rec->threadpool.size = 4;
	rec->threadpool.observed = 4000ull * MS;
	rec->threadpool.busy = 1000ull * MS;
	hist_add(&rec->threadpool.queue_wait, 3 * MS);
	for (nsec i = 0; i < 3; i++) {
		build_stall(rec, i * 100, 50);
		build_sample_full(rec,
				  "j readFileSync @node:fs:448\n"
				  "j ev\033il;na me @/app/\xff\xfe\u202e.js:33\n"
				  "n - @/usr/bin/node\nx -",
				  50, SAMPLE_RUNNING, -1, evil, 4);
	}
	stall = build_stall(rec, 900, 60);
	stall->running = 10 * MS;
	stall->blocked = 50 * MS;
	stall->open = true;
	stall->throttled = 5 * MS;
	stall->request = "GET /\r\n";
	stall = build_stall(rec, 990, 25);
	stall->phase = PHASE_STARTUP;
	return rec;
}

TEST(text_begins_with_the_headline)
{
	struct recording *rec = make_logins();
	char *text = render_recording(&renderer_text, rec, (struct report){ .width = 0 });

	CHECK(strncmp(text, "pbkdf2Sync 60000 iterations sha512", 34) == 0);
	CHECK(strstr(text, "crypto.pbkdf2()") != NULL);
	CHECK(strstr(text, "    > login /app/server.js:33\n") != NULL);
	CHECK(strstr(text, "24 stalls of 20 ms or more, 1.7 s of 10 s (17.1 %)") != NULL);
	free(text);
	recording_free(rec);
}

TEST(headline_of_a_single_stall_has_no_worst_and_no_period)
{
	struct recording *rec = build_recording("v8");
	struct report report = { .rec = rec, .ascii = true };
	struct strbuf b = { 0 };
	struct diagnosis *d;

	build_stall(rec, 0, 151);
	build_sample(rec, LOGIN, 151);
	report.diagnosis = d = diagnose(rec);
	finding_headline(&b, &report, &d->findings[0]);
	CHECK_STR(b.s, "pbkdf2Sync | server.js:33 login | 1 stall, 151 ms | 100 % on CPU");
	strbuf_destroy(&b);
	diagnosis_free(d);
	recording_free(rec);
}

TEST(text_shows_the_call_and_the_culprit_of_a_deep_stack_and_not_the_kernel)
{
	struct recording *rec = build_recording("v8");
	char stack[2048] = "k schedule\nk io_schedule\nk vfs_read\n"
			   "n read @/lib/libc.so.6\nn uv__fs_read @/usr/bin/node\n";
	char *text;

	for (int i = 0; i < 10; i++)
		strcat(stack, "n Builtins_Frame @/usr/bin/node\n");
	strcat(stack, "j readFileSync @node:fs:448\nj load @/app/a.js:33\nj a @/app/a.js:40\n"
		      "j b @/app/a.js:50\nj c @/app/a.js:60\nn main @/usr/bin/node");
	build_stall(rec, 0, 100);
	build_blocked(rec, stack, 100, 0);
	text = render_recording(&renderer_text, rec, (struct report){ .width = 0 });
	CHECK(strstr(text, "schedule") == NULL);
	CHECK(strstr(text, "      \u20263 frames\n      read in libc.so.6\n") != NULL);
	CHECK(strstr(text, "      \u20267 frames\n") != NULL);
	CHECK(strstr(text, "    > load /app/a.js:33\n      a /app/a.js:40\n      b /app/a.js:50\n"
			   "      \u20262 frames\n") != NULL);
	free(text);
	text = render_recording(&renderer_text, rec, (struct report){ .verbose = true });
	CHECK(strstr(text, "io_schedule") != NULL);
	CHECK(strstr(text, "frames\n") == NULL);
	free(text);
	recording_free(rec);
}

TEST(text_says_what_a_pattern_can_do_and_to_which_subject)
{
	static const struct redos redos = { "exponential", "inner", "\"a\".repeat(n) + \"!\"", 0 };
	struct recording *rec = build_recording("v8");
	struct report report = { .rec = rec };
	struct diagnosis *d;
	char *text;

	build_stall(rec, 0, 100);
	build_sample(rec, "j RegExp.prototype.test\nj f @/app/a.js:3", 100);
	report.diagnosis = d = diagnose(rec);
	d->findings[0].evidence.redos = &redos;
	text = render(&renderer_text, &report);
	CHECK(strstr(text,
		     "  the pattern backtracks in exponential time, on \"a\".repeat(n) + \"!\"\n"));
	free(text);
	diagnosis_free(d);
	recording_free(rec);
}

TEST(text_says_when_a_busy_machine_made_stalls_longer)
{
	struct recording *rec = make_logins();
	char *text;

	for (size_t i = 0; i < rec->n_stalls; i++) {
		rec->stalls[i].runnable = rec->stalls[i].duration / 2;
		rec->stalls[i].running -= rec->stalls[i].runnable;
	}
	text = render_recording(&renderer_text, rec, (struct report){ .width = 0 });
	CHECK(strstr(text, "50 % of its time the thread waited for a CPU") != NULL);
	free(text);
	recording_free(rec);
}

TEST(text_says_that_nothing_was_observed_rather_than_that_all_is_well)
{
	struct recording *rec = build_recording(NULL);
	char *text = render_recording(&renderer_text, rec, (struct report){ .width = 0 });

	CHECK(strncmp(text, "No turn of a loop was observed", 30) == 0);
	free(text);
	rec->loops[0]->turns = 5;
	text = render_recording(&renderer_text, rec, (struct report){ .width = 0 });
	CHECK(strncmp(text, "0 stalls of 20 ms or more\n", 26) == 0);
	free(text);
	recording_free(rec);
}

TEST(text_shows_hostile_names_without_obeying_them)
{
	struct recording *rec = make_hostile();
	char *text = render_recording(&renderer_text, rec, (struct report){ .verbose = true });

	CHECK(strchr(text, '\033') == NULL);
	CHECK(strchr(text, '\007') == NULL);
	CHECK(strchr(text, '\r') == NULL);
	CHECK(strstr(text, "\u202e") == NULL);
	CHECK(strstr(text, "\xff") == NULL);
	CHECK(strstr(text, "\\xff") != NULL);
	free(text);
	recording_free(rec);
}

TEST(text_is_coloured_only_when_asked_and_ascii_when_asked)
{
	struct recording *rec = make_logins();
	char *text = render_recording(&renderer_text, rec, (struct report){ .color = true });

	CHECK(strncmp(text, "\033[31mpbkdf2Sync", 15) == 0);
	free(text);
	text = render_recording(&renderer_text, rec, (struct report){ .ascii = true });
	for (const char *p = text; *p; p++)
		CHECK((unsigned char)*p < 0x80);
	free(text);
	recording_free(rec);
}

TEST(text_keeps_to_the_width_of_the_terminal)
{
	static const int widths[] = { 38, 60, 80, 120 };
	struct recording *rec = make_logins();

	for (size_t i = 0; i < 4; i++) {
		char *text = render_recording(&renderer_text, rec,
					      (struct report){ .width = widths[i] });

		for (const char *p = text; *p;) {
			const char *end = strchr(p, '\n');

			if (text_columns(p, (size_t)(end - p)) > widths[i])
				test_fail(__FILE__, __LINE__, "too wide for %d: %.*s", widths[i],
					  (int)(end - p), p);
			p = end + 1;
		}
		free(text);
	}
	recording_free(rec);
}

TEST(text_breaks_between_words_and_hangs_the_rest)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct page page = { .out = out, .width = 40 };

	page_print(&page, INK_NONE, 2,
		   "one sentence that is longer than the forty columns there are");
	page_print(&page, INK_NONE, 2, "awordthatislongerthanallofthewidththatthereisforit");
	fclose(out);
	CHECK_STR(text, "  one sentence that is longer than the\n"
			"      forty columns there are\n"
			"  awordthatislongerthanallofthewidththat\n"
			"      thereisforit\n");
	free(text);
}

TEST(places_are_short_but_for_nodes_own_modules)
{
	struct frame f = {
		.kind = FRAME_JS, .function = "list", .file = "node:internal/timers", .line = 569
	};
	struct strbuf b = { 0 };

	strbuf_place(&b, NULL, &f);
	CHECK_STR(b.s, "node:internal/timers:569 list");
	strbuf_destroy(&b);
	f.file = "/app/lib/a.js";
	f.function = NULL;
	strbuf_place(&b, NULL, &f);
	CHECK_STR(b.s, "a.js:569 (anonymous)");
	strbuf_destroy(&b);
	f = (struct frame){ .kind = FRAME_NATIVE,
			    .function = "bool a::b<int>(c)",
			    .module = "/usr/bin/app" };
	strbuf_place(&b, NULL, &f);
	CHECK_STR(b.s, "a::b in app");
	strbuf_destroy(&b);
	f = (struct frame){ .kind = FRAME_JS,
			    .function = "get",
			    .file = "/app/node_modules/a/node_modules/@b/c/lib/index.js",
			    .line = 3 };
	strbuf_place(&b, NULL, &f);
	CHECK_STR(b.s, "@b/c/lib/index.js:3 get");
	strbuf_destroy(&b);
}

TEST(places_do_not_repeat_the_title)
{
	struct frame f = {
		.kind = FRAME_JS, .function = "parse", .file = "/app/lib/a.js", .line = 569
	};
	struct strbuf b = { 0 };

	strbuf_titled_place(&b, NULL, &f, "parse", " - ");
	CHECK_STR(b.s, " - a.js:569");
	strbuf_destroy(&b);
	strbuf_titled_place(&b, NULL, &f, "JSON.parse", " - ");
	CHECK_STR(b.s, " - a.js:569 parse");
	strbuf_destroy(&b);
	f = (struct frame){ .kind = FRAME_NATIVE,
			    .function = "keysCommand",
			    .module = "/usr/bin/redis-server" };
	strbuf_titled_place(&b, NULL, &f, "keysCommand", " - ");
	CHECK_STR(b.s, " in redis-server");
	strbuf_destroy(&b);
}

TEST(places_name_the_program_as_it_was_started)
{
	struct recording *rec = recording_new();
	const char *argv[] = { "redis-server 127.0.0.1:6379" };
	struct frame f = { .kind = FRAME_NATIVE,
			   .function = "keysCommand",
			   .module = "/usr/bin/redis-check-rdb" };
	struct strbuf b = { 0 };

	rec->target.exe = "/usr/bin/redis-check-rdb";
	rec->target.argv = argv;
	rec->target.argc = 1;
	strbuf_place(&b, rec, &f);
	CHECK_STR(b.s, "keysCommand in redis-server");
	strbuf_destroy(&b);
	f.module = "/usr/lib/libjemalloc.so.2";
	strbuf_place(&b, rec, &f);
	CHECK_STR(b.s, "keysCommand in libjemalloc.so.2");
	strbuf_destroy(&b);
	recording_free(rec);
}

TEST(text_columns_counts_wide_characters_twice)
{
	CHECK_EQ(text_columns("abc", 3), 3);
	CHECK_EQ(text_columns("\u00b7", 2), 1);
	CHECK_EQ(text_columns("\u6f22\u5b57", 6), 4);
	CHECK_EQ(text_columns("\xff", 1), 1);
}

TEST(json_is_one_object_with_the_same_totals)
{
	struct recording *rec = make_logins();
	char *text = render_recording(&renderer_json, rec, (struct report){ .width = 0 });
	json_error_t error;
	json_t *root = json_loads(text, 0, &error), *finding;

	CHECK(root != NULL);
	finding = json_array_get(json_object_get(root, "findings"), 0);
	CHECK_STR(json_string_value(json_object_get(root, "schema")), "lagprof.report/1");
	CHECK_EQ(json_integer_value(json_object_get(finding, "stalls")), 24);
	CHECK_EQ(json_integer_value(json_object_get(finding, "total_ns")), 1715ull * MS);
	CHECK_EQ(json_array_size(json_object_get(root, "stalls")), 24);
	json_decref(root);
	free(text);
	recording_free(rec);
}

TEST(json_leaves_out_what_is_unknown_or_of_the_wrong_type)
{
	struct recording *rec = make_hostile();
	char *text = render_recording(&renderer_json, rec, (struct report){ .width = 0 });
	json_error_t error;
	json_t *root = json_loads(text, 0, &error), *finding, *evidence, *stall;

	CHECK(root != NULL);
	finding = json_array_get(json_object_get(root, "findings"), 0);
	evidence = json_object_get(finding, "evidence");
	CHECK(json_object_get(evidence, "iterations") == NULL);
	CHECK(json_object_get(evidence, "path") != NULL);
	CHECK(json_is_integer(json_object_get(evidence, "descriptor")));
	stall = json_array_get(json_object_get(root, "stalls"), 3);
	CHECK(json_object_get(stall, "culprit") == NULL);
	CHECK(json_is_true(json_object_get(stall, "open")));
	CHECK(json_object_get(root, "budget") == NULL);
	CHECK(json_object_get(json_object_get(root, "session"), "serving_since_ns") == NULL);
	CHECK_EQ(json_integer_value(json_object_get(
			 json_array_get(json_object_get(root, "loops"), 0), "polled_ns")),
		 INT64_MAX);
	json_decref(root);
	free(text);
	recording_free(rec);
}

/* For tests/golden/schema.sh, which holds them against docs/report.schema.json. */
TEST(json_documents_are_written_for_the_schema)
{
	static struct budget_result rules[] = { { "lag.p99<50ms", "error", "61 ms", false } };
	static const struct budget_report budget = { VERDICT_FAIL, "too slow", rules, 1 };
	const char *dir = getenv("LAGPROF_TEST_OUT");
	struct {
		const char *name;
		struct recording *rec;
		struct report report;
	} documents[] = {
		{ "logins", make_logins(), { .width = 0 } },
		{ "hostile", make_hostile(), { .budget = &budget } },
		{ "empty", build_recording(NULL), { .width = 0 } },
	};

	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		char path[512];
		char *text =
			render_recording(&renderer_json, documents[i].rec, documents[i].report);
		FILE *out;

		snprintf(path, sizeof(path), "%s/%s.json", dir ? dir : test_tmpdir(),
			 documents[i].name);
		out = fopen(path, "w");
		CHECK(out != NULL);
		fputs(text, out);
		fclose(out);
		free(text);
		recording_free(documents[i].rec);
	}
}

TEST(folded_weights_add_up_to_the_stalls)
{
	struct recording *rec = make_logins();
	char *text = render_recording(&renderer_folded, rec, (struct report){ .width = 0 });

	CHECK_STR(text, "main;uv_run;emit (node:events:517);login (server.js:33);"
			"pbkdf2Sync (pbkdf2:89);PKCS5_PBKDF2_HMAC 1715000000\n");
	free(text);
	recording_free(rec);
}

TEST(folded_shows_time_without_samples_and_keeps_frames_apart)
{
	struct recording *rec = make_hostile();
	char *text = render_recording(&renderer_folded, rec, (struct report){ .width = 0 });
	unsigned long long sum = 0;

	for (char *p = text; *p; p = strchr(p, '\n') + 1) {
		char *end = strchr(p, '\n'), *space = end;

		while (*space != ' ')
			space--;
		sum += strtoull(space, NULL, 10);
	}
	CHECK_EQ(sum, (150 + 60 + 25) * (unsigned long long)MS);
	CHECK(strstr(text, "\n[blocked] 50000000\n") != NULL);
	CHECK(strstr(text, "ev\\x1bil:na me") != NULL);
	free(text);
	recording_free(rec);
}

TEST(stall_line_says_when_how_long_why_and_where)
{
	struct recording *rec = make_logins();
	struct strbuf b = { 0 };
	struct arena arena = { 0 };
	const char *title;
	struct stall_diagnosis d;

	rec->stalls[7].request = "GET /login";
	d = diagnose_stall(rec, &rec->stalls[7], &title, &arena);
	stall_line(&b, rec, &rec->stalls[7], &d, title, true);
	CHECK_STR(b.s, "5.6 s | stall 151 ms | sync_crypto | pbkdf2Sync 60000 iterations sha512 | "
		       "server.js:33 login | GET /login");
	strbuf_destroy(&b);
	rec->stalls[7].open = true;
	stall_line(&b, rec, &rec->stalls[7], &d, title, true);
	CHECK(strstr(b.s, "blocked for 151 ms so far") != NULL);
	strbuf_destroy(&b);
	arena_free(&arena);
	recording_free(rec);
}
