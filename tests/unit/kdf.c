#include "sampler/runtimes/native/kdf.h"

#include "tests/test.h"

enum { SP = 0x7ffc00001000, AT = 40 /* word of the array */, KEYS = 100, VALUES = 90 };

/* The stack of a thread that derives a key: PKCS5_PBKDF2_HMAC() called by main(). */
struct bench {
	uint64_t words[160];
	struct frame names[4];
	struct raw_stack stack;
	struct memory_dump mem;
	struct kdf kdf;
	size_t params, keys;
};

static void bench_open(struct bench *b)
{
	*b = (struct bench){ .stack.n = 4 };
	for (size_t i = 0; i < 4; i++)
		b->names[i] = (struct frame){ .kind = FRAME_NATIVE };
	b->names[0].function = "sha256_block_data_order";
	b->names[2].function = "PKCS5_PBKDF2_HMAC";
	b->names[3].function = "main";
	for (size_t i = 0; i < 4; i++)
		b->stack.frames[i].sp = SP + i * 200;
	b->stack.frames[3].sp = SP + 8 * 150;
	memory_dump_init(&b->mem, SP, b->words, sizeof(b->words), NULL);
}

static uint64_t keep(struct bench *b, const char *text)
{
	size_t at = KEYS + b->keys;

	b->keys += 2;
	strcpy((char *)&b->words[at], text);
	return SP + 8 * at;
}

static void add(struct bench *b, const char *key, uint64_t type, uint64_t data, uint64_t size)
{
	uint64_t *p = &b->words[AT + 5 * b->params++];

	p[0] = keep(b, key);
	p[1] = 0xdead00000000 | type;
	p[2] = data;
	p[3] = size;
}

static uint64_t number(struct bench *b, size_t i, uint64_t value)
{
	b->words[VALUES + i] = value;
	return SP + 8 * (VALUES + i);
}

static void add_pbkdf2(struct bench *b, const char *digest)
{
	add(b, "pass", 5, number(b, 0, 1), 6);
	add(b, "salt", 5, number(b, 1, 1), 4);
	add(b, "iter", 1, number(b, 2, 0xffffffff0000ea60), 4);
	add(b, "digest", 4, keep(b, digest), strlen(digest));
}

static bool find(struct bench *b)
{
	return kdf_find(&b->stack, &b->mem.base, b->names, &b->kdf);
}

TEST(kdf_iterations_and_digest_are_in_the_array_of_the_call)
{
	struct bench b;

	bench_open(&b);
	add_pbkdf2(&b, "SHA2-256");
	CHECK(find(&b));
	CHECK_EQ(b.kdf.frame, 2);
	CHECK_EQ(b.kdf.iterations, 60000);
	CHECK_EQ(b.kdf.cost, -1);
	CHECK_STR(b.kdf.digest, "sha256");
	bench_open(&b);
	add_pbkdf2(&b, "SHA512");
	CHECK(find(&b));
	CHECK_STR(b.kdf.digest, "sha512");
}

TEST(kdf_cost_of_scrypt_is_its_n)
{
	struct bench b;

	bench_open(&b);
	b.names[2].function = "EVP_PBE_scrypt";
	add(&b, "pass", 5, number(&b, 0, 1), 6);
	add(&b, "n", 2, number(&b, 1, 1ull << 33), 8);
	CHECK(find(&b));
	CHECK_EQ(b.kdf.cost, 1ll << 33);
	CHECK_EQ(b.kdf.iterations, -1);
	CHECK_STR(b.kdf.digest, "");
}

TEST(kdf_of_the_pbkdf2_in_a_scrypt_is_not_taken)
{
	struct bench b;

	bench_open(&b);
	add(&b, "n", 2, number(&b, 1, 16384), 8);
	memcpy(b.words + 5, b.words + AT, 4 * 8);
	b.words[5] = keep(&b, "iter");
	b.words[5 + 2] = number(&b, 2, 1);
	b.names[0].function = "kdf_pbkdf2_derive";
	b.names[1].function = "kdf_scrypt_derive";
	b.stack.frames[1].sp = SP + 16;
	CHECK(find(&b));
	CHECK_EQ(b.kdf.cost, 16384);
	CHECK_EQ(b.kdf.iterations, -1);
}

TEST(kdf_left_of_an_earlier_call_below_is_not_taken)
{
	struct bench b;

	bench_open(&b);
	add_pbkdf2(&b, "SHA512");
	memcpy(b.words, b.words + AT, 20 * 8);
	b.words[10 + 2] = number(&b, 4, 7);
	CHECK(find(&b));
	CHECK_EQ(b.kdf.iterations, 60000);
}

TEST(kdf_array_of_the_caller_is_found_where_the_function_between_was_inlined)
{
	struct bench b;

	bench_open(&b);
	add_pbkdf2(&b, "SHA512");
	memcpy(b.words + 5, b.words + AT, 20 * 8); /* left below the one who uses it */
	b.words[5 + 10 + 2] = number(&b, 4, 7);
	b.names[1].function = "kdf_pbkdf2_derive";
	b.names[2].function = "ncrypto::pbkdf2";
	b.stack.frames[2].sp = SP + 8 * 30;
	CHECK(find(&b));
	CHECK_EQ(b.kdf.frame, 1);
	CHECK_EQ(b.kdf.iterations, 60000);
	CHECK_STR(b.kdf.digest, "sha512");
	b.names[0].function = "kdf_pbkdf2_derive";
	b.names[1].function = NULL;
	b.stack.frames[1].sp = SP - 8;
	CHECK(!find(&b));
	b.stack.n = 1;
	CHECK(!find(&b));
}

TEST(kdf_without_the_call_or_its_array_is_unknown)
{
	struct bench b;

	bench_open(&b);
	CHECK(!find(&b));
	add_pbkdf2(&b, "SHA512");
	b.names[2].function = "HMAC_Final";
	CHECK(!find(&b));
	b.names[2].function = "PKCS5_PBKDF2_HMAC";
	b.stack.frames[3].sp = SP + 8 * AT; /* it is the program's own */
	CHECK(!find(&b));
	b.stack.n = 0;
	CHECK(!find(&b));
}

TEST(kdf_values_that_make_no_sense_are_unknown)
{
	struct bench b;

	bench_open(&b);
	add(&b, "iter", 4, number(&b, 0, 1000), 4); /* a text */
	CHECK(!find(&b));
	bench_open(&b);
	add(&b, "iter", 1, number(&b, 0, 1000), 400);
	CHECK(!find(&b));
	bench_open(&b);
	add(&b, "iter", 1, SP - 8, 4);
	CHECK(!find(&b));
	bench_open(&b);
	add(&b, "iter", 1, SP + 8 * 150 - 4, 8);
	CHECK(!find(&b));
	bench_open(&b);
	add_pbkdf2(&b, "SHA\n512");
	CHECK(find(&b));
	CHECK_STR(b.kdf.digest, "");
}

TEST(kdf_reads_no_more_than_was_copied)
{
	struct bench b;

	bench_open(&b);
	add_pbkdf2(&b, "SHA512");
	for (size_t len = 0; len <= sizeof(b.words); len++) {
		memory_dump_init(&b.mem, SP, b.words, len, NULL);
		if (find(&b) && b.kdf.iterations != 60000)
			test_fail(__FILE__, __LINE__, "%zu bytes: %lld", len,
				  (long long)b.kdf.iterations);
	}
}
