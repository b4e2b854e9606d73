#include "tests/diagnosing.h"

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

TEST(cause_of_a_library_is_told_by_the_call_that_entered_it)
{
	CHECK_EQ(cause_of(NULL,
			  "n do_dump @/usr/lib/libjansson.so.4\nn json_dumps "
			  "@/usr/lib/libjansson.so.4\n"
			  "n on_request @/srv/app\nn main @/srv/app",
			  -1),
		 CAUSE_LARGE_SERIALIZE);
	CHECK_EQ(cause_of(NULL, "n lex_scan @/usr/lib/libjansson.so.4\nn on_request @/srv/app", -1),
		 CAUSE_LARGE_PARSE);
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

TEST(blame_does_not_go_beyond_what_runs_the_loop)
{
	static const char std[] = "/usr/lib/python3.11/";
	struct recording *rec = build_recording("cpython");
	char stack[1024];
	const struct finding *f;
	struct diagnosis *d;

	snprintf(stack, sizeof(stack),
		 "p raw_decode @%sjson/decoder.py:353\n"
		 "p read @/srv/site-packages/aiohttp/web.py:9\np _run @%sasyncio/events.py:80\n"
		 "p _run_once @%sasyncio/base_events.py:1922\np run @%sasyncio/runners.py:118\n"
		 "p main @/srv/app.py:90\np _find_and_load @<frozen importlib._bootstrap>:1",
		 std, std, std, std);
	build_stall(rec, 0, 100);
	build_sample(rec, stack, 100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_LARGE_PARSE);
	CHECK_STR(f->culprit->file, "/srv/site-packages/aiohttp/web.py");
	done(rec, d);
}

TEST(blame_sees_through_the_loop_of_a_synchronous_child)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_blocked(rec,
		      "n epoll_pwait @/lib/libc.so.6\nn uv_run " NODE
		      "n node::SyncProcessRunner::Run(int) " NODE
		      "j spawnSync @node:child_process:877\nj convert @/app/a.js:9\n" HTTP,
		      100, 281);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_SYNC_CHILD);
	CHECK_STR(f->culprit->function, "convert");
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
	CHECK_STR(f->title, "/^(a+)+$/, exponential");
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

TEST(advice_fits_the_program)
{
	static const struct {
		const char *exe, *runtime, *words;
	} rows[] = {
		{ "/usr/bin/node", "v8", "worker thread or a job queue" },
		{ "/usr/bin/redis-check-rdb", NULL, "UNLINK" },
		{ "/usr/bin/python3.11", NULL, "await asyncio.sleep(0)" },
		{ "/usr/sbin/nginx", NULL, "proxy_pass" },
		{ "/usr/sbin/dnsmasq", NULL, "tell the loop by an event" },
	};
	static const char *const stacks[] = {
		"j work @/app/a.js:3",
		"n delGenericCommand @/usr/bin/redis-check-rdb",
		"n - @/x",
		"n ngx_js_call @/usr/lib/nginx/js.so",
		"n work @/usr/sbin/dnsmasq",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct recording *rec = build_recording(rows[i].runtime);
		const struct finding *f;
		struct diagnosis *d;

		rec->target.exe = rows[i].exe;
		build_stall(rec, 0, 100);
		build_sample(rec, stacks[i], 100);
		d = only_finding(rec, &f);
		CHECK_EQ(f->cause, CAUSE_USER_CODE);
		if (!strstr(f->advice, rows[i].words))
			test_fail(__FILE__, __LINE__, "%s is told \"%s\"", rows[i].exe, f->advice);
		done(rec, d);
	}
}

TEST(a_stack_that_found_no_room_blames_nothing)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, "n [left out]", 100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_UNKNOWN);
	CHECK(!f->culprit);
	done(rec, d);
}

TEST(what_runs_a_loop_is_no_culprit)
{
	struct recording *rec = build_recording(NULL);
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 80);
	build_blocked(rec,
		      "n clock_nanosleep @/lib/libc.so.6\nn - @/usr/bin/python3.11\n"
		      "n - @/usr/lib/python3.11/lib-dynload/_asyncio.cpython-311.so\n"
		      "n - @/usr/bin/python3.11\n"
		      "n - @/usr/lib/python3.11/lib-dynload/_asyncio.cpython-311.so\n"
		      "n - @/usr/bin/python3.11",
		      80, 230);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_SLEEP);
	CHECK(!f->culprit);
	done(rec, d);
}

TEST(a_thread_that_go_had_parked_waits_for_no_lock)
{
	struct recording *rec = build_recording(NULL);
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 80);
	build_blocked(rec,
		      "n runtime.futex.abi0 @/srv/app\nn runtime.futexsleep @/srv/app\n"
		      "n runtime.notesleep @/srv/app\nn runtime.mPark @/srv/app",
		      80, 202);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_UNKNOWN);
	CHECK_STR(f->title, "unknown: Go's scheduler had parked the thread");
	CHECK(strstr(f->advice, "other threads"));
	done(rec, d);
}

TEST(module_that_is_told_is_the_one_that_the_culprit_asked_for)
{
	struct recording *rec = build_recording("v8");
	struct argument modules[] = { { .key = ARG_MODULE, .text = "./inner", .frame = 1 },
				      { .key = ARG_MODULE, .text = "koa", .frame = 3 },
				      { .key = ARG_MODULE, .text = "./server", .frame = 5 } };
	struct sample s = { .weight = 100 * MS, .syscall = -1, .n_arguments = 3 };
	const struct finding *f;
	struct diagnosis *d;

	for (int i = 0; i < 3; i++)
		modules[i].text = recording_intern(rec, modules[i].text);
	build_stall(rec, 0, 100);
	s.arguments = modules;
	s.stack = build_stack(rec, "j readFileSync @node:fs:448\n"
				   "j Module._load @node:internal/modules/cjs/loader:1023\n"
				   "j (anonymous) @/app/node_modules/koa/index.js:1\n"
				   "j Module._load @node:internal/modules/cjs/loader:1023\n"
				   "j handler @/app/a.js:9\n"
				   "j Module._load @node:internal/modules/cjs/loader:1023\n" HTTP);
	rec->stalls[0].samples++;
	recording_add_sample(rec, &s);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_COMPILE);
	CHECK_STR(f->title, "require koa");
	CHECK_EQ(f->culprit->line, 9);
	done(rec, d);
}

TEST(an_interpreter_that_ends_is_not_the_programs_code)
{
	struct recording *rec = build_recording("cpython");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "n - @/usr/bin/python3.11\nn Py_FinalizeEx @/usr/bin/python3.11\n"
		     "n Py_RunMain @/usr/bin/python3.11",
		     100);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_UNKNOWN);
	CHECK_STR(f->title, "unknown: the interpreter was ending");
	done(rec, d);
}
