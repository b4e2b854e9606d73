#ifndef LAGPROF_SAMPLER_REQUEST_H
#define LAGPROF_SAMPLER_REQUEST_H

#include "sampler/unwind.h"

/*
 * The request that a loop has in hand, out of the stack that works on it: the
 * frame that read from a connection is still there, and so is what it read.  A
 * turn of a timer has no such frame, so it is never given a request.  Costs the
 * target nothing: a stack that was sampled anyway is looked at.
 */
struct request {
	char text[256];    /* "GET /path" or "KEYS (1 argument)"; printable ASCII */
	double confidence; /* that this is the one, 0..1 */
	int fd;            /* descriptor of the connection, -1 unknown */
};

/*
 * names[i] is the name of stack->frames[i]; mem shows the stack as it was
 * sampled.  Without `queries`, what follows a '?' and arguments of commands are
 * left out.
 */
bool request_find(const struct raw_stack *stack, const struct frame *names, struct memory *mem,
		  bool queries, struct request *out);

/* The request line of HTTP/1 that bytes begin with: false if they do not. */
bool request_parse_http(const char *bytes, size_t len, bool queries, struct request *out);
/*
 * The command of Redis's protocol that ends `end` bytes after the first one of
 * the buffer: false if there is none, or what is before it is none.
 */
bool request_parse_resp(const char *bytes, size_t len, size_t end, bool queries,
			struct request *out);

#endif
