#ifndef LAGPROF_CORE_RECORDING_H
#define LAGPROF_CORE_RECORDING_H

#include "core/arena.h"
#include "core/host.h"
#include "core/session.h"
#include "core/stack.h"
#include "core/stall.h"
#include "core/strings.h"

/*
 * All that one session saw: the only thing the sampler hands to the analyzers
 * and the report.  Data only.  Times are ns since the session began
 * (CLOCK_MONOTONIC).  Strings are interned in the recording: equal strings are
 * equal pointers, they live as long as the recording, and they are what the
 * target said: hostile, any bytes but NUL.
 *
 * Append-only but for the stalls that are still open, and for what keeps a
 * session of weeks small: near memory_max new stacks lose their addresses, and
 * samples of stalls that ended some time ago are merged (core/thin.h), so hold
 * no index of a sample across recording_add_sample().
 */

/*
 * A system call that blocks and that a loop made inside a turn while serving,
 * however short it was (--strict): all of one number and stack.
 */
struct strict_call {
	uint32_t loop;   /* index in recording.loops */
	uint32_t stack;  /* id */
	int16_t syscall; /* x86-64 number */
	uint64_t count;
	nsec first;
	enum argument_key key; /* what is known of the call, when text is not NULL: its path… */
	const char *text;
};

/*
 * The source map that a loader gave to a script in memory: the file has other lines.  Until
 * the map is applied, or if it never is, frames have the script's own name for their file.
 */
struct script_map {
	const char *script; /* "/app/a.ts (generated)" */
	char *url;          /* data: as the target holds it */
	size_t file_len;    /* of what script begins with: the file */
};

/*
 * Where the lines of a script end, in UTF-16 units: by this it is known again whether its file
 * is what was run.
 */
enum { SCRIPT_LINES = 16 };
struct script_lines {
	const char *file;
	uint32_t n;                   /* lines */
	uint32_t first[SCRIPT_LINES]; /* of the first min(n, SCRIPT_LINES) */
};

struct recording {
	struct arena arena;
	struct strings strings;
	struct stacks stacks;
	struct session session;
	struct target_info target;
	struct target_info **processes; /* the target's children, as far as they were followed */
	struct threadpool threadpool;
	struct host host;
	struct loop **loops;
	struct stall *stalls;
	struct sample *samples;
	struct strict_call *calls;
	struct script_map *maps; /* not written to files */
	size_t n_maps, map_bytes;
	struct script_lines *scripts; /* not written to files; the last one of a file counts */
	size_t n_scripts, cap_scripts;
	const char **notes; /* what could not be seen, one sentence each */
	size_t n_processes, n_loops, n_stalls, n_samples, n_calls, n_notes;
	size_t cap_processes, cap_loops, cap_stalls, cap_samples, cap_calls, cap_notes;
	uint64_t samples_gone; /* that were here before samples[0..n_samples) */
	size_t memory_max;     /* bytes for names, stacks and samples; 0: no limit */
	size_t thin_at;        /* n_samples at which they are thinned out next */
};

struct recording *recording_new(void);
void recording_free(struct recording *rec);
const char *recording_intern(struct recording *rec, const char *s);

/* Appends; returns the new element (valid until the next append) with its id set. */
struct target_info *recording_add_process(struct recording *rec); /* valid for good */
struct loop *recording_add_loop(struct recording *rec);
struct stall *recording_add_stall(struct recording *rec);
/* The target or a process that was followed, NULL if there is none of that id. */
const struct target_info *recording_process(const struct recording *rec, int32_t pid);
/* Copies s and its arguments. */
void recording_add_sample(struct recording *rec, const struct sample *s);
/*
 * The name for frames of a script of `file` that was loaded with a map: takes url, which is
 * malloc'ed.  The same script and map have one name, others of that file their own.
 */
const char *recording_script_map(struct recording *rec, const char *file, char *url);
/* Remembers the lines of a script; file is interned. */
void recording_script_lines(struct recording *rec, const char *file, const uint32_t *ends,
			    size_t n);
/* Adds c->count to the equal one, or appends a copy of c. */
void recording_add_call(struct recording *rec, const struct strict_call *c);
/* A sentence for the reader of the report; the same sentence is kept once. */
void recording_note(struct recording *rec, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* How the sampler hands over news while a session runs; both are called on the session's thread. */
struct sink {
	/* A stall ended, or is open and passed another second. */
	void (*stall)(struct sink *self, struct recording *rec, const struct stall *stall);
	/* Something changed that is worth writing down: called at least once a second. */
	void (*tick)(struct sink *self, struct recording *rec);
};

#endif
