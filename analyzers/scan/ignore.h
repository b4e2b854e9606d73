#ifndef LAGPROF_ANALYZERS_SCAN_IGNORE_H
#define LAGPROF_ANALYZERS_SCAN_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The rules of a .gitignore file, as gitignore(5) says: "*", "?", "[…]", "**",
 * "!" takes back, a slash at the end means folders only, one before the end
 * binds a rule to the file's own folder.  The last rule that matches decides.
 */
struct ignore;

/* Reads the text of a .gitignore file.  Never fails: what is no rule matches nothing. */
struct ignore *ignore_parse(const char *text, size_t len);
void ignore_free(struct ignore *ignore);

enum ignored { IGNORE_UNSAID, IGNORE_NO, IGNORE_YES };

/* What the rules say of a path relative to the folder of their file, "src/a.js". */
enum ignored ignore_match(const struct ignore *ignore, const char *path, bool folder);

#endif
