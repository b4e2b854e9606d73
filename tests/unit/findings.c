#include "analyzers/analyze.h"
#include "tests/builder.h"
#include "tests/test.h"

#define LOGIN                                            \
	"j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n" \
	"j login @/app/server.js:33/30"
#define LOAD "j JSON.parse\nj load @/app/server.js:70/60"

static void done(struct recording *rec, struct diagnosis *d)
{
	diagnosis_free(d);
	recording_free(rec);
}

static struct stall *plant(struct recording *rec, const char *stack, nsec at_ms, nsec ms)
{
	build_stall(rec, at_ms, ms);
	build_sample(rec, stack, ms);
	return &rec->stalls[rec->n_stalls - 1];
}

TEST(findings_count_and_time_their_stalls)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	plant(rec, LOGIN, 1000, 100);
	plant(rec, LOGIN, 3000, 40);
	plant(rec, LOGIN, 5000, 60);
	d = diagnose(rec);
	f = &d->findings[0];
	CHECK_EQ(d->n_findings, 1);
	CHECK_EQ(f->stalls, 3);
	CHECK_EQ(f->total, 200ull * MS);
	CHECK_EQ(f->max, 100 * MS);
	CHECK_EQ(f->mean, 200ull * MS / 3);
	CHECK_EQ(f->period, 2000ull * MS);
	CHECK(f->share == 1);
	CHECK_EQ(d->stalled, 200ull * MS);
	done(rec, d);
}

TEST(findings_have_no_period_with_fewer_than_three_stalls)
{
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	plant(rec, LOGIN, 1000, 100);
	plant(rec, LOGIN, 3000, 100);
	d = diagnose(rec);
	CHECK_EQ(d->findings[0].period, 0);
	done(rec, d);
}

TEST(findings_come_by_serving_time_and_then_startup)
{
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	plant(rec, "j require @node:internal/modules/helpers:177\nj main @/app/server.js:1", 0, 900)
		->phase = PHASE_STARTUP;
	plant(rec, LOGIN, 2000, 60);
	plant(rec, LOAD, 3000, 90);
	plant(rec, LOGIN, 4000, 60);
	d = diagnose(rec);
	CHECK_EQ(d->n_findings, 3);
	CHECK_EQ(d->findings[0].cause, CAUSE_SYNC_CRYPTO);
	CHECK_EQ(d->findings[1].cause, CAUSE_LARGE_PARSE);
	CHECK_EQ(d->findings[2].cause, CAUSE_COMPILE);
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQ(d->findings[i].id, i);
	CHECK_EQ(d->stalls[0].finding, 2);
	CHECK_EQ(d->stalls[1].finding, 0);
	CHECK_EQ(d->stalls[2].finding, 1);
	CHECK_EQ(d->stalls[3].finding, 0);
	done(rec, d);
}

TEST(findings_count_startup_and_serving_apart)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	plant(rec, LOGIN, 0, 500)->phase = PHASE_STARTUP;
	plant(rec, LOGIN, 2000, 60);
	d = diagnose(rec);
	f = &d->findings[0];
	CHECK_EQ(f->stalls, 2);
	CHECK_EQ(f->serving_stalls, 1);
	CHECK_EQ(f->serving_total, 60 * MS);
	CHECK_EQ(f->total, 560ull * MS);
	/* The stall while starting does not make it worse. */
	CHECK_EQ(f->severity, SEVERITY_WARNING);
	CHECK_EQ(d->serving_stalls, 1);
	CHECK_EQ(d->serving_stalled, 60 * MS);
	CHECK_EQ(d->stalled, 560ull * MS);
	done(rec, d);
}

TEST(findings_of_one_function_and_call_are_one_although_its_lines_differ)
{
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	plant(rec, "j JSON.parse\nj load @/app/a.js:10/5", 0, 50);
	plant(rec, "j JSON.parse\nj load @/app/a.js:20/5", 500, 90);
	d = diagnose(rec);
	CHECK_EQ(d->n_findings, 1);
	CHECK_EQ(d->findings[0].culprit->line, 20);
	/* Each stall still says where it hung itself. */
	CHECK_EQ(d->stalls[0].culprit->line, 10);
	CHECK_EQ(d->stalls[1].culprit->line, 20);
	done(rec, d);
}

TEST(findings_of_different_functions_calls_or_causes_are_different)
{
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	plant(rec, "j JSON.parse\nj load @/app/a.js:10/5", 0, 50);
	plant(rec, "j JSON.parse\nj save @/app/a.js:20/15", 500, 50);
	plant(rec, "j JSON.parse\nj load @/app/b.js:10/5", 1000, 50);
	plant(rec, "j JSON.stringify\nj load @/app/a.js:11/5", 1500, 50);
	plant(rec, "j readFileSync @node:fs:1\nj load @/app/a.js:11/5", 2000, 50);
	plant(rec, "j statSync @node:fs:1\nj load @/app/a.js:11/5", 2500, 50);
	d = diagnose(rec);
	CHECK_EQ(d->n_findings, 6);
	done(rec, d);
}

TEST(findings_of_collections_are_one_whatever_their_kind)
{
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	plant(rec, "n v8::internal::Heap::Scavenge() @/usr/bin/node\nj load @/app/a.js:10", 0, 50);
	plant(rec, "n v8::internal::Heap::MarkCompact() @/usr/bin/node\nj load @/app/a.js:10", 500,
	      90);
	d = diagnose(rec);
	CHECK_EQ(d->n_findings, 1);
	CHECK_STR(d->findings[0].title, "garbage collection (full)");
	done(rec, d);
}

TEST(evidence_is_of_the_arguments_that_took_most_time_together)
{
	static const struct argument small[] = {
		{ .key = ARG_ITERATIONS, .number = 1000, .frame = 0 },
		{ .key = ARG_DIGEST, .text = "sha1", .frame = 0 },
	};
	static const struct argument large[] = {
		{ .key = ARG_ITERATIONS, .number = 60000, .frame = 0 },
		{ .key = ARG_DIGEST, .text = "sha512", .frame = 0 },
	};
	static const struct argument caller[] = {
		{ .key = ARG_ITERATIONS, .number = 7, .frame = 5 },
	};
	struct recording *rec = build_recording("v8");
	const struct evidence *e;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	/* Most samples are of the small one, most time is in the large one. */
	for (int i = 0; i < 5; i++)
		build_sample_full(rec, LOGIN, 4, SAMPLE_RUNNING, -1, small, 2);
	build_sample_full(rec, LOGIN, 30, SAMPLE_RUNNING, -1, large, 2);
	build_sample_full(rec, LOGIN, 50, SAMPLE_RUNNING, -1, caller, 1);
	d = diagnose(rec);
	e = &d->findings[0].evidence;
	CHECK_EQ(e->args[ARG_ITERATIONS].number, 60000);
	CHECK_STR(e->args[ARG_DIGEST].text, "sha512");
	CHECK(!e->has[ARG_BYTES]);
	done(rec, d);
}

TEST(evidence_was_seen_together)
{
	static const struct argument calls[3][2] = {
		{ { .key = ARG_ITERATIONS, .number = 60000 },
		  { .key = ARG_DIGEST, .text = "sha512" } },
		{ { .key = ARG_ITERATIONS, .number = 1000 },
		  { .key = ARG_DIGEST, .text = "sha1" } },
		{ { .key = ARG_ITERATIONS, .number = 2000 },
		  { .key = ARG_DIGEST, .text = "sha1" } },
	};
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	for (int i = 0; i < 3; i++)
		build_sample_full(rec, LOGIN, i ? 30 : 40, SAMPLE_RUNNING, -1, calls[i], 2);
	d = diagnose(rec);
	CHECK_STR(d->findings[0].title, "pbkdf2Sync 60000 iterations sha512");
	done(rec, d);
}

TEST(evidence_is_not_taken_from_other_calls_or_callers_in_the_stall)
{
	static const struct argument other[] = {
		{ .key = ARG_PATH, .text = "/other", .frame = 0 },
	};
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, "j readFileSync @node:fs:1\nj load @/app/a.js:10/5", 50);
	build_sample_full(rec, "j statSync @node:fs:1\nj load @/app/a.js:11/5", 25, SAMPLE_RUNNING,
			  -1, other, 1);
	build_sample_full(rec, "j readFileSync @node:fs:1\nj save @/app/a.js:21/15", 25,
			  SAMPLE_RUNNING, -1, other, 1);
	d = diagnose(rec);
	CHECK_EQ(d->n_findings, 1);
	CHECK_STR(d->findings[0].title, "readFileSync");
	CHECK_STR(d->findings[0].culprit->function, "load");
	done(rec, d);
}

/* The title of a finding with one argument. */
static void check_title(const char *stack, struct argument arg, int syscall, const char *title)
{
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample_full(rec, stack, 100, syscall >= 0 ? SAMPLE_BLOCKED : SAMPLE_RUNNING, syscall,
			  &arg, 1);
	if (syscall >= 0) {
		rec->stalls[0].blocked = rec->stalls[0].duration;
		rec->stalls[0].running = 0;
	}
	d = diagnose(rec);
	CHECK_STR(d->findings[0].title, title);
	done(rec, d);
}

#define NUMBER(k, n) ((struct argument){ .key = (k), .number = (n) })
#define TEXT(k, t)   ((struct argument){ .key = (k), .text = (t) })

TEST(titles_say_the_call_and_what_is_known_of_it)
{
	static const char at[] = "\nj f @/app/a.js:1";
	char stack[128];

	check_title("j JSON.parse\nj f @/app/a.js:1", NUMBER(ARG_BYTES, 10777781), -1,
		    "JSON.parse 10.8 MB");
	check_title("j readFileSync @node:fs:1\nj f @/app/a.js:1", TEXT(ARG_PATH, "/etc/x"), -1,
		    "readFileSync /etc/x");
	check_title("j execSync @node:child_process:1\nj f @/app/a.js:1",
		    TEXT(ARG_COMMAND, "sleep 1"), -1, "execSync \"sleep 1\"");
	check_title("j scryptSync @node:internal/crypto/scrypt:1\nj f @/app/a.js:1",
		    NUMBER(ARG_COST, 32768), -1, "scryptSync cost 32768");
	check_title("j JSON.parse\nj f @/app/a.js:1", NUMBER(ARG_BYTES, -1), -1, "JSON.parse");
	snprintf(stack, sizeof(stack), "n getaddrinfo @/lib/libc.so.6%s", at);
	check_title(stack, TEXT(ARG_HOST, "db.internal"), 7, "getaddrinfo db.internal");
	snprintf(stack, sizeof(stack), "n connect @/lib/libc.so.6%s", at);
	check_title(stack, TEXT(ARG_PEER, "10.0.0.1:80"), 42, "connect 10.0.0.1:80");
	snprintf(stack, sizeof(stack), "n nanosleep @/lib/libc.so.6%s", at);
	check_title(stack, NUMBER(ARG_DURATION, 200000000), 35, "nanosleep 200 ms");
}

TEST(titles_cut_long_texts)
{
	char path[400], title[400];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	snprintf(title, sizeof(title), "readFileSync %.77s...", path);
	check_title("j readFileSync @node:fs:1\nj f @/app/a.js:1", TEXT(ARG_PATH, path), -1, title);
}
