#include "tests/tools/perf_feed.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RING_BYTES = 16 << 20 };

int perf_feed_open(struct perf_feed *feed, pid_t tid, uint32_t hz, uint32_t stack_bytes,
		   struct error *err)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = hz,
		.sample_type = DECODE_SAMPLE_TYPE,
		.sample_regs_user = decode_regs_mask,
		.sample_stack_user = stack_bytes,
		.exclude_callchain_user = 1,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.wakeup_events = 1,
	};

	if (perf_ring_open(&feed->ring, &attr, tid, -1, err) < 0)
		return err->code;
	if (perf_ring_map(&feed->ring, RING_BYTES, err) < 0 ||
	    perf_ring_enable(&feed->ring, err) < 0) {
		perf_ring_close(&feed->ring);
		return err->code;
	}
	return 0;
}

static void handle(void *arg, const struct perf_event_header *record)
{
	struct perf_feed *feed = arg;
	struct error err;
	struct event e;
	char path[PATH_MAX];

	if (!decode_perf_record(record, &e, path))
		return;
	if (e.kind == EVENT_SAMPLE)
		feed->sample(feed->arg, &e.sample.raw);
	else if (e.kind == EVENT_MMAP)
		space_add(feed->space, &e.mapping);
	else if (e.kind == EVENT_EXEC)
		space_refresh(feed->space, &err);
}

void perf_feed_poll(struct perf_feed *feed, int timeout_ms)
{
	struct pollfd fd = { .fd = feed->ring.fd, .events = POLLIN };

	poll(&fd, 1, timeout_ms);
	perf_ring_drain(&feed->ring, handle, feed);
}

void perf_feed_close(struct perf_feed *feed)
{
	perf_ring_close(&feed->ring);
}

pid_t perf_feed_spawn(char *const *argv, int *gate)
{
	int ends[2];
	pid_t pid;
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		abort();
	pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 1);
		dup2(null, 2);
		close(ends[1]);
		if (read(ends[0], &byte, 1) == 1)
			execvp(argv[0], argv);
		_exit(127);
	}
	close(ends[0]);
	*gate = ends[1];
	return pid;
}

void perf_feed_release(int gate)
{
	char byte = 0;

	/* The child's end closes with its exec. */
	if (write(gate, &byte, 1) == 1)
		while (read(gate, &byte, 1) > 0)
			;
	close(gate);
}
