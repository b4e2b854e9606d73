#include "report/tree.h"

#include <stdlib.h>

#include "tests/builder.h"
#include "tests/test.h"

static nsec sum(const struct weights *w)
{
	nsec all = 0;

	for (size_t i = 0; i < w->n; i++)
		all += w->v[i].ns;
	return all;
}

TEST(weights_of_a_stall_add_up_to_its_length)
{
	struct recording *rec = build_recording("v8");
	struct weights w;

	build_stall(rec, 0, 100);
	build_sample(rec, "j login @/app/server.js:33\nn main @/usr/bin/node", 60);
	build_stall(rec, 200, 50);
	weights_make(&w, rec);
	CHECK_EQ(w.n, 3);
	CHECK_EQ(w.v[0].ns, 60 * MS);
	CHECK_EQ(w.v[1].ns, 40 * MS);
	CHECK_EQ(w.v[1].stack, WEIGHT_NO_STACK);
	CHECK_EQ(w.v[2].stall, 1);
	CHECK_EQ(sum(&w), 150 * MS);
	weights_destroy(&w);
	recording_free(rec);
}

TEST(samples_that_claim_more_than_the_stall_are_cut_down)
{
	struct recording *rec = build_recording("v8");
	struct weights w;

	build_stall(rec, 0, 100);
	build_sample(rec, "j a @/app/a.js:1", 80);
	build_sample(rec, "j b @/app/a.js:2", 80);
	build_sample(rec, "j c @/app/a.js:3", 80);
	weights_make(&w, rec);
	CHECK_EQ(w.n, 2);
	CHECK_EQ(sum(&w), 100 * MS);
	weights_destroy(&w);
	recording_free(rec);
}

TEST(samples_are_gathered_by_stall_whatever_their_order)
{
	struct recording *rec = build_recording("v8");
	struct sample s = { .weight = 10 * MS, .syscall = -1 };
	struct weights w;

	build_stall(rec, 0, 20);
	build_stall(rec, 30, 20);
	s.stack = build_stack(rec, "j a @/app/a.js:1");
	for (uint32_t i = 0; i < 4; i++) {
		s.stall = i & 1;
		recording_add_sample(rec, &s);
	}
	s.stall = 77; /* of no stall */
	recording_add_sample(rec, &s);
	weights_make(&w, rec);
	CHECK_EQ(w.n, 4);
	CHECK_EQ(w.v[1].stall, 0);
	CHECK_EQ(w.v[2].stall, 1);
	weights_destroy(&w);
	recording_free(rec);
}

static const char *name(const struct recording *rec, const struct tree *t, size_t node)
{
	return weight_frame(rec, t->nodes[node].frame)->function;
}

TEST(tree_shares_what_stacks_begin_with)
{
	struct recording *rec = build_recording("v8");
	struct weights w;
	struct tree t;

	build_stall(rec, 0, 60);
	build_sample(rec, "j a @/app/a.js:1\nn main @/usr/bin/node", 20);
	build_sample(rec, "j b @/app/a.js:2\nn main @/usr/bin/node", 10);
	build_sample(rec, "n main @/usr/bin/node", 10);
	build_sample(rec, "j a @/app/a.js:1\nn main @/usr/bin/node", 20);
	weights_make(&w, rec);
	tree_make(&t, rec, &w);
	CHECK_EQ(t.n, 3);
	CHECK_STR(name(rec, &t, 0), "main");
	CHECK_EQ(t.nodes[1].depth, 1);
	CHECK_EQ(t.nodes[2].depth, 1);
	CHECK_STR(name(rec, &t, t.leaves[0]), "a");
	CHECK_STR(name(rec, &t, t.leaves[1]), "b");
	CHECK_EQ(t.leaves[2], 0);
	CHECK_EQ(t.leaves[3], t.leaves[0]);
	tree_destroy(&t);
	weights_destroy(&w);
	recording_free(rec);
}

TEST(time_off_the_cpu_and_without_a_stack_has_nodes_of_its_own)
{
	struct recording *rec = build_recording("v8");
	struct weights w;
	struct tree t;

	build_stall(rec, 0, 30);
	build_blocked(rec, "j read @/app/a.js:1", 20, 0);
	build_stall(rec, 40, 20);
	weights_make(&w, rec);
	tree_make(&t, rec, &w);
	CHECK_EQ(w.n, 3);
	CHECK_STR(name(rec, &t, t.leaves[0]), "[blocked]");
	CHECK_STR(name(rec, &t, t.leaves[0] - 1), "read");
	CHECK_STR(name(rec, &t, t.leaves[1]), "[blocked]");
	CHECK_EQ(t.nodes[t.leaves[1]].depth, 0);
	CHECK_STR(name(rec, &t, t.leaves[2]), "[no sample]");
	tree_destroy(&t);
	weights_destroy(&w);
	recording_free(rec);
}

TEST(native_frames_of_one_function_are_one_whatever_their_address)
{
	struct recording *rec = build_recording(NULL);
	struct frame f = { .kind = FRAME_NATIVE, .function = "hash", .module = "/usr/bin/app" };
	struct sample s = { .weight = 5 * MS, .syscall = -1 };
	struct weights w;
	struct tree t;
	uint32_t id;

	build_stall(rec, 0, 20);
	for (uint32_t i = 0; i < 4; i++) {
		f.kind = i < 2 ? FRAME_NATIVE : FRAME_JS;
		f.address = i;
		f.line = i;
		id = recording_frame(rec, &f);
		s.stack = recording_stack(rec, &id, 1, STACK_COMPLETE);
		recording_add_sample(rec, &s);
	}
	weights_make(&w, rec);
	tree_make(&t, rec, &w);
	CHECK_EQ(t.n, 3); /* but the lines of a script are apart */
	CHECK_EQ(t.leaves[0], t.leaves[1]);
	CHECK(t.leaves[2] != t.leaves[3]);
	tree_destroy(&t);
	weights_destroy(&w);
	recording_free(rec);
}
