#include "analyzers/analyze.h"
#include "tests/builder.h"
#include "tests/test.h"

#define NODE "@/usr/bin/node\n"
#define PBKDF2                                                               \
	"n sha512_block_data_order_avx2 " NODE "n PKCS5_PBKDF2_HMAC " NODE   \
	"n node::crypto::PBKDF2Traits::DeriveBits(node::Environment*) " NODE \
	"j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n"
#define PARSE "n v8::internal::JsonParser<unsigned char>::ParseJson() " NODE "j JSON.parse\n"
#define HTTP                                                                                 \
	"j emit @node:events:517\n"                                                          \
	"j parserOnIncoming @node:_http_server:1127\n"                                       \
	"n node::(anonymous namespace)::Parser::Execute(char const*) " NODE "n uv_run " NODE \
	"n main " NODE
#define TICKS "j processTicksAndRejections @node:internal/process/task_queues:77\n"

/* Diagnoses, hands over the only finding, and frees nothing: done() does. */
static struct diagnosis *only_finding(struct recording *rec, const struct finding **f)
{
	static const struct finding none;
	struct diagnosis *d = diagnose(rec);

	CHECK_EQ(d->n_findings, 1);
	*f = d->n_findings ? &d->findings[0] : &none;
	return d;
}

static void done(struct recording *rec, struct diagnosis *d)
{
	diagnosis_free(d);
	recording_free(rec);
}

/* The cause of one stall of 100 ms of which all samples show that stack. */
static enum cause cause_of(const char *runtime, const char *stack, int syscall)
{
	struct recording *rec = build_recording(runtime);
	struct diagnosis *d;
	enum cause cause;

	build_stall(rec, 0, 100);
	if (syscall >= 0)
		build_blocked(rec, stack, 100, syscall);
	else
		build_sample(rec, stack, 100);
	d = diagnose(rec);
	cause = d->stalls[0].cause;
	done(rec, d);
	return cause;
}

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

TEST(blame_goes_by_the_share_of_all_samples_not_by_the_last)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, PBKDF2 "j login @/app/server.js:33\n" HTTP, 60);
	build_sample(rec, PARSE "j load @/app/server.js:70\n" HTTP, 40);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_SYNC_CRYPTO);
	CHECK_STR(f->culprit->function, "login");
	done(rec, d);
}

TEST(blame_takes_the_line_that_most_of_the_time_hangs_under)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, PARSE "j load @/app/a.js:10/5\n" HTTP, 30);
	build_sample(rec, PARSE "j load @/app/a.js:12/5\n" HTTP, 70);
	d = only_finding(rec, &f);
	CHECK_EQ(f->culprit->line, 12);
	CHECK(f->stack == recording_get_stack(rec, rec->samples[1].stack));
	done(rec, d);
}

TEST(blame_prefers_own_code_to_dependencies_and_node)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     PBKDF2 "j hash @/app/node_modules/auth/index.js:5\n"
			    "j login @/app/server.js:33\n" HTTP,
		     100);
	d = only_finding(rec, &f);
	CHECK_STR(f->culprit->function, "login");
	done(rec, d);
}

TEST(blame_falls_on_a_dependency_where_no_own_code_is_on_the_stack)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, PARSE "j parse @/app/node_modules/body-parser/json.js:92\n" HTTP, 100);
	d = only_finding(rec, &f);
	CHECK_STR(f->culprit->file, "/app/node_modules/body-parser/json.js");
	CHECK_EQ(f->cause, CAUSE_LARGE_PARSE);
	done(rec, d);
}

TEST(blame_falls_on_nodes_own_code_when_nothing_else_is_there)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, "n Builtins_LoadIC " NODE HTTP, 100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_USER_CODE);
	CHECK_STR(f->culprit->function, "emit");
	done(rec, d);
}

TEST(cause_of_a_reviver_is_its_own_code_not_the_parser_that_calls_it)
{
	CHECK_EQ(cause_of("v8", "j revive @/app/a.js:1\n" PARSE "j load @/app/a.js:9\n" HTTP, -1),
		 CAUSE_USER_CODE);
}

TEST(cause_of_a_collection_inside_a_call_is_gc_and_its_kind_is_evidence)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "n v8::internal::Scavenger::Process() " NODE
		     "n v8::internal::Heap::CollectGarbage(int) " NODE PARSE
		     "j load @/app/a.js:9\n" HTTP,
		     100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_GC);
	CHECK_STR(f->title, "garbage collection (young)");
	CHECK_STR(f->evidence.args[ARG_GC_KIND].text, "young");
	CHECK_STR(f->culprit->function, "load");
	CHECK(f->call == NULL);
	done(rec, d);
}

TEST(cause_of_a_file_read_by_the_module_loader_is_compile)
{
	CHECK_EQ(cause_of("v8",
			  "n node::fs::Read(int) " NODE "j readFileSync @node:fs:448\n"
			  "j Module._load @node:internal/modules/cjs/loader:1023\n"
			  "j require @node:internal/modules/helpers:177\n"
			  "j handler @/app/a.js:9\n" HTTP,
			  -1),
		 CAUSE_COMPILE);
}

TEST(cause_of_the_work_of_a_module_that_is_loaded_is_that_work)
{
	CHECK_EQ(cause_of("v8",
			  PARSE "j (anonymous) @/app/config.js:3\n"
				"j Module._load @node:internal/modules/cjs/loader:1023\n"
				"j handler @/app/a.js:9\n" HTTP,
			  -1),
		 CAUSE_LARGE_PARSE);
}

TEST(cause_of_a_sleep_goes_by_its_system_call)
{
	static const char own[] = "n work @/srv/app\nn main @/srv/app";

	CHECK_EQ(cause_of(NULL, own, 0), CAUSE_SYNC_FS);
	CHECK_EQ(cause_of(NULL, own, 17), CAUSE_SYNC_FS);
	CHECK_EQ(cause_of(NULL, own, 74), CAUSE_SYNC_FS);
	CHECK_EQ(cause_of(NULL, own, 61), CAUSE_SYNC_CHILD);
	CHECK_EQ(cause_of(NULL, own, 202), CAUSE_LOCK_WAIT);
	CHECK_EQ(cause_of(NULL, own, 230), CAUSE_SLEEP);
	CHECK_EQ(cause_of(NULL, own, 42), CAUSE_SYNC_NET);
	CHECK_EQ(cause_of(NULL, own, 7), CAUSE_SYNC_NET);
	CHECK_EQ(cause_of(NULL, own, 232), CAUSE_SYNC_NET);
	CHECK_EQ(cause_of(NULL, own, 39), CAUSE_UNKNOWN);
	/* Python before 3.11 sleeps in select. */
	CHECK_EQ(cause_of("cpython", "p wait @/app/a.py:3", 23), CAUSE_SLEEP);
	CHECK_EQ(cause_of(NULL, own, 23), CAUSE_SYNC_NET);
}

TEST(cause_of_a_poll_inside_a_known_call_is_that_call)
{
	CHECK_EQ(cause_of(NULL,
			  "n poll @/lib/libc.so.6\nn getaddrinfo @/lib/libc.so.6\n"
			  "n work @/srv/app\nn main @/srv/app",
			  7),
		 CAUSE_SYNC_DNS);
	CHECK_EQ(cause_of("v8",
			  "n epoll_pwait @/lib/libc.so.6\nn uv__io_poll " NODE
			  "n node::SyncProcessRunner::Run(int) " NODE
			  "j execSync @node:child_process:958\nj convert @/app/a.js:9\n" HTTP,
			  281),
		 CAUSE_SYNC_CHILD);
	CHECK_EQ(cause_of("v8",
			  "n futex " NODE "n v8::internal::FutexEmulation::WaitJs32(int) " NODE
			  "j Atomics.wait\nj throttle @/app/a.js:9\n" HTTP,
			  202),
		 CAUSE_SLEEP);
}

TEST(cause_of_a_blocked_write_goes_by_what_the_descriptor_is)
{
	static const struct {
		const char *text;
		int syscall;
		enum cause cause;
	} rows[] = {
		{ "pipe:[1234]", 1, CAUSE_BLOCKING_OUTPUT },
		{ "/dev/pts/0", 20, CAUSE_BLOCKING_OUTPUT },
		{ "/var/log/app.log", 1, CAUSE_SYNC_FS },
		{ "socket:[77]", 1, CAUSE_SYNC_NET },
		{ "socket:[77]", 0, CAUSE_SYNC_NET },
		{ "pipe:[1234]", 0, CAUSE_SYNC_FS },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct argument arg = { .key = ARG_DESCRIPTOR, .text = rows[i].text };
		struct recording *rec = build_recording(NULL);
		struct stall *stall = build_stall(rec, 0, 100);
		const struct finding *f;
		struct diagnosis *d;

		stall->blocked = stall->duration;
		stall->running = 0;
		build_sample_full(rec, "n log_line @/srv/app", 100, SAMPLE_BLOCKED, rows[i].syscall,
				  &arg, 1);
		d = only_finding(rec, &f);
		CHECK_EQ(f->cause, rows[i].cause);
		done(rec, d);
	}
}

TEST(cause_of_a_sleep_is_told_by_the_kernels_frames_where_they_are_seen)
{
	CHECK_EQ(cause_of(NULL,
			  "k anon_pipe_read\nk vfs_read\nn read @/lib/libc.so.6\nn f @/srv/app", 0),
		 CAUSE_SYNC_CHILD);
	CHECK_EQ(cause_of(NULL,
			  "k sock_read_iter\nk vfs_read\nn read @/lib/libc.so.6\nn f @/srv/app", 0),
		 CAUSE_SYNC_NET);
	CHECK_EQ(cause_of(NULL,
			  "k anon_pipe_write\nk vfs_write\nn write @/lib/libc.so.6\nn f @/srv/app",
			  1),
		 CAUSE_BLOCKING_OUTPUT);
	CHECK_EQ(cause_of(NULL,
			  "k io_schedule\nk filemap_read\nn read @/lib/libc.so.6\nn f @/srv/app",
			  0),
		 CAUSE_SYNC_FS);
}

TEST(cause_of_running_through_a_lock_is_not_waiting_for_it)
{
	static const char stack[] = "n pthread_mutex_lock @/lib/libc.so.6\nn f @/srv/app";

	CHECK_EQ(cause_of(NULL, stack, -1), CAUSE_USER_CODE);
	CHECK_EQ(cause_of(NULL, stack, 202), CAUSE_LOCK_WAIT);
}

TEST(calls_are_not_named_after_the_machinery_around_them)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(
		rec,
		"n longest_match " NODE "n deflate " NODE
		"n node::(anonymous namespace)::CompressionStream<int>::Write<false>(int) " NODE
		"j processChunkSync @node:zlib:415\nj zlibBufferSync @node:zlib:178\n"
		"j syncBufferWrapper @node:zlib:767\nj download @/app/a.js:58\n" HTTP,
		100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_COMPRESSION);
	CHECK_STR(f->call, "gzipSync or deflateSync");
	done(rec, d);
}

TEST(cause_of_a_native_call_is_blamed_on_the_nearest_function_of_the_program)
{
	struct recording *rec = build_recording(NULL);
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "n sha256_block_data_order @/usr/lib/libcrypto.so.3\n"
		     "n PKCS5_PBKDF2_HMAC @/usr/lib/libcrypto.so.3\n"
		     "n check_password @/srv/app\nn on_request @/srv/app\n"
		     "n uv_run @/usr/lib/libuv.so.1\nn main @/srv/app",
		     100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_SYNC_CRYPTO);
	CHECK_STR(f->call, "PKCS5_PBKDF2_HMAC");
	CHECK_STR(f->culprit->function, "check_password");
	done(rec, d);
}

TEST(cause_of_a_redis_command_is_blamed_on_the_command)
{
	struct recording *rec = build_recording(NULL);
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(
		rec,
		"n stringmatchlen @/usr/bin/redis-check-rdb\n"
		"n keysCommand @/usr/bin/redis-check-rdb\nn call @/usr/bin/redis-check-rdb\n"
		"n processCommand @/usr/bin/redis-check-rdb\n"
		"n aeProcessEvents @/usr/bin/redis-check-rdb\nn main @/usr/bin/redis-check-rdb",
		100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_USER_CODE);
	CHECK_STR(f->title, "keysCommand");
	CHECK_STR(f->call, "keysCommand");
	CHECK_STR(f->culprit->function, "keysCommand");
	CHECK(strstr(f->advice, "SCAN"));
	done(rec, d);
}

TEST(cause_of_debug_sleep_is_sleep_in_the_command)
{
	struct recording *rec = build_recording(NULL);
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 200);
	build_blocked(rec,
		      "n clock_nanosleep @/lib/libc.so.6\nn nanosleep @/lib/libc.so.6\n"
		      "n debugCommand @/usr/bin/redis-check-rdb\nn call @/usr/bin/redis-check-rdb",
		      200, 230);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_SLEEP);
	CHECK_STR(f->title, "nanosleep");
	CHECK_STR(f->culprit->function, "debugCommand");
	CHECK(f->on_cpu == 0);
	done(rec, d);
}

TEST(cause_of_python_code_is_found_through_its_standard_library)
{
	static const char std[] = "/usr/lib/python3.11/";
	struct recording *rec = build_recording("cpython");
	char stack[1024];
	const struct finding *f;
	struct diagnosis *d;

	snprintf(stack, sizeof(stack),
		 "n - @/usr/bin/python3.11\np raw_decode @%sjson/decoder.py:353\n"
		 "p loads @%sjson/__init__.py:346\np load_users @/srv/app.py:12\n"
		 "p _run @%sasyncio/events.py:80\np main @/srv/app.py:90",
		 std, std, std);
	build_stall(rec, 0, 100);
	build_sample(rec, stack, 100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_LARGE_PARSE);
	CHECK_STR(f->title, "json.loads");
	CHECK_STR(f->culprit->function, "load_users");
	done(rec, d);
}

TEST(cause_is_regex_where_the_runtime_saw_a_pattern_and_no_name_tells)
{
	static const struct argument args[] = {
		{ .key = ARG_PATTERN, .text = "^(a+)+$", .frame = 1 },
	};
	struct recording *rec = build_recording("cpython");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample_full(rec, "n - @/usr/bin/python3.11\np check @/srv/app.py:3", 100,
			  SAMPLE_RUNNING, -1, args, 1);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_REGEX);
	CHECK_STR(f->title, "/^(a+)+$/");
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

	stall->running = 100 * MS;
	stall->runnable = 900 * MS;
	build_sample(rec, PBKDF2 "j login @/app/server.js:33\n" HTTP, 100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_CPU_STARVATION);
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

TEST(what_was_on_the_stack_while_it_waited_for_a_cpu_is_not_blamed)
{
	struct recording *rec = build_recording("v8");
	struct stall *stall = build_stall(rec, 0, 100);
	const struct finding *f;
	struct diagnosis *d;

	stall->running = 55 * MS;
	stall->runnable = 45 * MS;
	build_sample(rec, PARSE "j load @/app/server.js:70\n" HTTP, 25);
	build_sample(rec, PARSE "j load @/app/server.js:71\n" HTTP, 30);
	build_sample_full(rec, PARSE "j load @/app/server.js:70\n" HTTP, 45, SAMPLE_RUNNABLE, -1,
			  NULL, 0);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_LARGE_PARSE);
	CHECK_EQ(f->culprit->line, 71);
	done(rec, d);
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

TEST(starvation_needs_more_than_half_of_the_stall)
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

TEST(major_faults_are_recognised_by_sleeping_outside_any_system_call)
{
	struct recording *rec = build_recording(NULL);
	struct stall *stall = build_stall(rec, 0, 100);
	const struct finding *f;
	struct diagnosis *d;

	stall->page_fault = 90 * MS;
	build_blocked(rec, "n lookup @/srv/app\nn main @/srv/app", 100, -1);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_PAGE_FAULT);
	CHECK_STR(f->culprit->function, "lookup");
	done(rec, d);
}

TEST(a_sleep_in_a_system_call_is_no_fault)
{
	struct recording *rec = build_recording(NULL);
	struct stall *stall = build_stall(rec, 0, 100);
	const struct finding *f;
	struct diagnosis *d;

	stall->page_fault = 90 * MS;
	build_blocked(rec, "n lookup @/srv/app\nn main @/srv/app", 100, 230);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_SLEEP);
	done(rec, d);
}

TEST(lost_samples_of_a_state_are_made_up_for_by_the_others)
{
	struct recording *rec = build_recording(NULL);
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 80);
	build_blocked(rec, "n nanosleep @/lib/libc.so.6\nn work @/srv/app", 25, 230);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_SLEEP);
	done(rec, d);

	rec = build_recording(NULL);
	build_stall(rec, 0, 80);
	build_blocked(rec, "n nanosleep @/lib/libc.so.6\nn work @/srv/app", 2, 230);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_UNKNOWN);
	done(rec, d);
}

TEST(user_code_is_blamed_on_the_innermost_function_that_holds_half_of_it)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 90);
	build_sample(rec, "j a @/app/a.js:1/1\nj compute @/app/a.js:20/18\n" HTTP, 30);
	build_sample(rec, "j b @/app/a.js:5/5\nj compute @/app/a.js:21/18\n" HTTP, 30);
	build_sample(rec, "j c @/app/a.js:9/9\nj compute @/app/a.js:21/18\n" HTTP, 30);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_USER_CODE);
	CHECK_STR(f->title, "compute");
	CHECK_EQ(f->culprit->line, 21);
	done(rec, d);
}

TEST(user_code_is_blamed_on_the_callee_that_holds_half_not_on_its_callers)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, "j inner @/app/a.js:5/5\nj outer @/app/a.js:20/18\n" HTTP, 60);
	build_sample(rec, "j outer @/app/a.js:21/18\n" HTTP, 40);
	d = only_finding(rec, &f);
	CHECK_STR(f->title, "inner");
	CHECK_EQ(f->culprit->line, 5);
	done(rec, d);
}

TEST(user_code_of_a_recursive_function_counts_once_a_stack)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "j walk @/app/a.js:5/4\nj walk @/app/a.js:6/4\nj walk @/app/a.js:6/4\n"
		     "j outer @/app/a.js:20/18\n" HTTP,
		     30);
	build_sample(rec, "j outer @/app/a.js:21/18\n" HTTP, 40);
	build_sample(rec, "j outer @/app/a.js:22/18\n" HTTP, 30);
	d = only_finding(rec, &f);
	CHECK_STR(f->title, "outer");
	done(rec, d);
}

TEST(user_code_of_a_dependency_is_blamed_on_its_caller_and_named)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "j resize @/app/node_modules/jimp/r.js:7\nj thumbnail @/app/a.js:20\n" HTTP,
		     100);
	d = only_finding(rec, &f);
	CHECK_STR(f->title, "resize");
	CHECK_STR(f->culprit->function, "thumbnail");
	done(rec, d);
}

TEST(user_code_of_an_addon_is_named_after_its_file_and_blamed_on_its_caller)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(
		rec,
		"n convolve @/app/node_modules/sharp/sharp.node\n"
		"n pipeline @/app/node_modules/sharp/sharp.node\nj resize @/app/a.js:20\n" HTTP,
		100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_USER_CODE);
	CHECK_STR(f->title, "sharp.node");
	CHECK_STR(f->culprit->function, "resize");
	done(rec, d);
}

TEST(cause_of_an_addon_that_a_row_knows_is_seen_through_its_own_functions)
{
	CHECK_EQ(cause_of("v8",
			  "n patternCompare @/app/node_modules/better-sqlite3/b.node\n"
			  "n sqlite3_step @/app/node_modules/better-sqlite3/b.node\n"
			  "j query @/app/a.js:20\n" HTTP,
			  -1),
		 CAUSE_SYNC_FS);
}

TEST(blame_falls_on_a_package_that_works_by_itself)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "j _encipher @/app/node_modules/bcryptjs/index.js:5\n"
		     "j next @/app/node_modules/bcryptjs/index.js:90\n"
		     "j processImmediate @node:internal/timers:483\nn main " NODE,
		     100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_SYNC_CRYPTO);
	CHECK_STR(f->culprit->function, "next");
	done(rec, d);
}

TEST(user_code_that_sorts_names_the_sort_and_blames_its_caller)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "j compare @/app/a.js:3\nn Builtins_ArrayTimSort " NODE
		     "j Array.prototype.sort\nj rank @/app/a.js:20\n" HTTP,
		     70);
	build_sample(rec,
		     "n Builtins_ArrayTimSort " NODE
		     "j Array.prototype.sort\nj rank @/app/a.js:20\n" HTTP,
		     30);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_USER_CODE);
	CHECK_STR(f->title, "Array.sort");
	CHECK_STR(f->culprit->function, "rank");
	done(rec, d);
}

TEST(user_code_that_sorts_a_little_is_not_named_after_the_sort)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, "j rank @/app/a.js:22/18\n" HTTP, 70);
	build_sample(rec, "j Array.prototype.sort\nj rank @/app/a.js:20/18\n" HTTP, 30);
	d = only_finding(rec, &f);
	CHECK_STR(f->title, "rank");
	done(rec, d);
}

TEST(microtasks_starve_the_loop_when_time_goes_into_the_queue)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	for (int i = 0; i < 10; i++) {
		build_sample(rec, "j step @/app/a.js:75\n" TICKS "n main " NODE, 6);
		build_sample(rec,
			     "j nextTick @node:internal/process/task_queues:128\n"
			     "j step @/app/a.js:75\n" TICKS "n main " NODE,
			     3);
		build_sample(rec, "j shift @node:internal/fixed_queue:82\n" TICKS "n main " NODE,
			     1);
	}
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_MICROTASK_STARVATION);
	CHECK_STR(f->title, "starved by process.nextTick");
	CHECK_STR(f->culprit->function, "step");
	CHECK(strstr(f->advice, "setImmediate"));
	done(rec, d);
}

TEST(microtasks_starve_the_loop_although_no_sample_falls_between_two)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, "j step @/app/a.js:75\n" TICKS "n main " NODE, 50);
	build_sample(
		rec,
		"j nextTick @node:internal/process/task_queues:128\nj step @/app/a.js:75\n" TICKS
		"n main " NODE,
		50);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_MICROTASK_STARVATION);
	done(rec, d);
}

TEST(microtasks_of_promises_are_named_so)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	for (int i = 0; i < 10; i++) {
		build_sample(rec,
			     "j drain @/app/a.js:82\nn Builtins_RunMicrotasks " NODE TICKS
			     "n main " NODE,
			     5);
		build_sample(rec, "n Builtins_RunMicrotasks " NODE TICKS "n main " NODE, 5);
	}
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_MICROTASK_STARVATION);
	CHECK_STR(f->title, "starved by promise jobs");
	done(rec, d);
}

TEST(one_long_job_is_user_code_although_it_runs_as_a_microtask)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, "n Builtins_RunMicrotasks " NODE TICKS "n main " NODE, 1);
	for (int i = 0; i < 98; i++)
		build_sample(rec,
			     "j compute @/app/a.js:82\nn Builtins_RunMicrotasks " NODE TICKS
			     "n main " NODE,
			     1);
	build_sample(rec, "n Builtins_RunMicrotasks " NODE TICKS "n main " NODE, 1);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_USER_CODE);
	CHECK_STR(f->culprit->function, "compute");
	done(rec, d);
}

TEST(many_short_callbacks_are_told_from_one_long_one)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	for (int i = 0; i < 20; i++) {
		char stack[256];

		snprintf(stack, sizeof(stack), "j on%d @/app/a.js:%d\n%s", i % 10, i % 10 + 1,
			 HTTP);
		build_sample(rec, stack, 5);
	}
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_MANY_CALLBACKS);
	CHECK_STR(f->title, "10 different callbacks in one turn");
	done(rec, d);
}

TEST(three_callbacks_are_not_many)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 30);
	build_sample(rec, "j a @/app/a.js:1/1\n" HTTP, 10);
	build_sample(rec, "j b @/app/a.js:9/9\n" HTTP, 10);
	build_sample(rec, "j c @/app/a.js:19/19\n" HTTP, 10);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_USER_CODE);
	done(rec, d);
}

TEST(a_few_slow_callbacks_in_one_turn_are_user_code)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 150);
	for (int i = 0; i < 5; i++) {
		build_sample(rec, "j slow @/app/a.js:1\n" HTTP, 29);
		build_sample(rec, "n Builtins_LoadIC " NODE HTTP, 1);
	}
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_USER_CODE);
	CHECK_STR(f->culprit->function, "slow");
	done(rec, d);
}

TEST(incomplete_stacks_do_not_make_many_callbacks)
{
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	for (uint32_t i = 0; i < 20; i++) {
		struct sample s = { .weight = 5 * MS, .syscall = -1, .at = i * 5 * MS };
		char stack[64];

		snprintf(stack, sizeof(stack), "j f%u @/app/a.js:%u", i % 10, i % 10 + 1);
		s.stack = build_stack_end(rec, stack, STACK_TRUNCATED);
		recording_add_sample(rec, &s);
	}
	rec->stalls[0].samples = 20;
	d = diagnose(rec);
	CHECK_EQ(d->stalls[0].cause, CAUSE_USER_CODE);
	CHECK(d->complete_ratio == 0);
	CHECK_EQ(d->incomplete[STACK_TRUNCATED], 20);
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
