#include "report/renderer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/names.h"
#include "report/place.h"
#include "report/tree.h"

/*
 * Folded stacks, one a line, root first, semicolons between frames, then the
 * weight in ns: what flamegraph.pl, inferno and speedscope read.  The weights
 * add up to the length of all stalls: time without a sample has lines of its own.
 */
static void put_name(struct strbuf *b, const struct frame *f)
{
	size_t from = b->len;

	strbuf_puts_visible(b, f->function ? f->function : "(anonymous)");
	if (f->file) {
		strbuf_puts(b, " (");
		strbuf_puts_visible(b, path_base(f->file));
		if (tree_line(f))
			strbuf_printf(b, ":%u", tree_line(f));
		strbuf_puts(b, ")");
	}
	for (char *p = b->s + from; *p; p++)
		if (*p == ';')
			*p = ':';
}

/* ns[i] is the weight of what ends at node i. */
static void print_tree(FILE *out, const struct recording *rec, const struct tree *t, const nsec *ns)
{
	size_t lengths[WEIGHT_PATH_MAX + 1] = { 0 }; /* of the line, up to each depth */
	struct strbuf line = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		uint32_t depth = t->nodes[i].depth;

		line.len = lengths[depth];
		if (depth)
			strbuf_puts(&line, ";");
		put_name(&line, weight_frame(rec, t->nodes[i].frame));
		lengths[depth + 1] = line.len;
		if (ns[i])
			fprintf(out, "%s %" PRIu64 "\n", line.s, ns[i]);
	}
	strbuf_destroy(&line);
}

static int render(const struct report *report, FILE *out, struct error *err)
{
	struct weights weights;
	struct tree tree;
	nsec *ns;

	weights_make(&weights, report->rec);
	tree_make(&tree, report->rec, &weights);
	ns = xcalloc(tree.n + 1, sizeof(*ns));
	for (size_t i = 0; i < weights.n; i++)
		ns[tree.leaves[i]] += weights.v[i].ns;
	print_tree(out, report->rec, &tree, ns);
	free(ns);
	tree_destroy(&tree);
	weights_destroy(&weights);
	if (ferror(out))
		return error_set(err, -EIO, "cannot write the folded stacks");
	return 0;
}

const struct renderer renderer_folded = {
	.name = "folded",
	.help = "one line a stack, root first, weight in ns (flamegraph.pl, speedscope)",
	.suffix = ".folded",
	.render = render,
};
