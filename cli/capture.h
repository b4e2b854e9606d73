#ifndef LAGPROF_CLI_CAPTURE_H
#define LAGPROF_CLI_CAPTURE_H

#include "core/error.h"

/*
 * Where a target that lagprof launches writes to while the live view has the
 * terminal: what of its standard output and error would go there goes to a
 * file, and it reads nothing from there.
 */
struct capture {
	char path[4200]; /* of the file; "": nothing is captured */
	int saved[3];    /* lagprof's own descriptors meanwhile; -1: not replaced */
};

/* Replaces descriptors 0 to 2 that are terminals, for a launch; a file beside `output` (NULL:
 * here). */
int capture_begin(struct capture *c, const char *output, struct error *err);
/* Gives lagprof its own back; the target keeps what it has. */
void capture_end(struct capture *c);
/* The file gets its name: beside the recording. */
void capture_name(struct capture *c, const char *recording);
/* There was no target. */
void capture_drop(struct capture *c);

#endif
