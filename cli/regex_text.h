#ifndef LAGPROF_CLI_REGEX_TEXT_H
#define LAGPROF_CLI_REGEX_TEXT_H

#include "analyzers/regex/regex.h"
#include "report/page.h"

/*
 * A verdict for people: the pattern with its guilty part underlined, then what is
 * known.  A pattern that does not fit into the page's width (100 columns where it
 * has none) is cut on both sides of that part.
 */
void regex_text(const struct page *page, bool ascii, const struct regex_pattern *pattern,
		const struct regex_verdict *v);

#endif
