#include <errno.h>

#include "sampler/runtimes/v8/heap.h"
#include "tests/test.h"

/* A heap of literal words at BASE; everything else is unmapped. */
enum { BASE = 0x10000, WORDS = 256, META = 250 };

struct fake {
	struct memory base;
	uint64_t words[WORDS];
	struct v8_layout layout;
	struct v8_heap heap;
};

static int fake_read(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	struct fake *f = (struct fake *)self;

	if (addr < BASE || addr - BASE > sizeof(f->words) || len > sizeof(f->words) - (addr - BASE))
		return -EFAULT;
	memcpy(buf, (const char *)f->words + (addr - BASE), len);
	return 0;
}

static uint64_t at(int word)
{
	return BASE + (uint64_t)word * 8 + 1;
}

static uint64_t smi(int32_t value)
{
	return (uint64_t)(uint32_t)value << 32;
}

/* Maps stand in the first words: word k * 2 is the map of instance type k's row below. */
static const uint16_t types[] = { 40, 32, 41, 43, 45, 42, 58, 179 };
enum { ONE, TWO, CONS, SLICED, THIN, EXTERNAL, UNCACHED, ARRAY };

static void fake_init(struct fake *f)
{
	memset(f, 0, sizeof(*f));
	f->base.read = fake_read;
	v8_layout_find(&f->layout, 1002, NULL);
	f->heap.layout = &f->layout;
	v8_heap_begin(&f->heap, &f->base);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		f->words[i * 2] = at(META);
		f->words[i * 2 + 1] = (uint64_t)types[i] << 32;
	}
	f->words[META] = at(META);
}

/* Puts an object at a word: its map, hash and length, then two words. */
static uint64_t put(struct fake *f, int word, int type, uint32_t length, uint64_t a, uint64_t b)
{
	f->words[word] = at(type * 2);
	f->words[word + 1] = (uint64_t)length << 32;
	f->words[word + 2] = a;
	f->words[word + 3] = b;
	return at(word);
}

static uint64_t put_text(struct fake *f, int word, const char *text)
{
	uint64_t object = put(f, word, ONE, (uint32_t)strlen(text), 0, 0);

	memcpy(&f->words[word + 2], text, strlen(text));
	return object;
}

TEST(heap_reads_sequential_strings_as_utf8)
{
	struct fake f;
	char buf[64];
	uint64_t object;

	fake_init(&f);
	object = put_text(&f, 32, "caf\xe9");
	CHECK_EQ(v8_string(&f.heap, object, buf, sizeof(buf)), 5);
	CHECK_STR(buf, "caf\xc3\xa9");
	object = put(&f, 40, TWO, 4,
		     0x0041ull | 0x4e2dull << 16 | 0xd83dull << 32 | 0xde00ull << 48, 0);
	CHECK_EQ(v8_string(&f.heap, object, buf, sizeof(buf)), 8);
	CHECK_STR(buf, "A\xe4\xb8\xad\xf0\x9f\x98\x80");
}

TEST(heap_joins_cons_strings_and_cuts_slices)
{
	struct fake f;
	char buf[64];
	uint64_t left, right, cons, slice, thin;

	fake_init(&f);
	left = put_text(&f, 32, "hello ");
	right = put_text(&f, 40, "world");
	cons = put(&f, 48, CONS, 11, left, right);
	slice = put(&f, 56, SLICED, 5, cons, smi(4));
	thin = put(&f, 64, THIN, 5, slice, 0);
	CHECK_EQ(v8_string(&f.heap, cons, buf, sizeof(buf)), 11);
	CHECK_STR(buf, "hello world");
	CHECK_EQ(v8_string(&f.heap, thin, buf, sizeof(buf)), 5);
	CHECK_STR(buf, "o wor");
	CHECK_EQ(v8_string_length(&f.heap, thin), 5);
}

TEST(heap_reads_external_strings_where_their_characters_are)
{
	struct fake f;
	struct v8_text text;
	char buf[64];
	uint64_t object;

	fake_init(&f);
	memcpy(&f.words[100], "outside", 7);
	object = put(&f, 32, EXTERNAL, 7, 0, BASE + 800);
	CHECK_EQ(v8_string(&f.heap, object, buf, sizeof(buf)), 7);
	CHECK_STR(buf, "outside");
	CHECK(v8_string_text(&f.heap, object, &text));
	CHECK_EQ(text.addr, BASE + 800);
	/* Only the embedder knows where an uncached one is. */
	object = put(&f, 40, UNCACHED, 7, 0, BASE + 800);
	CHECK_EQ(v8_string(&f.heap, object, buf, sizeof(buf)), -1);
}

TEST(heap_follows_objects_that_the_collector_moved)
{
	struct fake f;
	char buf[64];
	uint64_t object;

	fake_init(&f);
	object = put_text(&f, 40, "moved");
	f.words[32] = object - 1;
	CHECK_EQ(v8_moved(&f.heap, at(32)), object);
	CHECK_EQ(v8_string(&f.heap, at(32), buf, sizeof(buf)), 5);
	/* Weak pointers are pointers; a circle is not. */
	CHECK_EQ(v8_moved(&f.heap, object + 2), object);
	f.words[36] = at(36) - 1;
	CHECK_EQ(v8_moved(&f.heap, at(36)), 0);
}

TEST(heap_takes_nothing_for_an_object_whose_map_is_no_map)
{
	struct fake f;
	char buf[64];
	uint64_t object;

	fake_init(&f);
	object = put_text(&f, 32, "text");
	/* What was allocated over an object may have a word that leads to the type of a string. */
	f.words[60] = smi(1);
	f.words[61] = (uint64_t)types[ONE] << 32;
	f.words[32] = at(60);
	CHECK_EQ(v8_type(&f.heap, object), -1);
	CHECK_EQ(v8_string(&f.heap, object, buf, sizeof(buf)), -1);
	f.words[60] = object;
	CHECK_EQ(v8_type(&f.heap, object), -1);
	f.words[60] = at(META);
	CHECK_EQ(v8_string(&f.heap, object, buf, sizeof(buf)), 4);
}

TEST(heap_tells_young_objects_by_their_page)
{
	struct fake f;

	fake_init(&f);
	f.layout.page_flags = BASE % (256 << 10) + 800;
	f.words[100] = 1 << 4;
	CHECK(v8_is_young(&f.heap, at(8)));
	f.words[100] = 1 << 2;
	CHECK(!v8_is_young(&f.heap, at(8)));
	/* Where nothing can be read, nothing is known to stay. */
	CHECK(v8_is_young(&f.heap, (4 << 20) + 1));
}

TEST(heap_gives_up_on_strings_that_contain_themselves)
{
	struct fake f;
	struct v8_text text;
	char buf[64];
	uint64_t cons;

	fake_init(&f);
	cons = put(&f, 32, CONS, 1 << 20, at(32), at(32));
	CHECK_EQ(v8_string(&f.heap, cons, buf, sizeof(buf)), -1);
	CHECK_EQ(v8_string(&f.heap, put(&f, 40, THIN, 8, at(40), 0), buf, sizeof(buf)), -1);
	CHECK(!v8_string_text(&f.heap, put(&f, 48, SLICED, 8, at(48), smi(1)), &text));
}

TEST(heap_replaces_what_a_c_string_cannot_hold)
{
	struct fake f;
	char buf[64];

	fake_init(&f);
	CHECK_EQ(v8_string(&f.heap, put(&f, 32, ONE, 3, 'a' | 'b' << 16, 0), buf, sizeof(buf)), 5);
	CHECK_STR(buf, "a\xef\xbf\xbd"
		       "b");
	/* A high surrogate alone, and one at the end. */
	CHECK_EQ(v8_string(&f.heap, put(&f, 40, TWO, 2, 0xd800ull | 0xd800ull << 16, 0), buf,
			   sizeof(buf)),
		 6);
}

TEST(heap_cuts_long_strings_at_a_character)
{
	struct fake f;
	char buf[6];

	fake_init(&f);
	CHECK_EQ(v8_string(&f.heap, put(&f, 32, TWO, 4, 0x4e2d4e2d4e2d4e2d, 0), buf, sizeof(buf)),
		 3);
	CHECK_STR(buf, "\xe4\xb8\xad");
}

TEST(heap_stops_when_the_budget_of_a_sample_is_used_up)
{
	struct fake f;
	uint64_t word;

	fake_init(&f);
	for (int i = 0; i < V8_SAMPLE_READS; i++)
		CHECK(v8_read(&f.heap, BASE, &word, sizeof(word)));
	CHECK(!v8_read(&f.heap, BASE, &word, sizeof(word)));
	v8_heap_begin(&f.heap, &f.base);
	CHECK(v8_read(&f.heap, BASE, &word, sizeof(word)));
	CHECK(!v8_read(&f.heap, BASE, &word, V8_SAMPLE_BYTES));
}
