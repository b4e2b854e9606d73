#include "tests/diagnosing.h"

TEST(cause_of_a_reviver_is_its_own_code_not_the_parser_that_calls_it)
{
	CHECK_EQ(cause_of("v8", "j revive @/app/a.js:1\n" PARSE "j load @/app/a.js:9\n" HTTP, -1),
		 CAUSE_USER_CODE);
}

#define SCAVENGE                                     \
	"n v8::internal::Scavenger::Process() " NODE \
	"n v8::internal::Heap::CollectGarbage(int) " NODE

TEST(cause_of_a_collection_inside_a_known_call_is_that_call)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, SCAVENGE PARSE "j load @/app/a.js:9\n" HTTP, 100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_LARGE_PARSE);
	CHECK_STR(f->title, "JSON.parse");
	done(rec, d);
	/* The collector waits for its helpers. */
	CHECK_EQ(cause_of("v8",
			  "n pthread_cond_wait @/lib/libc.so.6\n" SCAVENGE PARSE
			  "j load @/app/a.js:9\n" HTTP,
			  202),
		 CAUSE_LARGE_PARSE);
}

TEST(cause_of_a_collection_in_user_code_is_gc_and_its_kind_is_evidence)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, SCAVENGE "j load @/app/a.js:9\n" HTTP, 100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_GC);
	CHECK_STR(f->title, "garbage collection (young)");
	CHECK_STR(f->evidence.args[ARG_GC_KIND].text, "young");
	CHECK_STR(f->culprit->function, "load");
	CHECK(f->call == NULL);
	done(rec, d);
}

TEST(compile_without_the_programs_own_code_is_blamed_on_the_package_that_was_asked_for)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "j require @node:internal/modules/helpers:182\n"
		     "j (anonymous) @/app/node_modules/inner/index.js:4\n"
		     "j require @node:internal/modules/helpers:182\n"
		     "j (anonymous) @/app/node_modules/outer/index.js:7\n"
		     "j require @node:internal/modules/helpers:182",
		     100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_COMPILE);
	CHECK_STR(f->culprit->file, "/app/node_modules/outer/index.js");
	done(rec, d);
}

TEST(cause_of_making_a_matcher_is_compile_not_regex)
{
	CHECK_EQ(cause_of("v8",
			  "n v8::internal::RegExpMacroAssemblerX64::CheckCharacter(int) " NODE
			  "n v8::internal::RegExpImpl::Compile(v8::internal::Isolate*) " NODE
			  "j RegExp.prototype.test @\nj find @/app/a.js:9\n" HTTP,
			  -1),
		 CAUSE_COMPILE);
}

/* After an await there is only node's queue around the package. */
TEST(cause_of_a_package_that_goes_on_from_a_promise_is_its_own)
{
	CHECK_EQ(cause_of("v8",
			  "j walk @/app/node_modules/terser/dist/bundle.min.js:7710\n"
			  "j minify @/app/node_modules/terser/dist/bundle.min.js:34537\n"
			  "n Builtins_RunMicrotasks " NODE
			  "j processTicksAndRejections @node:internal/process/task_queues:95",
			  -1),
		 CAUSE_COMPILE);
}

TEST(cause_of_a_job_that_is_nodes_own_code_is_code_not_the_queue)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "n node::Decode(int) " NODE
		     "j utf8DecodeBytes @node:internal/deps/undici/undici:5870\n"
		     "n Builtins_RunMicrotasks " NODE
		     "j processTicksAndRejections @node:internal/process/task_queues:95",
		     100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_USER_CODE);
	CHECK_STR(f->culprit->function, "utf8DecodeBytes");
	done(rec, d);
}

TEST(cause_of_a_file_that_is_made_is_serializing_not_the_parser_of_the_same_package)
{
	CHECK_EQ(cause_of("v8",
			  "j escapexml @/app/node_modules/xlsx/xlsx.js:3500\n"
			  "j write_ws_xml @/app/node_modules/xlsx/xlsx.js:15800\n"
			  "j writeSync @/app/node_modules/xlsx/xlsx.js:23000\n"
			  "j handler @/app/a.js:9\n" HTTP,
			  -1),
		 CAUSE_LARGE_SERIALIZE);
}

TEST(waking_threads_that_have_no_cpu_is_starvation_not_a_lock)
{
	CHECK_EQ(cause_of("v8",
			  "n __futex_abstimed_wait_common @/lib/libc.so.6\n"
			  "n pthread_cond_signal @/lib/libc.so.6\nn uv_cond_signal " NODE
			  "j find @/app/a.js:9\n" HTTP,
			  202),
		 CAUSE_CPU_STARVATION);
}

TEST(cause_of_a_compiler_that_waits_for_its_helpers_is_compile)
{
	CHECK_EQ(cause_of("v8",
			  "n pthread_cond_wait @/lib/libc.so.6\n"
			  "n v8::internal::wasm::SyncCompile(v8::internal::Isolate*) " NODE
			  "j WebAssembly.Module @\nj load @/app/a.js:9\n" HTTP,
			  202),
		 CAUSE_COMPILE);
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
	CHECK_EQ(cause_of(NULL, own, 23), CAUSE_SYNC_NET);
}

TEST(cause_of_a_file_call_that_naps_is_a_lock)
{
	static const char query[] = "n usleep @/lib/libc.so.6\nn - @/usr/lib/libsqlite3.so.0\n"
				    "n sqlite3_step @/usr/lib/libsqlite3.so.0\nn work @/srv/app\n"
				    "n main @/srv/app";

	CHECK_EQ(cause_of(NULL, query, 230), CAUSE_LOCK_WAIT);
	CHECK_EQ(cause_of(NULL, query, 74), CAUSE_SYNC_FS);
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
			  "k unix_stream_sendmsg\nk sock_write_iter\nn write @/lib/libc.so.6\n"
			  "n f @/srv/app",
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

TEST(cause_of_a_wait_for_a_lock_is_not_the_call_that_takes_it)
{
	static const char async_call[] =
		"n futex_wait @/lib/libc.so.6\nn pthread_mutex_lock @/lib/libc.so.6\n"
		"n uv__work_submit " NODE "n node::crypto::CryptoJob::Run(int) " NODE
		"j pbkdf2 @node:internal/crypto/pbkdf2:55\nj login @/app/a.js:3\n" HTTP;

	CHECK_EQ(cause_of("v8", async_call, 202), CAUSE_LOCK_WAIT);
	CHECK_EQ(cause_of("v8", async_call, -1), CAUSE_SYNC_CRYPTO);
	CHECK_EQ(cause_of("v8",
			  "n futex_wait @/lib/libc.so.6\n"
			  "n v8::internal::Heap::MarkCompact() " NODE "j f @/app/a.js:3\n" HTTP,
			  202),
		 CAUSE_GC);
}
