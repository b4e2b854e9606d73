#include "core/recording_decode.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/file_frame.h"
#include "core/recording_file.h"
#include "lagprof.pb-c.h"
#include "tests/test.h"

/* The payload of a frame, by hand. */
static struct strbuf payload;

static void put_bytes(const void *data, size_t len)
{
	size_t v = len;

	do {
		uint8_t byte = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));

		strbuf_add(&payload, &byte, 1);
		v >>= 7;
	} while (v);
	strbuf_add(&payload, data, len);
}

static void put_record(Lagprof__Record r)
{
	uint8_t *packed = xcalloc(1, lagprof__record__get_packed_size(&r) + 1);

	put_bytes(packed, lagprof__record__pack(&r, packed));
	free(packed);
}

#define PUT(KIND, kind, Type, ...)                                                              \
	do {                                                                                    \
		Lagprof__##Type m_ = { PROTOBUF_C_MESSAGE_INIT(&lagprof__##kind##__descriptor), \
				       __VA_ARGS__ };                                           \
		put_record((Lagprof__Record){                                                   \
			PROTOBUF_C_MESSAGE_INIT(&lagprof__record__descriptor),                  \
			.kind_case = LAGPROF__RECORD__KIND_##KIND, .kind = &m_ });              \
	} while (0)

#define PUT_STALL(...)       PUT(STALL, stall, Stall, __VA_ARGS__)
#define PUT_STACK(...)       PUT(STACK, stack, Stack, __VA_ARGS__)
#define PUT_FRAME(...)       PUT(FRAME, frame, Frame, __VA_ARGS__)
#define PUT_LOOP(...)        PUT(LOOP, loop, Loop, __VA_ARGS__)
#define PUT_SESSION(...)     PUT(SESSION, session, Session, __VA_ARGS__)
#define PUT_REPLACEMENT(...) PUT(REPLACEMENT, replacement, Replacement, __VA_ARGS__)

/* A row a sample: its stall and its stack. */
static void put_samples(size_t n, uint32_t *stalls, uint32_t *stacks, Lagprof__Argument **arguments,
			size_t n_arguments)
{
	int64_t at[16] = { 0 };
	uint64_t weight[16] = { 0 };
	uint32_t state[16] = { 0 };
	int32_t syscall[16] = { 0 };

	PUT(SAMPLES, samples, Samples, .n_stall = n, .stall = stalls, .n_stack = n, .stack = stacks,
	    .n_at = n, .at = at, .n_weight = n, .weight = weight, .n_state = n, .state = state,
	    .n_syscall = n, .syscall = syscall, .n_arguments = n_arguments, .arguments = arguments);
}

static struct decoder result; /* counts of the last decode() */

static struct recording *decode(void)
{
	struct recording *rec = recording_new();
	struct decoder d;

	decoder_init(&d, rec);
	decoder_take(&d, (uint8_t *)payload.s, payload.len);
	decoder_finish(&d);
	result = d;
	strbuf_destroy(&payload);
	return rec;
}

TEST(decode_unknown_numbers_are_unknown_not_wrong)
{
	struct recording *rec;

	PUT_SESSION(.has_end = 1, .end = (Lagprof__SessionEnd)77);
	PUT_LOOP(.id = 0, .has_kind = 1, .kind = (Lagprof__LoopKind)-3);
	PUT_FRAME(.id = 9, .has_kind = 1, .kind = (Lagprof__FrameKind)1000000);
	PUT_STACK(.id = 5, .has_end = 1, .end = (Lagprof__StackEnd)99, .n_frames = 1,
		  .frames = &(uint32_t){ 9 });
	PUT_STALL(.id = 1, .has_phase = 1, .phase = (Lagprof__Phase)-1, .has_confidence = 1,
		  .confidence = NAN);
	put_samples(1, &(uint32_t){ 1 }, &(uint32_t){ 5 }, NULL, 0);
	rec = decode();
	CHECK_EQ(rec->session.end, END_CUT_SHORT);
	CHECK_EQ(rec->loops[0]->kind, LOOP_EPOLL);
	CHECK_EQ(recording_get_stack(rec, rec->samples[0].stack)->end, STACK_BAD_FRAME);
	CHECK_EQ(rec->stacks.frames[0].kind, FRAME_NATIVE);
	CHECK_EQ(rec->stalls[0].phase, PHASE_SERVING);
	CHECK(rec->stalls[0].confidence <= 0);
	recording_free(rec);
}

TEST(decode_fields_and_records_of_a_newer_version_are_skipped)
{
	/* Record { 500: varint 1 }; Record { session { duration 7, 900: "xyz" } } */
	static const uint8_t newer[] = { 0xa0, 0x1f, 1 };
	static const uint8_t session[] = { 0x0a, 8, 0x10, 7, 0xa2, 0x38, 3, 'x', 'y', 'z' };
	struct recording *rec;

	put_bytes(newer, sizeof(newer));
	put_bytes(session, sizeof(session));
	put_bytes("", 0);
	rec = decode();
	CHECK_EQ(rec->session.duration, 7);
	CHECK_EQ(result.bad_records, 0);
	recording_free(rec);
}

TEST(decode_samples_without_their_stall_or_stack_are_left_out_and_counted)
{
	struct recording *rec;

	PUT_STALL(.id = 1000000);
	PUT_STACK(.id = 2000000);
	put_samples(4, (uint32_t[]){ 1000000, 1000000, 3, UINT32_MAX },
		    (uint32_t[]){ 2000000, 4, 2000000, UINT32_MAX }, NULL, 0);
	rec = decode();
	CHECK_EQ(rec->n_samples, 1);
	CHECK_EQ(rec->samples[0].stall, 0);
	CHECK_EQ(result.lost_samples, 3);
	recording_free(rec);
}

TEST(decode_columns_of_unequal_length_are_refused)
{
	struct recording *rec;

	PUT_STALL(.id = 0);
	PUT_STACK(.id = 0);
	PUT(SAMPLES, samples, Samples, .n_stall = 3, .stall = (uint32_t[]){ 0, 0, 0 }, .n_stack = 1,
	    .stack = &(uint32_t){ 0 });
	rec = decode();
	CHECK_EQ(rec->n_samples, 0);
	CHECK_EQ(result.bad_records, 1);
	recording_free(rec);
}

TEST(decode_stalls_of_lost_loops_share_a_stranger)
{
	struct recording *rec;

	PUT_LOOP(.id = 7);
	for (uint32_t i = 0; i < 100; i++)
		PUT_STALL(.id = i, .has_loop = 1, .loop = i);
	rec = decode();
	CHECK_EQ(rec->n_loops, 2);
	CHECK_EQ(rec->stalls[7].loop, 0);
	CHECK_EQ(rec->stalls[8].loop, 1);
	CHECK_STR(rec->loops[1]->name, "?");
	recording_free(rec);
}

TEST(decode_lost_frames_keep_their_place)
{
	const struct stack *k;
	struct recording *rec;

	PUT_FRAME(.id = 1, .has_line = 1, .line = 5);
	PUT_STACK(.id = 0, .n_frames = 3, .frames = (uint32_t[]){ 8, 1, 9 });
	PUT_STALL(.id = 0);
	put_samples(1, &(uint32_t){ 0 }, &(uint32_t){ 0 }, NULL, 0);
	rec = decode();
	k = recording_get_stack(rec, rec->samples[0].stack);
	CHECK_EQ(k->n, 3);
	CHECK_EQ(recording_get_frame(rec, k->frames[1])->line, 5);
	CHECK(recording_get_frame(rec, k->frames[0])->function == NULL);
	recording_free(rec);
}

TEST(decode_loops_are_bounded_because_they_are_large)
{
	struct recording *rec;

	for (uint32_t i = 0; i < 3000; i++)
		PUT_LOOP(.id = i * 7);
	rec = decode();
	CHECK_EQ(rec->n_loops, 1023);
	CHECK_EQ(result.bad_records, 3000 - 1023);
	recording_free(rec);
}

static struct hist decode_histogram(uint32_t *buckets, uint64_t *counts, size_t n)
{
	Lagprof__Histogram h = LAGPROF__HISTOGRAM__INIT;
	struct recording *rec;
	struct hist hist;

	h.n_bucket = h.n_count = n;
	h.bucket = buckets;
	h.count = counts;
	h.has_min = h.has_max = 1;
	h.min = 100;
	h.max = 3;
	PUT_LOOP(.id = 0, .lag = &h);
	rec = decode();
	hist = rec->loops[0]->lag;
	recording_free(rec);
	return hist;
}

TEST(decode_histogram_with_impossible_buckets_keeps_the_possible)
{
	struct hist h = decode_histogram((uint32_t[]){ 1, HIST_BUCKETS - 2, 1, UINT32_MAX },
					 (uint64_t[]){ 5, 7, 1, 1 }, 4);

	CHECK_EQ(h.count[1], 5);
	CHECK_EQ(h.count[HIST_BUCKETS - 1], 7);
	CHECK_EQ(h.n, 12);
	CHECK_EQ(h.min, 3);
}

TEST(decode_histogram_counts_do_not_overflow)
{
	struct hist h =
		decode_histogram((uint32_t[]){ 1, 1, 1 }, (uint64_t[]){ 5, UINT64_MAX - 5, 1 }, 3);

	CHECK(h.n == UINT64_MAX);
	CHECK_EQ(h.count[3], 0);
	hist_quantile(&h, 0.5);
}

TEST(decode_stack_takes_its_tail_from_one_that_is_there)
{
	uint32_t ids[] = { 0, 1, 2, 3, 4 }, stalls[5] = { 0 };
	const struct stack *k;
	struct recording *rec;

	for (uint32_t i = 0; i < 4; i++)
		PUT_FRAME(.id = i, .has_line = 1, .line = 10 + i);
	PUT_STALL(.id = 0);
	PUT_STACK(.id = 0, .n_frames = 3, .frames = (uint32_t[]){ 0, 1, 2 });
	PUT_STACK(.id = 1, .n_frames = 1, .frames = &(uint32_t){ 3 }, .has_tail_of = 1,
		  .tail_of = 0, .has_tail_from = 1, .tail_from = 1);
	PUT_STACK(.id = 2, .has_tail_of = 1, .tail_of = 1, .has_tail_from = 1, .tail_from = 3);
	PUT_STACK(.id = 3, .has_tail_of = 1, .tail_of = 1, .has_tail_from = 1, .tail_from = 4);
	PUT_STACK(.id = 4, .has_tail_of = 1, .tail_of = 77);
	/* Of itself: of what it was before. */
	PUT_STACK(.id = 0, .n_frames = 1, .frames = &(uint32_t){ 3 }, .has_tail_of = 1,
		  .tail_of = 0);
	put_samples(5, stalls, ids, NULL, 0);
	rec = decode();
	CHECK_EQ(rec->n_samples, 5);
	k = recording_get_stack(rec, rec->samples[0].stack);
	CHECK_EQ(k->n, 4);
	k = recording_get_stack(rec, rec->samples[1].stack);
	CHECK_EQ(k->n, 3);
	CHECK_EQ(recording_get_frame(rec, k->frames[0])->line, 13);
	CHECK_EQ(recording_get_frame(rec, k->frames[1])->line, 11);
	for (size_t i = 2; i < 5; i++) {
		k = recording_get_stack(rec, rec->samples[i].stack);
		CHECK_EQ(k->n, 0);
		CHECK_EQ(k->end, i == 2 ? STACK_COMPLETE : STACK_TRUNCATED);
	}
	recording_free(rec);
}

TEST(decode_tails_cannot_make_stacks_without_end)
{
	static uint32_t frames[60000];
	struct recording *rec;
	size_t whole = 0;

	PUT_STACK(.id = 0, .n_frames = 60000, .frames = frames);
	PUT_STALL(.id = 0);
	for (uint32_t i = 1; i < 3000; i++) {
		PUT_STACK(.id = i, .n_frames = 1, .frames = &i, .has_tail_of = 1, .tail_of = 0);
		put_samples(1, &(uint32_t){ 0 }, &i, NULL, 0);
	}
	rec = decode();
	CHECK_EQ(rec->n_samples, 2999);
	for (size_t i = 0; i < rec->n_samples; i++) {
		const struct stack *k = recording_get_stack(rec, rec->samples[i].stack);

		CHECK(k->n == 60001 || (k->n == 1 && k->end == STACK_TRUNCATED));
		whole += k->n == 60001;
	}
	CHECK(whole > 10 && whole < 200);
	recording_free(rec);
}

TEST(decode_arguments_of_lost_frames_or_unknown_keys_are_left_out)
{
	Lagprof__Argument a[4], *arguments[] = { &a[0], &a[1], &a[2], &a[3] };
	struct recording *rec;

	for (int i = 0; i < 4; i++) {
		lagprof__argument__init(&a[i]);
		a[i].has_frame = a[i].has_key = a[i].has_row = 1;
		a[i].frame = 6;
	}
	a[0].frame = 5;                      /* not in the stack */
	a[1].key = (Lagprof__ArgumentKey)99; /* not known */
	a[3].row = 5;                        /* not there */
	PUT_STACK(.id = 0, .n_frames = 3, .frames = (uint32_t[]){ 8, 6, 6 });
	PUT_STALL(.id = 0);
	a[2].has_skip = 1;
	a[2].skip = 1;
	put_samples(1, &(uint32_t){ 0 }, &(uint32_t){ 0 }, arguments, 4);
	rec = decode();
	CHECK_EQ(rec->samples[0].n_arguments, 1);
	CHECK_EQ(rec->samples[0].arguments[0].frame, 2);
	recording_free(rec);
}

TEST(decode_replacements_cannot_make_a_stack_explode)
{
	static uint32_t frames[70000];
	struct recording *rec;

	PUT_STACK(.id = 0, .n_frames = 70000, .frames = frames);
	PUT_REPLACEMENT(.frame = 0, .n_with = 50000, .with = frames);
	PUT_REPLACEMENT(.frame = 1);
	PUT_STALL(.id = 0);
	put_samples(1, &(uint32_t){ 0 }, &(uint32_t){ 0 }, NULL, 0);
	rec = decode();
	CHECK_EQ(recording_get_stack(rec, rec->samples[0].stack)->n, 50000);
	CHECK_EQ(recording_get_stack(rec, rec->samples[0].stack)->end, STACK_TRUNCATED);
	CHECK_EQ(result.bad_records, 1);
	recording_free(rec);
}

TEST(decode_message_that_asks_for_more_memory_than_it_is_worth_is_refused)
{
	enum { UNKNOWN = 4 << 20 };
	uint8_t *fields = xcalloc(UNKNOWN, 3);
	struct recording *rec;

	/* Each of these unknown fields costs protobuf-c a struct and an allocation. */
	for (size_t i = 0; i < UNKNOWN; i++)
		memcpy(fields + i * 3, "\xa0\x1f\x01", 3);
	put_bytes(fields, UNKNOWN * 3);
	free(fields);
	PUT_STALL(.id = 0);
	rec = decode();
	CHECK_EQ(result.bad_records, 1);
	CHECK_EQ(rec->n_stalls, 1);
	recording_free(rec);
}

TEST(decode_lengths_past_the_end_stop_that_frame_only)
{
	static const uint8_t beyond[] = { 0x7f, 0, 0 },
			     endless[] = { 0xff, 0xff, 0xff, 0xff, 0xff };
	struct recording *rec;

	PUT_STALL(.id = 0);
	strbuf_add(&payload, beyond, sizeof(beyond));
	rec = decode();
	CHECK_EQ(rec->n_stalls, 1);
	CHECK_EQ(result.bad_records, 1);
	recording_free(rec);
	strbuf_add(&payload, endless, sizeof(endless));
	rec = decode();
	CHECK_EQ(result.bad_records, 1);
	recording_free(rec);
}

/* Reads a file of a header and these frames, each holding `payload`. */
static struct recording *read_frames(const uint32_t *types, size_t n)
{
	struct file_codec codec = { 0 };
	struct recording *rec = NULL;
	struct strbuf frame = { 0 };
	uint8_t header[FILE_HEADER_SIZE];
	struct error err = { 0 };
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/frames.lagprof", test_tmpdir());
	f = fopen(path, "wb");
	file_header_put(header);
	fwrite(header, sizeof(header), 1, f);
	for (size_t i = 0; i < n; i++) {
		file_frame_encode(&codec, (enum file_frame_type)types[i], payload.s, payload.len,
				  &frame);
		fwrite(frame.s, frame.len, 1, f);
	}
	fclose(f);
	CHECK_EQ(recording_read(&rec, path, &err), 0);
	unlink(path);
	strbuf_destroy(&frame);
	strbuf_destroy(&payload);
	file_codec_destroy(&codec);
	return rec;
}

TEST(decode_frame_types_of_a_newer_version_are_skipped)
{
	struct recording *rec;

	PUT_SESSION(.has_duration = 1, .duration = 7, .has_end = 1,
		    .end = LAGPROF__SESSION_END__DURATION);
	rec = read_frames((uint32_t[]){ 77, FILE_FRAME_RECORDS, 3, FILE_FRAME_END }, 4);
	CHECK_EQ(rec->session.duration, 7);
	CHECK_EQ(rec->session.end, END_DURATION);
	CHECK_EQ(rec->n_notes, 0);
	recording_free(rec);
}

TEST(decode_file_that_unfolds_without_end_is_cut_off)
{
	static const uint32_t types[64] = { [0 ... 63] = FILE_FRAME_RECORDS };
	struct recording *rec;

	/* 64 times 12 MiB out of a few kilobytes. */
	strbuf_extend(&payload, 12 << 20);
	memset(payload.s, 0, payload.len);
	rec = read_frames(types, 64);
	CHECK_EQ(rec->n_notes, 1);
	CHECK(strstr(rec->notes[0], "unfolds"));
	recording_free(rec);
}
