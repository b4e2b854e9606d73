#ifndef LAGPROF_CLI_REGEX_JSON_H
#define LAGPROF_CLI_REGEX_JSON_H

#include "analyzers/regex/regex.h"
#include "core/strings.h"

/*
 * One object of what `lagprof regex --json` prints.  Members that do not apply
 * are left out; surrogates that stand alone are escaped.
 */
void regex_json(struct strbuf *out, const struct regex_pattern *pattern,
		const struct regex_verdict *v);

#endif
