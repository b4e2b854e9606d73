#include "core/strings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Multiplies to 128 bits and folds: every input bit reaches every output bit. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_bytes(uint64_t seed, const void *data, size_t len)
{
	static const uint64_t k0 = 0x9e3779b97f4a7c15, k1 = 0xd6e8feb86659fd93;
	const unsigned char *p = data;
	uint64_t h = seed ^ k0, word;
	size_t left = len;

	for (; left >= 8; p += 8, left -= 8) {
		memcpy(&word, p, 8);
		h = mix(h ^ word, k1);
	}
	word = 0;
	if (left)
		memcpy(&word, p, left);
	return mix(h ^ word, k0 ^ len);
}

/* The set's own address seeds the hash, so that a target cannot make its names collide. */
static uint64_t hash_in(const struct strings *set, const char *s, size_t len)
{
	return hash_bytes((uintptr_t)set, s, len);
}

static void grow(struct strings *set)
{
	const char **old = set->slots;
	size_t old_cap = set->cap;

	set->cap = old_cap ? old_cap * 2 : 256;
	set->slots = xcalloc(set->cap, sizeof(*set->slots));
	for (size_t i = 0; i < old_cap; i++) {
		size_t at;

		if (!old[i])
			continue;
		at = hash_in(set, old[i], strlen(old[i])) & (set->cap - 1);
		while (set->slots[at])
			at = (at + 1) & (set->cap - 1);
		set->slots[at] = old[i];
	}
	free(old);
}

/* The slot that holds s, or the free one where it belongs; there must be a table. */
static const char **find(const struct strings *set, const char *s, size_t len)
{
	size_t at = hash_in(set, s, len) & (set->cap - 1);

	while (set->slots[at] &&
	       (strncmp(set->slots[at], s, len) != 0 || set->slots[at][len] != '\0'))
		at = (at + 1) & (set->cap - 1);
	return &set->slots[at];
}

const char *strings_find(const struct strings *set, const char *s)
{
	return set->cap ? *find(set, s, strlen(s)) : NULL;
}

const char *strings_intern_n(struct strings *set, struct arena *a, const char *s, size_t len)
{
	const char **slot;

	if (!s)
		return NULL;
	len = strnlen(s, len);
	if (set->n >= set->cap / 4 * 3)
		grow(set);
	slot = find(set, s, len);
	if (!*slot) {
		*slot = arena_strndup(a, s, len);
		set->n++;
	}
	return *slot;
}

const char *strings_intern(struct strings *set, struct arena *a, const char *s)
{
	return strings_intern_n(set, a, s, s ? strlen(s) : 0);
}

void strings_destroy(struct strings *set)
{
	free(set->slots);
	*set = (struct strings){ 0 };
}

static void reserve(struct strbuf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 64;

	while (cap - b->len <= more)
		cap *= 2;
	if (cap == b->cap)
		return;
	b->s = xrealloc(b->s, cap, 1);
	b->cap = cap;
}

void *strbuf_extend(struct strbuf *b, size_t len)
{
	reserve(b, len);
	b->len += len;
	b->s[b->len] = '\0';
	return b->s + b->len - len;
}

void strbuf_add(struct strbuf *b, const void *data, size_t len)
{
	void *room = strbuf_extend(b, len);

	if (len)
		memcpy(room, data, len);
}

void strbuf_puts(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	reserve(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void strbuf_destroy(struct strbuf *b)
{
	free(b->s);
	*b = (struct strbuf){ 0 };
}
