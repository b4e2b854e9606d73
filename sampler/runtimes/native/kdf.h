#ifndef LAGPROF_SAMPLER_NATIVE_KDF_H
#define LAGPROF_SAMPLER_NATIVE_KDF_H

#include "sampler/runtime.h"

enum { KDF_DIGEST = 32 };

/* What a key is derived with. */
struct kdf {
	size_t frame;             /* the call */
	int64_t iterations, cost; /* -1: not told */
	char digest[KDF_DIGEST];  /* "sha256"; "": not told */
};

/*
 * Since OpenSSL 3 PBKDF2 and scrypt are given what they need in an array of names and values
 * (OSSL_PARAM), which callers have on the stack: read from there.  False: neither runs, or there is
 * no such array.
 */
bool kdf_find(const struct raw_stack *stack, struct memory *mem, const struct frame *names,
	      struct kdf *out);

#endif
