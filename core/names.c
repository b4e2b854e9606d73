#include "core/names.h"

#include <string.h>

/* "operator new" has a space that ends no type. */
static bool ends_in_operator(const struct strbuf *b, size_t begin)
{
	return b->len >= begin + 8 && memcmp(b->s + b->len - 8, "operator", 8) == 0;
}

void strbuf_puts_function(struct strbuf *b, const char *name)
{
	static const char anonymous[] = "(anonymous namespace)::";
	size_t begin = b->len;
	int depth = 0;

	/* Words of lagprof itself: "[left out]". */
	if (name[0] == '[') {
		strbuf_puts(b, name);
		return;
	}
	for (const char *s = name; *s; s++) {
		if (strncmp(s, anonymous, sizeof(anonymous) - 1) == 0)
			s += sizeof(anonymous) - 2;
		else if (*s == '<')
			depth++;
		else if (*s == '>' && depth > 0)
			depth--;
		else if (depth > 0)
			continue;
		else if (*s == '(' && b->len > begin)
			break;
		else if (*s == ' ' && !ends_in_operator(b, begin))
			b->len = begin; /* that was the return type */
		else
			strbuf_add(b, s, 1);
	}
	/* Nothing was a name in that sense: "<T as Trait>::method" of Rust, or damaged. */
	if (b->len == begin || b->s[begin] == ':') {
		b->len = begin;
		strbuf_puts(b, name);
	}
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *path_in_package(const char *path)
{
	static const char *const folders[] = { "/node_modules/", "/site-packages/",
					       "/dist-packages/" };
	const char *found = NULL;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		for (const char *at = path; (at = strstr(at, folders[i]));)
			found = at += strlen(folders[i]);
	return found;
}

size_t package_name_length(const char *in_package)
{
	size_t len = strcspn(in_package, "/");

	if (in_package[0] == '@' && in_package[len])
		len += 1 + strcspn(in_package + len + 1, "/");
	return len;
}
