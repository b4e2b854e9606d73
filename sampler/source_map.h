#ifndef LAGPROF_SAMPLER_SOURCE_MAP_H
#define LAGPROF_SAMPLER_SOURCE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct recording;
struct script_lines;

/*
 * Source maps (version 3): from places in generated JavaScript to the
 * TypeScript, JSX or unbundled source it was made from.  All of it is hostile.
 */
struct source_map;

struct source_place {
	const char *source; /* as the map has it, its root put before; lives as long as the map */
	uint32_t line, column; /* 1-based */
};

/* NULL if the text is no map of version 3, or too large a one. */
struct source_map *source_map_parse(const char *json, size_t len);
void source_map_free(struct source_map *map);
/*
 * Where a place (1-based) of the generated code comes from.  column 0: the first
 * place of the line that comes from anywhere, unless the code is minified.  False
 * if it comes from nowhere.
 */
bool source_map_find(const struct source_map *map, uint32_t line, uint32_t column,
		     struct source_place *out);

/*
 * What a script's last sourceMappingURL comment says, as a malloc'ed string;
 * NULL if it has none.
 */
char *source_map_url(const char *script, size_t len);
/* The contents of a data: URL, malloc'ed and NUL-terminated; NULL if it is none. */
char *source_map_data(const char *url, size_t *len);
/*
 * A name relative to the folder of the file `base`: malloc'ed, without "." and
 * "..".  Absolute names and URLs come out as they are, file: URLs as paths.
 */
char *source_map_join(const char *base, const char *name);
/*
 * Where in its project a bundler's name has the file: "./src/a.ts" of "webpack://shop/./src/a.ts";
 * NULL: it is no such name.
 */
const char *source_in_project(const char *name);

/*
 * Has a script, as the target ran it, the lines of the text of its file?  More behind
 * the last one are let pass: node itself puts a comment there.
 */
bool source_has_lines(const struct script_lines *script, const char *text, size_t len);
/*
 * Once per recording, when it is finished: with `maps` puts the places of the source in the
 * stead of those of generated code, for scripts with a map of their own, in the file or beside
 * it, in the target's root if it still lives (pid; 0: in ours).  A script that a loader made
 * of its file without leaving a map is told from the file by its name.
 */
void source_maps_apply(struct recording *rec, pid_t pid, bool maps);

#endif
