#include <libunwind.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "sampler/code.h"
#include "sampler/eh_index.h"
#include "sampler/step_rules.h"
#include "sampler/unwind.h"

/*
 * libunwind over a remote address space: what the native unwinder is tested
 * against, and --unwinder=libunwind.
 */

/* Exported by libunwind for this use, but in no header. */
int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t as, unw_word_t ip, unw_dyn_info_t *di,
				       unw_proc_info_t *pi, int need_unwind_info, void *arg);

/* A file whose unwind tables libunwind has asked for. */
struct unwind_table {
	struct elf_file *file;
	uint64_t bias;
};

struct remote {
	unw_addr_space_t as;
	struct space *space;
	uint64_t generation;
	struct unwind_table *tables;
	size_t n, cap;
	struct step_rules rules; /* tells which address is the outermost */
	/* of the unwinding at hand */
	struct memory *mem;
	const struct regs *regs;
	bool unreadable; /* a word was not there */
};

static void add_table(struct remote *r, struct elf_file *file, uint64_t bias)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->tables[i].file == file && r->tables[i].bias == bias)
			return;
	ARRAY_GROW(r->tables, r->n, r->cap);
	r->tables[r->n++] = (struct unwind_table){ file, bias };
}

static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *info, int need,
			  void *arg)
{
	struct remote *r = arg;
	struct mapping *m = space_find(r->space, ip);
	struct elf_file *file = m && m->exec ? space_file(r->space, m) : NULL;
	unw_dyn_info_t di = { .format = UNW_INFO_FORMAT_REMOTE_TABLE };
	uint64_t hdr;

	/*
	 * Not -UNW_EINVAL: only "no info" lets libunwind try the frame pointer,
	 * without which it stops at the first frame of JIT code.
	 */
	if (!file || !file->eh_frame_hdr || !eh_index_size(file))
		return -UNW_ENOINFO;
	add_table(r, file, m->bias);
	hdr = file->eh_frame_hdr + m->bias;
	di.start_ip = m->start;
	di.end_ip = m->end;
	di.u.rti.segbase = hdr;
	di.u.rti.table_data = hdr + 12;
	di.u.rti.table_len = eh_index_size(file);
	return UNW_OBJ(dwarf_search_unwind_table)(as, ip, &di, info, need, arg);
}

static void put_unwind_info(unw_addr_space_t as, unw_proc_info_t *info, void *arg)
{
}

static int no_dyn_info(unw_addr_space_t as, unw_word_t *addr, void *arg)
{
	return -UNW_ENOINFO;
}

static bool read_table(struct remote *r, uint64_t addr, unw_word_t *value)
{
	/* The one asked for last is asked again. */
	for (size_t i = r->n; i-- > 0;) {
		struct elf_file *file = r->tables[i].file;
		uint64_t vaddr = addr - r->tables[i].bias;

		if (eh_index_read(file, vaddr, value, sizeof(*value)) == 0)
			return true;
		/* It reads whole words, which may begin before or end behind a table. */
		if (elf_read_vaddr(file, vaddr, value, sizeof(*value)) == 0)
			return true;
	}
	return false;
}

static int access_mem(unw_addr_space_t as, unw_word_t addr, unw_word_t *value, int write, void *arg)
{
	struct remote *r = arg;

	if (write)
		return -UNW_EINVAL;
	if (addr - r->mem->window_addr < r->mem->window_len) {
		if (memory_read_u64(r->mem, addr, value) == 0)
			return 0;
	} else if (read_table(r, addr, value) ||
		   code_read(r->space, r->mem, addr, value, sizeof(*value)) == 0 ||
		   memory_read_u64(r->mem, addr, value) == 0) {
		return 0;
	}
	r->unreadable = true;
	return -UNW_EINVAL;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *value, int write,
		      void *arg)
{
	struct remote *r = arg;

	if (write || reg < 0 || reg >= DW_N || !(r->regs->valid >> reg & 1))
		return -UNW_EBADREG;
	*value = r->regs->r[reg];
	return 0;
}

static int access_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *value, int write,
			void *arg)
{
	return -UNW_EBADREG;
}

static int resume(unw_addr_space_t as, unw_cursor_t *cursor, void *arg)
{
	return -UNW_EINVAL;
}

static int no_name(unw_addr_space_t as, unw_word_t addr, char *name, size_t size,
		   unw_word_t *offset, void *arg)
{
	return -UNW_ENOINFO;
}

static void *libunwind_create(struct space *space)
{
	static unw_accessors_t accessors = {
		.find_proc_info = find_proc_info,
		.put_unwind_info = put_unwind_info,
		.get_dyn_info_list_addr = no_dyn_info,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = access_fpreg,
		.resume = resume,
		.get_proc_name = no_name,
	};
	struct remote *r = xcalloc(1, sizeof(*r));

	r->space = space;
	r->as = unw_create_addr_space(&accessors, 0);
	if (!r->as)
		abort();
	unw_set_caching_policy(r->as, UNW_CACHE_GLOBAL);
	step_rules_init(&r->rules, space);
	return r;
}

static void libunwind_destroy(void *state)
{
	struct remote *r = state;

	unw_destroy_addr_space(r->as);
	step_rules_destroy(&r->rules);
	free(r->tables);
	free(r);
}

static void sync_space(struct remote *r)
{
	if (r->generation == space_generation(r->space))
		return;
	r->generation = space_generation(r->space);
	r->n = 0;
	unw_flush_cache(r->as, 0, 0);
}

static bool push_frame(unw_cursor_t *cursor, enum unwind_how how, struct raw_stack *out)
{
	struct raw_frame f = { .how = how };
	unw_word_t pc, sp, fp;

	if (unw_get_reg(cursor, UNW_REG_IP, &pc) < 0 || unw_get_reg(cursor, UNW_REG_SP, &sp) < 0)
		return false;
	f.pc = pc;
	f.sp = sp;
	if (unw_get_reg(cursor, UNW_X86_64_RBP, &fp) == 0)
		f.fp = fp;
	out->frames[out->n++] = f;
	return true;
}

/* libunwind says "end" both for the outermost frame and where it is at a loss. */
static bool is_outermost(struct remote *r, const struct raw_frame *f)
{
	const struct step_rule *rule;

	step_rules_sync(&r->rules);
	rule = step_rules_at(&r->rules, r->mem, raw_frame_lookup_pc(f));
	return rule->kind == STEP_OUTERMOST ||
	       (rule->kind == STEP_CFI_ROW && rule->row.regs[DW_RIP].kind == CFI_UNDEFINED);
}

static enum stack_end walk(struct remote *r, unw_cursor_t *cursor, struct raw_stack *out)
{
	enum unwind_how how = HOW_LEAF;

	for (;;) {
		const struct mapping *m;
		struct raw_frame *f;
		bool signal;
		int rc;

		if (out->n == RAW_STACK_MAX)
			return STACK_TOO_DEEP;
		if (!push_frame(cursor, how, out))
			return STACK_BAD_FRAME;
		f = &out->frames[out->n - 1];
		m = space_find(r->space, raw_frame_lookup_pc(f));
		if (how != HOW_LEAF && (!m || !m->exec)) {
			out->n--;
			return STACK_NOT_CODE;
		}
		signal = unw_is_signal_frame(cursor) > 0;
		r->unreadable = false;
		rc = unw_step(cursor);
		if (rc <= 0 && is_outermost(r, f))
			return STACK_COMPLETE;
		if (rc <= 0)
			return r->unreadable ? STACK_TRUNCATED : STACK_NO_UNWIND_INFO;
		how = signal ? HOW_SIGNAL : HOW_CFI;
	}
}

static void libunwind_unwind(void *state, const struct regs *regs, struct memory *mem,
			     struct raw_stack *out)
{
	struct remote *r = state;
	unw_cursor_t cursor;

	out->n = 0;
	out->regs = *regs;
	out->end = STACK_NO_REGISTERS;
	r->mem = mem;
	r->regs = regs;
	sync_space(r);
	if (unw_init_remote(&cursor, r->as, r) == 0)
		out->end = walk(r, &cursor, out);
}

const struct unwinder unwinder_libunwind = {
	.name = "libunwind",
	.create = libunwind_create,
	.destroy = libunwind_destroy,
	.unwind = libunwind_unwind,
};
