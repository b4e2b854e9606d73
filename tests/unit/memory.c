#include "sampler/memory.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sampler/runtime.h"
#include "sampler/unwind.h"
#include "tests/test.h"

/* Two pages of this process, with nothing mapped behind them. */
static uint8_t *two_pages(void)
{
	uint8_t *p =
		mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p + 2 * 4096, 4096);
	for (int i = 0; i < 2 * 4096; i++)
		p[i] = (uint8_t)(i * 7 + i / 256);
	return p;
}

TEST(memory_dump_is_read_before_what_is_below_it)
{
	uint8_t *pages = two_pages(), copy[100], buf[64];
	struct memory_live *live = memory_live_new(getpid());
	uint64_t at = (uintptr_t)pages + 1000;
	struct memory_dump dump;

	memcpy(copy, pages + 1000, sizeof(copy));
	memset(pages + 1000, 0xee, 50);
	memory_dump_init(&dump, at, copy, sizeof(copy), memory_of_live(live));
	CHECK_EQ(memory_read(&dump.base, at, buf, 64), 0);
	CHECK(memcmp(buf, copy, 64) == 0);
	CHECK(!dump.read_past);
	CHECK_EQ(memory_read(&dump.base, at - 8, buf, 8), 0);
	CHECK(memcmp(buf, pages + 992, 8) == 0);
	CHECK(!dump.read_past);
	CHECK_EQ(memory_read(&dump.base, at + 60, buf, 64), 0);
	CHECK(memcmp(buf, copy + 60, 40) == 0 && memcmp(buf + 40, pages + 1100, 24) == 0);
	CHECK(dump.read_past);
	memory_dump_init(&dump, at, copy, sizeof(copy), NULL);
	CHECK(memory_read(&dump.base, at + 60, buf, 64) < 0);
	CHECK(memory_read(&dump.base, at - 1, buf, 1) < 0);
	memory_live_free(live);
	munmap(pages, 2 * 4096);
}

TEST(memory_far_from_the_dump_is_not_its_stack)
{
	uint8_t *pages = two_pages(), copy[16], buf[8];
	struct memory_live *live = memory_live_new(getpid());
	struct memory_dump dump;

	memory_dump_init(&dump, 0x1000, copy, sizeof(copy), memory_of_live(live));
	CHECK_EQ(memory_read(&dump.base, (uintptr_t)pages, buf, 8), 0);
	CHECK(!dump.read_past);
	memory_live_free(live);
	munmap(pages, 2 * 4096);
}

TEST(memory_live_keeps_pages_until_it_is_told_to_forget)
{
	uint8_t *pages = two_pages();
	struct memory_live *live = memory_live_new(getpid());
	struct memory *mem = memory_of_live(live);
	uint64_t at = (uintptr_t)pages, value, reads;
	char text[8192];

	memset(pages + 4096, 'a', 4096);
	CHECK_EQ(memory_read_u64(mem, at, &value), 0);
	reads = memory_live_reads(live);
	pages[0] ^= 0xff;
	CHECK_EQ(memory_read_u64(mem, at, &value), 0);
	CHECK_EQ(memory_live_reads(live), reads);
	CHECK((uint8_t)value != pages[0]);
	memory_live_forget(live);
	CHECK_EQ(memory_read_u64(mem, at, &value), 0);
	CHECK_EQ((uint8_t)value, pages[0]);
	CHECK(memory_read_u64(mem, at + 2 * 4096 - 4, &value) < 0);
	CHECK(memory_read_string(mem, at + 4096, text, sizeof(text)) < 0);
	pages[2 * 4096 - 1] = '\0';
	memory_live_forget(live);
	CHECK_EQ(memory_read_string(mem, at + 4096, text, sizeof(text)), 4095);
	memory_live_free(live);
	munmap(pages, 2 * 4096);
}

TEST(argument_holds_while_its_slot_has_the_word_that_led_to_it)
{
	struct memory_live *live = memory_live_new(getpid());
	uint64_t *slot = (uint64_t *)two_pages(), kept;
	struct runtime_argument a = { .slot = (uintptr_t)slot, .word = 17 };

	*slot = 17;
	CHECK_EQ(memory_read_u64(memory_of_live(live), a.slot, &kept), 0);
	CHECK(runtime_argument_holds(&a, live));
	/* The collector moved it: what was kept of the page does not tell. */
	*slot = 33;
	CHECK(!runtime_argument_holds(&a, live));
	munmap(slot, 4096);
	CHECK(!runtime_argument_holds(&a, live));
	/* A number in the slot itself was copied with the stack. */
	a.slot = 0;
	CHECK(runtime_argument_holds(&a, live));
	munmap(slot + 512, 4096);
	memory_live_free(live);
}

TEST(memory_live_keeps_pages_that_lie_a_chunk_of_a_heap_apart)
{
	enum { CHUNK = 256 << 10, CHUNKS = 16 };
	uint8_t *heap = mmap(NULL, CHUNK * CHUNKS, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct memory_live *live = memory_live_new(getpid());
	uint64_t value;

	for (int round = 0; round < 4; round++)
		for (size_t i = 0; i < CHUNKS; i++)
			CHECK_EQ(memory_read_u64(memory_of_live(live), (uintptr_t)heap + i * CHUNK,
						 &value),
				 0);
	CHECK(memory_live_reads(live) < 2 * CHUNKS);
	memory_live_free(live);
	munmap(heap, CHUNK * CHUNKS);
}

TEST(unwind_seam_drops_the_frames_of_another_moment)
{
	uint8_t *pages = two_pages(), copy[2048], buf[8];
	struct memory_live *live = memory_live_new(getpid());
	uint64_t at = (uintptr_t)pages;
	struct raw_stack *stack = calloc(1, sizeof(*stack));
	struct memory_dump dump;

	memcpy(copy, pages, sizeof(copy));
	memory_dump_init(&dump, at, copy, sizeof(copy), memory_of_live(live));
	*stack = (struct raw_stack){
		.n = 3, .frames = { { .sp = at }, { .sp = at + 2040 }, { .sp = at + 2048 } }
	};
	/* Nothing was read past the dump: whatever happened since does not matter. */
	pages[2047] ^= 1;
	unwind_check_seam(stack, &dump, live);
	CHECK_EQ(stack->end, STACK_COMPLETE);
	memory_read(&dump.base, at + 2048, buf, 8);
	pages[2047] ^= 1;
	pages[2048] ^= 1; /* not in the dump */
	pages[1023] ^= 1; /* further down than the seam */
	unwind_check_seam(stack, &dump, live);
	CHECK_EQ(stack->end, STACK_COMPLETE);
	stack->end = STACK_NOT_CODE;
	stack->n = 3;
	unwind_check_seam(stack, &dump, live);
	CHECK_EQ(stack->end, STACK_SEAM);
	CHECK_EQ(stack->n, 2);
	stack->end = STACK_COMPLETE;
	stack->n = 3;
	pages[1024] ^= 1;
	unwind_check_seam(stack, &dump, live);
	CHECK_EQ(stack->end, STACK_SEAM);
	CHECK_EQ(stack->n, 2);
	free(stack);
	memory_live_free(live);
	munmap(pages, 2 * 4096);
}

TEST(unwind_splice_needs_a_frame_and_its_caller_where_they_were)
{
	struct raw_stack *before = calloc(1, sizeof(*before)), *now = calloc(1, sizeof(*now));

	before->n = 6;
	before->end = STACK_COMPLETE;
	for (size_t i = 0; i < before->n; i++)
		before->frames[i] = (struct raw_frame){ .pc = 100 + i, .sp = 1000 + i * 16 };
	now->n = 4;
	memcpy(now->frames + 2, before->frames + 2, 2 * sizeof(now->frames[0]));
	CHECK(!unwind_splice(now, before));
	now->end = STACK_SEAM;
	CHECK(unwind_splice(now, before));
	CHECK(now->n == 6 && now->end == STACK_COMPLETE);
	CHECK_EQ(now->frames[5].pc, 105);
	now->end = STACK_SEAM;
	now->n = 4;
	now->frames[2].sp++;
	CHECK(!unwind_splice(now, before));
	CHECK_EQ(now->end, STACK_SEAM);
	now->frames[2].sp--;
	before->end = STACK_TRUNCATED;
	CHECK(!unwind_splice(now, before));
	free(before);
	free(now);
}
