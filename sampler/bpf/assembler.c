#include "sampler/bpf/assembler.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void asm_init(struct assembler *a)
{
	memset(a, 0, sizeof(*a));
}

/* Also where asserts are left out: the kernel would be given what is written over. */
static void must_fit(size_t n, size_t max)
{
	if (n >= max)
		abort();
}

static struct bpf_insn *emit(struct assembler *a, int code, int dst, int src)
{
	struct bpf_insn *insn;

	must_fit(a->n, ASM_MAX_INSNS);
	insn = &a->insns[a->n++];
	insn->code = (uint8_t)code;
	insn->dst_reg = (uint8_t)dst & 0xf;
	insn->src_reg = (uint8_t)src & 0xf;
	return insn;
}

int asm_label(struct assembler *a)
{
	must_fit(a->n_labels, ASM_MAX_LABELS);
	a->labels[a->n_labels] = -1;
	return (int)a->n_labels++;
}

void asm_place(struct assembler *a, int label)
{
	assert(a->labels[label] == -1);
	a->labels[label] = (int)a->n;
}

void asm_link(struct assembler *a)
{
	for (size_t i = 0; i < a->n_jumps; i++) {
		int at = a->labels[a->jumps[i].label];

		assert(at > (int)a->jumps[i].insn);
		a->insns[a->jumps[i].insn].off = (int16_t)(at - (int)a->jumps[i].insn - 1);
	}
}

void asm_mov(struct assembler *a, int dst, int src)
{
	emit(a, BPF_ALU64 | BPF_MOV | BPF_X, dst, src);
}

void asm_mov_imm(struct assembler *a, int dst, int32_t imm)
{
	emit(a, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0)->imm = imm;
}

void asm_mov_imm64(struct assembler *a, int dst, uint64_t imm)
{
	emit(a, BPF_LD | BPF_DW | BPF_IMM, dst, 0)->imm = (int32_t)imm;
	emit(a, 0, 0, 0)->imm = (int32_t)(imm >> 32);
}

void asm_alu(struct assembler *a, int op, int dst, int src)
{
	emit(a, BPF_ALU64 | op | BPF_X, dst, src);
}

void asm_alu_imm(struct assembler *a, int op, int dst, int32_t imm)
{
	emit(a, BPF_ALU64 | op | BPF_K, dst, 0)->imm = imm;
}

void asm_neg(struct assembler *a, int dst)
{
	emit(a, BPF_ALU64 | BPF_NEG, dst, 0);
}

void asm_load(struct assembler *a, int dst, int src, int off)
{
	emit(a, BPF_LDX | BPF_DW | BPF_MEM, dst, src)->off = (int16_t)off;
}

void asm_load32(struct assembler *a, int dst, int src, int off)
{
	emit(a, BPF_LDX | BPF_W | BPF_MEM, dst, src)->off = (int16_t)off;
}

void asm_store(struct assembler *a, int dst, int off, int src)
{
	emit(a, BPF_STX | BPF_DW | BPF_MEM, dst, src)->off = (int16_t)off;
}

void asm_store32(struct assembler *a, int dst, int off, int src)
{
	emit(a, BPF_STX | BPF_W | BPF_MEM, dst, src)->off = (int16_t)off;
}

void asm_store_imm(struct assembler *a, int dst, int off, int32_t imm)
{
	struct bpf_insn *insn = emit(a, BPF_ST | BPF_DW | BPF_MEM, dst, 0);

	insn->off = (int16_t)off;
	insn->imm = imm;
}

void asm_store32_imm(struct assembler *a, int dst, int off, int32_t imm)
{
	struct bpf_insn *insn = emit(a, BPF_ST | BPF_W | BPF_MEM, dst, 0);

	insn->off = (int16_t)off;
	insn->imm = imm;
}

void asm_add_to(struct assembler *a, int base, int off, int src)
{
	struct bpf_insn *insn = emit(a, BPF_STX | BPF_DW | BPF_ATOMIC, base, src);

	insn->off = (int16_t)off;
	insn->imm = BPF_ADD;
}

static void jump_to(struct assembler *a, int label)
{
	must_fit(a->n_jumps, ASM_MAX_JUMPS);
	a->jumps[a->n_jumps].insn = a->n - 1;
	a->jumps[a->n_jumps++].label = label;
}

void asm_jump(struct assembler *a, int label)
{
	emit(a, BPF_JMP | BPF_JA, 0, 0);
	jump_to(a, label);
}

void asm_jump_if(struct assembler *a, int op, int dst, int src, int label)
{
	emit(a, BPF_JMP | op | BPF_X, dst, src);
	jump_to(a, label);
}

void asm_jump_if_imm(struct assembler *a, int op, int dst, int32_t imm, int label)
{
	emit(a, BPF_JMP | op | BPF_K, dst, 0)->imm = imm;
	jump_to(a, label);
}

void asm_jump32_if(struct assembler *a, int op, int dst, int src, int label)
{
	emit(a, BPF_JMP32 | op | BPF_X, dst, src);
	jump_to(a, label);
}

void asm_map(struct assembler *a, int dst, int map_fd)
{
	emit(a, BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD)->imm = map_fd;
	emit(a, 0, 0, 0);
}

void asm_map_value(struct assembler *a, int dst, int map_fd, uint32_t off)
{
	emit(a, BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_VALUE)->imm = map_fd;
	emit(a, 0, 0, 0)->imm = (int32_t)off;
}

void asm_call(struct assembler *a, int helper)
{
	emit(a, BPF_JMP | BPF_CALL, 0, 0)->imm = helper;
}

void asm_exit(struct assembler *a, int32_t result)
{
	asm_mov_imm(a, BPF_REG_0, result);
	emit(a, BPF_JMP | BPF_EXIT, 0, 0);
}
