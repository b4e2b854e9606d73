#ifndef LAGPROF_SAMPLER_PERF_MAP_H
#define LAGPROF_SAMPLER_PERF_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/recording.h"

/*
 * The names that a JIT writes for perf(1) into /tmp/perf-PID.map (node
 * --perf-basic-prof, python -X perf, JVM agents): one "START SIZE name" line a
 * function, in hex.  The last resort, because anyone may have put the file
 * there and the names in it are anyone's text:
 *
 *  - it is looked for inside the target's root under the pid it has there, no
 *    link is followed, and it must be a regular file of the target's user or root;
 *  - at most 64 MiB, a million entries and 512 bytes of a name are taken;
 *  - an entry counts only if it lies inside the mapping of the address asked for.
 */
struct perf_map;

/* proc: /proc/PID, open as long as the map is; -1: never reads a file (perf_map_parse() only). */
struct perf_map *perf_map_new(int proc);
void perf_map_free(struct perf_map *map);

/* Adds the lines of a text; returns how many bytes were whole lines. */
size_t perf_map_parse(struct perf_map *map, const char *text, size_t len);

/*
 * The newest entry inside [start, end) that covers pc, or NULL; valid until the
 * next call.  Looks for new lines in the file when it has no answer, but at
 * most once a second.
 */
const char *perf_map_lookup(struct perf_map *map, uint64_t start, uint64_t end, uint64_t pc);

/*
 * Fills kind, function, file and define_line of a frame from a name as V8
 * ("JS:*login /app/server.js:33:20") and CPython ("py::login:/app/server.py") write
 * them; any other becomes the function of a FRAME_JIT.  Strings are interned in rec.
 */
void perf_map_frame(struct recording *rec, const char *name, struct frame *out);

/* The path of the map inside the target's root; false if that cannot be told. */
bool perf_map_path(int proc, char *path, size_t size, uid_t *owner);

#endif
