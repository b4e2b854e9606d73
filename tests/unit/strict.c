#include "sampler/strict_call.h"

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/diagnosing.h"

/* Turns the sample built last into a call that was made `count` times. */
static void as_call(struct recording *rec, int syscall, uint64_t count, const char *path)
{
	struct strict_call call = { .stack = rec->samples[--rec->n_samples].stack,
				    .syscall = (int16_t)syscall,
				    .count = count,
				    .key = ARG_PATH,
				    .text = path };

	recording_add_call(rec, &call);
}

#define HANDLER "j page @/app/a.js:5/4\nj onRequest @node:_http_server:3/3\n"

TEST(strict_calls_of_one_place_are_one_with_their_evidence)
{
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, "n node::fs::Open /usr/bin/node\nj readFileSync @node:fs:9/9\n" HANDLER,
		     1);
	as_call(rec, SYS_openat, 3, "/etc/motd");
	build_sample(rec, "n node::fs::FStat /usr/bin/node\nj readFileSync @node:fs:7/9\n" HANDLER,
		     1);
	as_call(rec, SYS_newfstatat, 2, "/etc/motd");
	d = diagnose(rec);
	CHECK_EQ(d->n_strict, 1);
	CHECK_EQ(d->strict_calls, 5);
	CHECK_EQ(d->strict[0].cause, CAUSE_SYNC_FS);
	CHECK_STR(d->strict[0].title, "readFileSync /etc/motd");
	CHECK_EQ(d->strict[0].culprit->line, 5);
	done(rec, d);
}

TEST(strict_leaves_alone_what_a_runtime_does_by_itself)
{
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "n open64 /lib/libc.so.6\nn icu::TimeZone::detect /usr/bin/node\n" HANDLER, 1);
	as_call(rec, SYS_openat, 1, NULL);
	build_sample(rec, "n uv_spawn /usr/bin/node\nj spawn @node:child_process:9/9\n" HANDLER, 1);
	as_call(rec, SYS_clone, 1, NULL);
	d = diagnose(rec);
	CHECK_EQ(d->n_strict, 0);
	done(rec, d);
}

TEST(strict_calls_do_not_count_where_they_cannot_wait)
{
	struct regs regs = { 0 };

	CHECK(strict_call_counts(SYS_openat, &regs));
	CHECK(strict_call_counts(SYS_wait4, &regs));
	CHECK(!strict_call_counts(SYS_read, &regs));
	regs.r[1] = WNOHANG;
	CHECK(!strict_call_counts(SYS_wait4, &regs));
	regs.r[5] = CLONE_THREAD | CLONE_VM;
	CHECK(!strict_call_counts(SYS_clone, &regs));
	regs.r[5] = CLONE_VM;
	CHECK(strict_call_counts(SYS_clone, &regs));
}
