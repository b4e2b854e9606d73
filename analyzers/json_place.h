#ifndef LAGPROF_ANALYZERS_JSON_PLACE_H
#define LAGPROF_ANALYZERS_JSON_PLACE_H

#include <stddef.h>

/*
 * Where things are in a JSON text, which a parsed value no longer says.  The
 * text must be well-formed and NUL-terminated; `at` points to a value in it.
 */

/* The value, or with key the name, of a member of the object; at itself if there is none. */
const char *json_place_member(const char *at, const char *name, int key);
/* The element of the array; at itself if it has fewer. */
const char *json_place_element(const char *at, size_t index);
/* 1-based, in bytes. */
void json_place_line(const char *text, const char *at, int *line, int *column);

#endif
