#ifndef LAGPROF_CLI_PID_H
#define LAGPROF_CLI_PID_H

#include <sys/types.h>

/* Reads a process id as the user wrote it: 0, or -EINVAL. */
int pid_parse(const char *text, pid_t *pid);

#endif
