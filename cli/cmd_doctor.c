#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/complain.h"
#include "cli/terminal.h"
#include "sampler/rights.h"

enum { MAX_RIGHTS = 16 };

static void print_right(const struct right *r, bool ascii)
{
	printf("%s %-14s %s\n", r->ok ? (ascii ? "ok" : "✔ ") : (ascii ? "no" : "✘ "), r->name,
	       r->ok ? r->what : r->err.msg);
	if (!r->ok && r->err.fix[0])
		printf("%18stry: %s\n", "", r->err.fix);
}

static json_t *right_json(const struct right *r)
{
	json_t *o = json_pack("{s:s, s:s, s:b}", "name", r->name, "for", r->what, "ok", r->ok);

	if (!r->ok) {
		json_object_set_new(o, "why", json_string(r->err.msg));
		json_object_set_new(o, "fix", json_string(r->err.fix));
	}
	return o;
}

static void print_json(const struct right *rights, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, right_json(&rights[i]));
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

static int run_doctor(const struct options *o, int argc, char **argv)
{
	struct right rights[MAX_RIGHTS];
	size_t n;
	bool observes = false;

	if (argc > 0)
		return complain_usage("lagprof doctor", "doctor takes no arguments");
	n = rights_check(rights, MAX_RIGHTS);
	for (size_t i = 0; i < n; i++)
		observes = observes || (rights[i].ok && strncmp(rights[i].name, "probe ", 6) == 0);
	if (o->as_json) {
		print_json(rights, n);
	} else {
		for (size_t i = 0; i < n; i++)
			print_right(&rights[i], terminal_ascii(o));
	}
	return observes ? STATUS_OK : STATUS_FAILED;
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
