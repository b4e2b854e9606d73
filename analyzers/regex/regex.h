#ifndef LAGPROF_ANALYZERS_REGEX_REGEX_H
#define LAGPROF_ANALYZERS_REGEX_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/finding.h"
#include "core/strings.h"

/*
 * Says whether a backtracking regex engine can be made to take super-linear
 * time by its subject, and proves it: every positive verdict carries an attack
 * whose cost was measured with our own matcher.  Pure and deterministic: work
 * and memory are capped by counters, never by clocks.
 */

enum regex_engine { REGEX_V8, REGEX_PCRE2, REGEX_PYTHON, REGEX_ENGINES };
extern const char *const regex_engine_names[REGEX_ENGINES]; /* "v8", ... */

struct regex_pattern {
	const char *text; /* UTF-8; lone surrogates and stray bytes are taken as they are */
	size_t len;
	const char *flags; /* letters as the engine writes them: "gimsuvy", "imsx", "" */
	enum regex_engine engine;
};

enum regex_class {
	REGEX_SAFE,
	REGEX_POLYNOMIAL,
	REGEX_EXPONENTIAL,
	REGEX_BOUNDED, /* super-linear until a counted repeat ends */
	REGEX_SUSPECT, /* looks dangerous, but no attack could be confirmed */
	REGEX_UNKNOWN, /* not a pattern, not understood or too large: see reason */
	REGEX_CLASSES
};
extern const char *const regex_class_names[REGEX_CLASSES];

/* What makes it slow decides the fix. */
enum regex_kind {
	REGEX_KIND_NONE,
	REGEX_SEARCH_LOOP, /* each try is linear, but the engine tries again at every position */
	REGEX_INNER,       /* slow even when tried at one position only */
	REGEX_KINDS
};
extern const char *const regex_kind_names[REGEX_KINDS]; /* NULL for none */

/* Text of a subject: UTF-8 where surrogates may stand alone; may hold NUL. */
struct regex_text {
	const char *s;
	size_t len;
};

struct regex_pump {
	struct regex_text prefix, pump;
};

/* The subject of size n is prefix + pump repeated n times, for each pump, then suffix. */
struct regex_attack {
	const struct regex_pump *pumps; /* none: NULL */
	uint32_t n;
	struct regex_text suffix;
};

/* What our matcher counted on the attack of one size. */
struct regex_steps {
	uint32_t size;
	uint64_t steps;
	bool capped; /* it was stopped there: the true number is larger */
};

enum { REGEX_SIZES = 3 };

struct regex_verdict {
	enum regex_class verdict;
	enum regex_kind kind;
	int degree; /* of the polynomial; 0 where there is none */
	enum regex_engine engine;
	struct regex_attack attack;
	struct regex_steps steps[REGEX_SIZES]; /* at 20, 40 and 80 pumps; size 0: not measured */
	struct {
		uint32_t start, end; /* bytes of the pattern; equal: nothing guilty */
	} guilty;
	const char *rewrite; /* a safe pattern that matches the same; NULL: none known */
	const char *reason;  /* one sentence; NULL: nothing to add */
	bool invalid;        /* unknown, since the engine refuses the pattern as well */
	bool placed;         /* the reason is about one place in the pattern, the byte `at` */
	uint32_t at;
};

/* Everything *out points at lives in the arena. */
void regex_analyze(const struct regex_pattern *pattern, struct arena *a, struct regex_verdict *out);

/* A string literal of JSON (and JavaScript and Python): whatever the text holds can be seen. */
void regex_quote(struct strbuf *out, struct regex_text text);

/* The verdict as evidence of a finding; the attack as an expression: "a".repeat(n) + "!". */
const struct redos *regex_evidence(const struct regex_verdict *v, struct arena *a);

#endif
