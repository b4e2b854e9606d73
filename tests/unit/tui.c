#include "report/tui/tui.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/analyze.h"
#include "report/tui/history.h"
#include "report/tui/lines.h"
#include "tests/diagnosing.h"
#include "tests/test.h"

/* The canvas as text, rows separated by newlines; to be freed. */
static char *text_of(const struct canvas *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	canvas_print(c, out, false);
	fclose(out);
	return text;
}

static bool shows(const struct canvas *c, const char *words)
{
	char *text = text_of(c);
	bool found = strstr(text, words) != NULL;

	if (!found)
		printf("no \"%s\" in:\n%s", words, text);
	free(text);
	return found;
}

static void put(struct canvas *c, int width, const char *text, const char *expected)
{
	char *got;

	canvas_reset(c, 1, 20);
	canvas_put(c, (struct spot){ 0, 0, width, TONE_PLAIN }, text);
	canvas_put(c, (struct spot){ 0, width, 1, TONE_PLAIN }, "|");
	got = text_of(c);
	CHECK_STR(got, expected);
	free(got);
}

TEST(cuts_a_text_that_is_too_long_by_columns_and_not_by_bytes)
{
	struct canvas c = { 0 };

	setlocale(LC_CTYPE, "C.UTF-8");
	put(&c, 5, "abcde", "abcde|\n");
	put(&c, 5, "abcdef", "abcd…|\n");
	put(&c, 5, "日本", "日本 |\n");
	put(&c, 5, "日本語", "日本…|\n");
	put(&c, 4, "日本語", "日… |\n");
	put(&c, 5, "e\u0301tat", "e\u0301tat |\n");
	put(&c, 6, "a\U0001f600b", "a\U0001f600b  |\n");
	c.ascii = true;
	put(&c, 5, "abcdef", "abcd~|\n");
	put(&c, 5, "caf\u00e9", "caf? |\n");
	canvas_destroy(&c);
}

TEST(shows_the_end_of_a_place_that_is_too_long)
{
	struct canvas c = { .ascii = true };
	struct lines lines = { 0 };

	canvas_reset(&c, 3, 30);
	lines_add(&lines, TONE_PLAIN, 0, "handle");
	lines_place(&lines, 8, "/srv/shop/node_modules/router/layer.js:169", TONE_PLAIN);
	lines_add(&lines, TONE_PLAIN, 0, "next");
	lines_place(&lines, 8, "/srv/shop/route.js:1", TONE_PLAIN);
	lines_add(&lines, TONE_PLAIN, 0, "command");
	lines_beside(&lines, 8, "/usr/bin/node --enable-source-maps x", TONE_PLAIN);
	lines_draw(&lines, &c, 0, 0, 3);
	CHECK(shows(&c, "handle  .../layer.js:169\n"));
	CHECK(shows(&c, "next    /srv/shop/route.js:1\n"));
	CHECK(shows(&c, "command  /usr/bin/node --enab~\n"));
	lines_destroy(&lines);
	canvas_destroy(&c);
}

TEST(shows_what_would_act_on_a_terminal)
{
	struct canvas c = { 0 };

	setlocale(LC_CTYPE, "C.UTF-8");
	put(&c, 12, "\033[31m", "\\x1b[31m    |\n");
	put(&c, 12, "a\u202eb", "a\\u{202e}b  |\n");
	put(&c, 12, "\xff", "\\xff        |\n");
	canvas_destroy(&c);
}

TEST(blanks_the_other_half_of_a_wide_character_that_is_overwritten)
{
	struct canvas c = { 0 };
	char *got;

	setlocale(LC_CTYPE, "C.UTF-8");
	canvas_reset(&c, 1, 6);
	canvas_put(&c, (struct spot){ 0, 0, 6, TONE_PLAIN }, "日本語");
	canvas_put(&c, (struct spot){ 0, 1, 2, TONE_PLAIN }, "ab");
	got = text_of(&c);
	CHECK_STR(got, " ab 語\n");
	free(got);
	canvas_destroy(&c);
}

TEST(shows_a_stall_that_lasts_growing_in_the_time_line)
{
	struct history h = { 0 };
	const nsec s = 1000000000;

	history_stall(&h, 2 * s + s / 2, 2 * s);
	history_advance(&h, 6 * s);
	CHECK_EQ(history_get(&h, 4), s / 2);
	CHECK_EQ(history_get(&h, 3), s + s / 2);
	CHECK_EQ(history_get(&h, 2), 2 * s);
	CHECK_EQ(history_get(&h, 1), 0);
	CHECK_EQ(history_get(&h, 5), 0);
	history_advance(&h, 200 * s);
	for (uint64_t ago = 0; ago < HISTORY_SECONDS; ago++)
		CHECK_EQ(history_get(&h, ago), 0);
	history_stall(&h, 10 * s, s);
	CHECK_EQ(history_get(&h, 0), 0);
	history_destroy(&h);
}

/* A live session with two culprits, the second worse. */
static struct recording *make_service(void)
{
	struct recording *rec = build_recording("v8");

	rec->session.duration = 10000ull * MS;
	build_stall(rec, 1000, 30);
	build_sample(rec, "j login @/app/server.js:33/30\nn main @/usr/bin/node", 30);
	build_stall(rec, 2000, 200);
	build_sample(rec, "j search @/app/find.js:7/5\nn main @/usr/bin/node", 200);
	return rec;
}

TEST(counts_a_stall_once_before_and_after_a_diagnosis_has_seen_it)
{
	struct tui *t = tui_new(&(struct tui_config){ .live = true, .ascii = true });
	struct recording *rec = make_service();
	struct arena arena = { 0 };
	struct diagnosis *d;
	const char *title;

	for (size_t i = 0; i < rec->n_stalls; i++) {
		struct stall_diagnosis s = diagnose_stall(rec, &rec->stalls[i], &title, &arena);

		tui_stall(t, rec, &rec->stalls[i], &s, title);
	}
	tui_tick(t, rec);
	CHECK(tui_behind(t, rec));
	CHECK(shows(tui_draw(t, rec, 24, 80), "    1   200 ms  200 ms"));
	CHECK(shows(tui_draw(t, rec, 24, 80), "find.js:7 search"));
	d = diagnose(rec);
	tui_diagnosis(t, rec, d);
	CHECK(!tui_behind(t, rec));
	CHECK(shows(tui_draw(t, rec, 24, 80), "    1   200 ms  200 ms"));
	diagnosis_free(d);
	arena_free(&arena);
	tui_free(t);
	recording_free(rec);
}

TEST(tells_an_open_stall_until_it_has_ended)
{
	struct tui *t = tui_new(&(struct tui_config){ .live = true, .ascii = true });
	struct recording *rec = make_service();
	struct stall *stall = &rec->stalls[1];
	struct arena arena = { 0 };
	const char *title;
	struct stall_diagnosis d;
	char *text;

	stall->open = true;
	d = diagnose_stall(rec, stall, &title, &arena);
	tui_stall(t, rec, stall, &d, title);
	CHECK(shows(tui_draw(t, rec, 24, 80), "BLOCKED for 200 ms | find.js:7 search"));
	stall->open = false;
	tui_stall(t, rec, stall, &d, title);
	text = text_of(tui_draw(t, rec, 24, 80));
	CHECK(!strstr(text, "BLOCKED for"));
	free(text);
	arena_free(&arena);
	tui_free(t);
	recording_free(rec);
}

static void type(struct tui *t, const struct recording *rec, const char *keys)
{
	for (; *keys; keys++)
		tui_key(t, rec, *keys);
}

TEST(sorts_filters_moves_and_asks_for_what_it_cannot_do_itself)
{
	struct tui *t = tui_new(&(struct tui_config){ .live = true, .ascii = true });
	struct recording *rec = make_service();
	struct diagnosis *d = diagnose(rec);
	const struct canvas *c;

	tui_tick(t, rec);
	tui_diagnosis(t, rec, d);
	CHECK(shows(tui_draw(t, rec, 24, 80), "-- search"));
	tui_key(t, rec, TUI_KEY_DOWN);
	CHECK(shows(tui_draw(t, rec, 24, 80), "-- login"));
	type(t, rec, "/SEARCH");
	CHECK(shows(tui_draw(t, rec, 24, 80), "/SEARCH_"));
	tui_key(t, rec, TUI_KEY_ENTER);
	c = tui_draw(t, rec, 24, 80);
	CHECK(shows(c, "-- search"));
	CHECK(shows(c, "/SEARCH  2 stalls"));
	type(t, rec, "/zzz\n");
	CHECK(shows(tui_draw(t, rec, 24, 80), "nothing matches"));
	tui_key(t, rec, TUI_KEY_ESCAPE);
	CHECK(shows(tui_draw(t, rec, 24, 80), "login"));
	CHECK_EQ(tui_key(t, rec, 'q').kind, TUI_QUIT);
	CHECK_EQ(tui_key(t, rec, '+').threshold, 50 * MS);
	CHECK_EQ(tui_key(t, rec, '-').threshold, 10 * MS);
	CHECK(tui_key(t, rec, 'w').format == &renderer_html);
	CHECK_EQ(tui_key(t, rec, 'e').kind, TUI_NOTHING);
	CHECK(tui_key(t, rec, 'p').format == &renderer_pprof);
	CHECK(!tui_paused(t));
	tui_key(t, rec, 'p');
	CHECK(tui_paused(t));
	diagnosis_free(d);
	tui_free(t);
	recording_free(rec);
}

TEST(shows_of_a_stall_the_stack_with_its_culprit_and_what_helps_there)
{
	struct tui *t = tui_new(&(struct tui_config){ .live = true, .ascii = true });
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;
	const struct canvas *c;

	build_stall(rec, 1000, 200);
	build_sample(rec, "n uv__update_time @/usr/bin/node\nn main @/usr/bin/node", 60);
	for (int i = 0; i < 3; i++)
		build_sample(rec, PBKDF2 "j login @/app/server.js:33/30\nn main @/usr/bin/node",
			     46);
	d = diagnose(rec);
	tui_tick(t, rec);
	tui_diagnosis(t, rec, d);
	type(t, rec, "\t\n");
	c = tui_draw(t, rec, 40, 100);
	CHECK(shows(c, "[Stalls]"));
	CHECK(shows(c, "> login"));
	CHECK(shows(c, "Call crypto.pbkdf2()"));
	diagnosis_free(d);
	tui_free(t);
	recording_free(rec);
}
