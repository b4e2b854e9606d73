#ifndef LAGPROF_CORE_RECORDING_H
#define LAGPROF_CORE_RECORDING_H

#include "core/arena.h"
#include "core/host.h"
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

enum loop_kind { LOOP_EPOLL, LOOP_POLL, LOOP_SELECT, LOOP_IO_URING, LOOP_LIBUV, LOOP_ASYNCIO };

struct loop {
	int32_t pid, tid;
	const char *name; /* the thread's comm */
	enum loop_kind kind;
	uint64_t turns;    /* turns that ended, of any length */
	uint64_t lost;     /* turns whose boundaries were lost */
	nsec busy, polled; /* time inside and outside turns */
	nsec waited;       /* for a CPU, while serving, in turns or not; 0 unknown */
	struct hist lag;   /* of every turn that ended */
};

enum session_end {
	END_RUNNING,
	END_TARGET_EXITED,
	END_INTERRUPTED,
	END_DURATION,
	END_CUT_SHORT,
	END_PRIVILEGES
};

struct session {
	int64_t start_unix_ns;
	nsec duration, threshold;
	uint32_t sample_hz;
	enum session_end end;
	int32_t exit_status; /* wait(2) status of the target, -1 if unknown */
	nsec serving_since;  /* start of PHASE_SERVING; UINT64_MAX: not yet */
	uint64_t lost_samples, lost_turns;
	const char *probe, *unwinder; /* "exact", "native" */
	nsec error_bound;             /* of a stall's length, as the probe promises */
	nsec intrinsic_latency; /* the machine's own worst hiccup, measured at start; 0 unknown */
	nsec own_cpu;           /* CPU time lagprof itself used */
	bool strict;            /* calls that block were looked for */
	uint64_t strict_missed; /* of them, not looked at: there were too many */
	nsec target_cpu;        /* of the target's, taken by watching it; estimated, 0 unknown */
	uint32_t steps;         /* how often the probe stepped down to a cheaper rung, or back up */
	bool resolved;          /* file:line and inlined frames were looked up (symbols_resolve) */
};

struct target_info {
	int32_t pid, parent; /* parent: process id, 0 unknown or not of interest */
	uint32_t argc;
	const char **argv, *exe;
	const char *cwd; /* its working directory when it was first looked at; NULL unknown */
	const char *runtime, *runtime_version; /* "v8"/"cpython" and what it says; NULL: native */
	uint32_t threads;
};

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
