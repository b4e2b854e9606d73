#include "sampler/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

enum { MAX_MANGLED = 4096 };

struct output {
	char *text;
	size_t len, size;
	jmp_buf full;
};

/*
 * A hundred hostile bytes can stand for gigabytes, and the demanglers know no
 * other way to be stopped than not to return to them.
 */
static void take(const char *s, size_t len, void *arg)
{
	struct output *out = arg;
	size_t room = out->size - 1 - out->len;

	if (len == 0)
		return;
	memcpy(out->text + out->len, s, len < room ? len : room);
	out->len += len < room ? len : room;
	if (len > room)
		longjmp(out->full, 1);
}

/* Rust first: its older names are C++ names too, with a hash at the end. */
static bool demangle_any(const char *mangled, struct output *out)
{
	if (setjmp(out->full))
		return true;
	if (rust_demangle_callback(mangled, DMGL_NO_OPTS, take, out))
		return true;
	out->len = 0;
	/* Its own limit refuses names of 1024 letters, which C++ has; MAX_MANGLED keeps to 1 MB of
	 * stack. */
	return cplus_demangle_v3_callback(mangled, DMGL_NO_RECURSE_LIMIT, take, out);
}

size_t demangle(const char *mangled, size_t len, char *out, size_t size)
{
	struct output output = { .text = out, .size = size };
	char copy[MAX_MANGLED + 1];

	if (len < 2 || len > MAX_MANGLED || mangled[0] != '_' ||
	    (mangled[1] != 'Z' && mangled[1] != 'R'))
		return 0;
	memcpy(copy, mangled, len);
	copy[len] = '\0';
	if (!demangle_any(copy, &output))
		output.len = 0;
	out[output.len] = '\0';
	return output.len;
}

static const char *const suffixes[] = {
	"cold", "constprop", "hot", "isra", "llvm", "localalias", "lto_priv", "part", "warm",
};

static bool is_suffix(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strlen(suffixes[i]) == len && memcmp(suffixes[i], s, len) == 0)
			return true;
	return false;
}

size_t demangle_strip(const char *name)
{
	for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
		if (dot > name && is_suffix(dot + 1, strcspn(dot + 1, ".")))
			return (size_t)(dot - name);
	return strlen(name);
}
