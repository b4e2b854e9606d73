#include "sampler/bpf/bpf_ring.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

enum { SIZE = 64 };

/* A ring of SIZE bytes as the kernel would leave it: written at `end`, read up to `begin`. */
struct made {
	uint8_t data[SIZE] __attribute__((aligned(8)));
	volatile uint64_t begin, end;
};

static struct bpf_ring ring_over(struct made *m)
{
	return (struct bpf_ring){
		.fd = -1, .size = SIZE, .consumer = &m->begin, .producer = &m->end, .data = m->data
	};
}

/* A record of that text. */
static void put(struct made *m, const char *text, uint32_t flags)
{
	uint32_t header = (uint32_t)strlen(text) | flags;
	uint64_t at = m->end + BPF_RINGBUF_HDR_SZ;

	memcpy(m->data + m->end % SIZE, &header, sizeof(header));
	for (size_t i = 0; text[i]; i++)
		m->data[(at + i) % SIZE] = (uint8_t)text[i];
	m->end = (at + strlen(text) + 7) & ~7ull;
}

static void collect(void *arg, const void *record, size_t len)
{
	strncat(arg, record, len);
	strcat(arg, "|");
}

TEST(bpf_ring_puts_together_a_record_that_goes_round_the_end)
{
	struct made m = { .begin = 32, .end = 32 };
	struct bpf_ring ring = ring_over(&m);
	char got[100] = "";

	put(&m, "one", 0);
	put(&m, "a record of two parts", 0);
	bpf_ring_drain(&ring, collect, got);
	CHECK_STR(got, "one|a record of two parts|");
	CHECK_EQ(m.begin, m.end);
	free(ring.joined);
}

TEST(bpf_ring_begins_again_where_a_header_ends_with_it)
{
	struct made m = { .begin = 56, .end = 56 };
	struct bpf_ring ring = ring_over(&m);
	char got[100] = "";

	put(&m, "whole", 0);
	bpf_ring_drain(&ring, collect, got);
	CHECK_STR(got, "whole|");
	CHECK(ring.joined == NULL);
}

TEST(bpf_ring_leaves_out_what_was_given_up_and_waits_for_what_is_being_written)
{
	struct made m = { 0 };
	struct bpf_ring ring = ring_over(&m);
	char got[100] = "";

	put(&m, "no", BPF_RINGBUF_DISCARD_BIT);
	put(&m, "yes", 0);
	put(&m, "later", BPF_RINGBUF_BUSY_BIT);
	bpf_ring_drain(&ring, collect, got);
	CHECK_STR(got, "yes|");
	CHECK_EQ(m.begin, 32);
}
