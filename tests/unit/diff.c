#include "analyzers/diff.h"

#include "analyzers/analyze.h"
#include "report/diff.h"
#include "tests/builder.h"
#include "tests/test.h"

#define HASH(line)                                       \
	"j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n" \
	"j login @/app/server.js:" #line "/30\n"
#define PARSE              \
	"j JSON.parse @\n" \
	"j load @/app/load.js:7/5\n"

/* n stalls of that many ms each. */
static struct recording *blocked(const char *stack, nsec n, nsec ms)
{
	struct recording *rec = build_recording("v8");

	rec->loops[0]->turns = 100;
	for (nsec i = 0; i < n; i++) {
		build_stall(rec, i * 300, ms);
		build_sample(rec, stack, ms);
		hist_add(&rec->loops[0]->lag, ms * MS);
	}
	return rec;
}

/* The text of a comparison; frees both. */
static const char *compared(struct recording *a, struct recording *b)
{
	static char text[4096];
	struct diagnosis *da = diagnose(a), *db = diagnose(b);
	struct diff_input before = { a, da }, after = { b, db };
	struct report reports[2] = { { .rec = a, .diagnosis = da }, { .rec = b, .diagnosis = db } };
	struct arena arena = { 0 };
	FILE *out = fmemopen(text, sizeof(text), "w");

	reports[1].ascii = true;
	diff_text(diff_make(&before, &after, &arena), &reports[0], &reports[1], out);
	fclose(out);
	arena_free(&arena);
	diagnosis_free(da);
	diagnosis_free(db);
	recording_free(a);
	recording_free(b);
	return text;
}

TEST(diff_tells_what_is_gone_and_what_is_new)
{
	const char *text = compared(blocked(HASH(33), 20, 80), blocked(PARSE, 1, 40));
	static const char begins[] = "The loop is blocked for less than before: 0.4 % of the time "
				     "(40 ms of 10 s), it was "
				     "16 % (1.6 s of 10 s). Lag p99 is 40 ms, it was 80 ms.\n"
				     "\n"
				     "New (1):\n"
				     "  JSON.parse | load.js:7 load\n"
				     "    now     1 stall of 40 ms, 0.4 % of the time\n"
				     "    ";
	static const char ends[] =
		"\n\n"
		"Gone (1):\n"
		"  pbkdf2Sync | server.js:33 login\n"
		"    before  20 stalls of 80 ms on average, worst 80 ms, 16 % of the time\n";

	CHECK(strncmp(text, begins, strlen(begins)) == 0);
	CHECK_STR(strstr(text, "\n\nGone"), ends);
}

TEST(diff_of_the_same_call_at_another_line_is_no_change)
{
	CHECK(strstr(compared(blocked(HASH(33), 20, 80), blocked(HASH(35), 20, 80)),
		     "Unchanged (1):\n") != NULL);
	CHECK(strstr(compared(blocked(HASH(33), 20, 80), blocked(HASH(33), 22, 84)),
		     "Unchanged (1):\n") != NULL);
}

TEST(diff_tells_longer_and_more_frequent_stalls)
{
	CHECK(strstr(compared(blocked(HASH(33), 20, 60), blocked(HASH(33), 20, 100)),
		     "Worse (1):\n") != NULL);
	CHECK(strstr(compared(blocked(HASH(33), 5, 60), blocked(HASH(33), 20, 60)),
		     "Worse (1):\n") != NULL);
	CHECK(strstr(compared(blocked(HASH(33), 20, 60), blocked(HASH(33), 5, 60)),
		     "Better (1):\n"
		     "  pbkdf2Sync | server.js:33 login\n"
		     "    now     5 stalls of 60 ms on average, worst 60 ms, 3 % of the time\n"
		     "    before  20 stalls of 60 ms on average") != NULL);
}

/* Twenty stalls that waited for a CPU for so long besides. */
static struct recording *starved(const char *stack, nsec ms, nsec waited)
{
	struct recording *rec = blocked(stack, 20, ms);

	for (size_t i = 0; i < rec->n_stalls; i++) {
		rec->stalls[i].runnable = waited * MS;
		rec->stalls[i].duration += waited * MS;
	}
	return rec;
}

TEST(diff_does_not_call_waiting_for_a_cpu_a_change_of_the_code)
{
	const char *text = compared(blocked(HASH(33), 20, 60), starved(HASH(33), 60, 40));

	CHECK(strstr(text,
		     "The loop is blocked for as long as before: 20 % of the time (2 s of 10 s, "
		     "800 ms of it waiting for a CPU), it was 12 % (1.2 s of 10 s).") == text);
	CHECK(strstr(text, "Unchanged (1):\n") != NULL);
	CHECK(strstr(text, "20 % of the time, 40 % of that waiting for a CPU\n") != NULL);
	CHECK(strstr(text, "seems gone") == NULL);
	text = compared(blocked(PARSE, 1, 40), starved(HASH(33), 15, 200));
	CHECK(strstr(text, "Not the code (1):\n  waiting for a CPU\n") != NULL);
	CHECK(strstr(text, "for 40 % of the time: what seems gone may only be hidden") != NULL);
	CHECK(strstr(text, "Gone (1):") < strstr(text, "Not the code (1):"));
	CHECK(strstr(text, "New") == NULL);
}

TEST(diff_compares_by_the_time_observed)
{
	struct recording *twice = blocked(HASH(33), 40, 60);

	twice->session.duration *= 2;
	CHECK(strstr(compared(blocked(HASH(33), 20, 60), twice), "Unchanged (1):\n") != NULL);
}

TEST(diff_leaves_out_the_startup)
{
	struct recording *rec = blocked(HASH(33), 1, 400);

	rec->stalls[0].phase = PHASE_STARTUP;
	CHECK(strstr(compared(blocked(PARSE, 0, 0), rec),
		     "Nothing blocked the loop in either recording.\n") != NULL);
}

TEST(diff_says_when_nothing_was_observed)
{
	struct recording *rec = build_recording("v8");

	CHECK(strstr(compared(blocked(PARSE, 2, 60), rec), "No turn of a loop was observed in the "
							   "recording after") != NULL);
}

static bool is_lower(nsec p99, nsec stalled, nsec serving)
{
	struct diff diff = {
		.before = { .serving = 1000, .stalled = 100, .lag_p99 = 50, .turns = 9 },
		.after = { .serving = serving, .stalled = stalled, .lag_p99 = p99, .turns = 9 },
	};

	return diff_is_lower(&diff);
}

TEST(diff_is_lower_where_nothing_rose)
{
	CHECK(is_lower(50, 100, 1000));
	CHECK(is_lower(40, 199, 2000));
	CHECK(!is_lower(51, 1, 1000));
	CHECK(!is_lower(1, 101, 1000));
	CHECK(!is_lower(1, 100, 900));
}
