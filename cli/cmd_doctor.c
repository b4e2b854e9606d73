#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/complain.h"
#include "cli/terminal.h"
#include "core/units.h"
#include "sampler/mend.h"
#include "sampler/rights.h"

enum { MAX_RIGHTS = 16 };

/* The one that --probe auto takes; NULL: none works. */
static const char *best_probe(const struct right *rights, size_t n, bool run)
{
	for (size_t i = 0; i < n; i++)
		if (rights[i].probe && rights[i].ok && (run || !rights[i].run_only))
			return rights[i].name;
	return NULL;
}

enum { INDENT = 17 };

static void print_refusal(const struct right *r, const struct right *before)
{
	if (before && !before->ok && strcmp(before->err.msg, r->err.msg) == 0 &&
	    strcmp(before->err.fix, r->err.fix) == 0) {
		printf("%*sthe same as %s\n", INDENT, "", before->name);
		return;
	}
	printf("%*s%s\n", INDENT, "", r->err.msg);
	if (r->err.fix[0])
		printf("%*stry: %s\n", INDENT, "", r->err.fix);
}

static void print_right(const struct right *r, const struct right *before, bool ascii)
{
	struct strbuf bound = { 0 };

	printf("%s %-14s", r->ok ? (ascii ? "ok" : "✔ ") : (ascii ? "no" : "✘ "), r->name);
	if (r->probe) {
		strbuf_duration(&bound, r->probe->error_bound);
		printf("lags right to %s; needs %s\n", bound.s, r->what);
		strbuf_destroy(&bound);
	} else {
		printf("for %s\n", r->what);
	}
	if (!r->ok)
		print_refusal(r, before);
}

/* What a reader wants to know first: what happens without a word about probes. */
static void print_choice(const struct right *rights, size_t n)
{
	const char *run = best_probe(rights, n, true), *attach = best_probe(rights, n, false);
	struct surroundings here;
	char text[256];

	if (!run)
		printf("lagprof can observe nothing here.\n");
	else if (attach && strcmp(run, attach) == 0)
		printf("lagprof run and attach use the probe %s here.\n", run);
	else
		printf("lagprof run uses the probe %s here, attach %s.\n", run,
		       attach ? attach : "cannot observe anything");
	surroundings_read(&here);
	surroundings_describe(&here, text, sizeof(text));
	printf("You are %s.\n", text);
}

static void print_text(const struct right *rights, size_t n, bool ascii)
{
	const char *run = best_probe(rights, n, true);

	print_choice(rights, n);
	if (run && strcmp(run, rights[0].name) != 0 && rights[0].err.fix[0])
		printf("For a better one: %s\n", rights[0].err.fix);
	printf("\nprobes, the best first (--probe NAME takes another)\n");
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && !rights[i].probe && rights[i - 1].probe)
			printf("\nwhat else helps\n");
		print_right(&rights[i], i > 0 ? &rights[i - 1] : NULL, ascii);
	}
}

static json_t *right_json(const struct right *r)
{
	json_t *o = json_pack("{s:s, s:s, s:b}", "name", r->name, r->probe ? "needs" : "for",
			      r->what ? r->what : "", "ok", r->ok);

	if (r->probe && r->ok)
		json_object_set_new(o, "run_only", json_boolean(r->run_only));
	if (r->probe)
		json_object_set_new(o, "error_bound_ns",
				    json_integer((json_int_t)r->probe->error_bound));
	if (!r->ok) {
		json_object_set_new(o, "why", json_string(r->err.msg));
		json_object_set_new(o, "fix", json_string(r->err.fix));
	}
	return o;
}

static void print_json(const struct right *rights, size_t n)
{
	json_t *rungs = json_array(), *others = json_array(), *o;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(rights[i].probe ? rungs : others, right_json(&rights[i]));
	o = json_pack("{s:{s:s?, s:s?}, s:o, s:o}", "auto", "run", best_probe(rights, n, true),
		      "attach", best_probe(rights, n, false), "probes", rungs, "rights", others);
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

static int run_doctor(const struct options *o, int argc, char **argv)
{
	struct right rights[MAX_RIGHTS];
	size_t n;

	if (argc > 0)
		return complain_usage("lagprof doctor", "doctor takes no arguments");
	n = rights_check(rights, MAX_RIGHTS);
	if (o->as_json)
		print_json(rights, n);
	else
		print_text(rights, n, terminal_ascii(o));
	return best_probe(rights, n, true) ? STATUS_OK : STATUS_FAILED;
}

const struct command command_doctor = {
	.name = "doctor",
	.operands = "",
	.help = "say what lagprof can do on this machine, and what mends the rest",
	.examples = "lagprof doctor\n"
		    "sudo lagprof doctor                    # what root could do\n",
	.details = "Everything is found out by trying it on lagprof's own process.",
	.run = run_doctor,
};
