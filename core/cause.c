#include "core/cause.h"

#include <string.h>

/* clang-format off */
const struct cause_info cause_info[CAUSES] = {
	[CAUSE_SYNC_CRYPTO] = { "sync_crypto", "synchronous crypto",
		"Compute it on another thread, by the asynchronous call or a pool of workers; never in "
		"a request." },
	[CAUSE_LARGE_PARSE] = { "large_parse", "parsing a large input",
		"Parse the input as a stream, cap the size that is accepted, or parse in a worker." },
	[CAUSE_LARGE_SERIALIZE] = { "large_serialize", "serializing a large value",
		"Write the value as a stream, send it page by page, or serialize in a worker." },
	[CAUSE_REGEX] = { "regex", "regular expression",
		"Rewrite the pattern so that it cannot backtrack, cap the length of its subject, "
		"or use a linear-time engine." },
	[CAUSE_SYNC_FS] = { "sync_fs", "synchronous file access",
		"Use the asynchronous file calls or a stream; blocking ones belong before listen()." },
	[CAUSE_SYNC_DNS] = { "sync_dns", "synchronous name lookup",
		"Use an asynchronous resolver and cache its answers." },
	[CAUSE_SYNC_CHILD] = { "sync_child", "waiting for a child process",
		"Start the child with the asynchronous call and handle its exit as an event." },
	[CAUSE_SYNC_NET] = { "sync_net", "synchronous network call",
		"Use a client that waits in the loop instead of in the call." },
	[CAUSE_COMPRESSION] = { "compression", "synchronous compression",
		"Compress on another thread, at a lower level, or once for all requests." },
	[CAUSE_GC] = { "gc", "garbage collection",
		"Make fewer short-lived objects here, keep less alive, or give the heap more room." },
	[CAUSE_COMPILE] = { "compile", "loading and compiling code",
		"Load the module before listen(), or use a code cache or a startup snapshot." },
	[CAUSE_MICROTASK_STARVATION] = { "microtask_starvation", "microtask starvation",
		"The loop cannot poll until the queue is empty: do a few hundred items, then "
		"continue with setImmediate()." },
	[CAUSE_MANY_CALLBACKS] = { "many_callbacks", "many callbacks in one turn",
		"No callback is slow by itself: yield between them, accept less work per turn, or "
		"shed load." },
	[CAUSE_LOCK_WAIT] = { "lock_wait", "waiting for a lock",
		"Hold the lock for less time on the other thread, or do not take it on the loop." },
	[CAUSE_SLEEP] = { "sleep", "sleeping on the loop",
		"Use a timer: the loop can do other work until it fires." },
	[CAUSE_PAGE_FAULT] = { "page_fault", "waiting for memory pages from disk",
		"Give the process more memory or read the data in before it is needed." },
	[CAUSE_BLOCKING_OUTPUT] = { "blocking_output", "writing to a full pipe or terminal",
		"Log through an asynchronous logger, or to something that is read fast enough." },
	[CAUSE_USER_CODE] = { "user_code", "long-running code",
		"Split the work into pieces with a turn of the loop between them, or move it to a "
		"worker thread or a job queue." },
	[CAUSE_CPU_STARVATION] = { "cpu_starvation", "waiting for a CPU",
		"Not the code: the thread was ready but did not run; look at CPU limits and at what "
		"else runs on the machine." },
	[CAUSE_STOPPED] = { "stopped", "stopped from outside",
		"Not the code: a signal, a debugger or the freezer held the process." },
	[CAUSE_UNKNOWN] = { "unknown", "unknown", NULL },
};
/* clang-format on */

int cause_parse(const char *s)
{
	for (int i = 0; i < CAUSES; i++)
		if (strcmp(cause_info[i].id, s) == 0)
			return i;
	return -1;
}

const char *const severity_names[] = { "notice", "warning", "incident" };

enum severity severity_of(nsec lag)
{
	if (lag >= 100000000)
		return SEVERITY_INCIDENT;
	if (lag >= 50000000)
		return SEVERITY_WARNING;
	return SEVERITY_NOTICE;
}
