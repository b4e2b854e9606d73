#include "sampler/pool_watch.h"

#include <fnmatch.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "sampler/symbols.h"

/* Files that may hold libuv, besides the program itself; by base name. */
static const char *const holders[] = { "node*", "libnode.so*", "libuv.so*", "loop.*.so", NULL };

/*
 * How compilers laid out the variables of libuv's threadpool.c: offsets from its
 * `cond`.  A row is believed only where it fits what is in memory.
 */
static const struct {
	int nthreads, idle_threads, queue, slow_queue, slow_message, exit_message;
} layouts[] = {
	/* clang-format off */
	{ -0x58, -0x50, -0xa0, -0xc0, -0xb0, -0x90 }, /* gcc, libuv 1.38 to 1.51 */
	{ -0x68,  0x68,  0x58,  0x38,  0x48, -0x60 }, /* clang, libuv 1.51 */
	/* clang-format on */
};

enum {
	NEAR = 4096,   /* bytes that the variables lie apart at most */
	SIGNALS = 0x28 /* of the word that a waiter sleeps on, in glibc's pthread_cond_t */
};

/* The symbol of that name which is nearest to an address. */
struct nearest {
	const char *name;
	uint64_t to, vaddr, away;
};

static void take_nearer(void *arg, const struct symbol *sym)
{
	struct nearest *n = arg;
	uint64_t away = sym->start > n->to ? sym->start - n->to : n->to - sym->start;

	if (strcmp(sym->name, n->name) != 0 || away >= n->away)
		return;
	n->away = away;
	n->vaddr = sym->start;
}

/* Other parts of a program have variables of such names too. */
static bool find_near(struct elf_file *file, const char *name, uint64_t to, uint64_t bias,
		      uint64_t *out)
{
	struct nearest n = { .name = name, .to = to, .away = NEAR };

	symbols_each(file, name, take_nearer, &n);
	*out = n.vaddr + bias;
	return n.away < NEAR;
}

static bool find_symbols(struct elf_file *file, uint64_t bias, struct pool_place *out)
{
	struct symbol anchor;
	uint64_t to;

	if (!symbols_find(file, "slow_io_pending_wq", &anchor))
		return false;
	to = anchor.start;
	out->slow_queue = to + bias;
	return find_near(file, "nthreads", to, bias, &out->nthreads) &&
	       find_near(file, "idle_threads", to, bias, &out->idle_threads) &&
	       find_near(file, "wq", to, bias, &out->queue) &&
	       find_near(file, "run_slow_work_message", to, bias, &out->slow_message) &&
	       find_near(file, "exit_message", to, bias, &out->exit_message);
}

static bool has_name(const struct mapping *m, const char *glob)
{
	const char *slash = strrchr(m->path, '/');

	return fnmatch(glob, slash ? slash + 1 : m->path, 0) == 0;
}

static bool may_hold(const struct mapping *m, const char *exe)
{
	if (!m->exec || m->anon)
		return false;
	for (const char *const *glob = holders; *glob; glob++)
		if (has_name(m, *glob))
			return true;
	return strcmp(m->path, exe) == 0;
}

static bool find_by_symbols(struct space *space, const char *exe, struct pool_place *out)
{
	size_t n;
	const struct mapping *m = space_mappings(space, &n);

	for (size_t i = 0; i < n; i++) {
		struct mapping *found = may_hold(&m[i], exe) ? space_find(space, m[i].start) : NULL;
		struct elf_file *file = found ? space_file(space, found) : NULL;

		if (file && find_symbols(file, found->bias, out))
			return true;
	}
	return false;
}

/* Is it a variable of a program or library: in its data, or in the zeroed pages behind them? */
static bool is_static(struct space *space, uint64_t addr)
{
	size_t n;
	const struct mapping *m = space_mappings(space, &n);

	for (size_t i = 0; i < n; i++)
		if (addr >= m[i].start && addr < m[i].end)
			return m[i].write && m[i].path[0] != '[' &&
			       (!m[i].anon ||
				(i > 0 && m[i - 1].end == m[i].start && !m[i - 1].anon));
	return false;
}

static bool fit_layouts(uint64_t cond, struct memory *m, struct pool_place *out)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		*out = (struct pool_place){
			.nthreads = cond + (uint64_t)layouts[i].nthreads,
			.idle_threads = cond + (uint64_t)layouts[i].idle_threads,
			.queue = cond + (uint64_t)layouts[i].queue,
			.slow_queue = cond + (uint64_t)layouts[i].slow_queue,
			.slow_message = cond + (uint64_t)layouts[i].slow_message,
			.exit_message = cond + (uint64_t)layouts[i].exit_message,
		};
		if (pool_place_fits(out, m))
			return true;
	}
	return false;
}

/* The condition variable, a variable of its module, that the thread waits for; 0: none. */
static uint64_t waits_for(const struct target *target, struct space *space, pid_t tid)
{
	struct thread_state state;
	bool waits = thread_look(target, tid, &state) && state.syscall == SYS_futex &&
		     (state.args[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;

	if (!waits || !is_static(space, state.args[0]))
		return 0;
	return (state.args[0] - SIGNALS) & ~7ull;
}

static bool find_by_waits(const struct target *target, struct space *space, struct memory *m,
			  struct pool_place *out)
{
	enum { MAX_TIDS = 16 };
	pid_t tids[MAX_TIDS];
	size_t n = target_threads(target, tids, MAX_TIDS);

	for (size_t i = 0; i < n && i < MAX_TIDS; i++) {
		uint64_t cond = waits_for(target, space, tids[i]);

		if (cond && fit_layouts(cond, m, out))
			return true;
	}
	return false;
}

/* The variables of libuv.so are few: each place that `cond` could have is tried. */
static bool find_in(uint64_t start, uint64_t end, struct memory *m, struct pool_place *out)
{
	enum { MAX = 64 * 1024 };

	for (uint64_t cond = start; cond < end && cond - start < MAX; cond += 16)
		if (fit_layouts(cond, m, out))
			return true;
	return false;
}

/* The data of a libuv.so; NULL: not mapped, or only its code is known. */
static const struct mapping *library_data(struct space *space, bool *mapped, uint64_t *end)
{
	size_t n;
	const struct mapping *all = space_mappings(space, &n);

	*mapped = false;
	for (size_t i = 0; i < n; i++) {
		if (all[i].anon || !has_name(&all[i], "libuv.so*"))
			continue;
		*mapped = true;
		if (!all[i].write)
			continue;
		*end = all[i].end;
		if (i + 1 < n && all[i + 1].anon && all[i + 1].start == all[i].end)
			*end = all[i + 1].end;
		return &all[i];
	}
	return NULL;
}

static bool find_in_library(struct space *space, struct memory *m, struct pool_place *out)
{
	struct error ignored;
	uint64_t end;
	bool mapped;
	const struct mapping *data = library_data(space, &mapped, &end);

	/* Only mappings of code are told of as they are made. */
	if (!data && mapped && space_refresh(space, &ignored) == 0)
		data = library_data(space, &mapped, &end);
	return data && find_in(data->start, end, m, out);
}

bool pool_find(const struct target *target, struct space *space, struct memory *m,
	       struct pool_place *out)
{
	const char *exe = "";
	size_t n;
	const struct mapping *all = space_mappings(space, &n);

	/* The program's own mapping comes first, unless it is linked to a higher place. */
	for (size_t i = 0; i < n && !*exe; i++)
		if (!all[i].anon && all[i].path[0] == '/')
			exe = all[i].path;
	return find_by_symbols(space, exe, out) || find_in_library(space, m, out) ||
	       find_by_waits(target, space, m, out);
}
