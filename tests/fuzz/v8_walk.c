/*
 * Naming the frames of a sample of V8 whose memory is damaged: an input picks a
 * snapshot and says which of its words hold something else, and what memory
 * that was never taken reads as.  However bad, a sample costs a bounded number
 * of reads.
 */
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sampler/runtimes/v8/heap.h"
#include "tests/snapshot.h"

enum {
	SNAPSHOTS = 128,
	PATCHES = 64,
	READS_MAX = V8_SAMPLE_READS,
	BYTES_MAX = V8_SAMPLE_BYTES,
};

/* A word of the snapshot that reads as another. */
struct patch {
	uint64_t addr;
	uint8_t bytes[8];
};

struct damaged {
	struct memory base;
	struct snapshot *snapshot;
	struct patch patches[PATCHES];
	size_t n_patches;
	uint8_t filling; /* of memory that is not in the snapshot; 0: it cannot be read */
	uint64_t reads, bytes;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(const struct patch *p, uint64_t addr, uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < sizeof(p->bytes); i++) {
		uint64_t at = p->addr + i - addr;

		if (at < len)
			buf[at] = p->bytes[i];
	}
}

static int damaged_read(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	struct damaged *d = (struct damaged *)self;

	d->bytes += len;
	if (++d->reads > READS_MAX || d->bytes > BYTES_MAX)
		abort();
	if (memory_read(&d->snapshot->base, addr, buf, len) < 0) {
		if (!d->filling)
			return -1;
		/* Words that look like objects whose maps are such words, too. */
		for (size_t i = 0; i < len; i++)
			((uint8_t *)buf)[i] = (addr + i) % 8 ? (uint8_t)(addr >> 8) : d->filling;
	}
	for (size_t i = 0; i < d->n_patches; i++)
		apply(&d->patches[i], addr, buf, len);
	return 0;
}

/* Each 12 bytes: which range, where in it, and what is there. */
static void take_patches(struct damaged *d, const uint8_t *data, size_t size)
{
	const struct snapshot *s = d->snapshot;

	for (; size >= 12 && d->n_patches < PATCHES; data += 12, size -= 12) {
		struct patch *p = &d->patches[d->n_patches++];
		const struct snapshot_range *r = &s->ranges[(data[0] | data[1] << 8) % s->n_ranges];

		p->addr = r->addr + (uint64_t)(data[2] | data[3] << 8) % (r->len ? r->len : 1);
		memcpy(p->bytes, data + 4, 8);
	}
}

static struct snapshot *pick(uint8_t which)
{
	static struct snapshot *loaded[SNAPSHOTS];
	static size_t n;

	if (n == 0) {
		glob_t found;

		if (glob(LAGPROF_SOURCE_DIR "/fixtures/snapshots/v8/*.snap", 0, NULL, &found) != 0)
			abort();
		for (size_t i = 0; i < found.gl_pathc && n < SNAPSHOTS; i++) {
			loaded[n] = snapshot_load(found.gl_pathv[i]);
			n += loaded[n] != NULL;
		}
		globfree(&found);
	}
	return n ? loaded[which % n] : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct damaged d = { .base.read = damaged_read };
	FILE *out;

	if (size < 2)
		return 0;
	d.snapshot = pick(data[0]);
	if (!d.snapshot || d.snapshot->n_ranges == 0)
		abort();
	d.filling = data[1];
	take_patches(&d, data + 2, size - 2);
	out = fopen("/dev/null", "we");
	snapshot_print(d.snapshot, &d.base, out);
	fclose(out);
	return 0;
}
