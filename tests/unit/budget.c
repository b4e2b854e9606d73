#include "analyzers/budget.h"

#include "analyzers/analyze.h"
#include "tests/test.h"

#define MS 1000000ull

/* A loop with `turns` turns of 1 ms while serving, and one startup turn of 300 ms. */
static struct recording *recording_with_turns(uint64_t turns)
{
	struct recording *rec = recording_new();
	struct loop *loop = recording_add_loop(rec);
	struct stall *s = recording_add_stall(rec);

	rec->session.threshold = 20 * MS;
	rec->session.duration = 60300 * MS;
	rec->session.serving_since = 300 * MS;
	rec->session.end = END_TARGET_EXITED;
	hist_init(&loop->lag);
	for (uint64_t i = 0; i < turns; i++)
		hist_add(&loop->lag, MS);
	hist_add(&loop->lag, 300 * MS);
	loop->turns = turns + 1;
	loop->busy = loop->lag.sum;
	loop->polled = 60000 * MS - turns * MS;
	s->duration = s->running = 300 * MS;
	s->phase = PHASE_STARTUP;
	return rec;
}

static void add_stall(struct recording *rec, nsec length, nsec runnable)
{
	struct stall *s = recording_add_stall(rec);

	s->start = rec->session.serving_since + rec->n_stalls * 1000 * MS;
	s->duration = length;
	s->runnable = runnable;
	s->running = length - runnable;
	s->phase = PHASE_SERVING;
	hist_add(&rec->loops[0]->lag, length);
	rec->loops[0]->turns++;
	rec->loops[0]->busy += length;
}

/* The verdict of one budget with what terms has else; frees rec. */
static enum verdict judge_by(struct recording *rec, const char *expr, struct budget_terms terms)
{
	struct diagnosis *d = diagnose(rec);
	struct arena arena = { 0 };
	struct error err = { 0 };
	enum verdict verdict = VERDICT_NONE;
	struct budget b;

	terms.budgets = &b;
	terms.n = 1;
	if (budget_parse(&b, expr, &arena, &err) == 0)
		verdict = budget_check(&terms, rec, d, &arena)->verdict;
	arena_free(&arena);
	diagnosis_free(d);
	recording_free(rec);
	return verdict;
}

static enum verdict judge(struct recording *rec, const char *expr)
{
	return judge_by(rec, expr, (struct budget_terms){ .min_turns = 20 });
}

TEST(budget_startup_is_not_held_against_the_service)
{
	CHECK_EQ(judge(recording_with_turns(1000), "lag.max<50ms"), VERDICT_PASS);
	CHECK_EQ(judge(recording_with_turns(1000), "stall.count==0"), VERDICT_PASS);
	CHECK_EQ(judge(recording_with_turns(1000), "stall.count{phase=startup}==0"), VERDICT_FAIL);
}

TEST(budget_exceeded_fails)
{
	struct recording *rec = recording_with_turns(1000);

	add_stall(rec, 80 * MS, 0);
	CHECK_EQ(judge(rec, "lag.max<50ms"), VERDICT_FAIL);
	rec = recording_with_turns(1000);
	add_stall(rec, 80 * MS, 0);
	CHECK_EQ(judge(rec, "lag.p99<50ms"), VERDICT_PASS);
	rec = recording_with_turns(1000);
	add_stall(rec, 80 * MS, 0);
	CHECK_EQ(judge(rec, "stall.max<=80ms"), VERDICT_PASS);
	rec = recording_with_turns(1000);
	add_stall(rec, 80 * MS, 0);
	CHECK_EQ(judge(rec, "lag.max<50ms warn"), VERDICT_PASS);
}

TEST(budget_too_few_turns_are_never_green)
{
	struct recording *rec = recording_with_turns(5);

	CHECK_EQ(judge(rec, "lag.p99<50ms"), VERDICT_INCONCLUSIVE);
	rec = recording_with_turns(5);
	add_stall(rec, 80 * MS, 0);
	CHECK_EQ(judge(rec, "lag.max<50ms"), VERDICT_FAIL);
	CHECK_EQ(judge(recording_new(), "stall.count==0"), VERDICT_INCONCLUSIVE);
}

TEST(budget_lost_boundaries_are_never_green)
{
	struct recording *rec = recording_with_turns(1000);

	rec->session.lost_turns = 1;
	CHECK_EQ(judge(rec, "lag.p99<50ms"), VERDICT_INCONCLUSIVE);
}

TEST(budget_exceeded_by_waiting_for_a_cpu_is_inconclusive)
{
	struct recording *rec = recording_with_turns(1000);

	add_stall(rec, 80 * MS, 70 * MS);
	CHECK_EQ(judge(rec, "lag.max<50ms"), VERDICT_INCONCLUSIVE);
	rec = recording_with_turns(1000);
	add_stall(rec, 180 * MS, 70 * MS);
	CHECK_EQ(judge(rec, "lag.max<50ms"), VERDICT_FAIL);
}

/* 1000 turns of 1 ms and 100 of `length`, none of them a stall; the loop waited so long for a CPU.
 */
static struct recording *recording_that_waited(nsec length, nsec waited)
{
	struct recording *rec = recording_with_turns(1000);
	struct loop *loop = rec->loops[0];

	for (int i = 0; i < 100; i++)
		hist_add(&loop->lag, length);
	loop->turns += 100;
	loop->busy += 100 * length;
	loop->waited = waited;
	return rec;
}

TEST(budget_of_turns_whose_wait_is_unknown_is_inconclusive_as_far_as_it_may_explain_them)
{
	struct {
		const char *expr;
		nsec waited;
		enum verdict verdict;
	} cases[] = {
		/* 90 of the 100 turns of 12 ms must have been 2 ms shorter. */
		{ "lag.p99<10ms", 250 * MS, VERDICT_INCONCLUSIVE },
		{ "lag.p99<10ms", 150 * MS, VERDICT_FAIL },
		{ "lag.p99<10ms", 0, VERDICT_FAIL },
		{ "lag.p99<13ms", 250 * MS, VERDICT_PASS },
		{ "lag.p50>2ms", 250 * MS, VERDICT_FAIL },
		{ "lag.max<10ms", 250 * MS, VERDICT_INCONCLUSIVE },
		{ "lag.max<10ms", 150 * MS, VERDICT_FAIL },
		/* 2200 ms in 1100 turns. */
		{ "lag.mean<1.9ms", 150 * MS, VERDICT_INCONCLUSIVE },
		{ "lag.mean<1.9ms", 50 * MS, VERDICT_FAIL },
		/* Busy for 2500 ms of 61500 ms. */
		{ "busy.ratio<4%", 150 * MS, VERDICT_INCONCLUSIVE },
		{ "busy.ratio<4%", 10 * MS, VERDICT_FAIL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recording *rec = recording_that_waited(12 * MS, cases[i].waited);

		if (judge(rec, cases[i].expr) != cases[i].verdict)
			test_fail(__FILE__, __LINE__, "%s, waited %llu", cases[i].expr,
				  (unsigned long long)cases[i].waited);
	}
}

TEST(budget_takes_no_turn_below_the_threshold_for_one_above)
{
	struct recording *rec = recording_that_waited(19900000, 0);

	CHECK_EQ(judge(rec, "lag.max<20ms"), VERDICT_PASS);
	rec = recording_that_waited(19900000, 0);
	add_stall(rec, 21 * MS, 15 * MS);
	CHECK_EQ(judge(rec, "lag.max<20ms"), VERDICT_INCONCLUSIVE);
}

TEST(budget_allows_for_what_comes_of_having_waited)
{
	struct recording *rec = recording_with_turns(1000);

	/* Cold caches, and what came in meanwhile. */
	add_stall(rec, 100 * MS, 75 * MS);
	CHECK_EQ(judge(rec, "lag.max<20ms"), VERDICT_INCONCLUSIVE);
	rec = recording_with_turns(1000);
	add_stall(rec, 50 * MS, 25 * MS);
	CHECK_EQ(judge(rec, "stall.count==0"), VERDICT_INCONCLUSIVE);
	rec = recording_with_turns(1000);
	add_stall(rec, 70 * MS, 25 * MS);
	CHECK_EQ(judge(rec, "stall.count==0"), VERDICT_FAIL);
	rec = recording_with_turns(1000);
	rec->session.error_bound = MS;
	add_stall(rec, 20 * MS, 0);
	CHECK_EQ(judge(rec, "stall.max<19500us"), VERDICT_INCONCLUSIVE);
}

TEST(budget_counts_the_stall_that_did_not_end)
{
	struct recording *rec = recording_with_turns(1000);
	struct stall *s;

	add_stall(rec, 5000 * MS, 0);
	s = &rec->stalls[rec->n_stalls - 1];
	s->open = true;
	hist_init(&rec->loops[0]->lag);
	for (int i = 0; i < 1000; i++)
		hist_add(&rec->loops[0]->lag, MS);
	CHECK_EQ(judge(rec, "lag.max<1s"), VERDICT_FAIL);
}

/* The verdict of one budget by a diagnosis that was changed; frees both. */
static enum verdict judge_diagnosed(struct recording *rec, struct diagnosis *d, const char *expr)
{
	struct budget_terms terms = { .n = 1 };
	struct arena arena = { 0 };
	struct error err = { 0 };
	enum verdict verdict;
	struct budget b;

	CHECK_EQ(budget_parse(&b, expr, &arena, &err), 0);
	terms.budgets = &b;
	verdict = budget_check(&terms, rec, d, &arena)->verdict;
	arena_free(&arena);
	diagnosis_free(d);
	recording_free(rec);
	return verdict;
}

/*
 * A turn of 30 ms of its own and some of waiting for a CPU, by the diagnosis a
 * stall of that cause; all loops together waited so long.
 */
static enum verdict judge_as_with(enum cause cause, nsec runnable, nsec waited, bool slept,
				  const char *expr)
{
	struct recording *rec = recording_with_turns(1000);
	struct diagnosis *d;

	add_stall(rec, 30 * MS + runnable, runnable);
	if (slept) {
		rec->stalls[1].blocked = rec->stalls[1].running;
		rec->stalls[1].running = 0;
	}
	rec->loops[0]->waited = waited;
	d = diagnose(rec);
	d->stalls[1].cause = cause;
	return judge_diagnosed(rec, d, expr);
}

static enum verdict judge_as(enum cause cause, nsec runnable, const char *expr)
{
	return judge_as_with(cause, runnable, 0, false, expr);
}

TEST(budget_does_not_blame_a_lock_whose_holder_may_have_starved)
{
	static const char expr[] = "lag.max<25ms";

	CHECK_EQ(judge_as_with(CAUSE_LOCK_WAIT, 0, 5000 * MS, true, expr), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_as_with(CAUSE_LOCK_WAIT, 0, 100 * MS, true, expr), VERDICT_FAIL);
	CHECK_EQ(judge_as_with(CAUSE_SYNC_NET, 0, 5000 * MS, true, expr), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_as_with(CAUSE_SYNC_NET, 0, 100 * MS, true, expr), VERDICT_FAIL);
	CHECK_EQ(judge_as_with(CAUSE_UNKNOWN, 0, 5000 * MS, true, expr), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_as_with(CAUSE_UNKNOWN, 0, 100 * MS, true, expr), VERDICT_FAIL);
	CHECK_EQ(judge_as_with(CAUSE_SLEEP, 0, 5000 * MS, true, expr), VERDICT_FAIL);
}

/* n turns of 30 ms of their own and 60 ms of waiting, all of one finding, in a loop that starves.
 */
static enum verdict judge_code(uint32_t n, nsec callback, nsec clocked, const char *expr)
{
	struct recording *rec = recording_with_turns(1000);
	struct diagnosis *d;

	for (uint32_t i = 0; i < n; i++)
		add_stall(rec, 90 * MS, 60 * MS);
	rec->loops[0]->waited = 5000 * MS;
	d = diagnose(rec);
	for (uint32_t i = 1; i <= n; i++) {
		d->stalls[i].cause = CAUSE_USER_CODE;
		d->stalls[i].callback = callback;
		d->stalls[i].clocked = clocked;
	}
	return judge_diagnosed(rec, d, expr);
}

TEST(budget_on_a_full_machine_believes_one_call_and_code_that_blocks_again)
{
	static const char expr[] = "lag.max<22ms";

	CHECK_EQ(judge_as(CAUSE_SYNC_CRYPTO, 60 * MS, expr), VERDICT_FAIL);
	CHECK_EQ(judge_as(CAUSE_GC, 60 * MS, expr), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_as(CAUSE_CPU_STARVATION, 60 * MS, expr), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_code(2, 0, 0, expr), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_code(3, 0, 0, expr), VERDICT_FAIL);
}

TEST(budget_does_not_hold_requests_that_piled_up_against_the_code)
{
	CHECK_EQ(judge_code(3, 29 * MS, 0, "lag.max<21ms"), VERDICT_FAIL);
	CHECK_EQ(judge_code(3, 5 * MS, 0, "lag.max<21ms"), VERDICT_INCONCLUSIVE);
}

TEST(budget_counts_all_of_a_turn_that_watches_the_clock)
{
	CHECK_EQ(judge_code(1, 0, 85 * MS, "stall.max<80ms"), VERDICT_FAIL);
	CHECK_EQ(judge_code(1, 0, 0, "stall.max<80ms"), VERDICT_INCONCLUSIVE);
}

static enum verdict judge_starved_asleep(enum cause beside, nsec asleep, const char *expr)
{
	struct recording *rec = recording_with_turns(1000);
	struct diagnosis *d;

	add_stall(rec, 230 * MS, 200 * MS);
	rec->stalls[1].blocked = asleep;
	rec->stalls[1].running -= asleep;
	d = diagnose(rec);
	d->stalls[1].cause = CAUSE_CPU_STARVATION;
	d->stalls[1].beside = beside;
	return judge_diagnosed(rec, d, expr);
}

static enum verdict judge_starved(enum cause beside, const char *expr)
{
	return judge_starved_asleep(beside, 0, expr);
}

TEST(budget_of_a_cause_is_met_where_the_rest_of_a_starved_stall_was_something_else)
{
	static const char crypto[] = "stall.count{cause=sync_crypto}==0";

	CHECK_EQ(judge_starved(CAUSE_SYNC_CRYPTO, crypto), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_starved(CAUSE_UNKNOWN, crypto), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_starved_asleep(CAUSE_UNKNOWN, 15 * MS, crypto), VERDICT_PASS);
	CHECK_EQ(judge_starved_asleep(CAUSE_UNKNOWN, 15 * MS, "stall.count{cause=sync_fs}==0"),
		 VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_starved(CAUSE_USER_CODE, crypto), VERDICT_PASS);
	CHECK_EQ(judge_starved(CAUSE_GC, crypto), VERDICT_PASS);
	CHECK_EQ(judge_starved(CAUSE_GC, "stall.count==0"), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_starved(CAUSE_USER_CODE, "stall.count{cause=many_callbacks}==0"),
		 VERDICT_INCONCLUSIVE);
}

TEST(budget_of_stalls_is_not_met_by_what_starvation_may_hide)
{
	static const char crypto[] = "stall.count{cause=sync_crypto}==0";

	CHECK_EQ(judge_as(CAUSE_CPU_STARVATION, 200 * MS, crypto), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_as(CAUSE_CPU_STARVATION, 200 * MS, "stall.count==0"), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_as(CAUSE_CPU_STARVATION, 200 * MS, "stall.count{cause=cpu_starvation}==0"),
		 VERDICT_FAIL);
	CHECK_EQ(judge_as(CAUSE_STOPPED, 200 * MS, crypto), VERDICT_PASS);
	CHECK_EQ(judge_as(CAUSE_SYNC_CRYPTO, 10 * MS, crypto), VERDICT_FAIL);
	CHECK_EQ(judge_as(CAUSE_SYNC_FS, 10 * MS, crypto), VERDICT_PASS);
}

TEST(budget_of_collections_leaves_their_wait_for_a_cpu_out)
{
	CHECK_EQ(judge_as(CAUSE_GC, 0, "gc.total<25ms"), VERDICT_FAIL);
	CHECK_EQ(judge_as(CAUSE_GC, 100 * MS, "gc.total<100ms"), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_as(CAUSE_GC, 0, "gc.total<100ms"), VERDICT_PASS);
	CHECK_EQ(judge_as(CAUSE_SYNC_FS, 0, "gc.total<25ms"), VERDICT_PASS);
}

TEST(budget_of_the_pool_s_queue_is_inconclusive_while_its_loop_starves)
{
	struct recording *rec = recording_with_turns(1000);

	hist_init(&rec->threadpool.queue_wait);
	hist_add(&rec->threadpool.queue_wait, 80 * MS);
	CHECK_EQ(judge(rec, "pool.wait.p99<50ms"), VERDICT_INCONCLUSIVE);
	for (int starved = 0; starved <= 1; starved++) {
		rec = recording_that_waited(MS, starved ? 5000 * MS : 0);
		rec->threadpool.known = true;
		hist_init(&rec->threadpool.queue_wait);
		hist_add(&rec->threadpool.queue_wait, 80 * MS);
		CHECK_EQ(judge(rec, "pool.wait.p99<50ms"),
			 starved ? VERDICT_INCONCLUSIVE : VERDICT_FAIL);
	}
}

TEST(budget_that_only_warns_leaves_the_job_green_when_it_cannot_tell)
{
	CHECK_EQ(judge(recording_with_turns(1000), "pool.wait.p99<50ms warn"), VERDICT_PASS);
	CHECK_EQ(judge(recording_with_turns(1000), "strict.count==0 warn"), VERDICT_PASS);
	CHECK_EQ(judge(recording_with_turns(1000), "strict.count==0"), VERDICT_INCONCLUSIVE);
}

/* The fingerprint of the only serving finding of a recording with one stall of 80 ms. */
static void known_fingerprint(char out[17])
{
	struct recording *rec = recording_with_turns(1000);
	struct diagnosis *d;

	add_stall(rec, 80 * MS, 0);
	d = diagnose(rec);
	memcpy(out, d->findings[0].fingerprint, 17);
	diagnosis_free(d);
	recording_free(rec);
}

/* A stall of 80 ms whose finding is allowed until that day, judged on 2026-06-15. */
static enum verdict judge_allowed(const char *fingerprint, const char *expires, const char *expr)
{
	struct allowance allow = { fingerprint, "known", expires };
	struct recording *rec = recording_with_turns(1000);

	add_stall(rec, 80 * MS, 0);
	return judge_by(
		rec, expr,
		(struct budget_terms){ .allow = &allow, .n_allow = 1, .today = "2026-06-15" });
}

TEST(budget_does_not_count_what_is_allowed)
{
	char known[17];

	known_fingerprint(known);
	CHECK_EQ(judge_allowed(known, "2026-06-15", "stall.count==0"), VERDICT_PASS);
	CHECK_EQ(judge_allowed(known, "2026-06-15", "lag.max<50ms"), VERDICT_PASS);
	CHECK_EQ(judge_allowed(known, "2026-06-15", "blocked.ratio==0"), VERDICT_PASS);
	CHECK_EQ(judge_allowed("0123456789abcdef", "2026-06-15", "stall.count==0"), VERDICT_FAIL);
}

TEST(budget_allowance_that_expired_fails)
{
	char known[17];

	known_fingerprint(known);
	CHECK_EQ(judge_allowed(known, "2026-06-14", "lag.max<10s"), VERDICT_FAIL);
	CHECK_EQ(judge_allowed("0123456789abcdef", "2025-12-31", "lag.max<10s"), VERDICT_FAIL);
}

TEST(budget_needs_as_many_turns_as_the_project_says)
{
	CHECK_EQ(judge_by(recording_with_turns(100), "lag.max<50ms",
			  (struct budget_terms){ .min_turns = 100 }),
		 VERDICT_PASS);
	CHECK_EQ(judge_by(recording_with_turns(100), "lag.max<50ms",
			  (struct budget_terms){ .min_turns = 101 }),
		 VERDICT_INCONCLUSIVE);
}

/* A recording with a stall against a baseline with one; `waited`: the part of each for a CPU. */
static enum verdict judge_stalls(const nsec length[2], const nsec waited[2], const char *expr,
				 const char *version)
{
	struct recording *before = recording_with_turns(1000), *rec = recording_with_turns(1000);
	struct diagnosis *d;
	enum verdict verdict;

	before->target.runtime = rec->target.runtime = "v8";
	before->target.runtime_version = "20.1.0";
	rec->target.runtime_version = version;
	add_stall(before, length[0] * MS, waited[0] * MS);
	add_stall(rec, length[1] * MS, waited[1] * MS);
	d = diagnose(before);
	verdict = judge_by(rec, expr,
			   (struct budget_terms){ .baseline = before, .baseline_diagnosis = d });
	diagnosis_free(d);
	recording_free(before);
	return verdict;
}

static enum verdict judge_against(nsec then, nsec now, const char *expr, const char *version)
{
	return judge_stalls((nsec[]){ then, now }, (nsec[]){ 0, 0 }, expr, version);
}

TEST(budget_compares_waiting_for_a_cpu_with_waiting)
{
	static const char expr[] = "lag.max<=baseline*1.2";

	CHECK_EQ(judge_stalls((nsec[]){ 200, 210 }, (nsec[]){ 100, 100 }, expr, "20.2.0"),
		 VERDICT_PASS);
	CHECK_EQ(judge_stalls((nsec[]){ 100, 300 }, (nsec[]){ 0, 200 }, expr, "20.2.0"),
		 VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_stalls((nsec[]){ 500, 400 }, (nsec[]){ 400, 0 }, expr, "20.2.0"),
		 VERDICT_FAIL);
}

TEST(budget_is_compared_with_the_baseline)
{
	CHECK_EQ(judge_against(100, 119, "lag.max<baseline*1.2", "20.2.0"), VERDICT_PASS);
	CHECK_EQ(judge_against(100, 121, "lag.max<baseline*1.2", "20.2.0"), VERDICT_FAIL);
	CHECK_EQ(judge_against(100, 124, "lag.max < baseline * 1.2 + 5ms", "20.2.0"), VERDICT_PASS);
	CHECK_EQ(judge_against(100, 126, "lag.max<baseline*1.2+5ms warn", "20.2.0"), VERDICT_PASS);
	CHECK_EQ(judge_against(100, 126, "lag.max<baseline*1.2+5ms", "20.2.0"), VERDICT_FAIL);
	CHECK_EQ(judge_against(100, 100, "stall.count<=baseline", "20.2.0"), VERDICT_PASS);
	CHECK_EQ(judge_against(10, 100, "stall.max<=baseline+80ms", "20.2.0"), VERDICT_FAIL);
}

TEST(budget_baseline_of_another_runtime_is_never_green)
{
	CHECK_EQ(judge_against(100, 100, "lag.max<baseline*1.2", "22.2.0"), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_against(100, 200, "lag.max<baseline*1.2", "22.2.0"), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_against(100, 100, "lag.max<2s", "22.2.0"), VERDICT_PASS);
}

/* A stall of 80 ms, 2 s after serving began. */
static enum verdict judge_warm(nsec warmup, const char *expr)
{
	struct recording *rec = recording_with_turns(1000);

	add_stall(rec, 80 * MS, 0);
	rec->stalls[1].start = rec->session.serving_since + 2000 * MS;
	return judge_by(rec, expr, (struct budget_terms){ .warmup = warmup });
}

TEST(budget_does_not_count_what_happens_while_warming_up)
{
	CHECK_EQ(judge_warm(1000 * MS, "lag.max<50ms"), VERDICT_FAIL);
	CHECK_EQ(judge_warm(3000 * MS, "lag.max<50ms"), VERDICT_PASS);
	CHECK_EQ(judge_warm(3000 * MS, "stall.count==0"), VERDICT_PASS);
	CHECK_EQ(judge_warm(1000 * MS, "stall.count==0"), VERDICT_FAIL);
	CHECK_EQ(judge_warm(3000 * MS, "stall.count{phase=startup}==2"), VERDICT_PASS);
}

/* Against a baseline of a machine that is like this one but for what `there` says. */
static enum verdict judge_machine(struct host here, struct host there, bool any)
{
	struct recording *before = recording_with_turns(1000), *rec = recording_with_turns(1000);
	struct diagnosis *d = diagnose(before);
	enum verdict verdict;

	before->host = there;
	rec->host = here;
	verdict =
		judge_by(rec, "lag.max<=baseline",
			 (struct budget_terms){
				 .baseline = before, .baseline_diagnosis = d, .any_machine = any });
	diagnosis_free(d);
	recording_free(before);
	return verdict;
}

TEST(budget_baseline_of_another_machine_is_never_green_unless_told)
{
	struct host here = { .model = "M", .cpus = 4 }, other = { .model = "N", .cpus = 4 },
		    more = { .model = "M", .cpus = 8 },
		    held = { .model = "M", .cpus = 4, .quota = 500 }, unknown = { 0 };

	CHECK_EQ(judge_machine(here, here, false), VERDICT_PASS);
	CHECK_EQ(judge_machine(here, other, false), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_machine(here, more, false), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_machine(here, held, false), VERDICT_INCONCLUSIVE);
	CHECK_EQ(judge_machine(here, unknown, false), VERDICT_PASS);
	CHECK_EQ(judge_machine(here, other, true), VERDICT_PASS);
	CHECK_EQ(judge_machine(here, held, true), VERDICT_PASS);
}

/* One letter for each recording: p it passes, f it fails, i it is inconclusive; W: only warned. */
static enum verdict combine(const char *runs, enum budget_aggregate aggregate)
{
	struct budget_result rules[8];
	struct budget_report reports[8];
	const struct budget_report *list[8];
	struct arena arena = { 0 };
	enum verdict verdict;
	size_t n = strlen(runs);

	for (size_t i = 0; i < n; i++) {
		rules[i] = (struct budget_result){ .expr = "lag.max<1s",
						   .level = runs[i] == 'W' ? "warn" : "error",
						   .value = "7 ms",
						   .ok = runs[i] == 'p' || runs[i] == 'i',
						   .unsure = runs[i] == 'i' };
		reports[i] = (struct budget_report){ .rules = &rules[i], .n_rules = 1 };
		reports[i].verdict = runs[i] == 'f'   ? VERDICT_FAIL
				     : runs[i] == 'i' ? VERDICT_INCONCLUSIVE
						      : VERDICT_PASS;
		list[i] = &reports[i];
	}
	verdict = budget_combine(list, n, aggregate, &arena)->verdict;
	arena_free(&arena);
	return verdict;
}

TEST(budget_of_several_recordings_goes_by_the_worst_or_the_median)
{
	CHECK_EQ(combine("ppf", AGGREGATE_WORST), VERDICT_FAIL);
	CHECK_EQ(combine("ppi", AGGREGATE_WORST), VERDICT_INCONCLUSIVE);
	CHECK_EQ(combine("ifp", AGGREGATE_WORST), VERDICT_FAIL);
	CHECK_EQ(combine("ppp", AGGREGATE_WORST), VERDICT_PASS);
	CHECK_EQ(combine("ppf", AGGREGATE_MEDIAN), VERDICT_PASS);
	CHECK_EQ(combine("fpf", AGGREGATE_MEDIAN), VERDICT_FAIL);
	CHECK_EQ(combine("pif", AGGREGATE_MEDIAN), VERDICT_INCONCLUSIVE);
	CHECK_EQ(combine("pf", AGGREGATE_MEDIAN), VERDICT_FAIL);
	CHECK_EQ(combine("WWW", AGGREGATE_WORST), VERDICT_PASS);
}
