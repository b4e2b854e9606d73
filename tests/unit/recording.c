#include "core/recording.h"
#include "tests/test.h"

TEST(recording_new_knows_nothing_yet)
{
	struct recording *rec = recording_new();

	CHECK_EQ(rec->session.end, END_RUNNING);
	CHECK_EQ(rec->session.exit_status, -1);
	CHECK(rec->session.serving_since == UINT64_MAX);
	CHECK(rec->threadpool.queue_wait.min == UINT64_MAX);
	recording_free(rec);
	recording_free(NULL);
}

TEST(recording_stalls_get_their_index_as_id)
{
	struct recording *rec = recording_new();

	for (uint32_t i = 0; i < 100; i++)
		CHECK_EQ(recording_add_stall(rec)->id, i);
	CHECK_EQ(rec->n_stalls, 100);
	recording_free(rec);
}

TEST(recording_loops_stay_where_they_are_and_have_empty_histograms)
{
	struct recording *rec = recording_new();
	struct loop *first = recording_add_loop(rec);

	CHECK(first->lag.min == UINT64_MAX);
	for (int i = 0; i < 100; i++)
		recording_add_loop(rec);
	CHECK(rec->loops[0] == first);
	CHECK_EQ(rec->n_loops, 101);
	recording_free(rec);
}

TEST(recording_add_sample_copies_arguments_and_interns_their_text)
{
	struct recording *rec = recording_new();
	char text[] = "sha512";
	struct argument args[] = { { .key = ARG_DIGEST, .text = text },
				   { .key = ARG_ITERATIONS, .number = 60000 } };
	const struct sample *s;

	recording_add_sample(rec, &(struct sample){ .at = 7, .n_arguments = 2, .arguments = args });
	text[0] = 'X';
	args[1].number = 0;
	s = &rec->samples[0];
	CHECK_EQ(s->at, 7);
	CHECK(s->arguments[0].text == recording_intern(rec, "sha512"));
	CHECK_EQ(s->arguments[1].number, 60000);
	recording_free(rec);
}

TEST(recording_argument_is_the_one_nearest_the_leaf)
{
	const struct argument args[] = { { .key = ARG_BYTES, .number = 1, .frame = 9 },
					 { .key = ARG_BYTES, .number = 2, .frame = 3 },
					 { .key = ARG_KEYLEN, .number = 3, .frame = 1 },
					 { .key = ARG_BYTES, .number = 4, .frame = 3 } };
	const struct sample s = { .n_arguments = 4, .arguments = args };

	CHECK_EQ(sample_argument(&s, ARG_BYTES)->number, 2);
	CHECK_EQ(sample_argument(&s, ARG_KEYLEN)->number, 3);
	CHECK(sample_argument(&s, ARG_PATH) == NULL);
}

TEST(recording_notes_are_kept_once_and_bounded)
{
	struct recording *rec = recording_new();

	for (int i = 0; i < 5; i++)
		recording_note(rec, "lost %d of %d", i / 2, 9);
	CHECK_EQ(rec->n_notes, 3);
	CHECK_STR(rec->notes[1], "lost 1 of 9");
	for (int i = 0; i < 1000; i++)
		recording_note(rec, "note %d", i);
	CHECK_EQ(rec->n_notes, 200);
	CHECK_STR(rec->notes[199], "further notes were left out");
	recording_free(rec);
}

TEST(recording_names_the_scripts_of_a_file_by_their_maps)
{
	struct recording *rec = recording_new();
	const char *first = recording_script_map(rec, "/app/a.ts", strdup("data:1"));

	CHECK_STR(first, "/app/a.ts (generated)");
	CHECK_STR(recording_script_map(rec, "/app/a.ts", strdup("data:2")),
		  "/app/a.ts (generated 2)");
	CHECK(recording_script_map(rec, "/app/a.ts", strdup("data:1")) == first);
	CHECK_STR(recording_script_map(rec, "/app/a", strdup("data:1")), "/app/a (generated)");
	CHECK_EQ(rec->n_maps, 3);
	recording_free(rec);
}

TEST(recording_keeps_a_bounded_number_of_maps)
{
	struct recording *rec = recording_new();
	char url[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(url, sizeof(url), "data:%d", i);
		recording_script_map(rec, "/app/a.ts", strdup(url));
	}
	CHECK(rec->n_maps <= 256);
	recording_free(rec);
}
