#include "sampler/nested_poll.h"

#include <fnmatch.h>

/* clang-format off */
/*
 * What a poll has on its stack only when it is made inside a turn: the function
 * itself, or (twice) a second loop within the first.
 */
static const struct {
	enum frame_kind kind;
	const char *function, *file; /* globs; NULL: any */
	unsigned times;
} rows[] = {
	/* libuv calls JavaScript, and none of it calls back into libuv's loop but what waits. */
	{ FRAME_JS,     NULL,               NULL,                     1 },
	{ FRAME_NATIVE, "node::SyncProcessRunner::*", NULL,           1 },
	{ FRAME_NATIVE, "uv_run",           NULL,                     2 },
	{ FRAME_NATIVE, "aeProcessEvents*", NULL,                     2 },
	{ FRAME_NATIVE, "event_base_loop",  NULL,                     2 },
	{ FRAME_NATIVE, "getaddrinfo",      NULL,                     1 },
	{ FRAME_NATIVE, "gethostby*",       NULL,                     1 },
	/* asyncio's callbacks and tasks run under this one, its poll under _run_once. */
	{ FRAME_PYTHON, "_run",             "*/asyncio/events.py",    1 },
};
/* clang-format on */

static bool matches(const char *glob, const char *text)
{
	return !glob || (text && fnmatch(glob, text, 0) == 0);
}

static unsigned count(const struct recording *rec, const struct stack *stack, size_t row)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < stack->n; i++) {
		const struct frame *f = recording_get_frame(rec, stack->frames[i]);

		/* Found by searching the stack: it may be of a call that is over. */
		if (f->guessed)
			break;
		n += f->kind == rows[row].kind && matches(rows[row].function, f->function) &&
		     matches(rows[row].file, f->file);
	}
	return n;
}

bool stack_polls_inside_turn(const struct recording *rec, const struct stack *stack)
{
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
		if (count(rec, stack, row) >= rows[row].times)
			return true;
	return false;
}
