#include <asm/ptrace.h>
#include <stdbool.h>

#include "sampler/bpf/emit.h"

/* Copies of stacks. */

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

	for (uint32_t at = 0; at + STACK_PIECE <= stack_bytes; at += STACK_PIECE) {
		record_address(a, (int)(offsetof(struct news_stack, stack) + at));
		asm_mov_imm(a, R2, STACK_PIECE);
		asm_load(a, R3, RECORD,
			 offsetof(struct news_stack, regs) + offsetof(struct pt_regs, rsp));
		asm_alu_imm(a, BPF_ADD, R3, (int32_t)at);
		asm_call(a, BPF_FUNC_probe_read_user);
		asm_jump_if_imm(a, BPF_JNE, R0, 0, done);
		asm_store_imm(a, RECORD, offsetof(struct news_stack, stack_bytes),
			      (int32_t)(at + STACK_PIECE));
	}
	asm_place(a, done);
}

/* What the thread, which sleeps at NOW, has in the kernel. */
static void copy_kernel(struct assembler *a)
{
	enum { TRACING_FRAMES = 3 }; /* this program and what calls it */
	int kernel = asm_label(a);

	record_address(a, offsetof(struct news_stack, kernel));
	asm_mov(a, R2, R1);
	asm_mov(a, R1, CTX);
	asm_mov_imm(a, R3, KERNEL_FRAMES * 8);
	asm_mov_imm(a, R4, TRACING_FRAMES);
	asm_call(a, BPF_FUNC_get_stack);
	asm_jump_if_imm(a, BPF_JSGE, R0, 0, kernel);
	asm_mov_imm(a, R0, 0);
	asm_place(a, kernel);
	asm_store(a, RECORD, offsetof(struct news_stack, kernel_bytes), R0);
}

void emit_take_stack(struct assembler *a, const struct program_maps *maps, enum news_type type,
		     int out)
{
	bool sleeps = type == NEWS_STACK;

	if (sleeps)
		emit_count_field(a, FIELD(made_sleep));
	emit_reserve(a, maps->stacks, (int)type,
		     (int)(offsetof(struct news_stack, stack) + maps->stack_bytes),
		     sleeps ? FIELD(lost_sleep) : FIELD(calls_missed), out);
	asm_mov(a, RECORD, R0);
	asm_store(a, RECORD, offsetof(struct news_stack, at), NOW);
	asm_store_imm(a, RECORD, offsetof(struct news_stack, stack_bytes), 0);
	if (sleeps) {
		asm_load(a, R1, CTX, PREV);
		asm_call(a, BPF_FUNC_task_pt_regs);
		asm_mov(a, R3, R0);
	} else {
		asm_load(a, R3, CTX, REGS);
	}
	record_address(a, offsetof(struct news_stack, regs));
	asm_mov_imm(a, R2, sizeof(struct pt_regs));
	asm_call(a, BPF_FUNC_probe_read_kernel);
	asm_store_imm(a, RECORD, offsetof(struct news_stack, kernel_bytes), 0);
	if (sleeps)
		copy_kernel(a);
	copy_stack(a, maps->stack_bytes);
	asm_mov(a, R0, RECORD);
	emit_submit(a);
	if (sleeps)
		asm_store_imm(a, SLOT, FIELD(sampled), 1);
}
