#ifndef LAGPROF_SAMPLER_SYSCALL_ARGS_H
#define LAGPROF_SAMPLER_SYSCALL_ARGS_H

#include "sampler/probe.h"

/*
 * What the arguments of a system call in which a loop sleeps say: the file,
 * socket or pipe behind a descriptor, the other end of a connection, how long
 * it slept.  Looked up in /proc while the descriptor is most likely still open.
 */
struct syscall_args;

/* proc: /proc/PID of the target, stays the caller's.  rec outlives it. */
struct syscall_args *syscall_args_new(int proc, struct recording *rec);
void syscall_args_free(struct syscall_args *a);

enum { SYSCALL_ARGS_MAX = 3 };
/* Fills out with at most SYSCALL_ARGS_MAX arguments of the leaf frame; returns how many. */
size_t syscall_args_of(struct syscall_args *a, const struct sleep *sleep, struct argument *out);

/*
 * The remote address in a line of /proc/net/tcp or tcp6 ("127.0.0.1:5432",
 * "[::1]:5432"), if it is that of the socket and connected.  False otherwise.
 */
bool net_line_peer(const char *line, unsigned long inode, char *out, size_t size);

#endif
