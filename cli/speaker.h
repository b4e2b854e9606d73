#ifndef LAGPROF_CLI_SPEAKER_H
#define LAGPROF_CLI_SPEAKER_H

#include <stdio.h>

#include "cli/options.h"
#include "core/finding.h"
#include "report/tui/tui.h"

/*
 * Tells the user what happens while a target is observed: a line for each stall
 * (speaker_lines), or a screen (speaker_screen).
 */
struct speaker {
	FILE *out; /* what is said at the end goes there, too */
	int fd;    /* readable when step() has something to do; -1: never */
	bool screen, quiet;

	/*
	 * Events are live.  path: of the recording; output: of the file that has what a launched
	 * target writes, NULL if there is none.
	 */
	void (*attached)(struct speaker *self, const struct recording *rec, const char *path,
			 const char *output);
	/* As sink.stall, with diagnose_stall()'s answer; not called when quiet. */
	void (*stall)(struct speaker *self, const struct recording *rec, const struct stall *stall,
		      const struct stall_diagnosis *d, const char *title);
	void (*tick)(struct speaker *self, const struct recording *rec);
	/* After every step of the session: what the user wants now. */
	struct tui_wish (*step)(struct speaker *self, const struct recording *rec);
	/* What became of a wish. */
	void (*say)(struct speaker *self, const char *text);
	/* The observation has ended: the terminal is the user's again. */
	void (*leave)(struct speaker *self);
	void (*free)(struct speaker *self);
};

/* One line per stall to out. */
struct speaker *speaker_lines(const struct options *o, FILE *out);

/*
 * The live view (live: of a session, else of a recording) on the terminal that
 * standard output is.  The process becomes the child of one that guards the
 * terminal (cli/guard.h).
 */
struct speaker *speaker_screen(const struct options *o, bool live);
/* Can standard output be a screen that is drawn on, and can keys be read? */
bool speaker_screen_possible(void);
/* A screen if --tui asks for one and there can be one, else lines to out. */
struct speaker *speaker_choose(const struct options *o, FILE *out);

#endif
