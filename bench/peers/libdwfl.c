#include <elfutils/libdwfl.h>
#include <stdlib.h>

#include "bench/peers/peers.h"
#include "core/arena.h"

struct session {
	Dwfl *dwfl;
	pid_t thread; /* any number: there is one thread in this world */
	struct memory *mem;
	const struct regs *regs;
	struct raw_stack *out;
};

static int no_debug_info(Dwfl_Module *mod, void **data, const char *name, Dwarf_Addr base,
			 const char *file, const char *link, GElf_Word crc, char **found)
{
	return -1;
}

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread)
{
	struct session *s = arg;

	if (*thread)
		return 0;
	*thread = s;
	return s->thread;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread)
{
	*thread = arg;
	return true;
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *word, void *arg)
{
	struct session *s = arg;

	return memory_read_u64(s->mem, addr, word) == 0;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	struct session *s = arg;

	return dwfl_thread_state_registers(thread, 0, DW_N, s->regs->r);
}

static int take_frame(Dwfl_Frame *frame, void *arg)
{
	struct session *s = arg;
	Dwarf_Addr pc;
	bool exact;

	if (!dwfl_frame_pc(frame, &pc, &exact) || s->out->n == RAW_STACK_MAX)
		return DWARF_CB_ABORT;
	s->out->frames[s->out->n++] = (struct raw_frame){ .pc = pc };
	return DWARF_CB_OK;
}

/* Each file once: the second mapping of a fixed program confuses it. */
static void report_files(struct session *s, struct space *space)
{
	const struct elf_file *seen[256];
	const struct mapping *all;
	size_t n, n_seen = 0, j;

	all = space_mappings(space, &n);
	dwfl_report_begin(s->dwfl);
	for (size_t i = 0; i < n && n_seen < 256; i++) {
		struct mapping *m = space_find(space, all[i].start);
		struct elf_file *file = m->exec ? space_file(space, m) : NULL;

		for (j = 0; j < n_seen && seen[j] != file; j++)
			;
		if (!file || j < n_seen || m->path[0] != '/')
			continue;
		seen[n_seen++] = file;
		dwfl_report_elf(s->dwfl, m->path, m->path, -1, m->bias, true);
	}
	dwfl_report_end(s->dwfl, NULL, NULL);
}

static void *libdwfl_create(struct space *space)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = no_debug_info,
	};
	static const Dwfl_Thread_Callbacks threads = {
		.next_thread = next_thread,
		.get_thread = get_thread,
		.memory_read = read_word,
		.set_initial_registers = set_registers,
	};
	struct session *s = xcalloc(1, sizeof(*s));

	s->thread = 1;
	s->dwfl = dwfl_begin(&callbacks);
	report_files(s, space);
	if (!dwfl_attach_state(s->dwfl, NULL, 1, &threads, s))
		abort();
	return s;
}

static void libdwfl_destroy(void *state)
{
	struct session *s = state;

	dwfl_end(s->dwfl);
	free(s);
}

static void libdwfl_unwind(void *state, const struct regs *regs, struct memory *mem,
			   struct raw_stack *out)
{
	struct session *s = state;

	out->n = 0;
	out->end = STACK_COMPLETE;
	s->mem = mem;
	s->regs = regs;
	s->out = out;
	dwfl_getthread_frames(s->dwfl, s->thread, take_frame, s);
}

const struct unwinder unwinder_libdwfl = {
	.name = "libdwfl",
	.create = libdwfl_create,
	.destroy = libdwfl_destroy,
	.unwind = libdwfl_unwind,
};
