#include "tests/samples.h"

#include <asm/perf_regs.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"

enum { RING = 8 << 20 }; /* bytes */

/* The kernel's number of each register of struct regs. */
static const uint8_t perf_reg[DW_N] = { PERF_REG_X86_AX,  PERF_REG_X86_DX,  PERF_REG_X86_CX,
					PERF_REG_X86_BX,  PERF_REG_X86_SI,  PERF_REG_X86_DI,
					PERF_REG_X86_BP,  PERF_REG_X86_SP,  PERF_REG_X86_R8,
					PERF_REG_X86_R9,  PERF_REG_X86_R10, PERF_REG_X86_R11,
					PERF_REG_X86_R12, PERF_REG_X86_R13, PERF_REG_X86_R14,
					PERF_REG_X86_R15, PERF_REG_X86_IP };

static uint64_t register_mask(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < DW_N; i++)
		mask |= 1ull << perf_reg[i];
	return mask;
}

struct ring {
	int fd;
	struct perf_event_mmap_page *head;
	const uint8_t *data;
	uint8_t *record; /* a copy that does not wrap */
};

static int ring_open(struct ring *ring, const struct samples_wanted *wanted)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_freq = wanted->hz,
		.freq = 1,
		.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.sample_regs_user = register_mask(),
		.sample_stack_user = wanted->dump,
		.wakeup_events = 1,
		.disabled = 1,
	};

	ring->fd =
		(int)syscall(SYS_perf_event_open, &attr, wanted->tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (ring->fd < 0)
		return -errno;
	ring->head = mmap(NULL, RING + 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (ring->head == MAP_FAILED) {
		close(ring->fd);
		return -ENOMEM;
	}
	ring->data = (const uint8_t *)ring->head + 4096;
	ring->record = xcalloc(1, 1 << 16);
	return 0;
}

static void ring_close(struct ring *ring)
{
	munmap(ring->head, RING + 4096);
	close(ring->fd);
	free(ring->record);
}

static void ring_copy(const struct ring *ring, uint64_t at, void *out, size_t len)
{
	size_t offset = at % RING, first = RING - offset < len ? RING - offset : len;

	memcpy(out, ring->data + offset, first);
	memcpy((uint8_t *)out + first, ring->data, len - first);
}

/* PERF_RECORD_SAMPLE: time, abi, registers by mask, size, bytes, size in use. */
static bool parse_sample(const uint8_t *body, struct sample_bytes *s)
{
	uint64_t words[1 + 32], size, used;
	unsigned n = (unsigned)__builtin_popcountll(register_mask());

	memcpy(&s->at, body, sizeof(s->at));
	body += sizeof(s->at);
	memcpy(words, body, (1 + n + 1) * sizeof(uint64_t));
	size = words[1 + n];
	if (words[0] != PERF_SAMPLE_REGS_ABI_64 || size == 0)
		return false;
	for (size_t i = 0; i < DW_N; i++) {
		uint64_t below = register_mask() & ((1ull << perf_reg[i]) - 1);

		s->regs.r[i] = words[1 + __builtin_popcountll(below)];
	}
	s->regs.valid = (1u << DW_N) - 1;
	s->stack = body + (1 + n + 1) * sizeof(uint64_t);
	memcpy(&used, s->stack + size, sizeof(used));
	s->len = used;
	return true;
}

static size_t ring_drain(struct ring *ring, const struct samples_wanted *wanted, size_t taken)
{
	uint64_t tail = ring->head->data_tail;

	while (tail != __atomic_load_n(&ring->head->data_head, __ATOMIC_ACQUIRE) &&
	       taken < wanted->n) {
		struct perf_event_header h;
		struct sample_bytes s;

		ring_copy(ring, tail, &h, sizeof(h));
		ring_copy(ring, tail + sizeof(h), ring->record, h.size - sizeof(h));
		tail += h.size;
		__atomic_store_n(&ring->head->data_tail, tail, __ATOMIC_RELEASE);
		if (h.type != PERF_RECORD_SAMPLE || !parse_sample(ring->record, &s))
			continue;
		taken++;
		wanted->each(wanted->arg, &s);
	}
	return taken;
}

ssize_t samples_take(const struct samples_wanted *wanted)
{
	struct timespec now, start;
	struct ring ring = { 0 };
	size_t taken = 0;
	int rc = ring_open(&ring, wanted);

	if (rc < 0)
		return rc;
	clock_gettime(CLOCK_MONOTONIC, &start);
	ioctl(ring.fd, PERF_EVENT_IOC_ENABLE, 0);
	do {
		struct pollfd p = { ring.fd, POLLIN, 0 };

		if (poll(&p, 1, 1000) > 0 && p.revents & POLLHUP)
			break;
		taken = ring_drain(&ring, wanted, taken);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (taken < wanted->n && now.tv_sec - start.tv_sec < wanted->seconds);
	ring_close(&ring);
	return (ssize_t)taken;
}

pid_t samples_start(const char *const *argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	return pid;
}

void samples_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
