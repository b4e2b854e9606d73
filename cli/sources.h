#ifndef LAGPROF_CLI_SOURCES_H
#define LAGPROF_CLI_SOURCES_H

#include "analyzers/scan/scan.h"
#include "core/error.h"

/* A file to be scanned. */
struct source_file {
	const char *path; /* as its operand says, without "./" at the begin */
	enum scan_language language;
};

/* What could not be read, and why. */
struct source_unread {
	const char *path, *why;
};

struct sources {
	struct source_file *files; /* in the order of their paths, each once */
	struct source_unread *unread;
	size_t n, cap, n_unread, unread_cap;
	struct arena arena; /* owns the texts */
};

/*
 * Finds the source files at and below the operands (NULL-terminated).  What
 * .gitignore files exclude is left out, node_modules, .git and symbolic links
 * too, unless they are operands themselves.  -errno: an operand does not exist.
 * *s is to be freed whatever is returned.
 */
int sources_find(struct sources *s, char **operands, struct error *err);
void sources_unread(struct sources *s, const char *path, const char *why);
void sources_free(struct sources *s);

enum { SOURCE_BYTES_MAX = 16 << 20 };

/* The content of a file, malloc'ed; NULL: *why it cannot be read. */
char *source_read(const char *path, size_t *len, const char **why);

#endif
