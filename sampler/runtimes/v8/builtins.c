#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/strings.h"
#include "sampler/runtimes/v8/v8.h"
#include "sampler/symbols.h"

/*
 * A builtin knows itself as "parse"; people know it as JSON.parse.  V8's own
 * name for its code ("JsonParse", "RegExpPrototypeTest") has both parts; in a
 * binary without symbols the receiver of the call tells.
 */
enum { OWN_NAME_MAX = 96, NATIVE_FRAMES = 3, NAMESPACE_WORDS = 8 };

/* V8's words where they differ from the language's.  Array: methods are named without Prototype. */
static const struct {
	const char *prefix, *object, *statics;
} spellings[] = {
	/* clang-format off */
	{ "Json",    "JSON",            NULL },
	{ "Console", "console",         NULL },
	{ "Global",  "",                NULL },
	{ "Array",   "Array.prototype", " from of isArray fromAsync " },
	/* clang-format on */
};

static bool is_word_of(const char *list, const char *word)
{
	char padded[OWN_NAME_MAX + 3];

	if (!list)
		return false;
	snprintf(padded, sizeof(padded), " %s ", word);
	return strstr(list, padded) != NULL;
}

/* "ArrayPrototype" -> "Array.prototype"; name is the method. */
static void spell_object(const char *prefix, const char *name, char *out, size_t size)
{
	size_t n = strlen(prefix), k = strlen("Prototype");

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (strcmp(prefix, spellings[i].prefix) == 0 &&
		    !is_word_of(spellings[i].statics, name)) {
			snprintf(out, size, "%s", spellings[i].object);
			return;
		}
	}
	if (n > k && strcmp(prefix + n - k, "Prototype") == 0)
		snprintf(out, size, "%.*s.prototype", (int)(n - k), prefix);
	else
		snprintf(out, size, "%s", prefix);
}

/* Joins V8's own name and the function's; false if they do not belong together. */
static bool spell(const char *own, const char *name, char *out, size_t size)
{
	bool symbol = strncmp(name, "[Symbol.", 8) == 0;
	const char *method = symbol ? name + 8 : name;
	size_t len = strlen(method) - (symbol ? 1 : 0), n = strlen(own);
	char object[OWN_NAME_MAX + 16], prefix[OWN_NAME_MAX];

	if (len == 0 || n <= len || n >= sizeof(prefix) ||
	    toupper((unsigned char)method[0]) != own[n - len] ||
	    strncmp(own + n - len + 1, method + 1, len - 1) != 0)
		return false;
	snprintf(prefix, sizeof(prefix), "%.*s", (int)(n - len), own);
	spell_object(prefix, name, object, sizeof(object));
	snprintf(out, size, "%s%s%s", object, symbol || !object[0] ? "" : ".", name);
	return true;
}

/* The name that V8 itself gives a builtin, from the symbol of its code. */
static bool own_name(const char *symbol, char *out, size_t size)
{
	const char *p = strstr(symbol, "Builtin_"), *digits = p;
	size_t len;

	if (strncmp(symbol, "Builtins_", 9) == 0) {
		snprintf(out, size, "%s", symbol + 9);
		return true;
	}
	/* _ZN2v88internal17Builtin_JsonParseE..., or with Impl_ */
	if (!p || p == symbol)
		return false;
	while (digits > symbol && isdigit((unsigned char)digits[-1]))
		digits--;
	len = strtoul(digits, NULL, 10);
	if (len < 9 || len > strlen(p))
		return false;
	p += 8;
	len -= 8;
	if (len > 5 && strncmp(p, "Impl_", 5) == 0) {
		p += 5;
		len -= 5;
	}
	snprintf(out, size, "%.*s", (int)len, p);
	return true;
}

/* From the symbol of the builtin's own code, or of the C++ function that an exit frame called. */
static bool name_from_symbols(struct v8 *v8, const struct v8_function *f,
			      const struct raw_stack *stack, size_t i, struct strbuf *out)
{
	size_t first = i > NATIVE_FRAMES ? i - NATIVE_FRAMES : 0;
	char own[OWN_NAME_MAX], full[2 * OWN_NAME_MAX];

	if (!v8->file)
		return false;
	for (size_t k = i + 1; k-- > first;) {
		uint64_t pc = raw_frame_lookup_pc(&stack->frames[k]);
		struct mapping *m = space_find(v8->space, pc);
		struct symbol sym;

		if (m && space_file(v8->space, m) == v8->file &&
		    symbols_lookup(v8->file, pc - m->bias, &sym) &&
		    own_name(sym.name, own, sizeof(own)) &&
		    spell(own, f->name, full, sizeof(full))) {
			strbuf_puts(out, full);
			return true;
		}
	}
	return false;
}

/* Is the object a namespace whose tag says "JSON"? */
static bool is_json(struct v8 *v8, uint64_t object)
{
	uint64_t properties;
	char tag[8];

	if (!v8_field_object(&v8->heap, object, v8->layout.object_properties, &properties))
		return false;
	for (int32_t i = 0; i < 2 * NAMESPACE_WORDS; i++) {
		uint64_t of = i < NAMESPACE_WORDS ? object : properties, word;
		int32_t first = i < NAMESPACE_WORDS ? v8->layout.object_elements + 8
						    : v8->layout.array_data;

		if (v8_field(&v8->heap, of, first + i % NAMESPACE_WORDS * 8, &word) &&
		    v8_string_length(&v8->heap, word) == 4 &&
		    v8_string(&v8->heap, word, tag, sizeof(tag)) == 4 && strcmp(tag, "JSON") == 0)
			return true;
	}
	return false;
}

static const char *object_from_receiver(struct v8 *v8, const struct v8_function *f,
					uint64_t receiver)
{
	int type = v8_type(&v8->heap, receiver);

	if (type < 0)
		return NULL;
	if (type == v8->layout.type_regexp)
		return "RegExp.prototype";
	if (type == v8->layout.type_array)
		return "Array.prototype";
	if (v8_is_string(&v8->heap, receiver))
		return "String.prototype";
	if ((strcmp(f->name, "parse") == 0 || strcmp(f->name, "stringify") == 0) &&
	    is_json(v8, receiver))
		return "JSON";
	return NULL;
}

const char *v8_builtin_name(struct v8 *v8, const struct v8_function *f,
			    const struct raw_stack *stack, size_t i, uint64_t receiver)
{
	struct v8_function *slot = &v8->functions[f->shared / 8 % V8_FUNCTIONS];
	bool cached = slot->shared == f->shared && slot->name == f->name;
	struct strbuf full = { 0 };
	const char *object, *name;

	if (!f->name)
		return NULL;
	if (cached && slot->builtin)
		return slot->builtin;
	if (!name_from_symbols(v8, f, stack, i, &full)) {
		object = object_from_receiver(v8, f, v8_moved(&v8->heap, receiver));
		if (!object || f->name[0] == '(')
			return f->name;
		strbuf_printf(&full, f->name[0] == '[' ? "%s%s" : "%s.%s", object, f->name);
	}
	name = v8_intern(v8, full.s);
	strbuf_destroy(&full);
	if (cached)
		slot->builtin = name;
	return name;
}
