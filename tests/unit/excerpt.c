#include "core/excerpt.h"

#include <stdlib.h>

#include "tests/builder.h"
#include "tests/recordings.h"
#include "tests/test.h"

TEST(excerpt_of_everything_is_the_recording)
{
	struct recording *from = recordings_rich(12, 5), *to = recording_new();

	recording_excerpt(to, from, 0);
	CHECK_EQ(to->n_stalls, from->n_stalls);
	CHECK_EQ(to->n_samples, from->n_samples);
	CHECK_EQ(to->n_loops, from->n_loops);
	CHECK_EQ(to->n_processes, from->n_processes);
	for (size_t i = 0; i < from->n_samples; i++)
		CHECK(recordings_same_sample(from, &from->samples[i], to, &to->samples[i]));
	for (size_t i = 0; i < from->n_stalls; i++) {
		CHECK_EQ(to->stalls[i].duration, from->stalls[i].duration);
		CHECK(recordings_same_text(to->stalls[i].request, from->stalls[i].request));
	}
	CHECK_STR(to->session.probe, from->session.probe);
	CHECK_STR(to->target.argv[0], from->target.argv[0]);
	recording_free(from);
	recording_free(to);
}

TEST(excerpt_has_what_had_not_ended_then)
{
	struct recording *from = build_recording("v8"), *to = recording_new();

	build_stall(from, 100, 50);
	build_sample(from, "j early @/app/a.js:1", 50);
	build_stall(from, 200, 150);
	build_sample(from, "j across @/app/a.js:2", 150);
	build_stall(from, 50, 50)->open = true;
	build_sample(from, "j open @/app/a.js:3", 50);
	recording_excerpt(to, from, 300ull * MS);
	CHECK_EQ(to->n_stalls, 2);
	CHECK_EQ(to->stalls[0].id, 0);
	CHECK_EQ(to->stalls[0].duration, 150ull * MS);
	CHECK(to->stalls[1].open);
	CHECK_EQ(to->n_samples, 2);
	CHECK_EQ(to->samples[1].stall, 1);
	CHECK_EQ(to->stacks.n_stacks, 2);
	recording_free(from);
	recording_free(to);
}

TEST(excerpts_of_two_recordings_stay_apart)
{
	struct recording *a = build_recording("v8"), *b = build_recording("v8"),
			 *to = recording_new();

	b->loops[0]->tid = 17;
	build_stall(a, 0, 30);
	build_sample(a, "j f @/app/a.js:1", 30);
	build_stall(b, 0, 40);
	build_sample(b, "j g @/app/a.js:2\nj f @/app/a.js:1", 40);
	recording_excerpt(to, a, 0);
	recording_excerpt(to, b, 0);
	recording_free(a);
	recording_free(b);
	CHECK_EQ(to->n_stalls, 2);
	CHECK_EQ(to->loops[to->stalls[0].loop]->tid, 4242);
	CHECK_EQ(to->loops[to->stalls[1].loop]->tid, 17);
	CHECK_EQ(to->samples[1].stall, 1);
	CHECK_EQ(recording_get_stack(to, to->samples[1].stack)->n, 2);
	CHECK_EQ(to->stacks.n_frames, 2); /* equal ones are one */
	recording_free(to);
}

TEST(excerpt_takes_along_what_source_maps_need)
{
	struct recording *from = build_recording("v8"), *to = recording_new();
	const uint32_t ends[] = { 10, 20, 30 };
	const char *script = recording_script_map(from, "/app/a.ts", xstrdup("data:first"));
	const char *second = recording_script_map(from, "/app/a.ts", xstrdup("data:second"));

	recording_script_lines(from, script, ends, 3);
	recording_excerpt(to, from, 0);
	CHECK_EQ(to->n_maps, 2);
	CHECK_STR(to->maps[0].script, script);
	CHECK_STR(to->maps[1].script, second);
	CHECK_STR(to->maps[1].url, "data:second");
	CHECK_EQ(to->n_scripts, 1);
	CHECK_STR(to->scripts[0].file, script);
	CHECK_EQ(to->scripts[0].first[2], 30);
	recording_free(from);
	recording_free(to);
}
