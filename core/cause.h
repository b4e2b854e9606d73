#ifndef LAGPROF_CORE_CAUSE_H
#define LAGPROF_CORE_CAUSE_H

#include "core/duration.h"

/* Why a stall happened, and how bad it is. */

enum cause {
	CAUSE_SYNC_CRYPTO,
	CAUSE_LARGE_PARSE,
	CAUSE_LARGE_SERIALIZE,
	CAUSE_REGEX,
	CAUSE_SYNC_FS,
	CAUSE_SYNC_DNS,
	CAUSE_SYNC_CHILD,
	CAUSE_SYNC_NET,
	CAUSE_COMPRESSION,
	CAUSE_GC,
	CAUSE_COMPILE,
	CAUSE_MICROTASK_STARVATION,
	CAUSE_MANY_CALLBACKS,
	CAUSE_LOCK_WAIT,
	CAUSE_SLEEP,
	CAUSE_PAGE_FAULT,
	CAUSE_BLOCKING_OUTPUT,
	CAUSE_USER_CODE,
	CAUSE_CPU_STARVATION,
	CAUSE_STOPPED,
	CAUSE_UNKNOWN,
	CAUSES
};

struct cause_info {
	const char *id;     /* "sync_crypto" */
	const char *label;  /* "synchronous crypto" */
	const char *advice; /* one sentence; NULL: none */
};
extern const struct cause_info cause_info[CAUSES];
/* -1 if s names no cause. */
int cause_parse(const char *s);

enum severity { SEVERITY_NOTICE, SEVERITY_WARNING, SEVERITY_INCIDENT };
extern const char *const severity_names[];
/* 20 ms notice, 50 ms warning, 100 ms incident (the field's practice). */
enum severity severity_of(nsec lag);

#endif
