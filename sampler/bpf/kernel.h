#ifndef LAGPROF_SAMPLER_BPF_KERNEL_H
#define LAGPROF_SAMPLER_BPF_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"
#include "sampler/bpf/assembler.h"

/*
 * What the programs ask of the kernel: bpf(2) objects and a few facts from
 * the kernel's type information.  Every object is a file
 * descriptor (close-on-exec): closing them, or dying, removes everything.
 */

/* An array map of one value of `size` bytes that user space can mmap; its fd or -errno. */
int kernel_create_value_map(const char *name, size_t size, struct error *err);
/* size: a power of two, at least a page; its fd or -errno. */
int kernel_create_ringbuf(const char *name, size_t size, struct error *err);
/* Where a BPF_PROG_TYPE_TRACING program goes: the id of a type or function of the kernel's. */
struct attach_point {
	enum bpf_attach_type type;
	uint32_t id;
};
/* at: NULL for other types of program.  Its fd or -errno. */
int kernel_load_program(const char *name, enum bpf_prog_type type, const struct attach_point *at,
			struct assembler *a, struct error *err);
/* Attaches a loaded tracing program: the link's fd or -errno. */
int kernel_attach_tracing(int prog_fd, struct error *err);

/*
 * Tracefs, only to read tracepoint ids; where it is not mounted, a mount that
 * nobody else sees.  Its fd or -errno.
 */
int kernel_open_tracefs(void);
/* The id of "syscalls/sys_enter_poll", or -errno. */
int kernel_tracepoint_id(int tracefs, const char *event);

/* Byte offsets and ids of this kernel, from /sys/kernel/btf/vmlinux. */
struct kernel_types {
	uint32_t sched_switch_id; /* type ids of btf_trace_sched_switch, btf_trace_sys_enter */
	uint32_t sys_enter_id;
	uint32_t local_timer_id;   /* of btf_trace_local_timer_entry; 0: there is none (not x86) */
	uint32_t task_iterator_id; /* of the function bpf_iter_task; 0: there is none */
	int sched_switch_args;     /* 3: preempt, prev, next; 4 since Linux 5.18: and prev_state */
	int task_pid;              /* offsets in task_struct */
	int task_state;
	int task_flags;
	int task_run_delay; /* sched_info.run_delay; -1 if not kept */
	int clock_path[3];  /* offsets: se.cfs_rq, in it rq, in that clock; -1: there is none */
};
int kernel_read_types(struct kernel_types *types, struct error *err);

/* lagprof's thread ids are not the kernel's own: it runs in a pid namespace. */
bool kernel_is_in_namespace(void);
/* What the kernel calls the thread that is tid here, or -errno.  Needs Linux 6.1. */
int kernel_thread_id(const struct kernel_types *types, pid_t tid, struct error *err);

#endif
