#ifndef LAGPROF_CLI_IGNORES_H
#define LAGPROF_CLI_IGNORES_H

#include <fts.h>
#include <stdbool.h>

/*
 * The .gitignore files that apply to what a walk meets: of every folder from
 * the root of the repository down.  They are kept at the folders of the walk
 * (fts_pointer); those above an operand are read when it is entered.
 */
void ignores_enter(FTSENT *folder);
void ignores_leave(FTSENT *folder);
/* Is an entry below an operand to be left out? */
bool ignores_entry(const FTSENT *entry, bool folder);

#endif
