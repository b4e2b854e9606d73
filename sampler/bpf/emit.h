#ifndef LAGPROF_SAMPLER_BPF_EMIT_H
#define LAGPROF_SAMPLER_BPF_EMIT_H

#include <stddef.h>

#include "sampler/bpf/programs.h"

/*
 * What the programs are put together from.  Conventions: r6 context, r7 now
 * (or the thread id before it), r8 the slot, r9 the slot's number, or a record
 * under construction; r0-r5 are lost in each of these unless it says otherwise.
 */
enum { CTX = BPF_REG_6, NOW = BPF_REG_7, SLOT = BPF_REG_8, INDEX = BPF_REG_9, RECORD = INDEX };
enum { R0 = BPF_REG_0, R1, R2, R3, R4, R5 };

/* Arguments of the programs on raw sys_enter and on sched_switch. */
enum { REGS = 0, NUMBER = 8 };
enum { PREEMPTED = 0, PREV = 8, NEXT = 16, PREV_STATE = 24 };

#define FIELD(name) ((int)offsetof(struct loop_slot, name))

/* SLOT and INDEX = the slot of the thread in NOW; jumps to `none` if it has none. */
void emit_find_slot(struct assembler *a, const struct program_maps *maps, int none);
/* NOW = the id of the thread that runs (shift 0) or of its process (32). */
void emit_current_id(struct assembler *a, int shift);
/* NOW = CLOCK_MONOTONIC in ns. */
void emit_read_clock(struct assembler *a);
/* NOW = the time in reg, if that is later: two clocks may be a little apart. */
void emit_not_before(struct assembler *a, int reg);
/*
 * slot->field += reg; only scratch is lost.  Only the loop's own thread writes
 * it, so no atomic is needed.
 */
void emit_add_field(struct assembler *a, int field, int reg, int scratch);
/* slot->field += 1; only r5 is lost. */
void emit_count_field(struct assembler *a, int field);
/* R0 = a record of the ring, its type and tid filled in; counts it in `lost` and jumps if full. */
void emit_reserve(struct assembler *a, int ring, int type, int size, int lost, int full);
/* Hands over the record in R0. */
void emit_submit(struct assembler *a);
/* record->(offset) = slot->field, for the record in R0; only r1 is lost. */
void emit_copy_field(struct assembler *a, int record_offset, int field);
/* Reads 8 bytes at R3 into the stack's top slot and R1; 0 if that fails. */
void emit_read_kernel_u64(struct assembler *a);
/* R1 = a user register of the thread that runs, by its offset in struct pt_regs; 0 if that fails.
 */
void emit_read_register(struct assembler *a, size_t offset);
/*
 * Copies registers and stack of the thread that goes to sleep (NEWS_STACK, on
 * sched_switch) or makes a system call (NEWS_CALL, on raw sys_enter) at NOW.
 */
void emit_take_stack(struct assembler *a, const struct program_maps *maps, enum news_type type,
		     int out);
/* A turn begins at NOW: nothing of it was spent off the CPU yet. */
void emit_begin_turn(struct assembler *a);
/* The turn in hand, if there is one, ends at NOW: counts it, reports it if it was long. */
void emit_turn_ends(struct assembler *a, const struct program_maps *maps,
		    const struct kernel_types *types);
/* The loop polls, at NOW: its turn ends, and the next begins unless the poll sleeps. */
void emit_turn_over(struct assembler *a, const struct program_maps *maps,
		    const struct kernel_types *types);
/* R1 = the key of a poll on the descriptor in R1; only r4 is lost. */
void emit_key_of_descriptor(struct assembler *a, uint64_t class);
/* Reports the poll at NOW: its key is in slot->other_key, its stack pointer in R1, its rip in R2.
 */
void emit_report_other(struct assembler *a, const struct program_maps *maps);
/*
 * Jumps if the task_struct flags in R1 say that the thread ends, which ends its turn: what the
 * kernel still does for it is none.
 */
void emit_leave_if_exiting(struct assembler *a, const struct program_maps *maps,
			   const struct kernel_types *types, int out);
/* Asks user space for a hook, once a turn, if polls have gone unseen for too long at NOW. */
void emit_ask(struct assembler *a, const struct program_maps *maps);

#endif
