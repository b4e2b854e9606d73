#include "report/html.h"

#include <stdlib.h>

#include "analyzers/analyze.h"
#include "report/html_pack.h"
#include "report/texts.h"
#include "tests/builder.h"
#include "tests/test.h"

static char *render(const struct recording *rec, const struct budget_report *budget)
{
	struct diagnosis *d = diagnose(rec);
	struct report report = { .rec = rec, .diagnosis = d, .budget = budget };
	struct error err;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	CHECK_EQ(renderer_html.render(&report, out, &err), 0);
	fclose(out);
	diagnosis_free(d);
	return text;
}

static void check_has(const char *text, const char *words)
{
	if (!strstr(text, words))
		test_fail(__FILE__, __LINE__, "no \"%s\" in the page", words);
}

TEST(page_says_verdict_culprit_and_times_without_a_script)
{
	struct recording *rec = build_recording("v8");
	char *text;

	for (nsec i = 0; i < 3; i++) {
		build_stall(rec, i * 1000, 60);
		build_sample(rec,
			     "n PKCS5_PBKDF2_HMAC @/usr/bin/node\n"
			     "j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n"
			     "j login @/app/server.js:33/30\n"
			     "n main @/usr/bin/node",
			     60);
	}
	text = render(rec, NULL);
	check_has(text, "3 stalls of 20 ms or more, 180 ms of 10 s (1.8 %)");
	check_has(text, "<b>pbkdf2Sync</b> <span class=\"place\">server.js:33 login</span>");
	check_has(text, "<span class=\"times\">3 stalls, 180 ms, worst 60 ms, every 1.0 s</span>");
	check_has(text, "<li class=\"own culprit\">login /app/server.js:33</li>");
	CHECK(!strstr(text, "<!--lagprof:"));
	CHECK(!strstr(text, "class=\"budget"));
	free(text);
	recording_free(rec);
}

TEST(page_of_an_unobserved_target_does_not_look_healthy)
{
	struct recording *rec = build_recording("v8");
	char *text = render(rec, NULL);

	check_has(text, "<h1 class=\"inconclusive\">No turn of a loop was observed");
	free(text);
	recording_free(rec);
}

TEST(budgets_show_what_was_measured)
{
	struct budget_result rules[] = {
		{ "lag.p99<50ms", "error", "91 ms", false },
		{ "blocked.ratio<2%", "warn", NULL, false },
	};
	struct budget_report budget = { VERDICT_FAIL, NULL, rules, 2 };
	struct recording *rec = build_recording("v8");
	char *text = render(rec, &budget);

	check_has(text, "<section class=\"budget fail\"");
	check_has(text, "<tr class=\"over\"><td>over</td><td><code>lag.p99&lt;50ms</code></td>"
			"<td class=\"num\">91 ms</td>");
	check_has(text, "<tr class=\"warn\">");
	free(text);
	recording_free(rec);
}

TEST(only_the_twenty_heaviest_findings_are_in_the_markup)
{
	struct recording *rec = build_recording("v8");
	char *text, stack[64];
	int n = 0;

	for (nsec i = 0; i < 25; i++) {
		build_stall(rec, i * 200, 30 + i);
		snprintf(stack, sizeof(stack), "j f%d @/app/server.js:%d/%d", (int)i, (int)i + 1,
			 (int)i + 1);
		build_sample(rec, stack, 30 + i);
	}
	text = render(rec, NULL);
	for (const char *p = text; (p = strstr(p, "data-finding=")); p++)
		n++;
	CHECK_EQ(n, 20);
	check_has(text, "<p>5 more, together 160 ms,");
	free(text);
	recording_free(rec);
}

TEST(text_is_escaped_and_made_visible)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	html_text(out, "<b a='1' c=\"2\">&amp;\x1b[31m \xe2\x80\xae \xff");
	fclose(out);
	CHECK_STR(text,
		  "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;\\x1b[31m \\u{202e} \\xff");
	free(text);
}

/* What the page's script does to the data, as far as the first column. */
static size_t unpack(const char *base64, unsigned char *out, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	unsigned char *bytes = xcalloc(strlen(base64) + 1, 1);
	size_t n = 0, bits = 0;
	unsigned value = 0;
	z_stream z = { 0 };

	for (const char *p = base64; *p && *p != '='; p++) {
		value = value << 6 | (unsigned)(strchr(digits, *p) - digits);
		bits += 6;
		if (bits >= 8)
			bytes[n++] = (unsigned char)(value >> (bits -= 8));
	}
	inflateInit2(&z, 15 + 16);
	z.next_in = bytes;
	z.avail_in = (unsigned)n;
	z.next_out = out;
	z.avail_out = (unsigned)size;
	CHECK_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	free(bytes);
	return size - z.avail_out;
}

TEST(columns_are_planes_of_bytes)
{
	static const unsigned char expected[] = {
		1, 'a', 3, 0, 0, 0, 2, 0, 0x01, 0x34, 0xff, 0x00, 0x12, 0x00, /* two planes */
		1, 'b', 3, 0, 0, 0, 1, 1, 200,  1,    4,                      /* +100, -1, +2 */
		1, 't', 2, 0, 0, 0, 1, 0, 'h',  'i',
	};
	uint64_t a[] = { 1, 0x1234, 0xff }, b[] = { 100, 99, 101 };
	unsigned char bytes[256];
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct gzip g;

	gzip_open(&g, out, true);
	pack_column(&g, "a", a, 3);
	pack_deltas(&g, "b", b, 3);
	pack_bytes(&g, "t", "hi", 2);
	gzip_close(&g);
	fclose(out);
	CHECK_EQ(unpack(text, bytes, sizeof(bytes)), sizeof(expected));
	CHECK(memcmp(bytes, expected, sizeof(expected)) == 0);
	free(text);
}

TEST(columns_larger_than_every_buffer_come_back)
{
	enum { N = 100000 };
	uint64_t *rows = xcalloc(N, sizeof(*rows));
	unsigned char *bytes = xcalloc(N * 8 + 100, 1);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct gzip g;

	for (uint32_t i = 0; i < N; i++)
		rows[i] = (uint64_t)i * 0x9e3779b97f4a7c15;
	gzip_open(&g, out, true);
	pack_column(&g, "x", rows, N);
	gzip_close(&g);
	fclose(out);
	CHECK_EQ(unpack(text, bytes, N * 8 + 100), N * 8 + 8);
	CHECK_EQ(bytes[8 + 7 * N + 77777], rows[77777] >> 56);
	free(bytes);
	free(rows);
	free(text);
}

TEST(equal_texts_have_one_number)
{
	struct texts t;
	char name[16];

	texts_init(&t);
	CHECK_EQ(texts_add(&t, NULL), 0);
	CHECK_EQ(texts_add(&t, ""), 0);
	for (int i = 1; i <= 5000; i++) {
		snprintf(name, sizeof(name), "text%d", i);
		CHECK_EQ(texts_add(&t, name), i);
	}
	CHECK_EQ(texts_add(&t, "text1"), 1);
	CHECK_EQ(texts_add(&t, "text4321"), 4321);
	CHECK_STR(t.all.s + t.starts[4321], "text4321");
	texts_destroy(&t);
}

TEST(a_stack_of_a_deep_recursion_is_shortened_around_the_culprit)
{
	struct recording *rec = build_recording("v8");
	uint32_t frames[1000];
	struct sample s = { .weight = 60 * MS, .syscall = -1 };
	char *text;

	for (uint32_t i = 0; i < 1000; i++)
		frames[i] = build_frame(rec, i == 500 ? "j walk @/app/walk.js:3/1"
						      : "n step @/usr/lib/libwalk.so");
	build_stall(rec, 0, 60);
	s.stack = recording_stack(rec, frames, 1000, STACK_COMPLETE);
	recording_add_sample(rec, &s);
	text = render(rec, NULL);
	check_has(text, "heaviest stack, 1000 frames");
	check_has(text, "<li>\u2026 450 frames</li>");
	check_has(text, "<li class=\"own culprit\">walk /app/walk.js:3</li>");
	check_has(text, "<li>\u2026 469 frames</li>");
	free(text);
	recording_free(rec);
}

TEST(a_saturated_thread_pool_is_said_at_the_top)
{
	struct recording *rec = build_recording("v8");
	struct threadpool *pool = &rec->threadpool;
	char *text;

	hist_add(&rec->loops[0]->lag, MS);
	rec->loops[0]->turns = 1;
	pool->known = true;
	pool->size = 4;
	pool->observed = 40000ull * MS;
	pool->busy = 20000ull * MS;
	pool->saturated = 4000ull * MS;
	for (int i = 0; i < 20; i++)
		hist_add(&pool->queue_wait, 50 * MS);
	text = render(rec, NULL);
	check_has(text, "thread pool</a> is saturated");
	check_has(text, "all of them busy for</dt><dd>4 s");
	free(text);
	pool->saturated = 0;
	text = render(rec, NULL);
	CHECK(!strstr(text, "saturated"));
	free(text);
	recording_free(rec);
}

TEST(calls_that_block_are_listed_where_they_were_looked_for)
{
	struct recording *rec = build_recording("v8");
	struct strict_call call = { .syscall = 0, .count = 41, .key = ARG_PATH };
	char *text = render(rec, NULL);

	CHECK(!strstr(text, "Calls that block"));
	free(text);
	rec->session.strict = true;
	text = render(rec, NULL);
	check_has(text, "No call that blocks was made while serving.");
	free(text);
	call.text = recording_intern(rec, "/app/page.html");
	call.stack = build_stack(rec, "n __read @/usr/lib/libc.so.6\n"
				      "j readFileSync @node:fs:470\n"
				      "j render @/app/views.js:7/5\n"
				      "n main @/usr/bin/node");
	recording_add_call(rec, &call);
	text = render(rec, NULL);
	check_has(text, "<span class=\"place\">views.js:7 render</span> · 41 calls");
	free(text);
	recording_free(rec);
}
