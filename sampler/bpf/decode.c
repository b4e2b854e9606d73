#include "sampler/bpf/decode.h"

#include <asm/perf_regs.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/mman.h>

#include "sampler/bpf/news.h"
#include "sampler/bpf/state.h"

/* DWARF register number of each bit of decode_regs_mask, in order of bit. */
static const struct {
	uint8_t perf, dwarf;
} regs_order[] = {
	/* clang-format off */
	{ PERF_REG_X86_AX, 0 },  { PERF_REG_X86_BX, 3 },  { PERF_REG_X86_CX, 2 },
	{ PERF_REG_X86_DX, 1 },  { PERF_REG_X86_SI, 4 },  { PERF_REG_X86_DI, 5 },
	{ PERF_REG_X86_BP, 6 },  { PERF_REG_X86_SP, 7 },  { PERF_REG_X86_IP, 16 },
	{ PERF_REG_X86_R8, 8 },  { PERF_REG_X86_R9, 9 },  { PERF_REG_X86_R10, 10 },
	{ PERF_REG_X86_R11, 11 }, { PERF_REG_X86_R12, 12 }, { PERF_REG_X86_R13, 13 },
	{ PERF_REG_X86_R14, 14 }, { PERF_REG_X86_R15, 15 },
	/* clang-format on */
};

const uint64_t decode_regs_mask = 0x1ff | 0xffull << PERF_REG_X86_R8;

/* A cursor over a record: reading past its end sets `bad`. */
struct reader {
	const uint8_t *p, *end;
	bool bad;
};

static const void *take(struct reader *r, uint64_t len)
{
	const void *p = r->p;

	if (len > (uint64_t)(r->end - r->p)) {
		r->bad = true;
		return NULL;
	}
	r->p += len;
	return p;
}

static uint64_t take_u64(struct reader *r)
{
	const uint64_t *p = take(r, 8);

	return p ? *p : 0;
}

static uint32_t take_u32(struct reader *r)
{
	const uint32_t *p = take(r, 4);

	return p ? *p : 0;
}

static void decode_regs(struct reader *r, struct regs *regs)
{
	*regs = (struct regs){ 0 };
	if (take_u64(r) != PERF_SAMPLE_REGS_ABI_64) /* 0: a kernel thread, or exiting */
		return;
	for (size_t i = 0; i < sizeof(regs_order) / sizeof(regs_order[0]); i++)
		regs->r[regs_order[i].dwarf] = take_u64(r);
	regs->valid = (1u << DW_N) - 1;
}

static void decode_kernel_chain(struct reader *r, struct raw_sample *raw)
{
	uint64_t n = take_u64(r);

	if (n > 1024) {
		r->bad = true;
		return;
	}
	raw->kernel = take(r, n * 8);
	raw->n_kernel = raw->kernel ? n : 0;
	/* The chain begins with a marker that says "kernel from here on". */
	if (raw->n_kernel && raw->kernel[0] == (uint64_t)PERF_CONTEXT_KERNEL) {
		raw->kernel++;
		raw->n_kernel--;
	} else {
		raw->n_kernel = 0;
	}
}

static bool decode_sample(struct reader *r, struct event *e)
{
	struct raw_sample *raw = &e->sample.raw;

	e->kind = EVENT_SAMPLE;
	*raw = (struct raw_sample){ 0 };
	e->pid = (int32_t)take_u32(r);
	e->tid = (int32_t)take_u32(r);
	e->at = take_u64(r);
	e->sample.asleep = false;
	decode_kernel_chain(r, raw);
	decode_regs(r, &raw->regs);
	raw->stack_len = take_u64(r);
	raw->stack = take(r, raw->stack_len);
	if (raw->stack_len) {
		uint64_t copied = take_u64(r);

		raw->stack_len = copied < raw->stack_len ? copied : raw->stack_len;
	}
	return !r->bad;
}

static bool decode_mmap(struct reader *r, struct event *e, char *path)
{
	struct mapping *m = &e->mapping;
	uint32_t prot;
	size_t len;

	e->kind = EVENT_MMAP;
	*m = (struct mapping){ 0 };
	e->pid = (int32_t)take_u32(r);
	e->tid = (int32_t)take_u32(r);
	m->start = take_u64(r);
	m->end = m->start + take_u64(r);
	m->offset = take_u64(r);
	m->dev_major = take_u32(r);
	m->dev_minor = take_u32(r);
	m->ino = take_u64(r);
	take_u64(r); /* inode generation */
	prot = take_u32(r);
	take_u32(r); /* flags */
	if (r->bad || r->p == r->end)
		return false;
	len = strnlen((const char *)r->p, (size_t)(r->end - r->p));
	len = len < PATH_MAX - 1 ? len : PATH_MAX - 1;
	memcpy(path, r->p, len);
	path[len] = '\0';
	m->path = path;
	m->exec = prot & PROT_EXEC;
	m->write = prot & PROT_WRITE;
	m->anon = m->ino == 0;
	return true;
}

static bool decode_task(struct reader *r, struct event *e, bool fork)
{
	uint32_t pid = take_u32(r), ppid = take_u32(r), tid = take_u32(r), ptid = take_u32(r);

	e->kind = fork ? EVENT_FORK : EVENT_EXIT;
	e->pid = (int32_t)(fork ? ppid : pid);
	e->tid = (int32_t)(fork ? ptid : tid);
	e->fork.child_pid = (int32_t)pid;
	e->fork.child_tid = (int32_t)tid;
	return !r->bad;
}

bool decode_perf_record(const struct perf_event_header *h, struct event *e, char *path)
{
	struct reader r = { (const uint8_t *)(h + 1), (const uint8_t *)h + h->size, false };
	uint64_t at;

	if (h->type == PERF_RECORD_SAMPLE)
		return decode_sample(&r, e);
	if (h->size < sizeof(*h) + 16)
		return false;
	/* Side-band records end with {pid, tid, time}. */
	memcpy(&at, (const uint8_t *)h + h->size - 8, 8);
	e->at = at;
	r.end -= 16;
	switch (h->type) {
	case PERF_RECORD_MMAP2:
		return decode_mmap(&r, e, path);
	case PERF_RECORD_COMM:
		e->kind = EVENT_EXEC;
		e->pid = (int32_t)take_u32(&r);
		e->tid = (int32_t)take_u32(&r);
		return !r.bad && (h->misc & PERF_RECORD_MISC_COMM_EXEC);
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		return decode_task(&r, e, h->type == PERF_RECORD_FORK);
	default:
		return false;
	}
}

static void decode_sleep(const struct news_sleep *s, struct event *e)
{
	e->at = s->to;
	if (s->state == OFF_RUNNABLE) {
		e->kind = EVENT_PREEMPTED;
		e->preempted.length = s->to - s->from;
		e->preempted.by = (int32_t)s->args[0];
		return;
	}
	e->kind = EVENT_SLEEP;
	e->sleep = (struct sleep){
		.from = s->from,
		.to = s->to,
		.state = s->state == OFF_STOPPED ? SAMPLE_STOPPED : SAMPLE_BLOCKED,
		.syscall = (int)s->syscall,
		.args = { s->args[0], s->args[1], s->args[2] },
		.sampled = s->sampled != 0,
	};
}

static bool decode_stack(const struct news_stack *s, size_t len, struct event *e)
{
	struct raw_sample *raw = &e->sample.raw;
	const struct pt_regs *r = &s->regs;

	if (len < sizeof(*s) || s->stack_bytes > len - sizeof(*s) ||
	    s->kernel_bytes > sizeof(s->kernel))
		return false;
	e->kind = EVENT_SAMPLE;
	e->at = s->at;
	e->sample.asleep = true;
	*raw = (struct raw_sample){
		.regs = { .r = { r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp,
				 r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
				 r->rip },
			  .valid = (1u << DW_N) - 1 },
		.stack = s->stack,
		.stack_len = s->stack_bytes,
		.kernel = s->kernel,
		.n_kernel = s->kernel_bytes / 8,
	};
	return true;
}

bool decode_bpf_record(const void *record, size_t len, pid_t pid, struct event *e)
{
	const struct news_turn *turn = record; /* all begin with type and tid */
	const struct news_poll *poll = record;
	const struct news_listen *listen = record;

	if (len < sizeof(struct news_listen))
		return false;
	e->pid = pid;
	e->tid = (int32_t)turn->tid;
	switch (turn->type) {
	case NEWS_TURN:
		e->kind = EVENT_TURN;
		e->at = turn->end;
		e->turn = (struct turn){ turn->start, turn->end, turn->off, turn->stopped,
					 turn->delay };
		/* The scheduler's own sum may leave a little out. */
		if (e->turn.delay < turn->preempted)
			e->turn.delay = turn->preempted;
		return len >= sizeof(*turn);
	case NEWS_SLEEP:
		decode_sleep(record, e);
		return len >= sizeof(struct news_sleep);
	case NEWS_POLL:
		e->kind = EVENT_POLL;
		e->at = poll->at;
		e->poll.key = poll->key;
		e->poll.sp = poll->sp;
		e->poll.ip = poll->ip;
		return len >= sizeof(*poll);
	case NEWS_LISTEN:
		e->kind = EVENT_LISTEN;
		e->at = listen->at;
		return true;
	case NEWS_STACK:
		return decode_stack(record, len, e);
	case NEWS_CALL:
		if (!decode_stack(record, len, e))
			return false;
		e->kind = EVENT_CALL;
		e->sample.syscall = (int)((const struct news_stack *)record)->regs.orig_rax;
		return true;
	default:
		return false;
	}
}
