#ifndef LAGPROF_CORE_NAMES_H
#define LAGPROF_CORE_NAMES_H

#include "core/strings.h"

/*
 * A demangled C++ or Rust name as people say it, without return type, template
 * arguments and parameters: "bool a::b<c>::d(e) const" becomes "a::b::d".  Any
 * other name stays as it is.
 */
void strbuf_puts_function(struct strbuf *b, const char *name);

/* What follows the last slash of a path, or all of it. */
const char *path_base(const char *path);

/*
 * The part of a JavaScript or Python file's path that begins with its package
 * ("lodash/lodash.js", "@hapi/hapi/lib/core.js"), NULL if it belongs to none.
 */
const char *path_in_package(const char *path);
/* The length of the package's name at the start of that: "lodash", "@hapi/hapi". */
size_t package_name_length(const char *in_package);

#endif
