#ifndef LAGPROF_ANALYZERS_RULE_ROWS_H
#define LAGPROF_ANALYZERS_RULE_ROWS_H

#include "analyzers/rules.h"

/* For the tables of rules alone: each ends with a row without a function. */
extern const struct rule rules_native[], rules_kernel[], rules_js[], rules_python[];

/* clang-format off */
#define WEAK      RULE_WEAK
#define ENCLOSES  RULE_ENCLOSES
#define BLOCKED   RULE_BLOCKED
#define CRYPTO    CAUSE_SYNC_CRYPTO
#define PARSE     CAUSE_LARGE_PARSE
#define SERIALIZE CAUSE_LARGE_SERIALIZE
#define REGEX     CAUSE_REGEX
#define FS        CAUSE_SYNC_FS
#define DNS       CAUSE_SYNC_DNS
#define CHILD     CAUSE_SYNC_CHILD
#define NET       CAUSE_SYNC_NET
#define ZIP       CAUSE_COMPRESSION
#define GC        CAUSE_GC
#define COMPILE   CAUSE_COMPILE
#define MICROTASK CAUSE_MICROTASK_STARVATION
#define LOCK      CAUSE_LOCK_WAIT
#define SLEEP     CAUSE_SLEEP
#define FAULT     CAUSE_PAGE_FAULT
#define OUTPUT    CAUSE_BLOCKING_OUTPUT
#define CODE      CAUSE_USER_CODE
#define NAMELESS  RULE_NAMELESS
#define NOTHING   CAUSES
/* clang-format on */

#endif
