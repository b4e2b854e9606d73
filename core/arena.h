#ifndef LAGPROF_CORE_ARENA_H
#define LAGPROF_CORE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/*
 * Memory that is freed all at once, and growing arrays.  Exhaustion aborts the
 * process: no caller checks for NULL.
 */
struct arena {
	struct arena_block *blocks; /* newest first; NULL when empty */
	size_t bytes;               /* handed out so far */
};

/* Zeroed memory, aligned to 16, that lives until arena_free(). */
void *arena_alloc(struct arena *a, size_t size);
/* A copy of the first len bytes of s, NUL-terminated. */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a);

/* malloc family that aborts instead of returning NULL. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);

/*
 * Makes room for one more element in a malloc'ed array that holds n elements:
 * ARRAY_GROW(v, n, cap) before v[n++] = x.
 */
#define ARRAY_GROW(v, n, cap) \
	((n) < (cap) ? (void)0 : (void)((v) = array_grow((v), &(cap), sizeof(*(v)))))
/* cap must be size_t.  Doubles it (at least 16) and reallocates. */
void *array_grow(void *v, size_t *cap, size_t size);

#endif
