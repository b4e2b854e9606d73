#include "sampler/user/events.h"

#include <asm/perf_regs.h>
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sampler/bpf/decode.h"

/*
 * Ordinary users may lock 516 KB per CPU (perf_event_mlock_kb), rings of all
 * their threads together.
 */
enum { SWITCH_RING = 64 * 1024, STACK_RING = 256 * 1024 };

/* What a breakpoint's record holds; switches end with TID and TIME. */
enum {
	TRAP_SAMPLE = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_REGS_USER,
	SWITCH_SAMPLE = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
};
/* In the order of their bits: ax, dx, di, sp. */
static const uint64_t trap_regs = 1ull << PERF_REG_X86_AX | 1ull << PERF_REG_X86_DX |
				  1ull << PERF_REG_X86_DI | 1ull << PERF_REG_X86_SP;

static int open_switches(struct user_events *e, pid_t tid, const struct probe_config *config,
			 struct error *err)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_DUMMY,
					.sample_type = SWITCH_SAMPLE,
					.sample_id_all = 1,
					.context_switch = 1,
					.comm = 1,
					.comm_exec = 1,
					.exclude_kernel = 1,
					.exclude_hv = 1,
					.watermark = 1,
					.wakeup_watermark = SWITCH_RING / 2,
					.use_clockid = 1,
					.clockid = CLOCK_MONOTONIC };
	int ret = perf_ring_open(&e->switches, &attr, tid, -1, err);

	if (ret == 0)
		ret = perf_ring_map(&e->switches,
				    config->boundary_ring ? config->boundary_ring : SWITCH_RING,
				    err);
	return ret < 0 ? ret : perf_ring_enable(&e->switches, err);
}

static int open_clock(struct user_events *e, pid_t tid, const struct probe_config *config,
		      struct error *err)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.freq = 1,
					.sample_freq = config->freq,
					.sample_type = DECODE_SAMPLE_TYPE,
					.sample_regs_user = decode_regs_mask,
					.sample_stack_user = config->stack_bytes,
					.exclude_callchain_user = 1,
					.exclude_callchain_kernel = 1,
					.exclude_kernel = 1,
					.exclude_hv = 1,
					.use_clockid = 1,
					.clockid = CLOCK_MONOTONIC };
	int ret = perf_ring_open(&e->clock, &attr, tid, -1, err);

	if (ret == 0)
		ret = perf_ring_map(&e->clock, config->stack_ring ? config->stack_ring : STACK_RING,
				    err);
	return ret;
}

int user_events_open(struct user_events *e, pid_t tid, const struct probe_config *config,
		     struct error *err)
{
	int ret;

	*e = (struct user_events){ .switches.fd = -1, .clock.fd = -1, .trap = -1 };
	ret = open_switches(e, tid, config, err);
	if (ret == 0)
		ret = open_clock(e, tid, config, err);
	if (ret < 0)
		user_events_close(e);
	return ret;
}

void user_events_close(struct user_events *e)
{
	user_events_disarm(e);
	perf_ring_close(&e->clock);
	perf_ring_close(&e->switches);
}

void user_events_disarm(struct user_events *e)
{
	if (e->trap >= 0)
		close(e->trap);
	e->trap = -1;
}

/*
 * A new event each time: one that has fired and disabled itself cannot be armed
 * again reliably (Linux 6.18).
 */
int user_events_arm(struct user_events *e, pid_t tid, uint64_t pc, struct error *err)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_BREAKPOINT,
					.size = sizeof(attr),
					.bp_type = HW_BREAKPOINT_X,
					.bp_addr = pc,
					.bp_len = sizeof(long),
					.sample_period = 1,
					.sample_type = TRAP_SAMPLE,
					.sample_regs_user = trap_regs,
					.sample_id_all = 1,
					.disabled = 1,
					.exclude_kernel = 1,
					.exclude_hv = 1,
					.use_clockid = 1,
					.clockid = CLOCK_MONOTONIC };

	if (e->trap >= 0 && e->trap_at == pc)
		return 0;
	user_events_disarm(e);
	e->trap = (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (e->trap < 0)
		return error_set(err, -errno, "cannot set a hardware breakpoint: %s",
				 strerror(errno));
	e->trap_at = pc;
	if (ioctl(e->trap, PERF_EVENT_IOC_SET_OUTPUT, e->switches.fd) == 0 &&
	    ioctl(e->trap, PERF_EVENT_IOC_REFRESH, 1) == 0)
		return 0;
	error_set(err, -errno, "cannot arm a hardware breakpoint: %s", strerror(errno));
	user_events_disarm(e);
	return err->code;
}

void user_events_sample(struct user_events *e, bool on)
{
	if (e->sampling == on)
		return;
	e->sampling = on;
	ioctl(e->clock.fd, on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

static bool decode_trap(const struct perf_event_header *h, struct user_record *out)
{
	struct {
		struct perf_event_header header;
		uint32_t pid, tid;
		uint64_t time, abi, ax, dx, di, sp;
	} r;

	if (h->size < sizeof(r))
		return false;
	memcpy(&r, h, sizeof(r));
	*out = (struct user_record){ .kind = USER_TRAP,
				     .at = r.time,
				     .number = r.ax,
				     .wait = r.dx,
				     .argument = r.di,
				     .sp = r.sp };
	return r.abi == PERF_SAMPLE_REGS_ABI_64;
}

bool user_events_decode(const struct perf_event_header *h, struct user_record *out)
{
	if (h->type == PERF_RECORD_SAMPLE)
		return decode_trap(h, out);
	if (h->size < sizeof(*h) + 16)
		return false;
	if (h->type == PERF_RECORD_COMM && h->misc & PERF_RECORD_MISC_COMM_EXEC)
		*out = (struct user_record){ .kind = USER_EXEC };
	else if (h->type == PERF_RECORD_SWITCH)
		*out = (struct user_record){ .kind = USER_IN };
	else
		return false;
	if (h->type == PERF_RECORD_SWITCH && h->misc & PERF_RECORD_MISC_SWITCH_OUT)
		out->kind =
			h->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT ? USER_PREEMPTED : USER_OUT;
	memcpy(&out->at, (const uint8_t *)h + h->size - 8, 8);
	return true;
}
