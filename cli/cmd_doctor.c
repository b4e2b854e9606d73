#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/complain.h"
#include "cli/terminal.h"
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

static void print_right(const struct right *r, bool ascii)
{
	printf("%s %-14s", r->ok ? (ascii ? "ok" : "✔ ") : (ascii ? "no" : "✘ "), r->name);
	if (r->probe && r->what)
		printf("needs %s", r->what);
	else if (r->what && !r->probe)
		printf("for %s", r->what);
	putchar('\n');
	if (!r->ok)
		printf("%17s%s\n", "", r->err.msg);
	if (!r->ok && r->err.fix[0])
		printf("%17stry: %s\n", "", r->err.fix);
}

static void print_text(const struct right *rights, size_t n, bool ascii)
{
	const char *run = best_probe(rights, n, true), *attach = best_probe(rights, n, false);
	struct surroundings here;
	char text[256];

	for (size_t i = 0; i < n; i++)
		print_right(&rights[i], ascii);
	surroundings_read(&here);
	surroundings_describe(&here, text, sizeof(text));
	printf("\n--probe auto takes %s for run, %s for attach; this is %s\n", run ? run : "none",
	       attach ? attach : "none", text);
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
