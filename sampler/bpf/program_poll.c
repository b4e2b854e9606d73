#include <asm/ptrace.h>
#include <sys/syscall.h>

#include "sampler/bpf/emit.h"

/*
 * The programs on system calls.  One on a tracepoint returns 1, so that its
 * other users still get their events.
 */

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

/* R1 = a user register, by its offset in struct pt_regs. */
static void user_register(struct assembler *a, const struct poll_syscall *call, size_t offset)
{
	if (!call) {
		asm_load(a, R2, CTX, REGS);
		asm_load(a, R1, R2, (int)offset);
		return;
	}
	emit_read_register(a, offset);
}

static void key_of_stack(struct assembler *a, const struct poll_syscall *call, int mine)
{
	asm_load(a, R3, SLOT, FIELD(key));
	asm_jump_if_imm(a, BPF_JEQ, R3, (int32_t)POLL_KEY_ANY_POLL, mine);
	user_register(a, call, offsetof(struct pt_regs, rsp));
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
		emit_key_of_descriptor(a, call->key_class);
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
	emit_key_of_descriptor(a, POLL_KEY_EPOLL);
	asm_jump(a, done);

	asm_place(a, io_uring);
	asm_load(a, R3, R2, offsetof(struct pt_regs, rdx)); /* min_complete */
	asm_alu_imm(a, BPF_LSH, R3, 32);
	asm_jump_if_imm(a, BPF_JEQ, R3, 0, not_a_poll);
	emit_key_of_descriptor(a, POLL_KEY_IO_URING);
	asm_jump(a, done);

	asm_place(a, by_stack);
	key_of_stack(a, NULL, mine);
	asm_place(a, done);
}

/* The loop polls, at NOW: its turn ends and the next begins. */
static void turn_over(struct assembler *a, const struct program_maps *maps,
		      const struct poll_syscall *call, const struct kernel_types *types)
{
	int placed = asm_label(a);

	if (call) {
		asm_store32_imm(a, SLOT, FIELD(poll_number), call->number);
	} else {
		asm_load(a, R1, CTX, NUMBER);
		asm_store32(a, SLOT, FIELD(poll_number), R1);
	}
	asm_load(a, R1, SLOT, FIELD(poll_ip));
	asm_jump_if_imm(a, BPF_JNE, R1, 0, placed);
	user_register(a, call, offsetof(struct pt_regs, rip));
	asm_store(a, SLOT, FIELD(poll_ip), R1);
	asm_place(a, placed);
	emit_turn_over(a, maps, types);
}

/* A poll of the thread in NOW begins. */
static void poll_begins(struct assembler *a, const struct program_maps *maps,
			const struct poll_syscall *call, const struct kernel_types *types)
{
	int out = asm_label(a), mine = asm_label(a);

	emit_find_slot(a, maps, out);
	asm_load32(a, R1, SLOT, FIELD(hooked));
	asm_jump_if_imm(a, BPF_JNE, R1, call ? HOOKED_EACH : HOOKED_ALL, out);
	emit_read_clock(a);
	if (call)
		key_of_call(a, call, mine, out);
	else
		key_of_any_call(a, mine, out);
	asm_load(a, R2, SLOT, FIELD(key));
	asm_jump_if(a, BPF_JEQ, R1, R2, mine);
	asm_store(a, SLOT, FIELD(other_key), R1);
	asm_store(a, SLOT, FIELD(other_at), NOW);
	user_register(a, call, offsetof(struct pt_regs, rip));
	asm_store(a, BPF_REG_10, -24, R1);
	user_register(a, call, offsetof(struct pt_regs, rsp));
	asm_load(a, R2, BPF_REG_10, -24);
	emit_report_other(a, maps);
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

void program_syscall(struct assembler *a, const struct program_maps *maps,
		     const struct kernel_types *types)
{
	int found = asm_label(a), listen = asm_label(a);

	asm_load(a, R2, R1, NUMBER);
	asm_mov(a, CTX, R1);
	asm_mov(a, R1, R2);
	is_poll(a, found);
	asm_jump_if_imm(a, BPF_JEQ, R1, SYS_listen, listen);
	asm_exit(a, 0);
	asm_place(a, found);
	emit_current_id(a, 0);
	poll_begins(a, maps, NULL, types);
	asm_exit(a, 0);
	asm_place(a, listen);
	listen_begins(a, maps);
	asm_exit(a, 0);
	asm_link(a);
}
