#ifndef LAGPROF_ANALYZERS_REGEX_UNICODE_DATA_H
#define LAGPROF_ANALYZERS_REGEX_UNICODE_DATA_H

#include <stddef.h>
#include <stdint.h>

/* The generated tables behind unicode.c. */
enum unicode_kind {
	UNICODE_BINARY,
	UNICODE_GENERAL_CATEGORY,
	UNICODE_SCRIPT,
	UNICODE_SCRIPT_EXTENSIONS,
};

/* A name or alias of a property, in no useful order. */
struct unicode_row {
	enum unicode_kind kind;
	const char *name;
	uint32_t offset, n; /* n ranges from unicode_ranges[offset] */
};

/* Ranges as pairs of varints: distance from the last range's end, length less one. */
extern const unsigned char unicode_ranges[];
extern const struct unicode_row unicode_rows[];
extern const size_t unicode_rows_n;

/* Characters that differ only in case form a cycle through next; sorted by code. */
struct case_link {
	uint32_t code, next;
};

extern const struct case_link case_legacy[], case_unicode[];
extern const size_t case_legacy_n, case_unicode_n;

#endif
