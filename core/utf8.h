#ifndef LAGPROF_CORE_UTF8_H
#define LAGPROF_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the code point at s[0..len), len >= 1: returns its length in bytes,
 * or 0 when the bytes are not well-formed UTF-8 (overlong forms, surrogates
 * and code points past U+10FFFF included).
 */
size_t utf8_decode(const char *s, size_t len, uint32_t *point);

/*
 * Writes a code point below 0x200000 to out, which has room for 4 bytes: returns how many it took.
 * Half a surrogate pair is written like any other: the bytes are not well-formed then.
 */
size_t utf8_encode(uint32_t point, char *out);

/* Would a terminal or browser act on it, reorder by it or show nothing? */
bool utf8_is_invisible(uint32_t point);

#endif
