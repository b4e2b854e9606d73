#ifndef LAGPROF_ANALYZERS_REGEX_SUBJECT_H
#define LAGPROF_ANALYZERS_REGEX_SUBJECT_H

#include "analyzers/regex/regex.h"

/*
 * Text as the units that an engine works on: bytes (max_char 0xff), UTF-16
 * code units (0xffff) or code points (0x10ffff).
 */
struct subject {
	uint32_t *units;
	uint32_t n;
	uint32_t *offsets; /* byte of the text where each unit begins, n + 1 of them */
};

/* Decodes UTF-8, surrogates included; bytes that are none stand for themselves. */
struct subject subject_decode(const char *text, size_t len, uint32_t max_char, struct arena *a);
/* The other way; surrogates that stand alone are written as if they were characters. */
struct regex_text subject_encode(const uint32_t *units, uint32_t n, uint32_t max_char,
				 struct arena *a);

#endif
