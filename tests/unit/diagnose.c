#include <sys/syscall.h>

#include "tests/diagnosing.h"

TEST(diagnose_names_the_call_its_caller_and_its_arguments)
{
	static const struct argument args[] = {
		{ .key = ARG_ITERATIONS, .number = 60000, .frame = 3 },
		{ .key = ARG_DIGEST, .text = "sha512", .frame = 3 },
		{ .key = ARG_KEYLEN, .number = 64, .frame = 3 },
	};
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 1000, 100);
	build_sample_full(rec, PBKDF2 "j login @/app/server.js:33/30\n" HTTP, 100, SAMPLE_RUNNING,
			  -1, args, 3);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_SYNC_CRYPTO);
	CHECK_STR(f->title, "pbkdf2Sync 60000 iterations sha512");
	CHECK_STR(f->call, "pbkdf2Sync");
	CHECK_STR(f->culprit->function, "login");
	CHECK_EQ(f->culprit->line, 33);
	CHECK_EQ(f->severity, SEVERITY_INCIDENT);
	CHECK_EQ(f->evidence.args[ARG_KEYLEN].number, 64);
	CHECK(strstr(f->advice, "crypto.pbkdf2()"));
	CHECK(f->on_cpu == 1);
	CHECK_EQ(d->stalls[0].finding, 0);
	CHECK(d->stalls[0].culprit == f->culprit);
	CHECK(d->unattributed_ratio == 0);
	done(rec, d);
}

TEST(diagnose_an_empty_recording_has_no_findings)
{
	struct recording *rec = build_recording(NULL);
	struct diagnosis *d = diagnose(rec);

	CHECK_EQ(d->n_findings, 0);
	CHECK_EQ(d->n_stalls, 0);
	CHECK(d->complete_ratio == 1);
	CHECK(d->unattributed_ratio == 0);
	done(rec, d);
}

TEST(starvation_is_never_blamed_on_code)
{
	struct recording *rec = build_recording("v8");
	struct stall *stall = build_stall(rec, 0, 100);
	const struct finding *f;
	struct diagnosis *d;

	stall->running = 15 * MS;
	stall->runnable = 85 * MS;
	build_sample(rec, PBKDF2 "j login @/app/server.js:33\n" HTTP, 15);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_CPU_STARVATION);
	CHECK(f->culprit == NULL);
	CHECK(strstr(f->advice, "Not the code"));
	CHECK(d->unattributed_ratio == 0);
	done(rec, d);
}

TEST(starvation_does_not_hide_code_that_stalls_on_a_free_machine_too)
{
	struct recording *rec = build_recording("v8");
	struct stall *stall = build_stall(rec, 0, 100);
	const struct finding *f;
	struct diagnosis *d;

	stall->running = 40 * MS;
	stall->runnable = 60 * MS;
	build_sample(rec, PBKDF2 "j login @/app/server.js:33\n" HTTP, 40);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_SYNC_CRYPTO);
	CHECK(f->starved > 0.59 && f->starved < 0.61);
	done(rec, d);
}

TEST(starvation_wins_over_code_that_is_a_small_part_of_a_long_stall)
{
	struct recording *rec = build_recording("v8");
	struct stall *stall = build_stall(rec, 0, 1000);
	const struct finding *f;
	struct diagnosis *d;

	stall->running = 26 * MS;
	stall->runnable = 974 * MS;
	build_sample(rec, PBKDF2 "j login @/app/server.js:33\n" HTTP, 26);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_CPU_STARVATION);
	done(rec, d);

	/* One call takes the same time on any machine, and a quarter more. */
	rec = build_recording("v8");
	stall = build_stall(rec, 0, 1000);
	stall->running = 27 * MS;
	stall->runnable = 973 * MS;
	build_sample(rec, PBKDF2 "j login @/app/server.js:33\n" HTTP, 27);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_SYNC_CRYPTO);
	done(rec, d);
}

/* The cause of a stall of 1 s in which code without a name for it ran for so long. */
static enum cause cause_of_little(nsec running)
{
	struct recording *rec = build_recording("v8");
	struct stall *stall = build_stall(rec, 0, 1000);
	const struct finding *f;
	struct diagnosis *d;
	enum cause cause;

	stall->running = running;
	stall->runnable = stall->duration - running;
	build_sample(rec, "j rank @/app/server.js:33\n" HTTP, running / MS);
	d = only_finding(rec, &f);
	cause = f->cause;
	done(rec, d);
	return cause;
}

TEST(starvation_wins_over_less_than_two_thresholds_of_other_code)
{
	CHECK_EQ(cause_of_little(39 * MS), CAUSE_CPU_STARVATION);
	CHECK_EQ(cause_of_little(41 * MS), CAUSE_USER_CODE);
}

/* The cause of a stall that mostly waited for a CPU while its code was in that call. */
static enum cause cause_of_spin(const char *call, const struct finding **f, struct recording **rec,
				struct diagnosis **d)
{
	struct stall *stall;
	char stack[1000];

	*rec = build_recording("v8");
	stall = build_stall(*rec, 0, 60);
	stall->running = 16 * MS;
	stall->runnable = 44 * MS;
	snprintf(stack, sizeof(stack), "%sj wait @/app/server.js:33\n" HTTP, call);
	for (int i = 0; i < 16; i++) {
		build_sample(*rec, stack, 1);
		(*rec)->samples[(*rec)->n_samples - 1].at = (10 + 3 * (nsec)i) * MS;
	}
	*d = only_finding(*rec, f);
	return (*f)->cause;
}

TEST(starvation_does_not_excuse_code_that_watches_the_clock)
{
	const struct finding *f;
	struct recording *rec;
	struct diagnosis *d;

	CHECK_EQ(cause_of_spin("n gettimeofday @[vdso]\nn v8::base::OS::TimeCurrentMillis() " NODE,
			       &f, &rec, &d),
		 CAUSE_USER_CODE);
	CHECK_EQ(d->stalls[0].clocked, 55 * MS);
	CHECK(f->starved == 0);
	done(rec, d);
	CHECK_EQ(cause_of_spin("n v8::internal::Runtime_Add() " NODE, &f, &rec, &d),
		 CAUSE_CPU_STARVATION);
	CHECK_EQ(d->stalls[0].clocked, 0);
	done(rec, d);
}

TEST(starvation_wins_over_code_that_is_no_stall_by_itself)
{
	struct recording *rec = build_recording("v8");
	struct stall *stall = build_stall(rec, 0, 60);
	const struct finding *f;
	struct diagnosis *d;

	stall->running = 18 * MS;
	stall->runnable = 42 * MS;
	build_sample(rec, PBKDF2 "j login @/app/server.js:33\n" HTTP, 18);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_CPU_STARVATION);
	done(rec, d);
}

/* A stall that only waits for a lock, whose holder had no CPU for that long. */
static enum cause cause_of_wait(nsec held_up)
{
	struct recording *rec = build_recording("v8");
	struct stall *stall = build_stall(rec, 0, 100);
	const struct finding *f;
	struct diagnosis *d;
	enum cause cause;

	stall->running = 0;
	stall->blocked = 100 * MS;
	stall->held_up = held_up;
	build_sample_full(rec, "n __lll_lock_wait @/lib/libc.so.6\nj load @/app/a.js:3\n" HTTP, 100,
			  SAMPLE_BLOCKED, 202, NULL, 0);
	d = only_finding(rec, &f);
	cause = f->cause;
	CHECK(cause != CAUSE_CPU_STARVATION || strstr(f->title, "a thread or child"));
	done(rec, d);
	return cause;
}

TEST(starvation_of_who_holds_the_lock_is_no_wait_for_the_lock)
{
	CHECK_EQ(cause_of_wait(0), CAUSE_LOCK_WAIT);
	CHECK_EQ(cause_of_wait(45 * MS), CAUSE_LOCK_WAIT);
	CHECK_EQ(cause_of_wait(90 * MS), CAUSE_CPU_STARVATION);
}

TEST(stopped_targets_are_not_blamed_on_code)
{
	struct recording *rec = build_recording("v8");
	struct stall *stall = build_stall(rec, 0, 1000);
	const struct finding *f;
	struct diagnosis *d;

	stall->running = 10 * MS;
	stall->stopped = 990 * MS;
	build_sample(rec, PBKDF2 "j login @/app/server.js:33\n" HTTP, 10);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_STOPPED);
	CHECK(f->culprit == NULL);
	done(rec, d);
}

TEST(starvation_by_a_quota_says_so)
{
	struct recording *rec = build_recording("v8");
	struct stall *stall = build_stall(rec, 0, 100);
	const struct finding *f;
	struct diagnosis *d;

	stall->running = 10 * MS;
	stall->runnable = 90 * MS;
	stall->throttled = 80 * MS;
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_CPU_STARVATION);
	CHECK(strstr(f->advice, "quota"));
	CHECK(f->throttled > 0.79 && f->throttled < 0.81);
	done(rec, d);
}

/* A stall of 25 ms that waited for a CPU for so long, and computed for the rest. */
static enum cause cause_of_short(nsec waited)
{
	struct recording *rec = build_recording("v8");
	struct stall *stall = build_stall(rec, 0, 25);
	const struct finding *f;
	struct diagnosis *d;
	enum cause cause;

	stall->running = 25 * MS - waited;
	stall->runnable = waited;
	build_sample(rec, PBKDF2 "j login @/app/server.js:33\n" HTTP, (25 * MS - waited) / MS);
	d = only_finding(rec, &f);
	cause = f->cause;
	done(rec, d);
	return cause;
}

TEST(starvation_makes_stalls_of_turns_that_are_none_on_a_free_machine)
{
	CHECK_EQ(cause_of_short(12 * MS), CAUSE_CPU_STARVATION);
	CHECK_EQ(cause_of_short(7 * MS), CAUSE_CPU_STARVATION);
	CHECK_EQ(cause_of_short(4 * MS), CAUSE_SYNC_CRYPTO);
}

TEST(starvation_needs_more_of_the_stall_than_a_stop)
{
	struct recording *rec = build_recording("v8");
	struct stall *stall = build_stall(rec, 0, 100);
	const struct finding *f;
	struct diagnosis *d;

	stall->running = 10 * MS;
	stall->runnable = 40 * MS;
	stall->stopped = 50 * MS;
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_STOPPED);
	done(rec, d);
}

TEST(a_stall_without_samples_goes_by_its_split)
{
	struct recording *rec = build_recording(NULL);
	struct diagnosis *d;
	struct stall *s;

	s = build_stall(rec, 0, 100);
	s->running = 0;
	s->runnable = 100 * MS;
	s = build_stall(rec, 200, 100);
	s->running = 0;
	s->stopped = 100 * MS;
	s = build_stall(rec, 400, 100);
	s->running = 0;
	s->blocked = 100 * MS;
	s = build_stall(rec, 600, 100);
	s->running = 0;
	s->blocked = s->page_fault = 100 * MS;
	build_stall(rec, 800, 100);
	d = diagnose(rec);
	CHECK_EQ(d->stalls[0].cause, CAUSE_CPU_STARVATION);
	CHECK_EQ(d->stalls[1].cause, CAUSE_STOPPED);
	CHECK_EQ(d->stalls[2].cause, CAUSE_UNKNOWN);
	CHECK_EQ(d->stalls[3].cause, CAUSE_PAGE_FAULT);
	CHECK_EQ(d->stalls[4].cause, CAUSE_UNKNOWN);
	CHECK_STR(d->findings[d->stalls[4].finding].title, "unknown: no stack was sampled");
	CHECK(d->unattributed_ratio > 0.59 && d->unattributed_ratio < 0.61);
	done(rec, d);
}

TEST(a_live_stall_is_judged_like_the_finished_recording)
{
	static const struct argument args[] = { { .key = ARG_BYTES, .number = 10800000 } };
	struct recording *rec = build_recording("v8");
	struct stall_diagnosis live;
	struct arena arena = { 0 };
	const char *title = NULL;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, PBKDF2 "j login @/app/server.js:33\n" HTTP, 100);
	build_stall(rec, 500, 60);
	build_sample_full(rec, PARSE "j load @/app/server.js:70\n" HTTP, 60, SAMPLE_RUNNING, -1,
			  args, 1);
	d = diagnose(rec);
	live = diagnose_stall(rec, &rec->stalls[1], &title, &arena);
	CHECK_EQ(live.cause, d->stalls[1].cause);
	CHECK_EQ(live.severity, SEVERITY_WARNING);
	CHECK(live.culprit == d->stalls[1].culprit);
	CHECK_STR(title, "JSON.parse 10.8 MB");
	arena_free(&arena);
	done(rec, d);
}

TEST(a_live_stall_is_judged_by_the_samples_that_are_there)
{
	struct recording *rec = build_recording("v8");
	struct stall_diagnosis live;
	struct arena arena = { 0 };
	const char *title = NULL;

	build_stall(rec, 0, 100);
	build_sample(rec, PBKDF2 "j login @/app/server.js:33\n" HTTP, 60);
	build_sample(rec, PARSE "j load @/app/server.js:70\n" HTTP, 40);
	rec->stalls[0].samples = 7;
	live = diagnose_stall(rec, &rec->stalls[0], &title, &arena);
	CHECK_EQ(live.cause, CAUSE_SYNC_CRYPTO);
	CHECK_STR(live.culprit->function, "login");
	arena_free(&arena);
	recording_free(rec);
}

TEST(a_hostile_recording_is_diagnosed_without_harm)
{
	struct recording *rec = build_recording("v8");
	struct sample s = { .stall = 9999, .stack = 0, .weight = UINT64_MAX, .syscall = 32000 };
	struct argument arg = { .key = ARG_BYTES, .number = -5, .frame = 4000000000u };
	struct diagnosis *d;

	build_stall(rec, 0, 0);
	rec->stalls[0].samples = UINT32_MAX;
	rec->stalls[0].running = UINT64_MAX;
	recording_add_sample(rec, &s);
	s.stall = 0;
	s.stack = 12345678;
	s.state = SAMPLE_BLOCKED;
	s.arguments = &arg;
	s.n_arguments = 1;
	recording_add_sample(rec, &s);
	s.stack = recording_stack(rec, NULL, 0, STACK_NO_REGISTERS);
	recording_add_sample(rec, &s);
	d = diagnose(rec);
	CHECK_EQ(d->n_stalls, 1);
	done(rec, d);
}

/* A stall that sleeps where the callers could not be read, and computes a little below `seen`. */
static enum cause cause_of_lost_wait(const char *seen, int16_t syscall, enum cause alone)
{
	struct recording *rec = build_recording("v8");
	struct sample s = { .weight = 95 * MS, .syscall = syscall, .state = SAMPLE_BLOCKED };
	struct stall *stall = build_stall(rec, 0, 100);
	struct diagnosis *d;
	enum cause cause;

	stall->running = 5 * MS;
	stall->blocked = 95 * MS;
	build_sample(rec, seen, 5);
	s.stack = build_stack_end(rec, "n epoll_pwait @/lib/libc.so.6\nn uv_run @/usr/bin/node",
				  STACK_SEAM);
	recording_add_sample(rec, &s);
	rec->stalls[0].samples = 2;
	d = diagnose(rec);
	cause = d->stalls[0].cause;
	CHECK(cause == alone || strcmp(d->findings[0].title, "spawnSync") == 0);
	CHECK(cause == alone || d->findings[0].culprit->line == 9);
	done(rec, d);
	return cause;
}

TEST(a_wait_whose_caller_was_not_seen_is_that_for_the_child_that_is_waited_for)
{
	static const char child[] =
		"j spawnSync @node:child_process:877\nj convert @/app/a.js:9\n" HTTP;
	static const char other[] = "j convert @/app/a.js:9\n" HTTP;

	CHECK_EQ(cause_of_lost_wait(child, SYS_epoll_pwait, CAUSE_UNKNOWN), CAUSE_SYNC_CHILD);
	CHECK_EQ(cause_of_lost_wait(other, SYS_epoll_pwait, CAUSE_UNKNOWN), CAUSE_UNKNOWN);
	/* The child's output comes through a socket. */
	CHECK_EQ(cause_of_lost_wait(child, SYS_recvmsg, CAUSE_SYNC_NET), CAUSE_SYNC_CHILD);
	CHECK_EQ(cause_of_lost_wait(other, SYS_recvmsg, CAUSE_SYNC_NET), CAUSE_SYNC_NET);
}
