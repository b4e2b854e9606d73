#include "sampler/runtimes/native/lookup.h"

#include <strings.h>

#include "sampler/runtimes/native/words.h"

enum {
	HEADER = 12,         /* bytes of a query before its question */
	SCAN_WORDS = 2048,   /* of stack that are searched */
	POINTERS_MAX = 1024, /* words that are followed */
};

/* What programs call; each has a host name for its first argument. */
static const char *const entries[] = {
	"getaddrinfo",     "gethostbyname",    "gethostbyname2",
	"gethostbyname_r", "gethostbyname2_r", "getaddrinfo_a",
};

static bool is_entry(const struct frame *f)
{
	if (f->kind != FRAME_NATIVE || !f->function)
		return false;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		if (strcmp(f->function, entries[i]) == 0)
			return true;
	return false;
}

/* The outermost of them: some are made of others. */
static ssize_t find_entry(const struct raw_stack *stack, const struct frame *names)
{
	size_t i = 0;

	while (i < stack->n && !is_entry(&names[i]))
		i++;
	while (i + 1 < stack->n && is_entry(&names[i + 1]))
		i++;
	return i < stack->n ? (ssize_t)i : -1;
}

static bool is_host_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* Labels with their lengths before them as "a.b.c"; returns the bytes they take, 0: no name. */
static size_t read_labels(const uint8_t *at, size_t left, char host[LOOKUP_NAME])
{
	size_t n = 0;

	for (size_t i = 0; i < left; i += 1 + at[i]) {
		if (at[i] == 0 && n > 0) {
			host[n - 1] = '\0';
			return i + 1;
		}
		if (at[i] == 0 || at[i] > 63 || at[i] >= left - i ||
		    n + at[i] + 1 > LOOKUP_NAME - 1)
			return 0;
		for (size_t k = 1; k <= at[i]; k++) {
			if (!is_host_byte(at[i + k]))
				return 0;
			host[n++] = (char)at[i + k];
		}
		host[n++] = '.';
	}
	return 0;
}

/* Are these bytes a query for the addresses of a host (RFC 1035, 4.1)? */
static bool read_query(const uint8_t *at, size_t left, char host[LOOKUP_NAME])
{
	/* After the id: recursion desired, perhaps authentic data and checking disabled; one
	 * question. */
	static const uint8_t fixed[] = { 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0 };
	enum { TYPE_A = 1, TYPE_AAAA = 28, CLASS_IN = 1 };
	size_t n;

	if (left < HEADER || at[2] != fixed[0] || (at[3] & ~0x30) != fixed[1] ||
	    memcmp(at + 4, fixed + 2, sizeof(fixed) - 2) != 0 || at[HEADER - 1] > 1)
		return false;
	n = read_labels(at + HEADER, left - HEADER, host);
	at += HEADER + n;
	return n && left - HEADER - n >= 4 && at[0] == 0 && at[2] == 0 && at[3] == CLASS_IN &&
	       (at[1] == TYPE_A || at[1] == TYPE_AAAA);
}

/* Who waits for the answer keeps a pointer to the query; bytes left of an earlier one have none. */
static bool is_pointed_to(const struct words *w, size_t to)
{
	for (size_t i = 0; i < to; i++)
		if (word_at(w, i) == w->addr + to * 8)
			return true;
	return false;
}

static bool find_query(const struct words *w, char host[LOOKUP_NAME])
{
	for (size_t i = 0; i < w->n; i++)
		if (read_query(w->bytes + i * 8, (w->n - i) * 8, host) && is_pointed_to(w, i))
			return true;
	return false;
}

/* The name that was asked for may be that of the host with a domain behind it. */
static void cut_domain(const struct words *w, struct memory *mem, char host[LOOKUP_NAME])
{
	size_t len = strlen(host), followed = 0;
	char text[LOOKUP_NAME + 1];

	for (size_t i = 0; i < w->n && followed < POINTERS_MAX; i++) {
		uint64_t word = word_at(w, i);
		ssize_t n;

		if (!word_is_pointer(word))
			continue;
		followed++;
		n = memory_read_string(mem, word, text, len + 1);
		if (n > 0 && (size_t)n < len && host[n] == '.' &&
		    strncasecmp(text, host, (size_t)n) == 0)
			host[len = (size_t)n] = '\0';
	}
}

ssize_t lookup_host(const struct raw_stack *stack, struct memory *mem, const struct frame *names,
		    char host[LOOKUP_NAME])
{
	ssize_t entry = find_entry(stack, names);
	struct words w;

	if (entry < 0 || !words_up_to(stack, mem, (size_t)entry, SCAN_WORDS, &w) ||
	    !find_query(&w, host))
		return -1;
	cut_domain(&w, mem, host);
	return entry;
}
