#ifndef LAGPROF_SAMPLER_CALL_PATH_H
#define LAGPROF_SAMPLER_CALL_PATH_H

#include "sampler/space.h"
#include "sampler/unwind.h"

/*
 * The file name that a system call was given (open, stat, rename…), by the registers of a thread
 * that is in it.
 */
struct call_path {
	char text[4096]; /* as the program gave it: it may be relative; cut where it is longer */
	/*
	 * Nobody can have changed it since the sample: it lies in the bytes copied with that, or
	 * in a file that is mapped to be read.  Else it is the call's only if the thread is
	 * still in there after it was read.
	 */
	bool sure;
};

/*
 * mem shows the stack as it was sampled.  kernel: a function of the kernel that is on the stack,
 * by whose name the call is known (NULL: none; else by the instructions before it).  False: it is
 * in no such call, or the name cannot be read or is empty.
 */
bool call_path_read(struct space *space, struct memory *mem, const struct regs *regs,
		    const char *kernel, struct call_path *out);
/* Is it the kernel's function of a call that takes a file name? */
bool call_path_is_call(const char *kernel);

#endif
