#include "sampler/bpf/emit.h"

static void try_slot(struct assembler *a, const struct program_maps *maps)
{
	asm_alu_imm(a, BPF_AND, R1, SLOTS - 1);
	asm_mov(a, INDEX, R1);
	asm_alu_imm(a, BPF_MUL, R1, SLOT_SIZE);
	asm_map_value(a, SLOT, maps->slots, 0);
	asm_alu(a, BPF_ADD, SLOT, R1);
	asm_load32(a, R2, SLOT, FIELD(kernel_tid));
}

void emit_find_slot(struct assembler *a, const struct program_maps *maps, int none)
{
	int found = asm_label(a);

	for (int shift = 0; shift <= SLOT_SHIFT_MAX; shift += SLOT_SHIFT) {
		asm_mov(a, R1, NOW);
		if (shift)
			asm_alu_imm(a, BPF_RSH, R1, shift);
		try_slot(a, maps);
		asm_jump_if_imm(a, BPF_JEQ, R2, 0, none);
		asm_jump_if(a, BPF_JEQ, R2, NOW, found);
	}
	asm_jump(a, none);
	asm_place(a, found);
}

void emit_current_id(struct assembler *a, int shift)
{
	asm_call(a, BPF_FUNC_get_current_pid_tgid);
	asm_mov(a, NOW, R0);
	if (!shift)
		asm_alu_imm(a, BPF_LSH, NOW, 32);
	asm_alu_imm(a, BPF_RSH, NOW, 32);
}

void emit_read_clock(struct assembler *a)
{
	asm_call(a, BPF_FUNC_ktime_get_ns);
	asm_mov(a, NOW, R0);
}

void emit_not_before(struct assembler *a, int reg)
{
	int later = asm_label(a);

	asm_jump_if(a, BPF_JGE, NOW, reg, later);
	asm_mov(a, NOW, reg);
	asm_place(a, later);
}

void emit_add_field(struct assembler *a, int field, int reg, int scratch)
{
	asm_load(a, scratch, SLOT, field);
	asm_alu(a, BPF_ADD, scratch, reg);
	asm_store(a, SLOT, field, scratch);
}

void emit_count_field(struct assembler *a, int field)
{
	asm_load(a, R5, SLOT, field);
	asm_alu_imm(a, BPF_ADD, R5, 1);
	asm_store(a, SLOT, field, R5);
}

void emit_reserve(struct assembler *a, int ring, int type, int size, int lost, int full)
{
	int got = asm_label(a);

	asm_map(a, R1, ring);
	asm_mov_imm(a, R2, size);
	asm_mov_imm(a, R3, 0);
	asm_call(a, BPF_FUNC_ringbuf_reserve);
	asm_jump_if_imm(a, BPF_JNE, R0, 0, got);
	emit_count_field(a, lost);
	asm_jump(a, full);
	asm_place(a, got);
	asm_store32_imm(a, R0, 0, type);
	asm_load32(a, R1, SLOT, FIELD(tid));
	asm_store32(a, R0, 4, R1);
}

void emit_submit(struct assembler *a)
{
	asm_mov(a, R1, R0);
	asm_mov_imm(a, R2, 0);
	asm_call(a, BPF_FUNC_ringbuf_submit);
}

void emit_copy_field(struct assembler *a, int record_offset, int field)
{
	asm_load(a, R1, SLOT, field);
	asm_store(a, R0, record_offset, R1);
}

void emit_read_kernel_u64(struct assembler *a)
{
	asm_mov(a, R1, BPF_REG_10);
	asm_alu_imm(a, BPF_ADD, R1, -8);
	asm_mov_imm(a, R2, 8);
	asm_call(a, BPF_FUNC_probe_read_kernel);
	asm_load(a, R1, BPF_REG_10, -8);
}

void emit_read_register(struct assembler *a, size_t offset)
{
	asm_call(a, BPF_FUNC_get_current_task_btf);
	asm_mov(a, R1, R0);
	asm_call(a, BPF_FUNC_task_pt_regs);
	asm_mov(a, R3, R0);
	asm_alu_imm(a, BPF_ADD, R3, (int32_t)offset);
	emit_read_kernel_u64(a);
}

void emit_begin_turn(struct assembler *a)
{
	int never_off = asm_label(a);

	_Static_assert(FIELD(asked) == FIELD(delay_valid) + 4, "one store for both");
	asm_store_imm(a, SLOT, FIELD(delay_valid), 0);
	asm_store32_imm(a, SLOT, FIELD(entered), 0);
	asm_store_imm(a, SLOT, FIELD(off_since), 0);
	asm_load(a, R1, SLOT, FIELD(off_time));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, never_off);
	asm_store_imm(a, SLOT, FIELD(off_time), 0);
	asm_store_imm(a, SLOT, FIELD(stopped_time), 0);
	asm_store_imm(a, SLOT, FIELD(preempted_time), 0);
	asm_place(a, never_off);
	asm_store(a, SLOT, FIELD(turn_start), NOW);
}
