#ifndef LAGPROF_SAMPLER_BPF_ASSEMBLER_H
#define LAGPROF_SAMPLER_BPF_ASSEMBLER_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Puts together BPF programs of a few dozen instructions, with labels instead
 * of counted jumps.  Registers are BPF_REG_0…10; loads, stores and arithmetic
 * are 64 bits wide unless the name says 32.  Exceeding a limit is a programmer
 * error (abort).
 */
enum { ASM_MAX_INSNS = 2048, ASM_MAX_LABELS = 256, ASM_MAX_JUMPS = 384 };

struct assembler {
	struct bpf_insn insns[ASM_MAX_INSNS];
	size_t n;
	int labels[ASM_MAX_LABELS]; /* instruction index, -1 until placed */
	size_t n_labels;
	struct {
		size_t insn;
		int label;
	} jumps[ASM_MAX_JUMPS];
	size_t n_jumps;
};

void asm_init(struct assembler *a);
/* A new label, to be placed once by asm_place() and jumped to from anywhere before it. */
int asm_label(struct assembler *a);
void asm_place(struct assembler *a, int label);
/* Fills in the jumps.  Call once, at the end. */
void asm_link(struct assembler *a);

void asm_mov(struct assembler *a, int dst, int src);
void asm_mov_imm(struct assembler *a, int dst, int32_t imm);
void asm_mov_imm64(struct assembler *a, int dst, uint64_t imm);
/* op is BPF_ADD, BPF_SUB, BPF_AND, BPF_OR, BPF_LSH, BPF_RSH, BPF_MUL... */
void asm_alu(struct assembler *a, int op, int dst, int src);
void asm_alu_imm(struct assembler *a, int op, int dst, int32_t imm);
void asm_neg(struct assembler *a, int dst);
/* dst = *(src + off), and *(dst + off) = src. */
void asm_load(struct assembler *a, int dst, int src, int off);
void asm_load32(struct assembler *a, int dst, int src, int off);
void asm_store(struct assembler *a, int dst, int off, int src);
void asm_store32(struct assembler *a, int dst, int off, int src);
void asm_store_imm(struct assembler *a, int dst, int off, int32_t imm);
void asm_store32_imm(struct assembler *a, int dst, int off, int32_t imm);
/* *(base + off) += src. */
void asm_add_to(struct assembler *a, int base, int off, int src);
/* op is BPF_JEQ, BPF_JNE, BPF_JGT, BPF_JGE, BPF_JLT, BPF_JSET... */
void asm_jump(struct assembler *a, int label);
void asm_jump_if(struct assembler *a, int op, int dst, int src, int label);
void asm_jump_if_imm(struct assembler *a, int op, int dst, int32_t imm, int label);
void asm_jump32_if(struct assembler *a, int op, int dst, int src, int label);
/* dst = the map itself (for helpers), or the address of its first value plus off. */
void asm_map(struct assembler *a, int dst, int map_fd);
void asm_map_value(struct assembler *a, int dst, int map_fd, uint32_t off);
/* helper is BPF_FUNC_…: arguments in r1-r5, result in r0, r1-r5 lost. */
void asm_call(struct assembler *a, int helper);
void asm_exit(struct assembler *a, int32_t result);

#endif
