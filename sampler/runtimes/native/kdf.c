#include "sampler/runtimes/native/kdf.h"

#include <ctype.h>

#include "sampler/runtimes/native/words.h"

enum {
	SCAN_WORDS = 1024,
	PARAM_WORDS = 5, /* of a struct ossl_param_st: key, type, data, size, size returned */
	NEIGHBOURS = 5,  /* elements of an array that may be before or behind the one found */
	KEY = 8,         /* bytes of the keys wanted, and NUL */
	TYPE_INTEGER = 1,
	TYPE_UNSIGNED = 2,
	TYPE_TEXT = 4,
};

static const char *const entries[] = { "PKCS5_PBKDF2_HMAC", "EVP_PBE_scrypt_ex", "EVP_PBE_scrypt" };

static bool is_entry(const struct frame *f)
{
	for (size_t i = 0; f->kind == FRAME_NATIVE && f->function && i < 3; i++)
		if (strcmp(f->function, entries[i]) == 0)
			return true;
	return false;
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

bool kdf_find(const struct raw_stack *stack, struct memory *mem, const struct frame *names,
	      struct kdf *out)
{
	struct words w;
	struct param p;

	*out = (struct kdf){ .iterations = -1, .cost = -1 };
	while (out->frame < stack->n && !is_entry(&names[out->frame]))
		out->frame++;
	if (!words_up_to(stack, mem, out->frame, SCAN_WORDS, &w))
		return false;
	/* From the call's own frame down: below there may be left what earlier ones had. */
	for (size_t i = w.n; i-- > 0;) {
		if (!read_param(&w, mem, i, &p))
			continue;
		if (strcmp(p.key, "iter") == 0 && read_number(&w, &p, &out->iterations)) {
			find_digest(&w, mem, i, out);
			return true;
		}
		if (strcmp(p.key, "n") == 0 && read_number(&w, &p, &out->cost))
			return true;
	}
	return false;
}
