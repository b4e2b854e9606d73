#include "sampler/nested_poll.h"
#include "tests/test.h"

/* Does a stack of these n frames, leaf first, poll inside a turn? */
static bool inside(struct recording *rec, const struct frame *frames, uint32_t n)
{
	uint32_t ids[16];

	for (uint32_t i = 0; i < n; i++)
		ids[i] = recording_frame(rec, &frames[i]);
	return stack_polls_inside_turn(
		rec, recording_get_stack(rec, recording_stack(rec, ids, n, STACK_COMPLETE)));
}

#define NATIVE(name)                                   \
	{                                              \
		.kind = FRAME_NATIVE, .function = name \
	}
#define PYTHON(name, path)                                           \
	{                                                            \
		.kind = FRAME_PYTHON, .function = name, .file = path \
	}

TEST(nested_poll_the_loops_own_poll_is_called_by_the_loop_alone)
{
	static const struct frame node[] = { NATIVE("epoll_pwait"), NATIVE("uv__io_poll"),
					     NATIVE("uv_run"), NATIVE("node::Start"),
					     NATIVE("main") };
	struct recording *rec = recording_new();

	CHECK(!inside(rec, node, 5));
	CHECK(!inside(rec, node, 0));
	recording_free(rec);
}

TEST(nested_poll_a_synchronous_child_is_waited_for_inside_a_turn)
{
	static const struct frame two_loops[] = { NATIVE("epoll_pwait"), NATIVE("uv__io_poll"),
						  NATIVE("uv_run"), NATIVE("uv_run") };
	static const struct frame script[] = { NATIVE("epoll_pwait"),
					       NATIVE("uv_run"),
					       { .kind = FRAME_JS, .function = "spawnSync" } };
	static const struct frame left_over[] = {
		NATIVE("epoll_pwait"),
		NATIVE("uv_run"),
		{ .kind = FRAME_JS, .function = "spawnSync", .guessed = true },
	};
	struct recording *rec = recording_new();

	CHECK(inside(rec, two_loops, 4));
	CHECK(!inside(rec, two_loops, 3));
	CHECK(inside(rec, script, 3));
	CHECK(!inside(rec, left_over, 3));
	recording_free(rec);
}

TEST(nested_poll_python_polls_in_run_once_and_callbacks_below_run)
{
	static const struct frame loop[] = {
		NATIVE("epoll_wait"),
		PYTHON("select", "/usr/lib/python3.11/selectors.py"),
		PYTHON("_run_once", "/usr/lib/python3.11/asyncio/base_events.py"),
		PYTHON("run_forever", "/usr/lib/python3.11/asyncio/base_events.py"),
	};
	static const struct frame callback[] = {
		NATIVE("poll"),
		PYTHON("communicate", "/usr/lib/python3.11/subprocess.py"),
		PYTHON("_run", "/usr/lib/python3.11/asyncio/events.py"),
		PYTHON("_run_once", "/usr/lib/python3.11/asyncio/base_events.py"),
	};
	struct recording *rec = recording_new();

	CHECK(!inside(rec, loop, 4));
	CHECK(inside(rec, callback, 4));
	recording_free(rec);
}
