#include <asm/ptrace.h>

#include "sampler/bpf/emit.h"

/* The programs of perf events: the gate of the clock, and the hook that fires once. */

/*
 * R1 = the key of a poll of the loop's kind, in register rdi or rsp: R2 and R3,
 * offsets from the stack pointer where they were put.
 */
static void key_of_registers(struct assembler *a)
{
	int by_stack = asm_label(a), done = asm_label(a);

	asm_load(a, R3, SLOT, FIELD(key));
	asm_mov(a, R4, R3);
	asm_alu_imm(a, BPF_RSH, R4, 48);
	asm_jump_if_imm(a, BPF_JEQ, R4, 0, by_stack);
	asm_alu_imm(a, BPF_LSH, R4, 48);
	asm_alu_imm(a, BPF_LSH, R1, 32);
	asm_alu_imm(a, BPF_RSH, R1, 32);
	asm_alu(a, BPF_OR, R1, R4);
	asm_jump(a, done);
	asm_place(a, by_stack);
	asm_mov(a, R1, R2);
	asm_jump_if_imm(a, BPF_JNE, R3, (int32_t)POLL_KEY_ANY_POLL, done);
	asm_mov(a, R1, R3);
	asm_place(a, done);
}

/* Notes the first look at the turn in hand, one that began at a hook, that did not find a poll. */
static void miss_poll(struct assembler *a)
{
	int out = asm_label(a);

	asm_load32(a, R1, SLOT, FIELD(entered));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, out);
	asm_load(a, R1, SLOT, FIELD(missed_at));
	asm_load(a, R2, SLOT, FIELD(turn_start));
	asm_jump_if(a, BPF_JGT, R1, R2, out);
	asm_store(a, SLOT, FIELD(missed_at), NOW);
	emit_count_field(a, FIELD(looks_missed));
	asm_place(a, out);
}

/*
 * The thread is in its poll right now, which no hook has said: whatever lasts,
 * lasts since then only.
 */
static void look_for_poll(struct assembler *a, const struct program_maps *maps,
			  const struct kernel_types *types)
{
	int no = asm_label(a), same = asm_label(a), missed = asm_label(a);

	asm_load32(a, R1, SLOT, FIELD(hooked));
	asm_jump_if_imm(a, BPF_JNE, R1, 0, no);
	emit_read_register(a, offsetof(struct pt_regs, orig_rax));
	asm_load32(a, R2, SLOT, FIELD(poll_number));
	asm_jump_if(a, BPF_JNE, R1, R2, missed);
	emit_read_register(a, offsetof(struct pt_regs, rdi));
	asm_store(a, BPF_REG_10, -16, R1);
	emit_read_register(a, offsetof(struct pt_regs, rsp));
	asm_mov(a, R2, R1);
	asm_load(a, R1, BPF_REG_10, -16);
	key_of_registers(a);
	asm_jump_if(a, BPF_JNE, R1, R3, missed);
	emit_read_register(a, offsetof(struct pt_regs, rip));
	asm_load(a, R2, SLOT, FIELD(poll_ip));
	asm_jump_if(a, BPF_JEQ, R1, R2, same);
	asm_store(a, SLOT, FIELD(poll_ip), R1);
	asm_store_imm(a, SLOT, FIELD(hooked_since), 0);
	asm_place(a, same);
	emit_turn_over(a, maps, types);
	emit_count_field(a, FIELD(looks_hit));
	asm_jump(a, no);
	asm_place(a, missed);
	miss_poll(a);
	asm_place(a, no);
}

/* Says once that the turn lasts; jumps while it does not. */
static void want_fast(struct assembler *a, const struct program_maps *maps, int not_long)
{
	int said = asm_label(a);

	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_load(a, R2, SLOT, FIELD(quicken));
	asm_alu(a, BPF_ADD, R1, R2);
	asm_jump_if(a, BPF_JLE, NOW, R1, not_long);
	asm_store(a, SLOT, FIELD(long_at), NOW);
	asm_load32(a, R1, SLOT, FIELD(quickened));
	asm_jump_if_imm(a, BPF_JNE, R1, 0, said);
	emit_reserve(a, maps->asks, NEWS_LONG, sizeof(struct news_listen), FIELD(lost_other), said);
	asm_store(a, R0, offsetof(struct news_listen, at), NOW);
	emit_submit(a);
	asm_store32_imm(a, SLOT, FIELD(quickened), 1);
	asm_place(a, said);
}

/* Looks at the thread that runs; jumps unless it is a loop in a turn that lasts. */
static void inspect(struct assembler *a, const struct program_maps *maps,
		    const struct kernel_types *types, int out)
{
	emit_current_id(a, 0);
	emit_find_slot(a, maps, out);
	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, out);
	emit_read_clock(a);
	asm_call(a, BPF_FUNC_get_current_task_btf);
	asm_mov(a, R3, R0);
	asm_alu_imm(a, BPF_ADD, R3, types->task_flags);
	emit_read_kernel_u64(a);
	emit_leave_if_exiting(a, maps, types, out);
	look_for_poll(a, maps, types);
	emit_ask(a, maps);
	want_fast(a, maps, out);
}

void program_tick(struct assembler *a, const struct program_maps *maps,
		  const struct kernel_types *types)
{
	int out = asm_label(a);

	inspect(a, maps, types, out);
	asm_place(a, out);
	asm_exit(a, 0);
	asm_link(a);
}

void program_clock_gate(struct assembler *a, const struct program_maps *maps,
			const struct kernel_types *types)
{
	int out = asm_label(a);

	asm_mov(a, CTX, R1);
	inspect(a, maps, types, out);
	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_alu(a, BPF_SUB, NOW, R1);
	asm_load(a, R1, SLOT, FIELD(gate));
	asm_jump_if(a, BPF_JLE, NOW, R1, out);
	emit_count_field(a, FIELD(made_clock));
	asm_exit(a, 1);
	asm_place(a, out);
	asm_exit(a, 0);
	asm_link(a);
}

void program_hook(struct assembler *a, const struct program_maps *maps,
		  const struct kernel_types *types)
{
	int out = asm_label(a), other = asm_label(a);

	asm_mov(a, CTX, R1);
	emit_current_id(a, 0);
	emit_find_slot(a, maps, out);
	emit_read_clock(a);
	asm_load(a, R1, CTX, offsetof(struct pt_regs, rdi));
	asm_load(a, R2, CTX, offsetof(struct pt_regs, rsp));
	key_of_registers(a);
	/* Another poll by the same instruction, inside the turn. */
	asm_jump_if(a, BPF_JNE, R1, R3, other);
	emit_turn_over(a, maps, types);
	asm_place(a, other);
	asm_load(a, R1, SLOT, FIELD(hooks_left));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, out);
	asm_alu_imm(a, BPF_SUB, R1, 1);
	asm_store(a, SLOT, FIELD(hooks_left), R1);
	asm_jump_if_imm(a, BPF_JNE, R1, 0, out);
	/* The last one: from here on polls go unseen, until that is asked about. */
	asm_store_imm(a, SLOT, FIELD(hooked_since), 0);
	asm_store32_imm(a, SLOT, FIELD(asked), 0);
	asm_place(a, out);
	asm_exit(a, 1);
	asm_link(a);
}
