#ifndef LAGPROF_CLI_BROWSER_H
#define LAGPROF_CLI_BROWSER_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Opens a file in $BROWSER or what xdg-open finds, in a process of its own that
 * outlives this one.  Under sudo, as whoever called it.  That no browser can be
 * started is said on standard error and is no failure.
 */
void browser_open(const char *path);

/* Under sudo: who called it.  False otherwise. */
bool invoking_user(uid_t *uid, gid_t *gid);

#endif
