#include "sampler/runtimes/native/kdf.h"

#include <ctype.h>

#include "sampler/runtimes/native/words.h"

enum {
	SCAN_WORDS = 1024,
	PARAM_WORDS = 5, /* of a struct ossl_param_st: key, type, data, size, size returned */
	CALLERS = 3,     /* frames that are searched above who uses the array */
	NEIGHBOURS = 5,  /* elements of an array that may be before or behind the one found */
	KEY = 8,         /* bytes of the keys wanted, and NUL */
	TYPE_INTEGER = 1,
	TYPE_UNSIGNED = 2,
	TYPE_TEXT = 4,
};

/* Whose caller has the array, or one of theirs: compilers put these functions into each other. */
static const char *const derivers[] = { "kdf_pbkdf2_derive", "kdf_scrypt_derive", NULL };
/* Those that make it; where a library has lost the names of its own functions. */
static const char *const entries[] = { "PKCS5_PBKDF2_HMAC", "EVP_PBE_scrypt_ex", "EVP_PBE_scrypt",
				       NULL };

/* The outermost frame that is one of them (scrypt uses PBKDF2), or the number of frames. */
static size_t find_frame(const struct raw_stack *stack, const struct frame *names,
			 const char *const *wanted)
{
	for (size_t i = stack->n; i-- > 0;) {
		if (names[i].kind != FRAME_NATIVE || !names[i].function)
			continue;
		for (const char *const *name = wanted; *name; name++)
			if (strcmp(names[i].function, *name) == 0)
				return i;
	}
	return stack->n;
}

/* An element of the array, as far as it is one. */
struct param {
	char key[KEY];
	uint32_t type;
	uint64_t data, size;
};

static bool read_param(const struct words *w, struct memory *mem, size_t i, struct param *out)
{
	if (i >= w->n || w->n - i < PARAM_WORDS)
		return false;
	out->type = (uint32_t)word_at(w, i + 1); /* the rest is padding */
	out->data = word_at(w, i + 2);
	out->size = word_at(w, i + 3);
	return out->type >= TYPE_INTEGER && out->type <= 7 && word_is_pointer(word_at(w, i)) &&
	       memory_read_string(mem, word_at(w, i), out->key, KEY) > 0;
}

/* A number that the array points to; it lies on the stack as well. */
static bool read_number(const struct words *w, const struct param *p, int64_t *out)
{
	uint64_t offset = p->data - w->addr, value = 0;

	if ((p->type != TYPE_INTEGER && p->type != TYPE_UNSIGNED) ||
	    (p->size != 4 && p->size != 8) || offset >= w->n * 8 || p->size > w->n * 8 - offset)
		return false;
	memcpy(&value, w->bytes + offset, p->size);
	*out = (int64_t)value;
	return *out > 0;
}

/* OpenSSL says "SHA2-256" or "SHA256", its callers "sha256". */
static void read_digest(struct memory *mem, const struct param *p, char out[KDF_DIGEST])
{
	char name[KDF_DIGEST];
	size_t n = 0;

	if (p->type != TYPE_TEXT || memory_read_string(mem, p->data, name, sizeof(name)) <= 0)
		return;
	for (size_t i = 0; name[i]; i++) {
		if (!isgraph((unsigned char)name[i])) {
			n = 0;
			break;
		}
		out[n++] = (char)tolower((unsigned char)name[i]);
		if (n == 5 && memcmp(out, "sha2-", 5) == 0)
			n = 3;
	}
	out[n] = '\0';
}

static void find_digest(const struct words *w, struct memory *mem, size_t at, struct kdf *out)
{
	size_t reach = NEIGHBOURS * PARAM_WORDS, from = at % PARAM_WORDS;
	struct param p;

	if (at > reach)
		from = at - reach;
	for (size_t i = from; i <= at + reach && !out->digest[0]; i += PARAM_WORDS)
		if (read_param(w, mem, i, &p) && strcmp(p.key, "digest") == 0)
			read_digest(mem, &p, out->digest);
}

/* Is element i of an array that tells what is wanted? */
static bool take(const struct words *w, struct memory *mem, size_t i, struct kdf *out)
{
	struct param p;

	if (!read_param(w, mem, i, &p))
		return false;
	if (strcmp(p.key, "iter") == 0 && read_number(w, &p, &out->iterations)) {
		find_digest(w, mem, i, out);
		return true;
	}
	return strcmp(p.key, "n") == 0 && read_number(w, &p, &out->cost);
}

/* Nearest to who uses it: further away may be left what earlier calls had. */
static bool find_above(const struct raw_stack *stack, struct memory *mem, struct kdf *out)
{
	size_t last = out->frame + CALLERS, at;
	struct words w;

	if (out->frame + 1 >= stack->n)
		return false;
	if (last >= stack->n)
		last = stack->n - 1;
	if (!words_up_to(stack, mem, last, SCAN_WORDS, &w) ||
	    stack->frames[out->frame + 1].sp < w.addr)
		return false;
	at = (stack->frames[out->frame + 1].sp - w.addr) / 8;
	while (at < w.n && !take(&w, mem, at, out))
		at++;
	return at < w.n;
}

/* From the call's own frame down, for the same reason. */
static bool find_below(const struct raw_stack *stack, struct memory *mem, struct kdf *out)
{
	struct words w;

	if (!words_up_to(stack, mem, out->frame, SCAN_WORDS, &w))
		return false;
	for (size_t i = w.n; i-- > 0;)
		if (take(&w, mem, i, out))
			return true;
	return false;
}

bool kdf_find(const struct raw_stack *stack, struct memory *mem, const struct frame *names,
	      struct kdf *out)
{
	*out = (struct kdf){ .frame = find_frame(stack, names, derivers),
			     .iterations = -1,
			     .cost = -1 };
	if (out->frame < stack->n && find_above(stack, mem, out))
		return true;
	out->frame = find_frame(stack, names, entries);
	return find_below(stack, mem, out);
}
