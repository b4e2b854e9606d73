#include "sampler/bpf/emit.h"
#include "sampler/strict_call.h"

/* The program on all system calls that looks for those that block, made inside a turn. */

void program_strict(struct assembler *a, const struct program_maps *maps)
{
	int found = asm_label(a), out = asm_label(a), missed = asm_label(a);

	asm_mov(a, CTX, R1);
	asm_load(a, R1, CTX, NUMBER);
	for (const struct strict_syscall *call = strict_syscalls; call->number >= 0; call++)
		asm_jump_if_imm(a, BPF_JEQ, R1, call->number, found);
	asm_exit(a, 0);
	asm_place(a, found);
	emit_current_id(a, 0);
	emit_find_slot(a, maps, out);
	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, out);
	asm_load(a, R1, SLOT, FIELD(calls_left));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, missed);
	asm_alu_imm(a, BPF_SUB, R1, 1);
	asm_store(a, SLOT, FIELD(calls_left), R1);
	emit_read_clock(a);
	emit_take_stack(a, maps, NEWS_CALL, out);
	asm_jump(a, out);
	asm_place(a, missed);
	emit_count_field(a, FIELD(calls_missed));
	asm_place(a, out);
	asm_exit(a, 0);
	asm_link(a);
}
