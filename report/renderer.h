#ifndef LAGPROF_REPORT_RENDERER_H
#define LAGPROF_REPORT_RENDERER_H

#include <stdio.h>

#include "core/error.h"
#include "core/finding.h"
#include "core/verdict.h"

/* What a renderer is given.  All of it outlives the call. */
struct report {
	const struct recording *rec;
	const struct diagnosis *diagnosis;
	const struct budget_report *budget; /* NULL: no budgets */
	bool color, ascii, verbose;
	int width; /* columns of the terminal, 0: not a terminal */
	/* Absolute folder that formats for CI services give paths relative to; NULL: they name no
	 * file. */
	const char *root;
};

/*
 * An output format.  To add one: report/NAME.c with a `const struct renderer
 * renderer_NAME`, its declaration below and its row in renderers.c.
 */
struct renderer {
	const char *name; /* as given to --format */
	const char *help;
	const char *suffix; /* of a file written in it: ".json" */
	bool repeats; /* the reports of several recordings may follow each other in one file */
	int (*render)(const struct report *report, FILE *out, struct error *err);
};

/* Ends with a row whose name is NULL.  The first is the default of `report`. */
extern const struct renderer *const renderers[];
/* NULL if there is none of that name. */
const struct renderer *renderer_find(const char *name);

extern const struct renderer renderer_text, renderer_json, renderer_folded, renderer_html;
extern const struct renderer renderer_pprof, renderer_speedscope, renderer_cpuprofile;
extern const struct renderer renderer_sarif, renderer_junit, renderer_github, renderer_gitlab;
extern const struct renderer renderer_markdown;

/*
 * A finding in one line: "pbkdf2Sync 60000 iterations sha512 · server.js:33 login ·
 * 24 stalls, 1.7 s, worst 151 ms, every 0.8 s · 100 % on CPU".  Safe to print; no newline.
 */
void finding_headline(struct strbuf *b, const struct report *report, const struct finding *f);
/* A finding as the text report prints it, with evidence, advice and stack. */
void finding_text(const struct report *report, const struct finding *f, FILE *out);
/* Its part about time: "24 stalls, 1.7 s, worst 151 ms, every 0.8 s". */
void finding_times(struct strbuf *b, const struct finding *f);
/* The headlines of the worst findings and the totals, where the whole text would be too much. */
void report_summary(const struct report *report, FILE *out);
/* The line that is printed when a stall ends or goes on; safe to print, no newline. */
void stall_line(struct strbuf *b, const struct recording *rec, const struct stall *stall,
		const struct stall_diagnosis *d, const char *title, bool ascii);

#endif
