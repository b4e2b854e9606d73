#include <asm/ptrace.h>
#include <sys/syscall.h>

#include "sampler/bpf/emit.h"

/*
 * The programs on system calls.  One on a tracepoint returns 1, so that its
 * other users still get their events.
 */

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

	emit_count_field(a, FIELD(turns));
	emit_add_field(a, FIELD(busy), R2, R3);
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
		emit_read_kernel_u64(a);
		asm_load(a, R2, SLOT, FIELD(delay_base));
		asm_alu(a, BPF_SUB, R1, R2);
		asm_store(a, BPF_REG_10, -16, R1);
	}
	asm_place(a, on_time);
	emit_reserve(a, maps->ring, NEWS_TURN, sizeof(struct news_turn), FIELD(lost_turns), out);
	emit_copy_field(a, offsetof(struct news_turn, start), FIELD(turn_start));
	asm_store(a, R0, offsetof(struct news_turn, end), NOW);
	emit_copy_field(a, offsetof(struct news_turn, off), FIELD(off_time));
	emit_copy_field(a, offsetof(struct news_turn, stopped), FIELD(stopped_time));
	emit_copy_field(a, offsetof(struct news_turn, preempted), FIELD(preempted_time));
	asm_load(a, R1, BPF_REG_10, -16);
	asm_store(a, R0, offsetof(struct news_turn, delay), R1);
	emit_submit(a);
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
	emit_read_kernel_u64(a);
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
	emit_reserve(a, maps->ring, NEWS_POLL, sizeof(struct news_poll), FIELD(lost_other), full);
	asm_store(a, R0, offsetof(struct news_poll, at), NOW);
	emit_copy_field(a, offsetof(struct news_poll, key), FIELD(other_key));
	asm_load(a, R1, BPF_REG_10, -16);
	asm_store(a, R0, offsetof(struct news_poll, sp), R1);
	emit_submit(a);
	asm_place(a, full);
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
	emit_begin_turn(a);
}

/* A poll of the thread in NOW begins. */
static void poll_begins(struct assembler *a, const struct program_maps *maps,
			const struct poll_syscall *call, const struct kernel_types *types)
{
	int out = asm_label(a), mine = asm_label(a);

	emit_find_slot(a, maps, out);
	emit_read_clock(a);
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

	emit_current_id(a, 32);
	emit_find_slot(a, maps, out);
	emit_read_clock(a);
	emit_reserve(a, maps->ring, NEWS_LISTEN, sizeof(struct news_listen), FIELD(lost_other),
		     out);
	asm_store(a, R0, offsetof(struct news_listen, at), NOW);
	emit_submit(a);
	asm_place(a, out);
}

void program_poll(struct assembler *a, const struct program_maps *maps,
		  const struct poll_syscall *call, const struct kernel_types *types)
{
	asm_mov(a, CTX, R1);
	emit_current_id(a, 0);
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

	emit_current_id(a, 0);
	emit_find_slot(a, maps, out);
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
	emit_current_id(a, 0);
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
