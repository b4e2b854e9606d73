#ifndef LAGPROF_ANALYZERS_CONFIG_H
#define LAGPROF_ANALYZERS_CONFIG_H

#include "analyzers/budget.h"

/*
 * Reads a project's lagprof.json (docs/lagprof.schema.json): budgets, how many
 * turns a verdict needs, and findings that are allowed until a day.  Strings
 * live in arena.  -EINVAL: err says "NAME:LINE:COLUMN: what", and the nearest
 * right word where there is one.
 */
int config_parse(struct budget_terms *terms, const char *name, const struct strbuf *text,
		 struct arena *arena, struct error *err);

#endif
