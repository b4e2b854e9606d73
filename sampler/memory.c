#include "sampler/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/arena.h"

enum {
	PAGE = 4096,
	WAYS = 4,
	SETS = 64,
	SEAM = 1024,           /* bytes that must still be there */
	STACK_REACH = 8 << 20, /* bytes: a stack's usual limit */
};

struct cached_page {
	uint64_t addr; /* of its first byte; valid when generation is current */
	uint64_t generation;
	uint8_t bytes[PAGE];
};

struct memory_live {
	struct memory base;
	struct process_memory process;
	int own; /* to be closed, or -1 */
	uint64_t generation, reads;
	struct cached_page *pages; /* SETS sets of WAYS pages */
	unsigned victim;           /* which of a set goes next, if all are current */
};

bool process_read(const struct process_memory *m, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { buf, len };
	struct iovec remote = { (void *)(uintptr_t)addr, len };

	if (m->mem == MEMORY_BY_PID)
		return process_vm_readv(m->pid, &local, 1, &remote, 1, 0) == (ssize_t)len;
	return pread(m->mem, buf, len, (off_t)addr) == (ssize_t)len;
}

static int read_process(struct memory_live *live, uint64_t addr, void *buf, size_t len)
{
	live->reads++;
	return process_read(&live->process, addr, buf, len) ? 0 : -EFAULT;
}

/*
 * The page to put addr's in: its own, an old one of its set, or one after the other.  Heaps align
 * their chunks: low bits of page numbers are the same too often to spread them.
 */
static struct cached_page *page_slot(struct memory_live *live, uint64_t addr)
{
	uint64_t hash = addr / PAGE * 0x9e3779b97f4a7c15ull >> 32;
	struct cached_page *set = &live->pages[hash % SETS * WAYS], *old = NULL;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].generation != live->generation)
			old = &set[i];
		else if (set[i].addr == addr)
			return &set[i];
	}
	return old ? old : &set[live->victim++ % WAYS];
}

static struct cached_page *cached_page(struct memory_live *live, uint64_t addr)
{
	struct cached_page *page = page_slot(live, addr);

	if (page->generation == live->generation && page->addr == addr)
		return page;
	page->generation = 0;
	if (read_process(live, addr, page->bytes, PAGE) < 0)
		return NULL;
	page->generation = live->generation;
	page->addr = addr;
	return page;
}

static int live_read(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	struct memory_live *live = (struct memory_live *)self;
	uint8_t *out = buf;

	if (addr + len < addr)
		return -EFAULT;
	/* Large reads would only evict the small ones that come again. */
	if (len > 4ul * PAGE)
		return read_process(live, addr, buf, len);
	while (len > 0) {
		size_t offset = addr % PAGE;
		size_t part = PAGE - offset < len ? PAGE - offset : len;
		struct cached_page *page = cached_page(live, addr - offset);

		if (!page)
			return -EFAULT;
		memcpy(out, page->bytes + offset, part);
		addr += part;
		out += part;
		len -= part;
	}
	return 0;
}

struct memory_live *memory_live_new(pid_t pid)
{
	struct memory_live *live = xcalloc(1, sizeof(*live));
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	live->base.read = live_read;
	live->own = open(path, O_RDONLY | O_CLOEXEC);
	live->process = (struct process_memory){ pid, live->own < 0 ? MEMORY_BY_PID : live->own };
	live->generation = 1;
	live->pages = xcalloc((size_t)SETS * WAYS, sizeof(*live->pages));
	return live;
}

static void close_own(struct memory_live *live)
{
	if (live->own >= 0)
		close(live->own);
	live->own = -1;
}

void memory_live_use(struct memory_live *live, int mem)
{
	close_own(live);
	live->process.mem = mem;
}

int memory_live_peek(struct memory_live *live, uint64_t addr, void *buf, size_t len)
{
	return read_process(live, addr, buf, len);
}

struct memory *memory_of_live(struct memory_live *live)
{
	return &live->base;
}

void memory_live_forget(struct memory_live *live)
{
	live->generation++;
}

uint64_t memory_live_reads(const struct memory_live *live)
{
	return live->reads;
}

void memory_live_free(struct memory_live *live)
{
	if (!live)
		return;
	close_own(live);
	free(live->pages);
	free(live);
}

static int dump_read(struct memory *self, uint64_t addr, void *buf, size_t len)
{
	struct memory_dump *m = (struct memory_dump *)self;
	uint64_t offset = addr - self->window_addr;

	if (offset < self->window_len) {
		size_t part = self->window_len - offset < len ? self->window_len - offset : len;

		memcpy(buf, self->window + offset, part);
		addr += part;
		offset += part;
		buf = (uint8_t *)buf + part;
		len -= part;
	}
	if (len == 0)
		return 0;
	if (!m->below)
		return -EFAULT;
	/* Code and heap are read through this too: only what adjoins is stack. */
	if (offset - self->window_len < STACK_REACH)
		m->read_past = true;
	return memory_read(m->below, addr, buf, len);
}

void memory_dump_init(struct memory_dump *m, uint64_t addr, const void *bytes, size_t len,
		      struct memory *below)
{
	*m = (struct memory_dump){
		.base = { .read = dump_read,
			  .window = bytes,
			  .window_addr = addr,
			  .window_len = len },
		.below = below,
	};
}

bool memory_dump_seam_holds(const struct memory_dump *m, struct memory_live *live)
{
	const struct memory *dump = &m->base;
	size_t len = dump->window_len < SEAM ? dump->window_len : SEAM;
	size_t offset = dump->window_len - len;
	uint8_t now[SEAM];

	return read_process(live, dump->window_addr + offset, now, len) == 0 &&
	       memcmp(now, dump->window + offset, len) == 0;
}

ssize_t memory_read_string(struct memory *m, uint64_t addr, char *buf, size_t size)
{
	size_t n = 0;

	/* In pieces that do not cross a page: what follows the string may be unmapped. */
	while (n < size - 1) {
		size_t part = PAGE - (addr + n) % PAGE;
		char *end;

		if (part > size - 1 - n)
			part = size - 1 - n;
		if (memory_read(m, addr + n, buf + n, part) < 0)
			return -EFAULT;
		end = memchr(buf + n, '\0', part);
		if (end)
			return end - buf;
		n += part;
	}
	buf[n] = '\0';
	return (ssize_t)n;
}
