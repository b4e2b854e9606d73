#include <asm/ptrace.h>
#include <sys/syscall.h>

#include "sampler/bpf/emit.h"

/*
 * The program on context switches.  It runs at each of the machine's, so a thread that nobody
 * follows must cost next to nothing: one cache line, of the CPU's own, says so.
 */

/* Places on the program's stack: slot_cpu.members; the CPU's struct slot_cpu; for its clock; of a
 * poll. */
enum { MEMBERS = -32, CPU = -40, ELAPSED = -48, POLL_SP = -56, POLL_IP = -64 };

/*
 * NOW = CLOCK_MONOTONIC in ns, by the clock that the scheduler has read for this switch: reading
 * one once more is the dearest part of this program.  How far the two are apart is looked at each
 * millisecond.  The scheduler's may be old by then, which makes the distance too great; so it
 * grows only as fast as one clock is ever steered away from the other.
 */
static void read_clock(struct assembler *a, const struct kernel_types *types)
{
	enum { LOOK_EACH = 1000000, TOO_LONG_AGO = 1000000000, STEERED_SHIFT = 9 };
	int known = asm_label(a), take = asm_label(a);

	if (types->clock_path[0] < 0) {
		emit_read_clock(a);
		return;
	}
	asm_load(a, NOW, CTX, NEXT);
	for (int i = 0; i < 3; i++)
		asm_load(a, NOW, NOW, types->clock_path[i]);
	asm_load(a, R1, BPF_REG_10, CPU);
	asm_load(a, R2, R1, offsetof(struct slot_cpu, looked_at));
	asm_mov(a, R3, NOW);
	asm_alu(a, BPF_SUB, R3, R2);
	asm_load(a, R2, R1, offsetof(struct slot_cpu, ahead));
	asm_jump_if_imm(a, BPF_JLT, R3, LOOK_EACH, known);
	asm_store(a, R1, offsetof(struct slot_cpu, looked_at), NOW);
	asm_store(a, BPF_REG_10, ELAPSED, R3);
	asm_call(a, BPF_FUNC_ktime_get_ns);
	asm_alu(a, BPF_SUB, R0, NOW);
	asm_load(a, R1, BPF_REG_10, CPU);
	asm_load(a, R2, R1, offsetof(struct slot_cpu, ahead));
	asm_load(a, R3, BPF_REG_10, ELAPSED);
	asm_jump_if_imm(a, BPF_JGT, R3, TOO_LONG_AGO, take);
	asm_alu_imm(a, BPF_RSH, R3, STEERED_SHIFT);
	asm_alu(a, BPF_ADD, R2, R3);
	asm_jump_if(a, BPF_JSLE, R2, R0, known);
	asm_place(a, take);
	asm_mov(a, R2, R0);
	asm_place(a, known);
	asm_store(a, R1, offsetof(struct slot_cpu, ahead), R2);
	asm_alu(a, BPF_ADD, NOW, R2);
}

/* Jumps to `runnable` or `stopped` unless the thread in `prev` leaves the CPU to sleep. */
static void why_out(struct assembler *a, const struct kernel_types *types, int runnable,
		    int stopped)
{
	enum { STOPPED_OR_TRACED = 0x4 | 0x8 };

	asm_load(a, R1, CTX, PREEMPTED);
	asm_jump_if_imm(a, BPF_JNE, R1, 0, runnable);
	if (types->sched_switch_args >= 4) {
		asm_load(a, R1, CTX, PREV_STATE);
	} else {
		asm_load(a, R1, CTX, PREV);
		asm_load32(a, R1, R1, types->task_state);
	}
	asm_alu_imm(a, BPF_LSH, R1, 32);
	asm_alu_imm(a, BPF_RSH, R1, 32);
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, runnable); /* yielded */
	asm_jump_if_imm(a, BPF_JSET, R1, STOPPED_OR_TRACED, stopped);
}

/* R0 = the registers of the thread that leaves, R1 = the number of its system call. */
static void call_of_prev(struct assembler *a)
{
	asm_load(a, R1, CTX, PREV);
	asm_call(a, BPF_FUNC_task_pt_regs);
	asm_load(a, R1, R0, offsetof(struct pt_regs, orig_rax));
	asm_alu_imm(a, BPF_LSH, R1, 32);
	asm_alu_imm(a, BPF_RSH, R1, 32);
}

/*
 * R1 = the key of the poll R1 with registers R0; jumps to `nested` if the call
 * is none, or does not wait.  R5 = its number.
 */
static void key_of_sleep(struct assembler *a, int nested)
{
	int descriptor = asm_label(a), io_uring = asm_label(a), by_stack = asm_label(a);
	int done = asm_label(a);

	asm_mov(a, R5, R1);
	for (const struct poll_syscall *call = poll_syscalls; call->name; call++)
		asm_jump_if_imm(a, BPF_JEQ, R1, call->number,
				call->wait_argument >= 0 ? io_uring
				: call->key_class        ? descriptor
							 : by_stack);
	/* poll(2) goes on under this number after a stop and continue. */
	asm_jump_if_imm(a, BPF_JNE, R1, SYS_restart_syscall, nested);
	asm_mov_imm(a, R5, SYS_poll);
	asm_place(a, by_stack);
	asm_load(a, R1, SLOT, FIELD(key));
	asm_jump_if_imm(a, BPF_JEQ, R1, (int32_t)POLL_KEY_ANY_POLL, done);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rsp));
	asm_jump(a, done);
	asm_place(a, io_uring);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rdx)); /* min_complete */
	asm_alu_imm(a, BPF_LSH, R1, 32);
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, nested);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rdi));
	emit_key_of_descriptor(a, POLL_KEY_IO_URING);
	asm_jump(a, done);
	asm_place(a, descriptor);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rdi));
	emit_key_of_descriptor(a, POLL_KEY_EPOLL);
	asm_place(a, done);
}

/* Reports a sleep in a poll that is not the loop's; takes it for the loop's if none is known. */
static void other_poll(struct assembler *a, const struct program_maps *maps,
		       const struct kernel_types *types, int nested)
{
	asm_store(a, SLOT, FIELD(other_key), R1);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rsp));
	asm_store(a, BPF_REG_10, POLL_SP, R1);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rip));
	asm_store(a, BPF_REG_10, POLL_IP, R1);
	read_clock(a, types);
	asm_load(a, R1, BPF_REG_10, POLL_SP);
	asm_load(a, R2, BPF_REG_10, POLL_IP);
	emit_report_other(a, maps);
	asm_load(a, R2, SLOT, FIELD(key));
	asm_jump_if_imm(a, BPF_JNE, R2, 0, nested);
	asm_load(a, R1, SLOT, FIELD(other_key));
	asm_store(a, SLOT, FIELD(key), R1);
}

/* R0 = its registers, R5 = its number: the loop sleeps in its poll, which no hook has said. */
static void poll_sleeps(struct assembler *a, const struct program_maps *maps,
			const struct kernel_types *types, int polling)
{
	enum { ENTRY_TO_SLEEP = 20000 };
	int same = asm_label(a), ends = asm_label(a);

	asm_store32(a, SLOT, FIELD(poll_number), R5);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rip));
	asm_load(a, R2, SLOT, FIELD(poll_ip));
	asm_jump_if(a, BPF_JEQ, R1, R2, same);
	asm_store(a, SLOT, FIELD(poll_ip), R1);
	asm_store_imm(a, SLOT, FIELD(hooked_since), 0);
	asm_place(a, same);
	read_clock(a, types);
	asm_load32(a, R1, SLOT, FIELD(entered));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, ends);
	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_alu_imm(a, BPF_ADD, R1, ENTRY_TO_SLEEP);
	asm_jump_if(a, BPF_JLT, NOW, R1, polling);
	asm_place(a, ends);
	emit_turn_ends(a, maps, types);
	asm_store(a, SLOT, FIELD(turn_start), NOW);
}

/*
 * R1 = the number of the system call the thread sleeps in; jumps to `polling`
 * if that is the loop's own poll.  R0 = its registers.
 */
static void sleeping_call(struct assembler *a, const struct program_maps *maps,
			  const struct kernel_types *types, int polling)
{
	int nested = asm_label(a), hooked = asm_label(a), other = asm_label(a);
	int mine = asm_label(a), done = asm_label(a);

	call_of_prev(a);
	asm_load32(a, R2, SLOT, FIELD(hooked));
	asm_jump_if_imm(a, BPF_JNE, R2, 0, hooked);
	key_of_sleep(a, other);
	asm_load(a, R2, SLOT, FIELD(key));
	asm_jump_if(a, BPF_JEQ, R1, R2, mine);
	other_poll(a, maps, types, other);
	call_of_prev(a);
	asm_mov(a, R5, R1);
	asm_place(a, mine);
	poll_sleeps(a, maps, types, polling);
	asm_jump(a, polling);
	asm_place(a, other);
	call_of_prev(a);
	asm_jump(a, done);

	asm_place(a, hooked);
	asm_load(a, R2, SLOT, FIELD(other_at));
	asm_jump_if_imm(a, BPF_JNE, R2, 0, nested);
	asm_load32(a, R2, SLOT, FIELD(poll_number));
	asm_jump_if(a, BPF_JEQ, R1, R2, polling);
	/* poll(2) goes on under this number after a stop and continue. */
	asm_jump_if_imm(a, BPF_JNE, R2, SYS_poll, nested);
	asm_jump_if_imm(a, BPF_JEQ, R1, SYS_restart_syscall, polling);
	asm_place(a, nested);
	asm_place(a, done);
}

/* Remembers the call in R1 with registers R0. */
static void note_sleep(struct assembler *a)
{
	asm_store32(a, SLOT, FIELD(off_syscall), R1);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rdi));
	asm_store(a, SLOT, FIELD(off_args), R1);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rsi));
	asm_store(a, SLOT, FIELD(off_args) + 8, R1);
	asm_load(a, R1, R0, offsetof(struct pt_regs, rdx));
	asm_store(a, SLOT, FIELD(off_args) + 16, R1);
}

/* Stacks of sleeps: one a millisecond in the long run, 64 at once; else jumps. */
static void within_budget(struct assembler *a, int enough)
{
	const int32_t ms = 1000000, burst = 63;
	int refilled = asm_label(a);

	asm_load(a, R1, SLOT, FIELD(sample_at));
	asm_jump_if(a, BPF_JGE, R1, NOW, refilled);
	asm_mov(a, R1, NOW);
	asm_place(a, refilled);
	asm_mov(a, R2, NOW);
	asm_alu_imm(a, BPF_ADD, R2, burst * ms);
	asm_jump_if(a, BPF_JGT, R1, R2, enough);
	asm_alu_imm(a, BPF_ADD, R1, ms);
	asm_store(a, SLOT, FIELD(sample_at), R1);
}

/* Keeps run_delay as it is before the turn's first wait, to subtract it at the end. */
static void keep_delay(struct assembler *a, const struct kernel_types *types)
{
	int known = asm_label(a);

	if (types->task_run_delay < 0)
		return;
	asm_load32(a, R1, SLOT, FIELD(delay_valid));
	asm_jump_if_imm(a, BPF_JNE, R1, 0, known);
	asm_load(a, R1, CTX, PREV);
	asm_load(a, R1, R1, types->task_run_delay);
	asm_store(a, SLOT, FIELD(delay_base), R1);
	asm_store32_imm(a, SLOT, FIELD(delay_valid), 1);
	asm_place(a, known);
}

static void leave_cpu(struct assembler *a, const struct kernel_types *types, int state)
{
	asm_store32_imm(a, SLOT, FIELD(off_state), state);
	read_clock(a, types);
	asm_store(a, SLOT, FIELD(off_since), NOW);
	keep_delay(a, types);
}

/* R1 = what is known of the CPU whose number is in R0; keeps R2-R5. */
static void cpu_of(struct assembler *a, const struct program_maps *maps)
{
	asm_alu_imm(a, BPF_AND, R0, SLOT_CPUS - 1);
	asm_alu_imm(a, BPF_LSH, R0, SLOT_CPU_SHIFT);
	asm_map_value(a, R1, maps->hists, offsetof(struct slot_hists, cpus));
	asm_alu(a, BPF_ADD, R1, R0);
}

/* On a switch of the CPU in R1, if a loop waits for it: how long the thread in `prev` ran.  Keeps
 * R1. */
static void count_wait(struct assembler *a, const struct kernel_types *types)
{
	int out = asm_label(a), shorter = asm_label(a);

	asm_load(a, R2, R1, offsetof(struct slot_cpu, since));
	asm_jump_if_imm(a, BPF_JEQ, R2, 0, out);
	asm_mov(a, RECORD, R1);
	read_clock(a, types);
	asm_load(a, R2, RECORD, offsetof(struct slot_cpu, since));
	emit_not_before(a, R2);
	asm_store(a, RECORD, offsetof(struct slot_cpu, since), NOW);
	asm_alu(a, BPF_SUB, NOW, R2);
	asm_load(a, R2, RECORD, offsetof(struct slot_cpu, longest));
	asm_jump_if(a, BPF_JLE, NOW, R2, shorter);
	asm_store(a, RECORD, offsetof(struct slot_cpu, longest), NOW);
	asm_load(a, R1, CTX, PREV);
	asm_load32(a, R1, R1, types->task_pid);
	asm_store(a, RECORD, offsetof(struct slot_cpu, by), R1);
	asm_place(a, shorter);
	asm_mov(a, R1, RECORD);
	asm_place(a, out);
}

/* The loop lost its CPU at NOW; slot->off_args = the CPU's number. */
static void begin_wait(struct assembler *a, const struct program_maps *maps)
{
	asm_call(a, BPF_FUNC_get_smp_processor_id);
	asm_store(a, SLOT, FIELD(off_args), R0);
	cpu_of(a, maps);
	asm_store(a, R1, offsetof(struct slot_cpu, since), NOW);
	asm_store_imm(a, R1, offsetof(struct slot_cpu, longest), 0);
	asm_store_imm(a, R1, offsetof(struct slot_cpu, by), 0);
}

/* It is back, perhaps on another CPU; slot->off_args = who ran on the one it lost.  Keeps R2. */
static void end_wait(struct assembler *a, const struct program_maps *maps)
{
	asm_load(a, R0, SLOT, FIELD(off_args));
	cpu_of(a, maps);
	asm_store_imm(a, R1, offsetof(struct slot_cpu, since), 0);
	asm_load(a, R3, R1, offsetof(struct slot_cpu, by));
	asm_store(a, SLOT, FIELD(off_args), R3);
}

/* The thread in `prev` leaves the CPU, in a turn or for its poll. */
static void switch_out(struct assembler *a, const struct program_maps *maps,
		       const struct kernel_types *types, int out)
{
	int runnable = asm_label(a), stopped = asm_label(a), polling = asm_label(a);

	asm_load(a, R1, CTX, PREV);
	asm_load32(a, R1, R1, types->task_flags);
	emit_leave_if_exiting(a, maps, types, out);
	why_out(a, types, runnable, stopped);
	sleeping_call(a, maps, types, polling);
	note_sleep(a);
	leave_cpu(a, types, OFF_BLOCKED);
	emit_ask(a, maps);
	within_budget(a, out);
	emit_take_stack(a, maps, NEWS_STACK, out);
	asm_jump(a, out);
	/* The turn that began as the poll was entered was none; that spares a look at the clock. */
	asm_place(a, polling);
	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_store(a, SLOT, FIELD(poll_start), R1);
	asm_store_imm(a, SLOT, FIELD(turn_start), 0);
	asm_jump(a, out);
	asm_place(a, stopped);
	leave_cpu(a, types, OFF_STOPPED);
	asm_jump(a, out);
	asm_place(a, runnable);
	leave_cpu(a, types, OFF_RUNNABLE);
	begin_wait(a, maps);
}

/* The thread in `next` comes back to the CPU. */
static void switch_in(struct assembler *a, const struct program_maps *maps,
		      const struct kernel_types *types, int out)
{
	int not_stopped = asm_label(a), report = asm_label(a), done = asm_label(a);
	int in_turn = asm_label(a), slept = asm_label(a), by_length = asm_label(a);

	asm_load(a, R1, SLOT, FIELD(off_since));
	asm_jump_if_imm(a, BPF_JNE, R1, 0, in_turn);
	asm_load(a, R1, SLOT, FIELD(poll_start));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, out);
	/* The poll ends, or it sleeps again and switch_out() takes this back. */
	read_clock(a, types);
	asm_load(a, R1, SLOT, FIELD(poll_start));
	emit_not_before(a, R1);
	asm_mov(a, R2, NOW);
	asm_alu(a, BPF_SUB, R2, R1);
	emit_add_field(a, FIELD(polled), R2, R3);
	asm_store_imm(a, SLOT, FIELD(poll_start), 0);
	emit_begin_turn(a);
	asm_jump(a, out);

	asm_place(a, in_turn);
	read_clock(a, types);
	asm_load(a, R1, SLOT, FIELD(off_since));
	emit_not_before(a, R1);
	asm_mov(a, R2, NOW);
	asm_alu(a, BPF_SUB, R2, R1);
	emit_add_field(a, FIELD(off_time), R2, R3);
	asm_load32(a, R1, SLOT, FIELD(off_state));
	asm_jump_if_imm(a, BPF_JNE, R1, OFF_STOPPED, not_stopped);
	emit_add_field(a, FIELD(stopped_time), R2, R3);
	asm_place(a, not_stopped);
	asm_jump_if_imm(a, BPF_JNE, R1, OFF_RUNNABLE, slept);
	emit_add_field(a, FIELD(preempted_time), R2, R3);
	end_wait(a, maps);
	asm_jump(a, by_length);
	asm_place(a, slept);
	asm_load(a, R1, SLOT, FIELD(sampled));
	asm_jump_if_imm(a, BPF_JNE, R1, 0, report);
	asm_place(a, by_length);
	asm_jump_if_imm(a, BPF_JLT, R2, 1000000, done);
	asm_place(a, report);
	emit_reserve(a, maps->ring, NEWS_SLEEP, sizeof(struct news_sleep), FIELD(lost_other), done);
	emit_copy_field(a, offsetof(struct news_sleep, from), FIELD(off_since));
	asm_store(a, R0, offsetof(struct news_sleep, to), NOW);
	asm_load32(a, R1, SLOT, FIELD(off_state));
	asm_store32(a, R0, offsetof(struct news_sleep, state), R1);
	asm_load32(a, R1, SLOT, FIELD(off_syscall));
	asm_store32(a, R0, offsetof(struct news_sleep, syscall), R1);
	for (int i = 0; i < 3; i++)
		emit_copy_field(a, (int)offsetof(struct news_sleep, args) + 8 * i,
				FIELD(off_args) + 8 * i);
	asm_load(a, R1, SLOT, FIELD(sampled));
	asm_store(a, R0, offsetof(struct news_sleep, sampled), R1);
	emit_submit(a);
	asm_place(a, done);
	asm_store_imm(a, SLOT, FIELD(sampled), 0);
	asm_store_imm(a, SLOT, FIELD(off_since), 0);
	emit_ask(a, maps);
}

/* NOW = the id of the thread CTX[which]; jumps to `none` if it is surely not followed. */
static void thread_of(struct assembler *a, const struct kernel_types *types, int which, int none)
{
	asm_load(a, R1, CTX, which);
	asm_load32(a, NOW, R1, types->task_pid);
	asm_load(a, R2, BPF_REG_10, MEMBERS);
	asm_alu(a, BPF_RSH, R2, NOW);
	asm_alu_imm(a, BPF_AND, R2, 1);
	asm_jump_if_imm(a, BPF_JEQ, R2, 0, none);
}

void program_switch(struct assembler *a, const struct program_maps *maps,
		    const struct kernel_types *types)
{
	int next = asm_label(a), out = asm_label(a);

	asm_mov(a, CTX, R1);
	asm_call(a, BPF_FUNC_get_smp_processor_id);
	cpu_of(a, maps);
	asm_store(a, BPF_REG_10, CPU, R1);
	count_wait(a, types);
	asm_load(a, R1, R1, offsetof(struct slot_cpu, members));
	asm_store(a, BPF_REG_10, MEMBERS, R1);
	thread_of(a, types, PREV, next);
	emit_find_slot(a, maps, next);
	asm_load(a, R1, SLOT, FIELD(turn_start));
	asm_jump_if_imm(a, BPF_JEQ, R1, 0, next);
	switch_out(a, maps, types, next);
	asm_place(a, next);
	thread_of(a, types, NEXT, out);
	emit_find_slot(a, maps, out);
	switch_in(a, maps, types, out);
	asm_place(a, out);
	asm_exit(a, 0);
	asm_link(a);
}
