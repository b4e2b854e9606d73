#include "core/recording.h"
#include "tests/test.h"

static uint32_t frame(struct recording *rec, const char *function, uint64_t address)
{
	return recording_frame(
		rec,
		&(struct frame){ .kind = FRAME_NATIVE, .function = function, .address = address });
}

TEST(stack_equal_frames_have_one_id)
{
	struct recording *rec = recording_new();
	char name[] = "main";
	uint32_t id = frame(rec, name, 1);

	name[0] = 'g';
	CHECK_STR(recording_get_frame(rec, id)->function, "main");
	CHECK_EQ(frame(rec, "main", 1), id);
	CHECK(frame(rec, "main", 2) != id);
	CHECK(frame(rec, NULL, 1) != id);
	recording_free(rec);
}

TEST(stack_frames_that_differ_in_any_field_have_different_ids)
{
	const struct frame variants[] = {
		{ .kind = FRAME_NATIVE },
		{ .kind = FRAME_JS },
		{ .kind = FRAME_NATIVE, .function = "f" },
		{ .kind = FRAME_NATIVE, .module = "f" },
		{ .kind = FRAME_NATIVE, .build_id = "f" },
		{ .kind = FRAME_NATIVE, .file = "f" },
		{ .kind = FRAME_NATIVE, .line = 1 },
		{ .kind = FRAME_NATIVE, .column = 1 },
		{ .kind = FRAME_NATIVE, .define_line = 1 },
		{ .kind = FRAME_NATIVE, .address = 1 },
		{ .kind = FRAME_NATIVE, .inlined = true },
		{ .kind = FRAME_NATIVE, .guessed = true },
	};
	struct recording *rec = recording_new();

	for (uint32_t turn = 0; turn < 2; turn++)
		for (uint32_t i = 0; i < sizeof(variants) / sizeof(*variants); i++)
			CHECK_EQ(recording_frame(rec, &variants[i]), i);
	recording_free(rec);
}

TEST(stack_equal_stacks_have_one_id_and_survive_growth)
{
	struct recording *rec = recording_new();
	uint32_t ids[3000];

	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t frames[] = { i, frame(rec, "f", i), 0 };

		ids[i] = recording_stack(rec, frames, i % 4 == 3 ? 2 : 3, STACK_COMPLETE);
	}
	CHECK_EQ(rec->stacks.n_stacks, 3000);
	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t frames[] = { i, frame(rec, "f", i), 0 }, n = i % 4 == 3 ? 2 : 3;

		CHECK_EQ(recording_stack(rec, frames, n, STACK_COMPLETE), ids[i]);
		CHECK_EQ(recording_get_stack(rec, ids[i])->n, n);
		CHECK_EQ(recording_get_stack(rec, ids[i])->frames[0], i);
	}
	recording_free(rec);
}

TEST(stack_ends_and_lengths_tell_stacks_apart)
{
	struct recording *rec = recording_new();
	uint32_t f[] = { frame(rec, "a", 1), frame(rec, "b", 2) };
	uint32_t complete = recording_stack(rec, f, 2, STACK_COMPLETE);

	CHECK(recording_stack(rec, f, 2, STACK_TRUNCATED) != complete);
	CHECK(recording_stack(rec, f, 1, STACK_COMPLETE) != complete);
	CHECK_EQ(recording_get_stack(rec, recording_stack(rec, NULL, 0, STACK_NO_REGISTERS))->n, 0);
	CHECK_STR(stack_end_names[STACK_NO_REGISTERS], "no_registers");
	for (int i = 0; i < STACK_ENDS; i++)
		CHECK(stack_end_names[i] != NULL);
	recording_free(rec);
}

TEST(stack_replaced_frames_change_every_stack_and_merge_equal_ones)
{
	struct recording *rec = recording_new();
	uint32_t a = frame(rec, "a", 1), b = frame(rec, "b", 2), c = frame(rec, "b", 3);
	uint32_t in = frame(rec, "inlined", 0), out = frame(rec, "outer", 0);
	uint32_t ab = recording_stack(rec, (uint32_t[]){ a, b }, 2, STACK_COMPLETE);
	uint32_t ac = recording_stack(rec, (uint32_t[]){ a, c }, 2, STACK_COMPLETE);
	uint32_t aa = recording_stack(rec, (uint32_t[]){ a }, 1, STACK_COMPLETE);
	const uint32_t with[] = { in, out };
	const struct frame_replacement r[] = { { .id = b, .n = 2, .with = with },
					       { .id = c, .n = 2, .with = with } };
	const struct stack *k;

	recording_add_sample(rec, &(struct sample){ .stack = ab });
	recording_add_sample(rec, &(struct sample){ .stack = ac });
	recording_add_sample(rec, &(struct sample){ .stack = aa });
	recording_replace_frames(rec, r, 2);

	k = recording_get_stack(rec, rec->samples[0].stack);
	CHECK_EQ(k->n, 3);
	CHECK(k->frames[0] == a && k->frames[1] == in && k->frames[2] == out);
	CHECK_EQ(rec->samples[1].stack, rec->samples[0].stack);
	CHECK_EQ(rec->samples[2].stack, aa);
	CHECK_EQ(recording_get_stack(rec, aa)->n, 1);
	/* What is added afterwards finds the stack in its new form. */
	CHECK_EQ(recording_stack(rec, (uint32_t[]){ a, in, out }, 3, STACK_COMPLETE), ab);
	recording_free(rec);
}

TEST(stack_arguments_stay_with_their_call_when_frames_before_it_are_replaced)
{
	struct recording *rec = recording_new();
	uint32_t a = frame(rec, "a", 1), b = frame(rec, "b", 2), in = frame(rec, "inlined", 0);
	uint32_t ab = recording_stack(rec, (uint32_t[]){ a, b }, 2, STACK_COMPLETE);
	const uint32_t with[] = { in, a };
	const struct frame_replacement r = { .id = a, .n = 2, .with = with };
	const struct argument args[] = { { .key = ARG_BYTES, .number = 7, .frame = 0 },
					 { .key = ARG_COST, .number = 8, .frame = 1 } };

	recording_add_sample(rec,
			     &(struct sample){ .stack = ab, .n_arguments = 2, .arguments = args });
	recording_replace_frames(rec, &r, 1);
	CHECK_EQ(rec->samples[0].arguments[0].frame, 0);
	CHECK_EQ(rec->samples[0].arguments[1].frame, 2);
	CHECK_EQ(rec->samples[0].arguments[1].number, 8);
	recording_free(rec);
}
