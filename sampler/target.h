#ifndef LAGPROF_SAMPLER_TARGET_H
#define LAGPROF_SAMPLER_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/error.h"
#include "core/recording.h"

/*
 * The profiled process.  A pidfd is opened first and everything read
 * afterwards is trusted only while it says that the process still lives: pids
 * are reused, start times are not identity.
 */
struct target {
	pid_t pid;
	int pidfd;  /* readable once it has ended */
	int procfd; /* its /proc folder */
	bool child; /* launched by us: its exit status is ours to collect */
	bool reaped;
	int status;          /* wait(2) status once reaped, -1 before and for others */
	int gate;            /* launched and not yet released: closing it lets it exec */
	const char *command; /* launched: the program, as the user named it */
	int failure;         /* its exec's errno comes through here, or end of file */
};

/*
 * Forks; the child waits before its exec until target_release().  It gets
 * lagprof's own signal mask and dispositions as they were given in `mask`,
 * its standard descriptors, process group and terminal.  "NAME=VALUE\0"s that are
 * written to t->gate before that, no more than a pipe takes at once, are put into its
 * environment.
 */
int target_launch(struct target *t, char **argv, const void *mask, struct error *err);
/* Lets it exec.  -ENOENT, -EACCES…: the exec failed, err says why. */
int target_release(struct target *t, char **argv, struct error *err);
/* An existing process: -ESRCH, -EPERM, or -ENOTSUP for a kernel thread, a zombie or ourselves. */
int target_attach(struct target *t, pid_t pid, struct error *err);
/*
 * Does the kernel refuse to let us look into it?  That may begin later: when it runs a
 * set-user-ID program, or asks for it itself.
 */
bool target_denies(const struct target *t);
/* Says why, and what mends it: -EPERM. */
int target_explain_denial(const struct target *t, struct error *err);
bool target_alive(const struct target *t);
/* Collects the exit status if it has ended; true then.  Never waits. */
bool target_reap(struct target *t);
void target_close(struct target *t);

/* Reads argv, exe, thread count into info, which is of rec (again after an exec). */
void target_describe(const struct target *t, struct recording *rec, struct target_info *info);
/* Up to max ids of its children; how many there are, 0 where the kernel does not tell. */
size_t target_children(const struct target *t, pid_t *pids, size_t max);
/* The same of those that one thread started. */
size_t target_thread_children(const struct target *t, pid_t tid, pid_t *pids, size_t max);

/* The state of one thread, from /proc/PID/task/TID. */
struct thread_state {
	char state;               /* of its stat file: R S D T t Z X */
	int syscall;              /* number it is blocked in; -1: running or unknown */
	uint64_t args[6], sp, pc; /* valid when syscall >= 0 */
	char name[16];
};
bool thread_look(const struct target *t, pid_t tid, struct thread_state *out);
/* ns it has run and has waited for a CPU since it exists; false if that cannot be read. */
bool thread_schedstat(const struct target *t, pid_t tid, nsec *ran, nsec *waited);
/* The same of the main thread of any process. */
bool process_schedstat(pid_t pid, nsec *ran, nsec *waited);
/* A file in the folder dir as text, cut to size - 1 bytes; bytes read, or -1. */
ssize_t proc_read(int dir, const char *name, char *buf, size_t size);
/* In a stat file's text, what follows "pid (name) ": the state, then numbers; NULL: it is none. */
char *proc_stat_state(char *text);
/* The same of /proc/PID. */
ssize_t target_read(const struct target *t, const char *name, char *buf, size_t size);
/* Up to max thread ids; how many there are. */
size_t target_threads(const struct target *t, pid_t *tids, size_t max);
/* Is descriptor fd an epoll or io_uring instance? */
bool target_fd_polls(const struct target *t, int fd);

#endif
