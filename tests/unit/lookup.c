#include "sampler/runtimes/native/lookup.h"

#include "tests/test.h"

enum { SP = 0x7ffc00001000, QUERY = 64 /* word of the query */ };

/* The stack of a thread that waits for a name server: getaddrinfo() called by main(). */
struct bench {
	uint64_t words[128];
	struct frame names[4];
	struct raw_stack stack;
	struct memory_dump mem;
	char host[LOOKUP_NAME];
};

static uint8_t *query_of(struct bench *b)
{
	return (uint8_t *)&b->words[QUERY];
}

/* Bytes on the wire, NUL-terminated lengths and all: "\3www\7example". */
static void bench_open(struct bench *b, const char *labels)
{
	static const uint8_t head[] = { 0xbe, 0xef, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	static const uint8_t tail[] = { 0, 0, 28, 0, 1 };
	uint8_t *query;

	*b = (struct bench){ .stack.n = 4 };
	for (size_t i = 0; i < 4; i++)
		b->names[i] = (struct frame){ .kind = FRAME_NATIVE };
	b->names[0].function = "poll";
	b->names[2].function = "getaddrinfo";
	b->names[3].function = "main";
	b->stack.frames[0].sp = SP;
	b->stack.frames[1].sp = SP + 32;
	b->stack.frames[2].sp = SP + 800;
	b->stack.frames[3].sp = SP + 960;
	query = query_of(b);
	memcpy(query, head, sizeof(head));
	memcpy(query + sizeof(head), labels, strlen(labels));
	memcpy(query + sizeof(head) + strlen(labels), tail, sizeof(tail));
	b->words[10] = SP + 8 * QUERY;
	memory_dump_init(&b->mem, SP, b->words, sizeof(b->words), NULL);
}

static ssize_t look_up(struct bench *b)
{
	return lookup_host(&b->stack, &b->mem.base, b->names, b->host);
}

TEST(lookup_host_is_the_name_in_the_query)
{
	struct bench b;

	bench_open(&b, "\3www\7example\4test");
	CHECK_EQ(look_up(&b), 2);
	CHECK_STR(b.host, "www.example.test");
	query_of(&b)[3] = 0x20; /* authentic data */
	query_of(&b)[11] = 1;   /* EDNS */
	b.names[1].function =
		"gethostbyname"; /* of which the other is made, or the other way round */
	CHECK_EQ(look_up(&b), 2);
	CHECK_STR(b.host, "www.example.test");
}

TEST(lookup_host_is_what_was_asked_for_without_the_domain_that_is_searched)
{
	struct bench b;

	bench_open(&b, "\2db\4corp\4test");
	strcpy((char *)&b.words[110], "DB");
	b.words[20] = SP + 8 * 110;
	CHECK_EQ(look_up(&b), 2);
	CHECK_STR(b.host, "db");
	strcpy((char *)&b.words[110], "d"); /* no whole label */
	CHECK_EQ(look_up(&b), 2);
	CHECK_STR(b.host, "db.corp.test");
}

TEST(lookup_host_is_unknown_without_a_query_that_is_waited_for)
{
	struct bench b;

	bench_open(&b, "\3www\7example\4test");
	b.words[10] = 0; /* left of an earlier one */
	CHECK_EQ(look_up(&b), -1);
	b.words[10] = SP + 8 * QUERY;
	b.names[2].function = "main";
	CHECK_EQ(look_up(&b), -1);
	b.names[2].function = "getaddrinfo";
	b.stack.frames[3].sp = SP + 8 * QUERY; /* it is the program's own */
	CHECK_EQ(look_up(&b), -1);
	b.stack.frames[3].sp = SP + 960;
	CHECK_EQ(look_up(&b), 2);
}

TEST(lookup_host_takes_no_other_bytes_for_a_query)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} broken[] = {
		{ 2, 0x81 },  /* a response */
		{ 3, 0x83 },  /* with an error */
		{ 5, 2 },     /* two questions */
		{ 7, 1 },     /* an answer */
		{ 11, 2 },    /* more than EDNS */
		{ 12, 0 },    /* no name */
		{ 12, 64 },   /* a label too long */
		{ 12, 0xc0 }, /* a reference */
		{ 13, '\n' }, /* no letter */
		{ 16, 200 },  /* a label beyond the end */
		{ 31, 12 },   /* for a pointer */
		{ 33, 3 },    /* of class CHAOS */
	};
	struct bench b;

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		bench_open(&b, "\3www\7example\4test");
		CHECK_EQ(look_up(&b), 2);
		query_of(&b)[broken[i].at] = broken[i].byte;
		if (look_up(&b) != -1)
			test_fail(__FILE__, __LINE__, "row %zu is taken for %s", i, b.host);
	}
}

TEST(lookup_host_ends_with_the_copied_stack)
{
	struct bench b;

	bench_open(&b, "\3www\7example\4test");
	for (size_t len = 0; len < 8 * QUERY + 34; len++) {
		memory_dump_init(&b.mem, SP, b.words, len, NULL);
		CHECK_EQ(look_up(&b), -1);
	}
	memory_dump_init(&b.mem, SP, b.words, 8 * QUERY + 40, NULL);
	CHECK_EQ(look_up(&b), 2);
	memory_dump_init(&b.mem, SP + 8, b.words, sizeof(b.words), NULL);
	CHECK_EQ(look_up(&b), -1);
	b.stack.n = 0;
	CHECK_EQ(look_up(&b), -1);
}
