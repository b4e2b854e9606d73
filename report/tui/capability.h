#ifndef LAGPROF_REPORT_TUI_CAPABILITY_H
#define LAGPROF_REPORT_TUI_CAPABILITY_H

#include <stddef.h>

/* What makes the terminal in hand do something: a string capability of terminfo(5); "" if it
 * cannot. */
void screen_capability(const char *name, char *out, size_t size);

#endif
