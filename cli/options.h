#ifndef LAGPROF_CLI_OPTIONS_H
#define LAGPROF_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/recording.h"

struct command;

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum loops_wanted { LOOPS_MAIN, LOOPS_ALL };

#define STARTUP_AUTO UINT64_MAX

struct option_list {
	const char **items;
	size_t n;
};

/* All options of all subcommands; what a subcommand does not take has its default. */
struct options {
	nsec threshold; /* a turn that lasts this long is a stall */
	nsec duration;  /* stop observing after this long; 0: when the target ends */
	nsec startup;   /* stalls before this are startup; STARTUP_AUTO: until the target listens */
	uint32_t freq;  /* samples a second inside a stall */
	const char *probe;    /* "auto" or the name of a probe */
	double max_overhead;  /* part of the target's time that watching may take (auto) */
	const char *unwinder; /* name of a struct unwinder */
	enum loops_wanted loops;
	const char *output; /* the recording, or the file `report` writes; NULL: default name or
			       stdout */
	const char *html;   /* NULL: default name */
	bool no_html;
	bool open;           /* show the HTML report in a browser */
	bool show_queries;   /* of the requests in hand */
	bool redact;         /* recording_redact() before reports are written */
	bool no_source_maps; /* keep the places of generated JavaScript */
	const char *json;    /* where `run` and `attach` write JSON: path or "-"; NULL: nowhere */
	const char *format;  /* of `report` and `check`: a renderer's name or "auto"; NULL: text */
	struct option_list budgets; /* as written */
	const char *baseline;       /* a recording; NULL: none */
	bool any_machine;           /* the baseline may be of another machine */
	bool raise;                 /* `baseline` may make it higher */
	const char *flags;          /* of patterns that are not written as /x/flags */
	int engine;                 /* enum regex_engine */
	const char *fail_on;        /* of `scan`: "exponential" or "polynomial"; NULL: nothing */
	const char *config;         /* NULL: lagprof.json, if there is one */
	const char *on_port;        /* shell command to run once the target listens; NULL: none */
	const char *on_stall;       /* shell command to run at each stall; NULL: none */
	bool as_json;               /* print JSON instead of text */
	bool tui;                   /* `run` shows the live view */
	bool once;                  /* `top` shows one frame as text */
	bool strict;                /* look for calls that block */
	bool follow;                /* the target's children too */
	struct option_list names;   /* of what `agent` watches, patterns */
	const char *listen;         /* where it serves; NULL: the default */
	bool expose;                /* to other machines, too */
	int compat;                 /* 1: also under the names of prom-client */
	bool quiet, verbose, ascii;
	enum color_when color;
	bool help; /* --help was given: nothing else is checked */

	char **args; /* operands, NULL-terminated */
	int n_args;
	struct arena arena; /* owns every string */
};

enum option_type {
	OPTION_SWITCH,   /* bool */
	OPTION_TEXT,     /* const char *, any */
	OPTION_LIST,     /* struct option_list: may be given several times */
	OPTION_DURATION, /* nsec */
	OPTION_RATE,     /* uint32_t, 1..20000 */
	OPTION_PERCENT,  /* double, a part of 1 */
	OPTION_CHOICE,   /* enum (int): the index of the word in `values` */
};

/* A row of the one table that parsing, --help, the man page and the completions are made from. */
struct option {
	const char *name;     /* "threshold" */
	char letter;          /* 'o', or 0 */
	const char *argument; /* "FILE"; NULL for a switch */
	const char *commands; /* "run attach": names of the subcommands that take it; "*": all */
	enum option_type type;
	size_t offset;      /* of its field in struct options */
	const char *values; /* "auto|always|never"; NULL: anything */
	const char *help;   /* a sentence in lower case without a dot */
};

/* Ends with a row whose name is NULL. */
extern const struct option options_table[];
bool option_belongs(const struct option *o, const struct command *c);

/*
 * Reads the words after the subcommand's name into *o, which need not be initialised.  An unknown
 * option or a bad value is -EINVAL, with the nearest name or an example as the fix.
 */
int options_parse(struct options *o, const struct command *c, int argc, char **argv,
		  struct error *err);
void options_free(struct options *o);

#endif
