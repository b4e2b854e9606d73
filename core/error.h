#ifndef LAGPROF_CORE_ERROR_H
#define LAGPROF_CORE_ERROR_H

/*
 * Why something failed, in words a user can act on.
 *
 * A function that can fail because of the outside world (the target, the
 * kernel, a file) takes a `struct error *` as its last parameter and returns
 * 0 or a negative errno.  The callee that first notices the failure writes the
 * message; callers add context with error_wrap() or pass it up untouched.
 * Only cli/ prints it.  Running out of memory is not an error: it aborts.
 */
struct error {
	int code;      /* negative errno, 0 while nothing has failed */
	char msg[400]; /* what failed and why, one line, no final dot or newline */
	char fix[240]; /* the command or knob that mends it, or "" */
};

/* Records the failure and returns code, so that `return error_set(...)` reads well.  Clears fix. */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds what mends it ("run: sudo sysctl ..."); returns err->code. */
int error_fix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the message already there; returns err->code. */
int error_wrap(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
