#include "tests/diagnosing.h"

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

TEST(user_code_is_blamed_on_the_callee_though_a_callers_name_was_lost_now_and_then)
{
	struct recording *rec = build_recording("cpython");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, "p render @/app/a.py:5/5\np main @/app/a.py:20/18\n", 96);
	build_sample(rec, "p render @/app/a.py:5/5\n", 4);
	d = only_finding(rec, &f);
	CHECK_STR(f->title, "render");
	done(rec, d);
}

/* Python's frames may be gone by the time they are read. */
TEST(user_code_of_python_is_blamed_by_the_stacks_that_have_names)
{
	struct recording *rec = build_recording("cpython");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, "n _PyEval_EvalFrameDefault @/usr/bin/python3\n", 60);
	build_sample(rec, "p render @/app/a.py:5/5\np main @/app/a.py:20/18\n", 40);
	d = only_finding(rec, &f);
	CHECK_STR(f->title, "render");
	CHECK_EQ(f->culprit->line, 5);
	done(rec, d);
}

/* What a template was made into has no line that anyone wrote. */
TEST(user_code_of_a_template_is_blamed_on_who_renders_it)
{
	struct recording *rec = build_recording("cpython");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "p root @<template>:24/5\n"
		     "p render @/usr/lib/python3/dist-packages/jinja2/environment.py:1299/1\n"
		     "p show @/app/a.py:20/18\n",
		     50);
	build_sample(rec,
		     "p block @/app/page.html:9/5\n"
		     "p render @/usr/lib/python3/dist-packages/jinja2/environment.py:1299/1\n"
		     "p show @/app/a.py:20/18\n",
		     50);
	d = only_finding(rec, &f);
	CHECK_EQ(f->culprit->line, 20);
	done(rec, d);
}

TEST(user_code_of_rust_is_blamed_on_who_calls_its_library)
{
	struct recording *rec = build_recording(NULL);
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "n <std::time::Instant>::elapsed @/srv/app\nn app::spin @/srv/app\n"
		     "n app::main @/srv/app\n",
		     100);
	d = only_finding(rec, &f);
	CHECK_STR(f->title, "app::spin");
	done(rec, d);
}

TEST(user_code_of_a_static_program_is_not_blamed_on_its_c_library)
{
	struct recording *rec = build_recording(NULL);
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec,
		     "n __syscall_cp_c @/srv/app\nn pthread_mutex_timedlock @/srv/app\n"
		     "n pthread_mutex_lock @/srv/app\nn take_turn @/srv/app\nn main @/srv/app\n",
		     100);
	d = only_finding(rec, &f);
	CHECK_STR(f->culprit->function, "take_turn");
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

static void check_title(const char *stack, const char *title)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	build_sample(rec, stack, 60);
	build_sample(rec, "j serve @/app/a.js:10/8\n" HTTP, 40);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_USER_CODE);
	CHECK_STR(f->title, title);
	CHECK_STR(f->culprit->function, "serve");
	done(rec, d);
}

TEST(user_code_that_calls_the_runtime_is_named_by_what_it_calls)
{
	check_title("n icu::Normalizer::decompose() " NODE
		    "j String.prototype.normalize @\nj serve @/app/a.js:9/8\n" HTTP,
		    "String.normalize");
	check_title("j TypedArray.prototype.set @\nj _copyActual @node:buffer:253/240\n"
		    "j concat @node:buffer:604/570\nj serve @/app/a.js:9/8\n" HTTP,
		    "Buffer.concat");
	check_title("j triggerHeapSnapshot @\nj writeHeapSnapshot @node:v8:84/70\n"
		    "j serve @/app/a.js:9/8\n" HTTP,
		    "v8.writeHeapSnapshot");
	check_title("j DateTimeFormat @\nj serve @/app/a.js:9/8\n" HTTP, "new Intl.DateTimeFormat");
	check_title("j prepareStackTraceCallback @node:internal/errors:105/90\n"
		    "j serve @/app/a.js:9/8\n" HTTP,
		    "Error.stack");
	check_title("j (anonymous) @\nj serve @/app/a.js:9/8\n" HTTP, "serve");
	/* What a package calls is the package's. */
	check_title("j Date.parse @\nj parse @/app/node_modules/when/when.js:4/1\n"
		    "j serve @/app/a.js:9/8\n" HTTP,
		    "parse (when)");
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
	CHECK_STR(f->title, "resize (jimp)");
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

TEST(microtasks_starve_the_loop_although_their_garbage_takes_most_of_it)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 200);
	for (int i = 0; i < 10; i++) {
		build_sample(rec,
			     "n v8::internal::Heap::Scavenge " NODE
			     "j drain @/app/a.js:82\nn Builtins_RunMicrotasks " NODE TICKS
			     "n main " NODE,
			     13);
		build_sample(rec, "n Builtins_RunMicrotasks " NODE TICKS "n main " NODE, 2);
		build_sample(rec,
			     "j drain @/app/a.js:82\nn Builtins_RunMicrotasks " NODE TICKS
			     "n main " NODE,
			     5);
	}
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_MICROTASK_STARVATION);
	CHECK_STR(f->culprit->function, "drain");
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

/* Twenty samples of one function, called on that many objects in turn. */
static enum cause cause_of_objects(int64_t objects)
{
	struct recording *rec = build_recording("v8");
	const struct finding *f;
	struct diagnosis *d;
	enum cause cause;

	build_stall(rec, 0, 100);
	for (int64_t i = 0; i < 20; i++) {
		struct argument object = { .key = ARG_CALLBACK, .number = 1 + i * objects / 20 };

		build_sample_full(rec, "j expire @/app/a.js:7\n" HTTP, 5, SAMPLE_RUNNING, -1,
				  &object, 1);
	}
	d = only_finding(rec, &f);
	cause = f->cause;
	CHECK(!f->evidence.has[ARG_CALLBACK]);
	done(rec, d);
	return cause;
}

TEST(many_callbacks_of_one_function_are_told_apart_by_what_they_are_called_on)
{
	CHECK_EQ(cause_of_objects(20), CAUSE_MANY_CALLBACKS);
	CHECK_EQ(cause_of_objects(1), CAUSE_USER_CODE);
	/* A collector moves an object twice while it is young. */
	CHECK_EQ(cause_of_objects(3), CAUSE_USER_CODE);
}

TEST(many_callbacks_of_asyncio_are_told_apart_although_main_calls_them_all)
{
	struct recording *rec = build_recording("cpython");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	for (int i = 0; i < 20; i++) {
		char stack[512];

		snprintf(
			stack, sizeof(stack),
			"p on%d @/srv/app.py:%d\np _run @/usr/lib/python3.11/asyncio/events.py:80\n"
			"p run @/usr/lib/python3.11/asyncio/runners.py:118\np main @/srv/app.py:90",
			i % 10, i % 10 + 1);
		build_sample(rec, stack, 5);
	}
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_MANY_CALLBACKS);
	done(rec, d);
}

TEST(samples_whose_python_frames_were_not_read_do_not_make_many_callbacks)
{
	struct recording *rec = build_recording("cpython");
	const struct finding *f;
	struct diagnosis *d;

	build_stall(rec, 0, 100);
	for (int i = 0; i < 20; i++)
		build_sample(
			rec,
			i % 2 ? "n long_mod @/usr/lib/libpython3.11.so\nn main @/usr/bin/python3"
			      : "p compute @/srv/app.py:7\n"
				"p _run @/usr/lib/python3.11/asyncio/events.py:80",
			5);
	d = only_finding(rec, &f);
	CHECK_EQ(f->cause, CAUSE_USER_CODE);
	CHECK_STR(f->culprit->function, "compute");
	done(rec, d);
}

/* Twenty short native functions in turn, called by what `around` says. */
static enum cause cause_of_natives(const char *around)
{
	struct recording *rec = build_recording(NULL);
	const struct finding *f;
	struct diagnosis *d;
	enum cause cause;

	build_stall(rec, 0, 100);
	for (int i = 0; i < 20; i++) {
		char stack[512];

		snprintf(stack, sizeof(stack), "n on%d @/srv/app\n%sn main @/srv/app", i % 10,
			 around);
		build_sample(rec, stack, 5);
	}
	d = only_finding(rec, &f);
	cause = f->cause;
	done(rec, d);
	return cause;
}

TEST(many_native_callbacks_are_told_apart_where_the_loop_is_known)
{
	CHECK_EQ(cause_of_natives(
			 "n uv__run_timers @/usr/lib/libuv.so.1\nn uv_run @/usr/lib/libuv.so.1\n"),
		 CAUSE_MANY_CALLBACKS);
	CHECK_EQ(cause_of_natives("n on_request @/srv/app\nn uv_run @/usr/lib/libuv.so.1\n"),
		 CAUSE_USER_CODE);
	CHECK_EQ(cause_of_natives("n serve @/srv/app\n"), CAUSE_USER_CODE);
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
