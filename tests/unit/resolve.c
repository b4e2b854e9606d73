#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sampler/symbols.h"
#include "tests/test.h"

#define PROGRAM LAGPROF_BINARY_DIR "/fixtures/elf/names"

/* A sample that stopped at a symbol of the program fixtures/elf/names. */
struct scene {
	struct recording *rec;
	char build_id[41];
	uint64_t address;
};

static void scene_open(struct scene *s, const char *symbol)
{
	struct symbol found = { 0 };
	struct elf_file *file;
	struct error err;

	*s = (struct scene){ .rec = recording_new() };
	s->rec->session.start_unix_ns = INT64_MAX;
	CHECK_EQ(elf_open(&file, open(PROGRAM, O_RDONLY | O_CLOEXEC), &err), 0);
	CHECK(symbols_find(file, symbol, &found));
	strcpy(s->build_id, file->build_id);
	s->address = found.start;
	elf_close(file);
}

static void add_frame(struct scene *s, const char *module, const char *function)
{
	struct frame f = { .kind = FRAME_NATIVE,
			   .module = module,
			   .function = function,
			   .build_id = s->build_id[0] ? s->build_id : NULL,
			   .address = s->address };
	uint32_t id = recording_frame(s->rec, &f);

	id = recording_stack(s->rec, &id, 1, STACK_COMPLETE);
	recording_add_sample(s->rec, &(struct sample){ .stack = id });
}

static const struct frame *frame_of(const struct scene *s, uint32_t i)
{
	const struct stack *k = recording_get_stack(s->rec, s->rec->samples[0].stack);

	return i < k->n ? recording_get_frame(s->rec, k->frames[i]) : NULL;
}

static uint32_t depth(const struct scene *s)
{
	return recording_get_stack(s->rec, s->rec->samples[0].stack)->n;
}

/* One address inside inner(), inlined into outer(), inlined into names_inlined(). */
static void check_inlined(const struct scene *s)
{
	static const struct {
		const char *function;
		uint32_t line, define_line;
		bool inlined;
	} expected[] = { { "inner", 35, 33, true },
			 { "outer", 41, 39, true },
			 { "names_inlined", 46, 44, false } };

	CHECK_EQ(depth(s), 3);
	for (uint32_t i = 0; i < depth(s) && i < 3; i++) {
		const struct frame *f = frame_of(s, i);

		CHECK_STR(f->function, expected[i].function);
		CHECK_STR(f->file, test_source("fixtures/elf/names.c"));
		CHECK_EQ(f->line, expected[i].line);
		CHECK_EQ(f->define_line, expected[i].define_line);
		CHECK_EQ(f->inlined, expected[i].inlined);
		CHECK_EQ(f->kind, FRAME_NATIVE);
		CHECK_EQ(f->address, s->address);
	}
}

TEST(resolve_finds_inlined_functions_and_their_lines)
{
	struct scene s;

	scene_open(&s, "names_in_inner");
	add_frame(&s, PROGRAM, "names_inlined");
	symbols_resolve(s.rec, 0);
	check_inlined(&s);
	CHECK(s.rec->session.resolved);
	recording_free(s.rec);
}

TEST(resolve_looks_in_the_root_of_a_living_target)
{
	struct scene s;

	scene_open(&s, "names_in_inner");
	add_frame(&s, PROGRAM, "names_inlined");
	symbols_resolve(s.rec, getpid());
	check_inlined(&s);
	recording_free(s.rec);
}

TEST(resolve_uses_the_debug_file_of_a_stripped_program)
{
	struct scene s;

	scene_open(&s, "names_in_inner");
	s.build_id[0] = '\0';
	add_frame(&s, PROGRAM ".linked", NULL);
	symbols_resolve(s.rec, 0);
	check_inlined(&s);
	recording_free(s.rec);
}

TEST(resolve_does_not_believe_a_file_with_another_build_id)
{
	struct scene s;

	scene_open(&s, "names_in_inner");
	s.build_id[0] ^= 1;
	add_frame(&s, PROGRAM, "names_inlined");
	symbols_resolve(s.rec, 0);
	CHECK_EQ(depth(&s), 1);
	CHECK(frame_of(&s, 0)->file == NULL);
	CHECK(s.rec->session.resolved);
	recording_free(s.rec);
}

TEST(resolve_does_not_believe_a_file_that_changed_since_and_has_no_build_id)
{
	struct scene s;

	scene_open(&s, "names_in_inner");
	s.build_id[0] = '\0';
	s.rec->session.start_unix_ns = 1;
	add_frame(&s, PROGRAM ".linked", NULL);
	symbols_resolve(s.rec, 0);
	CHECK(frame_of(&s, 0)->file == NULL);
	recording_free(s.rec);
}

TEST(resolve_leaves_what_it_cannot_find)
{
	struct scene s;
	uint32_t id;

	scene_open(&s, "names_sized_asm");
	add_frame(&s, PROGRAM, "names_sized_asm");
	id = s.rec->samples[0].stack;
	s.address = UINT64_MAX;
	add_frame(&s, PROGRAM, NULL);
	add_frame(&s, "/nonexistent", NULL);
	add_frame(&s, "[vdso]", NULL);
	add_frame(&s, "/dev/zero", NULL);
	symbols_resolve(s.rec, 0);
	CHECK_EQ(recording_get_stack(s.rec, id)->n, 1);
	for (size_t i = 1; i < s.rec->n_samples; i++)
		CHECK_EQ(recording_get_stack(s.rec, s.rec->samples[i].stack)->n, 1);
	recording_free(s.rec);
}

TEST(resolve_is_done_once)
{
	struct scene s;

	scene_open(&s, "names_in_inner");
	add_frame(&s, PROGRAM, "names_inlined");
	s.rec->session.resolved = true;
	symbols_resolve(s.rec, 0);
	CHECK_EQ(depth(&s), 1);
	recording_free(s.rec);
}
