#include "sampler/exact/programs.h"

#include <asm/ptrace.h>
#include <stddef.h>
#include <sys/syscall.h>

/*
 * Conventions: r6 context, r7 now (or the thread id before it), r8 the slot,
 * r9 the slot's number, or a record under construction.  A program on a
 * tracepoint returns 1, so that its other users still get their events.
 */
enum { CTX = BPF_REG_6, NOW = BPF_REG_7, SLOT = BPF_REG_8, INDEX = BPF_REG_9, RECORD = INDEX };
enum { R0 = BPF_REG_0, R1, R2, R3, R4, R5 };

/* Arguments of the programs on sys_enter and on sched_switch. */
enum { REGS = 0, NUMBER = 8 };
enum { PREEMPTED = 0, PREV = 8, NEXT = 16, PREV_STATE = 24 };

#define FIELD(name) ((int)offsetof(struct exact_slot, name))

static void try_slot(struct assembler *a, const struct program_maps *maps)
{
	asm_alu_imm(a, BPF_AND, R1, EXACT_SLOTS - 1);
	asm_mov(a, INDEX, R1);
	asm_alu_imm(a, BPF_MUL, R1, EXACT_SLOT_SIZE);
	asm_map_value(a, SLOT, maps->slots, 0);
	asm_alu(a, BPF_ADD, SLOT, R1);
	asm_load32(a, R2, SLOT, FIELD(tid));
}

/* SLOT and INDEX = the slot of the thread in NOW; jumps to `none` if it has none. */
static void find_slot(struct assembler *a, const struct program_maps *maps, int none)
{
	int found = asm_label(a);

	asm_mov(a, R1, NOW);
	try_slot(a, maps);
	asm_jump_if(a, BPF_JEQ, R2, NOW, found);
	asm_mov(a, R1, NOW);
	asm_alu_imm(a, BPF_RSH, R1, 6);
	try_slot(a, maps);
	asm_jump_if(a, BPF_JNE, R2, NOW, none);
	asm_place(a, found);
}

/* NOW = the id of the thread that runs (shift 0) or of its process (32). */
static void current_id(struct assembler *a, int shift)
{
	asm_call(a, BPF_FUNC_get_current_pid_tgid);
	asm_mov(a, NOW, R0);
	if (!shift)
		asm_alu_imm(a, BPF_LSH, NOW, 32);
	asm_alu_imm(a, BPF_RSH, NOW, 32);
}

static void read_clock(struct assembler *a)
{
	asm_call(a, BPF_FUNC_ktime_get_ns);
	asm_mov(a, NOW, R0);
}

/* slot->field += reg.  Only the loop's own thread writes it, so no atomic is needed. */
static void add_field(struct assembler *a, int field, int reg, int scratch)
{
	asm_load(a, scratch, SLOT, field);
	asm_alu(a, BPF_ADD, scratch, reg);
	asm_store(a, SLOT, field, scratch);
}

static void count_field(struct assembler *a, int field)
{
	asm_load(a, R5, SLOT, field);
	asm_alu_imm(a, BPF_ADD, R5, 1);
	asm_store(a, SLOT, field, R5);
}

/* R0 = a record of the ring, its type and tid filled in; counts it in `lost` and jumps if full. */
static void reserve(struct assembler *a, int ring, int type, int size, int lost, int full)
{
	int got = asm_label(a);

	asm_map(a, R1, ring);
	asm_mov_imm(a, R2, size);
	asm_mov_imm(a, R3, 0);
	asm_call(a, BPF_FUNC_ringbuf_reserve);
	asm_jump_if_imm(a, BPF_JNE, R0, 0, got);
	count_field(a, lost);
	asm_jump(a, full);
	asm_place(a, got);
	asm_store32_imm(a, R0, 0, type);
	asm_load32(a, R1, SLOT, FIELD(tid));
	asm_store32(a, R0, 4, R1);
}

static void submit(struct assembler *a)
{
	asm_mov(a, R1, R0);
	asm_mov_imm(a, R2, 0);
	asm_call(a, BPF_FUNC_ringbuf_submit);
}

static void copy_field(struct assembler *a, int record_offset, int field)
{
	asm_load(a, R1, SLOT, field);
	asm_store(a, R0, record_offset, R1);
}

/* Reads 8 bytes at R3 into the stack's top slot and R1; 0 if that fails. */
static void read_kernel_u64(struct assembler *a)
{
	asm_mov(a, R1, BPF_REG_10);
	asm_alu_imm(a, BPF_ADD, R1, -8);
	asm_mov_imm(a, R2, 8);
	asm_call(a, BPF_FUNC_probe_read_kernel);
	asm_load(a, R1, BPF_REG_10, -8);
}

/* The histogram bucket of the duration in R2, into R3 (hist_bucket() of core/hist.c). */
static void bucket_of(struct assembler *a)
{
	int done = asm_label(a), linear = asm_label(a), last = asm_label(a);

	asm_mov(a, R3, R2);
	asm_jump_if_imm(a, BPF_JLT, R2, HIST_SUB, linear);
	asm_mov(a, R4, R2);
	asm_alu_imm(a, BPF_RSH, R4, HIST_MAX_EXP);
	asm_jump_if_imm(a, BPF_JNE, R4, 0, last);
	/* R4 = floor(log2), by halving the interval; R5 = what is left. */
	asm_mov_imm(a, R4, 0);
	asm_mov(a, R5, R2);
	for (int bits = 32; bits >= 1; bits /= 2) {
		int lower = asm_label(a);

		asm_mov(a, R1, R5);
		asm_alu_imm(a, BPF_RSH, R1, bits);
		asm_jump_if_imm(a, BPF_JEQ, R1, 0, lower);
		asm_mov(a, R5, R1);
		asm_alu_imm(a, BPF_ADD, R4, bits);
		asm_place(a, lower);
	}
	asm_alu_imm(a, BPF_SUB, R4, HIST_SUB_BITS);
	asm_alu(a, BPF_RSH, R3, R4);
	asm_alu_imm(a, BPF_AND, R3, HIST_SUB - 1);
	asm_alu_imm(a, BPF_ADD, R4, 1);
	asm_alu_imm(a, BPF_MUL, R4, HIST_SUB);
	asm_alu(a, BPF_ADD, R3, R4);
	asm_jump(a, done);
	asm_place(a, last);
	asm_mov_imm(a, R3, HIST_BUCKETS - 1);
	asm_place(a, linear);
	asm_place(a, done);
}

/* Counts a turn of R2 ns.  Keeps R2. */
static void count_turn(struct assembler *a, const struct program_maps *maps)
{
	int not_max = asm_label(a), not_min = asm_label(a), skip = asm_label(a);

	count_field(a, FIELD(turns));
	add_field(a, FIELD(busy), R2, R3);
	asm_load(a, R3, SLOT, FIELD(max));
	asm_jump_if(a, BPF_JLE, R2, R3, not_max);
	asm_store(a, SLOT, FIELD(max), R2);
	asm_place(a, not_max);
	asm_load(a, R3, SLOT, FIELD(min));
	asm_jump_if(a, BPF_JGE, R2, R3, not_min);
	asm_store(a, SLOT, FIELD(min), R2);
	asm_place(a, not_min);
	bucket_of(a);
	asm_jump_if_imm(a, BPF_JGE, R3, HIST_BUCKETS, skip); /* never: for the verifier */
	asm_alu_imm(a, BPF_LSH, R3, 3);
	asm_alu_imm(a, BPF_MUL, INDEX, HIST_BUCKETS * 8);
	asm_map_value(a, R1, maps->hists, 0);
	asm_alu(a, BPF_ADD, R1, INDEX);
	asm_alu(a, BPF_ADD, R1, R3);
	asm_load(a, R3, R1, 0);
	asm_alu_imm(a, BPF_ADD, R3, 1);
	asm_store(a, R1, 0, R3);
	asm_place(a, skip);
}

/* Reports the turn from slot->turn_start to NOW. */
static void report_turn(struct assembler *a, const struct program_maps *maps,
			const struct kernel_types *types, int out)
{
	int on_time = asm_label(a);

	asm_store_imm(a, BPF_REG_10, -16, 0);
	if (types->task_run_delay >= 0) {
		asm_load32(a, R1, SLOT, FIELD(delay_valid));
		asm_jump_if_imm(a, BPF_JEQ, R1, 0, on_time);
		asm_call(a, BPF_FUNC_get_current_task_btf);
		asm_mov(a, R3, R0);
		asm_alu_imm(a, BPF_ADD, R3, types->task_run_delay);
		read_kernel_u64(a);
		asm_load(a, R2, SLOT, FIELD(delay_base));
		asm_alu(a, BPF_SUB, R1, R2);
		asm_store(a, BPF_REG_10, -16, R1);
	}
	asm_place(a, on_time);
	reserve(a, maps->ring, EXACT_TURN, sizeof(struct exact_turn), FIELD(lost_turns), out);
	copy_field(a, offsetof(struct exact_turn, start), FIELD(turn_start));
	asm_store(a, R0, offsetof(struct exact_turn, end), NOW);
	copy_field(a, offsetof(struct exact_turn, off), FIELD(off_time));
	copy_field(a, offsetof(struct exact_turn, stopped), FIELD(stopped_time));
	copy_field(a, offsetof(struct exact_turn, preempted), FIELD(preempted_time));
	asm_load(a, R1, BPF_REG_10, -16);
	asm_store(a, R0, offsetof(struct exact_turn, delay), R1);
	submit(a);
}

/* Jumps to `found` if the system call in R1 is one of the poll family. */
static void is_poll(struct assembler *a, int found)
{
	for (const struct poll_syscall *call = poll_syscalls; call->name; call++)
		asm_jump_if_imm(a, BPF_JEQ, R1, call->number, found);
}

/*
 * The poll in hand, told by the hook it was seen at: the tracepoint of one
 * system call (call), or that of all (call is NULL: what it is is known at run
 * time only).
 */

/* R1 = the user stack pointer. */
static void stack_pointer(struct assembler *a, const struct poll_syscall *call)
{
	if (!call) {
		asm_load(a, R2, CTX, REGS);
		asm_load(a, R1, R2, offsetof(struct pt_regs, rsp));
		return;
	}
	asm_call(a, BPF_FUNC_get_current_task_btf);
	asm_mov(a, R1, R0);
	asm_call(a, BPF_FUNC_task_pt_regs);
	asm_mov(a, R3, R0);
	asm_alu_imm(a, BPF_ADD, R3, (int)offsetof(struct pt_regs, rsp));
	read_kernel_u64(a);
}

/* R1 = the key of a poll on the descriptor in R1. */
static void key_of_descriptor(struct assembler *a, uint64_t class)
{
	asm_alu_imm(a, BPF_LSH, R1, 32);
	asm_alu_imm(a, BPF_RSH, R1, 32);
	asm_mov_imm64(a, R4, class);
	asm_alu(a, BPF_OR, R1, R4);
}

static void key_of_stack(struct assembler *a, const struct poll_syscall *call, int mine)
{
	asm_load(a, R3, SLOT, FIELD(key));
	asm_jump_if_imm(a, BPF_JEQ, R3, (int32_t)POLL_KEY_ANY_POLL, mine);
	stack_pointer(a, call);
}

/*
 * R1 = the poll's key; jumps to `mine` if the loop's is any poll(2) or
 * select(2), to `not_a_poll` if the call does not wait.
 */
static void key_of_call(struct assembler *a, const struct poll_syscall *call, int mine,
			int not_a_poll)
{
	enum { ARGUMENTS = 16 }; /* in struct syscall_trace_enter */

	if (call->wait_argument >= 0) {
		asm_load(a, R1, CTX, ARGUMENTS + 8 * call->wait_argument);
		asm_alu_imm(a, BPF_LSH, R1, 32);
		asm_jump_if_imm(a, BPF_JEQ, R1, 0, not_a_poll);
	}
	if (call->key_class) {
		asm_load(a, R1, CTX, ARGUMENTS);
		key_of_descriptor(a, call->key_class);
	} else {
		key_of_stack(a, call, mine);
	}
}

/* The same where the call is known at run time only. */
static void key_of_any_call(struct assembler *a, int mine, int not_a_poll)
{
	int by_stack = asm_label(a), io_uring = asm_label(a), done = asm_label(a);

	asm_load(a, R2, CTX, REGS);
	asm_load(a, R3, CTX, NUMBER);
	for (const struct poll_syscall *call = poll_syscalls; call->name; call++)
		if (call->key_class == 0)
			asm_jump_if_imm(a, BPF_JEQ, R3, call->number, by_stack);
	asm_load(a, R1, R2, offsetof(struct pt_regs, rdi));
	asm_jump_if_imm(a, BPF_JEQ, R3, SYS_io_uring_enter, io_uring);
	key_of_descriptor(a, POLL_KEY_EPOLL);
	asm_jump(a, done);

	asm_place(a, io_uring);
	asm_load(a, R3, R2, offsetof(struct pt_regs, rdx)); /* min_complete */
	asm_alu_imm(a, BPF_LSH, R3, 32);
	asm_jump_if_imm(a, BPF_JEQ, R3, 0, not_a_poll);
	key_of_descriptor(a, POLL_KEY_IO_URING);
	asm_jump(a, done);

	asm_place(a, by_stack);
	key_of_stack(a, NULL, mine);
	asm_place(a, done);
}

/* Reports the poll at NOW whose key is in slot->other_key. */
static void report_other(struct assembler *a, const struct program_maps *maps,
			 const struct poll_syscall *call)
{
	int full = asm_label(a);

	asm_load(a, R1, SLOT, FIELD(reports_left));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, full);
	asm_alu_imm(a, BPF_SUB, R1, 1);
	asm_store(a, SLOT, FIELD(reports_left), R1);
	stack_pointer(a, call);
	asm_store(a, BPF_REG_10, -16, R1);
	reserve(a, maps->ring, EXACT_POLL, sizeof(struct exact_poll), FIELD(lost_other), full);
	asm_store(a, R0, offsetof(struct exact_poll, at), NOW);
	copy_field(a, offsetof(struct exact_poll, key), FIELD(other_key));
	asm_load(a, R1, BPF_REG_10, -16);
	asm_store(a, R0, offsetof(struct exact_poll, sp), R1);
	submit(a);
	asm_place(a, full);
}

/* A turn begins at NOW: nothing of it was spent off the CPU yet. */
static void begin_turn(struct assembler *a)
{
	asm_store_imm(a, SLOT, FIELD(off_since), 0);
	asm_store_imm(a, SLOT, FIELD(off_time), 0);
	asm_store_imm(a, SLOT, FIELD(stopped_time), 0);
	asm_store_imm(a, SLOT, FIELD(preempted_time), 0);
	asm_store32_imm(a, SLOT, FIELD(delay_valid), 0);
	asm_store(a, SLOT, FIELD(turn_start), NOW);
}

/* The loop polls, at NOW: its turn ends and the next begins. */
static void turn_over(struct assembler *a, const struct program_maps *maps,
		      const struct poll_syscall *call, const struct kernel_types *types)
{
	int begin = asm_label(a);

	asm_store_imm(a, SLOT, FIELD(other_at), 0);
	if (call) {
		asm_store32_imm(a, SLOT, FIELD(poll_number), call->number);
	} else {
		asm_load(a, R1, CTX, NUMBER);
		asm_store32(a, SLOT, FIELD(poll_number), R1);
	}
	asm_load(a, R2, SLOT, FIELD(turn_start));
	asm_jump_if_imm(a, BPF_JEQ, R2, 0, begin);
	asm_mov(a, R3, NOW);
	asm_alu(a, BPF_SUB, R3, R2);
	asm_mov(a, R2, R3);
	count_turn(a, maps);
	asm_load(a, R3, SLOT, FIELD(threshold));
	asm_jump_if(a, BPF_JLT, R2, R3, begin);
	report_turn(a, maps, types, begin);
	/* Unless it sleeps, the poll is over within a microsecond, and no hook says so. */
	asm_place(a, begin);
	asm_store_imm(a, SLOT, FIELD(poll_start), 0);
	begin_turn(a);
}

/* A poll of the thread in NOW begins. */
static void poll_begins(struct assembler *a, const struct program_maps *maps,
			const struct poll_syscall *call, const struct kernel_types *types)
{
	int out = asm_label(a), mine = asm_label(a);

	find_slot(a, maps, out);
	read_clock(a);
	if (call)
		key_of_call(a, call, mine, out);
	else
		key_of_any_call(a, mine, out);
	asm_load(a, R2, SLOT, FIELD(key));
	asm_jump_if(a, BPF_JEQ, R1, R2, mine);
	asm_store(a, SLOT, FIELD(other_key), R1);
	asm_store(a, SLOT, FIELD(other_at), NOW);
	report_other(a, maps, call);
	/* The first one is taken for the loop's at once, so that no turn is missed. */
	asm_load(a, R2, SLOT, FIELD(key));
	asm_jump_if_imm(a, BPF_JNE, R2, 0, out);
	asm_load(a, R1, SLOT, FIELD(other_key));
	asm_store(a, SLOT, FIELD(key), R1);
	asm_place(a, mine);
	turn_over(a, maps, call, types);
	asm_place(a, out);
}

/* The process calls listen(2). */
static void listen_begins(struct assembler *a, const struct program_maps *maps)
{
	int out = asm_label(a);

	current_id(a, 32);
	find_slot(a, maps, out);
	read_clock(a);
	reserve(a, maps->ring, EXACT_LISTEN, sizeof(struct exact_listen), FIELD(lost_other), out);
	asm_store(a, R0, offsetof(struct exact_listen, at), NOW);
	submit(a);
	asm_place(a, out);
}

void program_poll(struct assembler *a, const struct program_maps *maps,
		  const struct poll_syscall *call, const struct kernel_types *types)
{
	asm_mov(a, CTX, R1);
	current_id(a, 0);
	poll_begins(a, maps, call, types);
	asm_exit(a, 1);
	asm_link(a);
}

void program_listen(struct assembler *a, const struct program_maps *maps)
{
	asm_mov(a, CTX, R1);
	listen_begins(a, maps);
	asm_exit(a, 1);
	asm_link(a);
}

/* The thread ends by itself: what it does from here on is no turn. */
static void exit_begins(struct assembler *a, const struct program_maps *maps)
{
	int out = asm_label(a);

	current_id(a, 0);
	find_slot(a, maps, out);
	asm_store_imm(a, SLOT, FIELD(turn_start), 0);
	asm_store_imm(a, SLOT, FIELD(poll_start), 0);
	asm_place(a, out);
}

void program_exit(struct assembler *a, const struct program_maps *maps)
{
	asm_mov(a, CTX, R1);
	exit_begins(a, maps);
	asm_exit(a, 1);
	asm_link(a);
}

void program_syscall(struct assembler *a, const struct program_maps *maps,
		     const struct kernel_types *types)
{
	int found = asm_label(a), listen = asm_label(a), ends = asm_label(a);

	asm_load(a, R2, R1, NUMBER);
	asm_mov(a, CTX, R1);
	asm_mov(a, R1, R2);
	is_poll(a, found);
	asm_jump_if_imm(a, BPF_JEQ, R1, SYS_listen, listen);
	asm_jump_if_imm(a, BPF_JEQ, R1, SYS_exit, ends);
	asm_jump_if_imm(a, BPF_JEQ, R1, SYS_exit_group, ends);
	asm_exit(a, 0);
	asm_place(a, found);
	current_id(a, 0);
	poll_begins(a, maps, NULL, types);
	asm_exit(a, 0);
	asm_place(a, listen);
	listen_begins(a, maps);
	asm_exit(a, 0);
	asm_place(a, ends);
	exit_begins(a, maps);
	asm_exit(a, 0);
	asm_link(a);
}

/* Jumps to `runnable` or `stopped` unless the thread in `prev` leaves the CPU to sleep. */
static void why_out(struct assembler *a, const struct kernel_types *types, int runnable,
		    int stopped)
{
	enum { STOPPED_OR_TRACED = 0x4 | 0x8 };

	asm_load(a, R1, CTX, PREEMPTED);
	asm_jump_if_imm(a, BPF_JNE, R1, 0, runnable);
	if (types->sched_switch_args >= 4) {
		asm_load(a, R1, CTX, PREV_STATE);
	} else {
		asm_load(a, R1, CTX, PREV);
		asm_load32(a, R1, R1, types->task_state);
	}
	asm_alu_imm(a, BPF_LSH, R1, 32);
	asm_alu_imm(a, BPF_RSH, R1, 32);
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, runnable); /* yielded */
	asm_jump_if_imm(a, BPF_JSET, R1, STOPPED_OR_TRACED, stopped);
}

/*
 * R1 = the number of the system call the thread sleeps in; jumps to `polling`
 * if that is the loop's own poll.  R0 = its registers.
 */
static void sleeping_call(struct assembler *a, int polling)
{
	int nested = asm_label(a);

	asm_load(a, R1, CTX, PREV);
	asm_call(a, BPF_FUNC_task_pt_regs);
	asm_load(a, R1, R0, offsetof(struct pt_regs, orig_rax));
	asm_alu_imm(a, BPF_LSH, R1, 32);
	asm_alu_imm(a, BPF_RSH, R1, 32);
	asm_load(a, R2, SLOT, FIELD(other_at));
	asm_jump_if_imm(a, BPF_JNE, R2, 0, nested);
	asm_load32(a, R2, SLOT, FIELD(poll_number));
	asm_jump_if(a, BPF_JEQ, R1, R2, polling);
	/* poll(2) goes on under this number after a stop and continue. */
	asm_jump_if_imm(a, BPF_JNE, R2, SYS_poll, nested);
	asm_jump_if_imm(a, BPF_JEQ, R1, SYS_restart_syscall, polling);
	asm_place(a, nested);
}

/* R1 = the address `offset` bytes into the record in r9. */
static void record_address(struct assembler *a, int offset)
{
	asm_mov(a, R1, RECORD);
	asm_alu_imm(a, BPF_ADD, R1, offset);
}

/*
 * Copies the user stack of the thread that goes to sleep, piece by piece: the
 * last ones may lie beyond its end.
 */
static void copy_stack(struct assembler *a, uint32_t stack_bytes)
{
	int done = asm_label(a);

	for (uint32_t at = 0; at + EXACT_PIECE <= stack_bytes; at += EXACT_PIECE) {
		record_address(a, (int)(offsetof(struct exact_stack, stack) + at));
		asm_mov_imm(a, R2, EXACT_PIECE);
		asm_load(a, R3, RECORD,
			 offsetof(struct exact_stack, regs) + offsetof(struct pt_regs, rsp));
		asm_alu_imm(a, BPF_ADD, R3, (int32_t)at);
		asm_call(a, BPF_FUNC_probe_read_user);
		asm_jump_if_imm(a, BPF_JNE, R0, 0, done);
		asm_store_imm(a, RECORD, offsetof(struct exact_stack, stack_bytes),
			      (int32_t)(at + EXACT_PIECE));
	}
	asm_place(a, done);
}

static void take_stack(struct assembler *a, const struct program_maps *maps, int out)
{
	enum { TRACING_FRAMES = 3 }; /* this program and what calls it */
	int kernel = asm_label(a);

	count_field(a, FIELD(made_sleep));
	reserve(a, maps->stacks, EXACT_STACK,
		(int)(offsetof(struct exact_stack, stack) + maps->stack_bytes), FIELD(lost_sleep),
		out);
	asm_mov(a, RECORD, R0);
	asm_store(a, RECORD, offsetof(struct exact_stack, at), NOW);
	asm_store_imm(a, RECORD, offsetof(struct exact_stack, stack_bytes), 0);
	asm_load(a, R1, CTX, PREV);
	asm_call(a, BPF_FUNC_task_pt_regs);
	asm_mov(a, R3, R0);
	record_address(a, offsetof(struct exact_stack, regs));
	asm_mov_imm(a, R2, sizeof(struct pt_regs));
	asm_call(a, BPF_FUNC_probe_read_kernel);
	record_address(a, offsetof(struct exact_stack, kernel));
	asm_mov(a, R2, R1);
	asm_mov(a, R1, CTX);
	asm_mov_imm(a, R3, EXACT_KERNEL_FRAMES * 8);
	asm_mov_imm(a, R4, TRACING_FRAMES);
	asm_call(a, BPF_FUNC_get_stack);
	asm_jump_if_imm(a, BPF_JSGE, R0, 0, kernel);
	asm_mov_imm(a, R0, 0);
	asm_place(a, kernel);
	asm_store(a, RECORD, offsetof(struct exact_stack, kernel_bytes), R0);
	copy_stack(a, maps->stack_bytes);
	asm_mov(a, R0, RECORD);
	submit(a);
	asm_store32_imm(a, SLOT, FIELD(sampled), 1);
}

/* Remembers the call in R1 with registers R0. */
static void note_sleep(struct assembler *a)
{
	asm_store32(a, SLOT, FIELD(off_syscall), R1);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rdi));
	asm_store(a, SLOT, FIELD(off_args), R1);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rsi));
	asm_store(a, SLOT, FIELD(off_args) + 8, R1);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rdx));
	asm_store(a, SLOT, FIELD(off_args) + 16, R1);
}

/* Stacks of sleeps: one a millisecond in the long run, 64 at once; else jumps. */
static void within_budget(struct assembler *a, int enough)
{
	const int32_t ms = 1000000, burst = 63;
	int refilled = asm_label(a);

	asm_load(a, R1, SLOT, FIELD(sample_at));
	asm_jump_if(a, BPF_JGE, R1, NOW, refilled);
	asm_mov(a, R1, NOW);
	asm_place(a, refilled);
	asm_mov(a, R2, NOW);
	asm_alu_imm(a, BPF_ADD, R2, burst * ms);
	asm_jump_if(a, BPF_JGT, R1, R2, enough);
	asm_alu_imm(a, BPF_ADD, R1, ms);
	asm_store(a, SLOT, FIELD(sample_at), R1);
}

/* Keeps run_delay as it is before the turn's first wait, to subtract it at the end. */
static void keep_delay(struct assembler *a, const struct kernel_types *types)
{
	int known = asm_label(a);

	if (types->task_run_delay < 0)
		return;
	asm_load32(a, R1, SLOT, FIELD(delay_valid));
	asm_jump_if_imm(a, BPF_JNE, R1, 0, known);
	asm_load(a, R1, CTX, PREV);
	asm_load(a, R1, R1, types->task_run_delay);
	asm_store(a, SLOT, FIELD(delay_base), R1);
	asm_store32_imm(a, SLOT, FIELD(delay_valid), 1);
	asm_place(a, known);
}

static void leave_cpu(struct assembler *a, const struct kernel_types *types, int state)
{
	asm_store32_imm(a, SLOT, FIELD(off_state), state);
	read_clock(a);
	asm_store(a, SLOT, FIELD(off_since), NOW);
	keep_delay(a, types);
}

/* The thread in `prev` leaves the CPU, in a turn or for its poll. */
static void switch_out(struct assembler *a, const struct program_maps *maps,
		       const struct kernel_types *types, int out)
{
	int runnable = asm_label(a), stopped = asm_label(a), polling = asm_label(a);

	why_out(a, types, runnable, stopped);
	sleeping_call(a, polling);
	note_sleep(a);
	leave_cpu(a, types, EXACT_BLOCKED);
	within_budget(a, out);
	take_stack(a, maps, out);
	asm_jump(a, out);
	/* The turn that began as the poll was entered was none; that spares a look at the clock. */
	asm_place(a, polling);
	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_store(a, SLOT, FIELD(poll_start), R1);
	asm_store_imm(a, SLOT, FIELD(turn_start), 0);
	asm_jump(a, out);
	asm_place(a, stopped);
	leave_cpu(a, types, EXACT_STOPPED);
	asm_jump(a, out);
	asm_place(a, runnable);
	leave_cpu(a, types, EXACT_RUNNABLE);
}

/* The thread in `next` comes back to the CPU. */
static void switch_in(struct assembler *a, const struct program_maps *maps, int out)
{
	int not_stopped = asm_label(a), report = asm_label(a), done = asm_label(a);
	int in_turn = asm_label(a), slept = asm_label(a);

	asm_load(a, R1, SLOT, FIELD(off_since));
	asm_jump_if_imm(a, BPF_JNE, R1, 0, in_turn);
	asm_load(a, R1, SLOT, FIELD(poll_start));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, out);
	/* The poll ends, or it sleeps again and switch_out() takes this back. */
	read_clock(a);
	asm_load(a, R1, SLOT, FIELD(poll_start));
	asm_mov(a, R2, NOW);
	asm_alu(a, BPF_SUB, R2, R1);
	add_field(a, FIELD(polled), R2, R3);
	asm_store_imm(a, SLOT, FIELD(poll_start), 0);
	begin_turn(a);
	asm_jump(a, out);

	asm_place(a, in_turn);
	read_clock(a);
	asm_load(a, R1, SLOT, FIELD(off_since));
	asm_mov(a, R2, NOW);
	asm_alu(a, BPF_SUB, R2, R1);
	add_field(a, FIELD(off_time), R2, R3);
	asm_load32(a, R1, SLOT, FIELD(off_state));
	asm_jump_if_imm(a, BPF_JNE, R1, EXACT_STOPPED, not_stopped);
	add_field(a, FIELD(stopped_time), R2, R3);
	asm_place(a, not_stopped);
	asm_jump_if_imm(a, BPF_JNE, R1, EXACT_RUNNABLE, slept);
	add_field(a, FIELD(preempted_time), R2, R3);
	asm_jump(a, done);
	asm_place(a, slept);
	asm_load32(a, R1, SLOT, FIELD(sampled));
	asm_jump_if_imm(a, BPF_JNE, R1, 0, report);
	asm_jump_if_imm(a, BPF_JLT, R2, 1000000, done);
	asm_place(a, report);
	reserve(a, maps->ring, EXACT_SLEEP, sizeof(struct exact_sleep), FIELD(lost_other), done);
	copy_field(a, offsetof(struct exact_sleep, from), FIELD(off_since));
	asm_store(a, R0, offsetof(struct exact_sleep, to), NOW);
	asm_load32(a, R1, SLOT, FIELD(off_state));
	asm_store32(a, R0, offsetof(struct exact_sleep, state), R1);
	asm_load32(a, R1, SLOT, FIELD(off_syscall));
	asm_store32(a, R0, offsetof(struct exact_sleep, syscall), R1);
	for (int i = 0; i < 3; i++)
		copy_field(a, (int)offsetof(struct exact_sleep, args) + 8 * i,
			   FIELD(off_args) + 8 * i);
	asm_load32(a, R1, SLOT, FIELD(sampled));
	asm_store(a, R0, offsetof(struct exact_sleep, sampled), R1);
	submit(a);
	asm_place(a, done);
	asm_store32_imm(a, SLOT, FIELD(sampled), 0);
	asm_store_imm(a, SLOT, FIELD(off_since), 0);
}

void program_switch(struct assembler *a, const struct program_maps *maps,
		    const struct kernel_types *types)
{
	int next = asm_label(a), out = asm_label(a);

	asm_mov(a, CTX, R1);
	current_id(a, 0); /* still that of the thread that leaves */
	find_slot(a, maps, next);
	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, next);
	switch_out(a, maps, types, next);
	asm_place(a, next);
	asm_load(a, R1, CTX, NEXT);
	asm_load32(a, NOW, R1, types->task_pid);
	find_slot(a, maps, out);
	switch_in(a, maps, out);
	asm_place(a, out);
	asm_exit(a, 0);
	asm_link(a);
}

void program_clock_gate(struct assembler *a, const struct program_maps *maps)
{
	int out = asm_label(a);

	asm_mov(a, CTX, R1);
	current_id(a, 0);
	find_slot(a, maps, out);
	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, out);
	read_clock(a);
	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_alu(a, BPF_SUB, NOW, R1);
	asm_load(a, R1, SLOT, FIELD(gate));
	asm_jump_if(a, BPF_JLE, NOW, R1, out);
	count_field(a, FIELD(made_clock));
	asm_exit(a, 1);
	asm_place(a, out);
	asm_exit(a, 0);
	asm_link(a);
}
