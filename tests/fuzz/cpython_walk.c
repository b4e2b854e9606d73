/*
 * Naming the frames of a sample of CPython whose memory is whatever the input says: its
 * words are those of a heap in which pointers lead from object to object, and of
 * the stack.  However bad, a sample costs a bounded number of reads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "sampler/runtimes/cpython/cpython.h"

enum {
	BASE = 0x10000,
	WORDS = 1024, /* that the input may fill; the rest reads as zero */
	ROOM = WORDS * 8 + 16384,
	READS_MAX = 2000 * 1000,
	EVAL = 0x5000,
	FRAMES = 12,
};

struct heap {
	struct memory base;
	uint8_t bytes[ROOM];
	uint64_t reads;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int heap_read(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	struct heap *h = (struct heap *)self;

	if (++h->reads > READS_MAX)
		abort();
	if (addr < BASE || addr - BASE > ROOM || len > ROOM - (addr - BASE))
		return -EFAULT;
	memcpy(buf, h->bytes + (addr - BASE), len);
	return 0;
}

/* Each 4 bytes: which word, and what it holds: the address of a word, or a small number. */
static void fill(struct heap *h, const uint8_t *data, size_t size)
{
	for (; size >= 4; data += 4, size -= 4) {
		size_t word = (data[0] | data[1] << 8) % WORDS;
		uint64_t value = (uint64_t)(data[2] | (data[3] & 0x7f) << 8);

		value = data[3] & 0x80 ? value : BASE + value % WORDS * 8;
		memcpy(h->bytes + word * 8, &value, sizeof(value));
	}
}

static struct cpython *make(struct recording *rec, struct heap *h, uint8_t which)
{
	static const int32_t versions[] = { 309, 310, 311, 312, 313 };
	struct cpython *py = xcalloc(1, sizeof(*py));

	py->rec = rec;
	py->mem = &h->base;
	py->layout = *cpython_layout_find(versions[which % 5]);
	py->runtime = BASE;
	py->version = "3";
	/* A word's own address as its type: objects are easily found. */
	py->types.string = BASE + 8;
	py->types.code = BASE + 16;
	py->types.bytes = BASE + 24;
	py->types.integer = BASE + 32;
	py->types.function = BASE + 40;
	py->types.method = BASE + 48;
	py->loops[py->n_loops].start = EVAL;
	py->loops[py->n_loops++].end = EVAL + 0x100;
	py->codes = xcalloc(CPYTHON_CODES, sizeof(*py->codes));
	py->lines = xcalloc(CPYTHON_LINES, sizeof(*py->lines));
	return py;
}

/* Interpreter and C by turns, from the stack pointer on. */
static void push_frames(struct raw_stack *raw)
{
	for (raw->n = 0; raw->n < FRAMES; raw->n++)
		raw->frames[raw->n] = (struct raw_frame){ .pc = raw->n % 2 ? EVAL + 8 : 0x100,
							  .sp = BASE + raw->n * 256,
							  .how = HOW_CFI };
	raw->regs.r[DW_RSP] = BASE;
}

static void name_all(struct cpython *py, const struct raw_stack *raw)
{
	struct cpython_call call = { .self = BASE, .arguments = BASE + 256 };
	struct argument arguments[RUNTIME_MAX_ARGUMENTS];
	struct cpython_code code;
	size_t first, n;

	if (!cpython_frames_read(py, raw))
		return;
	for (size_t i = 1; i < raw->n; i += 2) {
		n = cpython_frames_of(py, raw, i, &first);
		for (size_t k = first; n > 0; n--, k++)
			if (cpython_code_at(py, py->frames[k].code, &code))
				cpython_line_at(py, &code, py->frames[k].at);
		cpython_call_of(py, raw, i - 1, &call);
	}
	call.name = "re.Pattern.match";
	cpython_arguments(py, &call, 0, arguments);
	call.name = "_hashlib.pbkdf2_hmac";
	cpython_arguments(py, &call, 0, arguments);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct raw_stack raw;
	struct heap *h;
	struct recording *rec;
	struct cpython *py;

	if (size < 1)
		return 0;
	h = xcalloc(1, sizeof(*h));
	h->base.read = heap_read;
	rec = recording_new();
	fill(h, data + 1, size - 1);
	py = make(rec, h, data[0]);
	py->space = space_new(0);
	push_frames(&raw);
	name_all(py, &raw);
	space_free(py->space);
	free(py->codes);
	free(py->lines);
	free(py);
	recording_free(rec);
	free(h);
	return 0;
}
