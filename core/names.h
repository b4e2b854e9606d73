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

#endif
