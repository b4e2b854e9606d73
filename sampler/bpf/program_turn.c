#include <asm/ptrace.h>

#include "sampler/bpf/emit.h"

/* What happens at a turn's end, wherever that is noticed. */

/* The histogram bucket of the duration in R2, into R3 (hist_bucket() of core/hist.c). */
static void bucket_of(struct assembler *a)
{
	int done = asm_label(a), last = asm_label(a);

	asm_mov(a, R3, R2);
	asm_jump_if_imm(a, BPF_JLT, R2, HIST_SUB, done);
	asm_mov(a, R4, R2);
	asm_alu_imm(a, BPF_RSH, R4, HIST_MAX_EXP);
	asm_jump_if_imm(a, BPF_JNE, R4, 0, last);
	/*
	 * R4 = floor(log2), by halving the interval; R5 = what is left.  Without a jump: which
	 * half it is nobody can predict, and a wrong guess costs more than all of this.
	 */
	asm_mov_imm(a, R4, 0);
	asm_mov(a, R5, R2);
	for (int shift = 5; shift >= 0; shift--) {
		/* R1 = 1 << shift if anything is left above that many bits, 0 if not. */
		asm_mov(a, R1, R5);
		asm_alu_imm(a, BPF_RSH, R1, 1 << shift);
		asm_neg(a, R1);
		asm_alu_imm(a, BPF_RSH, R1, 63);
		asm_alu_imm(a, BPF_LSH, R1, shift);
		asm_alu(a, BPF_RSH, R5, R1);
		asm_alu(a, BPF_ADD, R4, R1);
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
	asm_place(a, done);
}

/*
 * Jumps if the turn of R2 ns in hand, which began at a hook, went on unseen, and is short of a
 * stall: the loop may have turned a thousand times, and it has no length.  Keeps R2.
 */
static void is_vague(struct assembler *a, int vague)
{
	int sure = asm_label(a);

	asm_load32(a, R1, SLOT, FIELD(entered));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, sure);
	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_load(a, R3, SLOT, FIELD(hooked_since));
	asm_alu_imm(a, BPF_SUB, R3, 1); /* 0: never */
	asm_jump_if(a, BPF_JLT, R3, R1, sure);
	asm_load(a, R3, SLOT, FIELD(threshold));
	asm_jump_if(a, BPF_JLT, R2, R3, vague);
	asm_place(a, sure);
}

/* Counts a turn of R2 ns.  Keeps R2. */
static void count_turn(struct assembler *a, const struct program_maps *maps)
{
	int not_max = asm_label(a), not_min = asm_label(a), skip = asm_label(a);
	int vague = asm_label(a);

	emit_count_field(a, FIELD(turns));
	emit_add_field(a, FIELD(busy), R2, R3);
	is_vague(a, vague);
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
	asm_jump(a, skip);
	asm_place(a, vague);
	emit_add_field(a, FIELD(vague), R2, R3);
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
	emit_copy_field(a, offsetof(struct news_turn, hooked_since), FIELD(hooked_since));
	emit_copy_field(a, offsetof(struct news_turn, sure_since), FIELD(sure_since));
	asm_load32(a, R1, SLOT, FIELD(entered));
	asm_store(a, R0, offsetof(struct news_turn, entered), R1);
	emit_submit(a);
}

void emit_turn_ends(struct assembler *a, const struct program_maps *maps,
		    const struct kernel_types *types)
{
	int ended = asm_label(a);

	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, ended);
	emit_not_before(a, R1);
	asm_mov(a, R2, NOW);
	asm_alu(a, BPF_SUB, R2, R1);
	count_turn(a, maps);
	asm_load(a, R3, SLOT, FIELD(threshold));
	asm_jump_if(a, BPF_JLT, R2, R3, ended);
	report_turn(a, maps, types, ended);
	asm_place(a, ended);
}

void emit_turn_over(struct assembler *a, const struct program_maps *maps,
		    const struct kernel_types *types)
{
	asm_store_imm(a, SLOT, FIELD(other_at), 0);
	emit_turn_ends(a, maps, types);
	/* Unless it sleeps, the poll is over within a microsecond, and no hook says so. */
	asm_store_imm(a, SLOT, FIELD(poll_start), 0);
	emit_begin_turn(a);
	asm_store32_imm(a, SLOT, FIELD(entered), 1);
}

void emit_key_of_descriptor(struct assembler *a, uint64_t class)
{
	asm_alu_imm(a, BPF_LSH, R1, 32);
	asm_alu_imm(a, BPF_RSH, R1, 32);
	asm_mov_imm64(a, R4, class);
	asm_alu(a, BPF_OR, R1, R4);
}

void emit_report_other(struct assembler *a, const struct program_maps *maps)
{
	int full = asm_label(a);

	asm_store(a, BPF_REG_10, -16, R1);
	asm_store(a, BPF_REG_10, -24, R2);
	asm_load(a, R1, SLOT, FIELD(reports_left));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, full);
	asm_alu_imm(a, BPF_SUB, R1, 1);
	asm_store(a, SLOT, FIELD(reports_left), R1);
	emit_reserve(a, maps->ring, NEWS_POLL, sizeof(struct news_poll), FIELD(lost_other), full);
	asm_store(a, R0, offsetof(struct news_poll, at), NOW);
	emit_copy_field(a, offsetof(struct news_poll, key), FIELD(other_key));
	asm_load(a, R1, BPF_REG_10, -16);
	asm_store(a, R0, offsetof(struct news_poll, sp), R1);
	asm_load(a, R1, BPF_REG_10, -24);
	asm_store(a, R0, offsetof(struct news_poll, ip), R1);
	emit_submit(a);
	asm_place(a, full);
}

void emit_leave_if_exiting(struct assembler *a, const struct program_maps *maps,
			   const struct kernel_types *types, int out)
{
	enum { EXITING = 0x4 }; /* PF_EXITING */
	int lives = asm_label(a), left = asm_label(a);

	asm_alu_imm(a, BPF_AND, R1, EXITING);
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, lives);
	/* What never polled is no loop. */
	asm_load(a, R1, SLOT, FIELD(key));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, left);
	emit_read_clock(a);
	emit_turn_ends(a, maps, types);
	asm_place(a, left);
	asm_store_imm(a, SLOT, FIELD(turn_start), 0);
	asm_store_imm(a, SLOT, FIELD(off_since), 0);
	asm_jump(a, out);
	asm_place(a, lives);
}

void emit_ask(struct assembler *a, const struct program_maps *maps)
{
	int no = asm_label(a);

	asm_load(a, R1, SLOT, FIELD(hooked_since));
	asm_jump_if_imm(a, BPF_JNE, R1, 0, no);
	asm_load32(a, R1, SLOT, FIELD(asked));
	asm_jump_if_imm(a, BPF_JNE, R1, 0, no);
	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_load(a, R2, SLOT, FIELD(ask_after));
	asm_jump_if_imm(a, BPF_JEQ, R2, 0, no);
	asm_alu(a, BPF_ADD, R1, R2);
	asm_jump_if(a, BPF_JLE, NOW, R1, no);
	emit_reserve(a, maps->asks, NEWS_UNSEEN, sizeof(struct news_listen), FIELD(lost_other), no);
	asm_store(a, R0, offsetof(struct news_listen, at), NOW);
	emit_submit(a);
	asm_store32_imm(a, SLOT, FIELD(asked), 1);
	asm_place(a, no);
}
