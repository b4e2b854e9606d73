#include "core/thin.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/recording_file.h"
#include "tests/recordings.h"
#include "tests/test.h"

static const nsec second = 1000000000;

static uint32_t place(struct recording *rec, uint32_t i)
{
	const struct frame f = { .kind = FRAME_NATIVE, .address = 0x1000 + i };
	uint32_t id = recording_frame(rec, &f);

	return recording_stack(rec, &id, 1, STACK_COMPLETE);
}

/* A stall of n samples at n places, each of a ms, 50 ms after the one before. */
static struct stall *add_stall(struct recording *rec, uint32_t n, uint32_t places)
{
	struct stall *s = recording_add_stall(rec);

	s->start = s->id * (nsec)50000000;
	s->samples = n;
	for (uint32_t i = 0; i < n; i++) {
		struct sample sample = { .stall = s->id,
					 .stack = place(rec, i % places),
					 .at = s->start + i * (nsec)1000000,
					 .weight = 1000000 + i,
					 .state = i % 8 == 7 ? SAMPLE_BLOCKED : SAMPLE_RUNNING,
					 .syscall = i % 8 == 7 ? 35 : -1 };

		*(sample.state == SAMPLE_BLOCKED ? &s->blocked : &s->running) += sample.weight;
		s->duration += sample.weight;
		recording_add_sample(rec, &sample);
	}
	return s;
}

/* Do the samples of each stall's states add up to what they should? */
static void check_times(const struct recording *rec)
{
	struct times {
		nsec running, blocked;
	} *sum = xcalloc(rec->n_stalls, sizeof(*sum));

	for (size_t i = 0; i < rec->n_samples; i++) {
		const struct sample *s = &rec->samples[i];

		if (s->state == SAMPLE_BLOCKED)
			sum[s->stall].blocked += s->weight;
		else
			sum[s->stall].running += s->weight;
		CHECK(i == 0 || s->stall >= rec->samples[i - 1].stall);
	}
	for (size_t i = 0; i < rec->n_stalls; i++) {
		CHECK_EQ(sum[i].running, rec->stalls[i].running);
		CHECK_EQ(sum[i].blocked, rec->stalls[i].blocked);
	}
	free(sum);
}

TEST(thin_leaves_a_session_of_minutes_alone)
{
	struct recording *rec = recording_new();

	for (uint32_t i = 0; i < 1000; i++)
		add_stall(rec, 20, 20);
	CHECK_EQ(rec->n_samples, 20000);
	CHECK_EQ(rec->samples_gone, 0);
	CHECK_EQ(rec->n_notes, 0);
	recording_free(rec);
}

TEST(thin_merges_equal_neighbours_first_and_keeps_all_times)
{
	struct recording *rec = recording_new();

	rec->memory_max = 4 * 1000 * sizeof(struct sample);
	for (uint32_t i = 0; i < 1000; i++)
		add_stall(rec, 20, 1);
	CHECK(rec->n_samples <= 1000 + 10 * 20 * 20 + 1000);
	CHECK_EQ(rec->n_samples + rec->samples_gone, 20000);
	check_times(rec);
	/* A place a state: nothing was lost. */
	CHECK_EQ(rec->samples[0].weight, rec->stalls[0].running);
	CHECK_EQ(rec->samples[1].weight, rec->stalls[0].blocked);
	CHECK_EQ(rec->samples[1].syscall, 35);
	CHECK_EQ(rec->n_notes, 1);
	recording_free(rec);
}

TEST(thin_halves_different_neighbours_when_that_is_not_enough)
{
	struct recording *rec = recording_new();

	rec->memory_max = 4 * 8000 * sizeof(struct sample);
	for (uint32_t i = 0; i < 5000; i++)
		add_stall(rec, 40, 40);
	/* At least a sample for each state of each stall stays. */
	CHECK(rec->n_samples >= 5000 * 2);
	CHECK(rec->n_samples < 5000 * 6);
	check_times(rec);
	recording_free(rec);
}

TEST(thin_halves_no_more_than_it_must)
{
	struct recording *rec = recording_new();
	size_t least = SIZE_MAX;

	rec->memory_max = 4 * 40000 * sizeof(struct sample);
	for (uint32_t i = 0; i < 4000; i++) {
		add_stall(rec, 40, 40);
		if (rec->samples_gone && rec->n_samples < least)
			least = rec->n_samples;
	}
	CHECK(least > 40000 / 4 && least < 40000 / 4 * 3);
	check_times(rec);
	recording_free(rec);
}

TEST(thin_stops_at_a_stall_that_is_open)
{
	struct recording *rec = recording_new();

	rec->memory_max = 4 * 2000 * sizeof(struct sample);
	for (uint32_t i = 0; i < 400; i++)
		add_stall(rec, 20, 20)->open = i >= 50;
	CHECK(rec->n_samples >= 350 * 20);
	CHECK(rec->n_samples < 350 * 20 + 50 * 4);
	check_times(rec);
	recording_free(rec);
}

TEST(thin_keeps_the_samples_of_young_stalls)
{
	struct recording *rec = recording_new();
	size_t young = 0;

	rec->memory_max = 4 * 2000 * sizeof(struct sample);
	for (uint32_t i = 0; i < 400; i++)
		add_stall(rec, 20, 20);
	for (size_t i = 0; i < rec->n_samples; i++)
		young += rec->samples[i].stall >= 200;
	CHECK_EQ(young, 200 * 20);
	CHECK(rec->samples_gone > 0);
	check_times(rec);
	recording_free(rec);
}

TEST(thin_prefers_samples_with_arguments)
{
	const struct argument a = { .key = ARG_ITERATIONS, .number = 60000 };
	struct recording *rec = recording_new();
	struct stall *s = recording_add_stall(rec);

	rec->memory_max = 4 * 100 * sizeof(struct sample);
	for (uint32_t i = 0; i < 99; i++)
		recording_add_sample(rec, &(struct sample){ .stack = place(rec, i % 9),
							    .weight = i == 50 ? 1 : 1000,
							    .n_arguments = i == 50,
							    .arguments = &a });
	s->duration = 1;
	for (uint32_t i = 0; i < 2; i++)
		recording_add_sample(rec, &(struct sample){ .at = 20 * second });
	CHECK(rec->n_samples < 60);
	for (size_t i = 0; i < rec->n_samples; i++)
		s->samples += sample_argument(&rec->samples[i], ARG_ITERATIONS) != NULL;
	CHECK_EQ(s->samples, 1);
	recording_free(rec);
}

TEST(thin_does_not_touch_what_is_written_to_the_file)
{
	struct recording *rec = recording_new(), *whole = recording_new(), *got = NULL;
	struct recording_writer *w;
	struct error err = { 0 };
	char path[128];

	whole->memory_max = 0;
	rec->memory_max = 4 * 1000 * sizeof(struct sample);
	snprintf(path, sizeof(path), "%s/thin.lagprof", test_tmpdir());
	CHECK_EQ(recording_create(&w, path, 0, &err), 0);
	for (uint32_t i = 0; i < 2000; i++) {
		add_stall(whole, 10, 10);
		add_stall(rec, 10, 10);
		rec->session.duration = i * (nsec)50000000;
		CHECK_EQ(recording_write(w, rec, false, &err), 0);
	}
	CHECK(rec->samples_gone > 5000);
	CHECK_EQ(recording_finish(w, rec, &err), 0);
	CHECK_EQ(recording_read(&got, path, &err), 0);
	CHECK_EQ(got->n_samples, whole->n_samples);
	for (size_t i = 0; i < got->n_samples; i++)
		CHECK(recordings_same_sample(got, &got->samples[i], whole, &whole->samples[i]));
	recording_free(got);

	/* One that begins late has what is left. */
	unlink(path);
	CHECK_EQ(recording_create(&w, path, 0, &err), 0);
	CHECK_EQ(recording_finish(w, rec, &err), 0);
	CHECK_EQ(recording_read(&got, path, &err), 0);
	CHECK_EQ(got->n_samples, rec->n_samples);
	check_times(got);
	recording_free(got);
	recording_free(rec);
	recording_free(whole);
}

static size_t bytes(const struct recording *rec)
{
	return rec->arena.bytes + rec->stacks.cap_frames * sizeof(struct frame) +
	       rec->stacks.cap_stacks * sizeof(struct stack) +
	       4 * (rec->stacks.frame_slot_cap + rec->stacks.stack_slot_cap) +
	       rec->cap_samples * sizeof(struct sample);
}

/* A stack of 20 frames whose pcs are at offset i in their functions. */
static uint32_t deep_stack(struct recording *rec, uint32_t leaf, uint32_t callers)
{
	uint32_t ids[20];

	for (uint32_t i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "function%u", i);
		ids[i] = recording_frame(
			rec, &(struct frame){ .kind = FRAME_NATIVE,
					      .function = name,
					      .line = i,
					      .address = 1000000 * i + (i ? callers : leaf) });
	}
	return recording_stack(rec, ids, 20, STACK_COMPLETE);
}

TEST(thin_drops_the_addresses_of_leaves_before_those_of_callers)
{
	struct recording *rec = recording_new();
	const struct stack *k;
	uint32_t first, id = 0;

	rec->memory_max = 2000000;
	first = deep_stack(rec, 0, 0);
	for (uint32_t i = 0; i < 8000; i++)
		id = deep_stack(rec, i, 0);
	k = recording_get_stack(rec, id);
	CHECK_EQ(k->n, 20);
	CHECK_EQ(recording_get_frame(rec, k->frames[0])->address, 0);
	CHECK_STR(recording_get_frame(rec, k->frames[0])->function, "function0");
	CHECK_EQ(recording_get_frame(rec, k->frames[1])->address, 1000000);
	CHECK_EQ(deep_stack(rec, 99999, 0), id);
	CHECK_EQ(deep_stack(rec, 0, 0), first);

	for (uint32_t i = 0; i < 3000; i++)
		id = deep_stack(rec, i, i);
	k = recording_get_stack(rec, id);
	CHECK_EQ(k->n, 20);
	CHECK_EQ(recording_get_frame(rec, k->frames[7])->address, 0);
	CHECK_EQ(recording_get_frame(rec, k->frames[7])->line, 7);
	CHECK(bytes(rec) < 4000000);
	/* Callers that are known with their addresses lose them in new stacks. */
	k = recording_get_stack(rec, deep_stack(rec, 5, 1));
	CHECK_EQ(recording_get_frame(rec, k->frames[7])->address, 0);
	CHECK_EQ(deep_stack(rec, 0, 0), first);
	recording_free(rec);
}

TEST(thin_leaves_endless_names_out)
{
	struct recording *rec = recording_new();
	uint32_t id = 0;

	rec->memory_max = 200000;
	for (uint32_t i = 0; i < 100000; i++) {
		char name[32];
		uint32_t frame;

		snprintf(name, sizeof(name), "eval%u", i);
		frame = recording_frame(rec, &(struct frame){ .kind = FRAME_JS, .function = name });
		id = recording_stack(rec, &frame, 1, STACK_COMPLETE);
		recording_intern(rec, name);
		recording_add_sample(
			rec, &(struct sample){ .stack = id,
					       .n_arguments = 1,
					       .arguments = &(struct argument){ .key = ARG_PATH,
										.text = name } });
		rec->n_samples = i % 8;
	}
	CHECK(bytes(rec) < 700000);
	CHECK_STR(recording_get_frame(rec, recording_get_stack(rec, id)->frames[0])->function,
		  "[left out]");
	CHECK_EQ(rec->n_notes, 1);
	CHECK_EQ(recording_frame(rec, &(struct frame){ .kind = FRAME_JS, .function = "eval7" }), 7);
	recording_free(rec);
}

TEST(thin_neighbours_whose_arguments_differ_do_not_share_them)
{
	const struct argument a[] = {
		{ .key = ARG_BYTES, .number = 1 },
		{ .key = ARG_BYTES, .number = 2 },
		{ .key = ARG_KEYLEN, .number = 2 },
		{ .key = ARG_KEYLEN, .number = 2, .frame = 1 },
		{ .key = ARG_KEYLEN, .number = 2, .frame = 1, .text = "" },
		{ .key = ARG_KEYLEN, .number = 2, .frame = 1, .text = "a" },
	};
	struct recording *rec = recording_new();

	for (size_t i = 0; i < 6; i++)
		recording_add_sample(rec, &(struct sample){ .n_arguments = 1, .arguments = &a[i] });
	for (size_t i = 0; i < 6; i++) {
		const struct argument *got = rec->samples[i].arguments;

		CHECK(got->key == a[i].key && got->number == a[i].number &&
		      got->frame == a[i].frame && recordings_same_text(got->text, a[i].text));
	}
	recording_free(rec);
}

TEST(thin_neighbours_share_their_arguments_until_frames_are_replaced)
{
	struct recording *rec = recording_new();
	uint32_t frames[] = { place(rec, 0), place(rec, 1) };
	uint32_t stack = recording_stack(rec, frames, 2, STACK_COMPLETE);
	const uint32_t with[] = { frames[0], frames[1] };
	const struct frame_replacement r = { .id = frames[0], .n = 2, .with = with };
	char text[] = "sha512";

	for (int i = 0; i < 3; i++) {
		char copy[8];
		struct argument a = { .key = ARG_DIGEST, .text = strcpy(copy, text), .frame = 1 };

		recording_add_sample(
			rec, &(struct sample){ .stack = stack, .n_arguments = 1, .arguments = &a });
		text[5] = i == 1 ? '3' : '2';
	}
	CHECK(rec->samples[0].arguments == rec->samples[1].arguments);
	CHECK_STR(rec->samples[0].arguments[0].text, "sha512");
	CHECK_STR(rec->samples[2].arguments[0].text, "sha513");
	recording_replace_frames(rec, &r, 1);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(rec->samples[i].arguments[0].frame, 2);
	recording_free(rec);
}
