#include "sampler/eh_frame.h"

#include <dwarf.h>
#include <errno.h>

#include "sampler/cursor.h"

enum {
	MAX_REMEMBERED = 8, /* compilers nest remember_state once or twice */
	MAX_LETTERS = 16,   /* of an augmentation: every FDE reads its CIE's anew */
	MAX_CODE = 1 << 20, /* bytes of instructions: every miss runs them */
};

/* An encoded pointer (DW_EH_PE_*), of which only what x86-64 linkers write. */
static uint64_t read_pointer(const struct eh_section *s, struct cursor *c, uint8_t encoding)
{
	uint64_t place = s->vaddr + (uint64_t)(c->at - s->bytes), value;

	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		value = cursor_uint(c, 8);
		break;
	case DW_EH_PE_udata2:
		value = cursor_uint(c, 2);
		break;
	case DW_EH_PE_udata4:
		value = cursor_uint(c, 4);
		break;
	case DW_EH_PE_sdata2:
		value = (uint64_t)cursor_int(c, 2);
		break;
	case DW_EH_PE_sdata4:
		value = (uint64_t)cursor_int(c, 4);
		break;
	case DW_EH_PE_uleb128:
		value = cursor_uleb(c);
		break;
	case DW_EH_PE_sleb128:
		value = (uint64_t)cursor_sleb(c);
		break;
	default:
		c->bad = true;
		return 0;
	}
	switch (encoding & 0x70) {
	case 0:
		return value;
	case DW_EH_PE_pcrel:
		return value + place;
	default:
		c->bad = true;
		return 0;
	}
}

/* The body of the entry at offset; empty (and not bad) for the terminator. */
static struct cursor entry_body(const struct eh_section *s, uint64_t offset)
{
	struct cursor c = { 0 };
	uint64_t length;

	if (offset >= s->size) {
		c.bad = true;
		return c;
	}
	c = cursor_over(s->bytes + offset, s->size - offset);
	length = cursor_uint(&c, 4);
	if (length == 0xffffffff)
		length = cursor_uint(&c, 8);
	if (length > cursor_left(&c))
		c.bad = true;
	else
		c.end = c.at + length;
	return c;
}

bool eh_frame_next(const struct eh_section *s, uint64_t *next, uint64_t *offset)
{
	struct cursor c;

	/* A static glibc has terminators in the middle, from crtend.o of several parts. */
	do {
		*offset = *next;
		c = entry_body(s, *offset);
		if (c.bad)
			return false;
		*next = (uint64_t)(c.end - s->bytes);
	} while (c.at == c.end);
	return true;
}

/* The augmentation "zPLR…" and its data; unknown letters end it, as z tells where it ends. */
static void parse_augmentation(const struct eh_section *s, struct cursor *c, const char *letters,
			       struct eh_fde *fde)
{
	uint64_t length = cursor_uleb(c);
	const uint8_t *data = cursor_skip(c, length);
	struct cursor d;

	if (!data)
		return;
	d = cursor_over(data, length);
	for (letters++; *letters && !d.bad; letters++) {
		if (*letters == 'R')
			fde->pointer_encoding = (uint8_t)cursor_uint(&d, 1);
		else if (*letters == 'P')
			read_pointer(s, &d, (uint8_t)cursor_uint(&d, 1) & 0x0f);
		else if (*letters == 'L')
			cursor_uint(&d, 1);
		else if (*letters == 'S')
			fde->signal = true;
		else if (*letters != 'B')
			break;
	}
	c->bad |= d.bad;
}

static int parse_cie(const struct eh_section *s, uint64_t offset, struct eh_fde *fde,
		     bool *augmented)
{
	struct cursor c = entry_body(s, offset);
	const char *letters;
	uint8_t version;
	uint64_t ra;

	if (cursor_uint(&c, 4) != 0 || c.bad)
		return -EINVAL;
	version = (uint8_t)cursor_uint(&c, 1);
	letters = (const char *)c.at;
	for (int i = 0; cursor_uint(&c, 1) != 0; i++)
		if (i == MAX_LETTERS)
			return -EINVAL;
	if (c.bad || (version != 1 && version != 3))
		return -EINVAL;
	fde->code_align = cursor_uleb(&c);
	fde->data_align = cursor_sleb(&c);
	ra = version == 1 ? cursor_uint(&c, 1) : cursor_uleb(&c);
	fde->pointer_encoding = DW_EH_PE_absptr;
	fde->signal = false;
	*augmented = letters[0] == 'z';
	if (*augmented)
		parse_augmentation(s, &c, letters, fde);
	else if (letters[0])
		return -EINVAL;
	fde->cie_code = c.at;
	fde->cie_code_end = c.end;
	return c.bad || ra != DW_RIP ? -EINVAL : 0;
}

int eh_fde_parse(const struct eh_section *s, uint64_t offset, struct eh_fde *fde)
{
	struct cursor c = entry_body(s, offset);
	uint64_t place = (uint64_t)(c.at - s->bytes), back, length;
	bool augmented;

	if (c.bad)
		return -EINVAL;
	back = cursor_uint(&c, 4);
	if (c.bad || !back || back > place || parse_cie(s, place - back, fde, &augmented) < 0)
		return -EINVAL;
	fde->start = read_pointer(s, &c, fde->pointer_encoding);
	length = read_pointer(s, &c, fde->pointer_encoding & 0x0f);
	fde->end = fde->start + length;
	if (augmented)
		cursor_skip(&c, cursor_uleb(&c));
	fde->code = c.at;
	fde->code_end = c.end;
	return c.bad || fde->end < fde->start || cursor_left(&c) > MAX_CODE ||
			       fde->cie_code_end - fde->cie_code > MAX_CODE
		       ? -EINVAL
		       : 0;
}

struct cfi_machine {
	const struct eh_section *section;
	const struct eh_fde *fde;
	uint64_t location, vaddr; /* where the row at hand begins; the one wanted */
	struct cfi_row row;
	struct cfi_row initial; /* as the CIE leaves it */
	struct cfi_row remembered[MAX_REMEMBERED];
	size_t n_remembered;
	bool bad;
};

static void set_rule(struct cfi_machine *m, uint64_t reg, struct cfi_rule rule)
{
	/* Vector registers and the like have rules too: nobody asks for them. */
	if (reg < DW_N)
		m->row.regs[reg] = rule;
}

/* A number of the file times its CIE's data alignment. */
static int64_t factored(struct cfi_machine *m, int64_t n)
{
	int64_t product = 0;

	if (__builtin_mul_overflow(n, m->fde->data_align, &product))
		m->bad = true;
	return product;
}

static struct cfi_rule at_offset(struct cfi_machine *m, enum cfi_kind kind, int64_t n)
{
	return (struct cfi_rule){ kind, 0, factored(m, n) };
}

static struct cfi_rule expression(struct cfi_machine *m, struct cursor *c, enum cfi_kind kind)
{
	uint64_t length = cursor_uleb(c);
	const uint8_t *at = cursor_skip(c, length);

	if (!at || length > UINT32_MAX)
		m->bad = true;
	return (struct cfi_rule){ kind, (uint32_t)length, at ? at - m->section->bytes : 0 };
}

static void restore(struct cfi_machine *m, uint64_t reg)
{
	if (reg < DW_N)
		m->row.regs[reg] = m->initial.regs[reg];
}

static void define_cfa(struct cfi_machine *m, uint64_t reg, int64_t offset)
{
	if (reg >= DW_N)
		m->bad = true;
	else
		m->row.cfa = (struct cfi_rule){ CFI_REGISTER, (uint32_t)reg, offset };
}

static void run_cfa_op(struct cfi_machine *m, struct cursor *c, uint8_t op)
{
	struct cfi_rule *cfa = &m->row.cfa;
	uint64_t reg;

	switch (op) {
	case DW_CFA_def_cfa:
		reg = cursor_uleb(c);
		define_cfa(m, reg, (int64_t)cursor_uleb(c));
		return;
	case DW_CFA_def_cfa_sf:
		reg = cursor_uleb(c);
		define_cfa(m, reg, factored(m, cursor_sleb(c)));
		return;
	case DW_CFA_def_cfa_expression:
		*cfa = expression(m, c, CFI_EXPR);
		return;
	}
	if (cfa->kind != CFI_REGISTER)
		m->bad = true;
	else if (op == DW_CFA_def_cfa_register)
		define_cfa(m, cursor_uleb(c), cfa->value);
	else if (op == DW_CFA_def_cfa_offset)
		cfa->value = (int64_t)cursor_uleb(c);
	else
		cfa->value = factored(m, cursor_sleb(c));
}

static void run_register_op(struct cfi_machine *m, struct cursor *c, uint8_t op)
{
	uint64_t reg = cursor_uleb(c);

	switch (op) {
	case DW_CFA_offset_extended:
		set_rule(m, reg, at_offset(m, CFI_OFFSET, (int64_t)cursor_uleb(c)));
		break;
	case DW_CFA_offset_extended_sf:
		set_rule(m, reg, at_offset(m, CFI_OFFSET, cursor_sleb(c)));
		break;
	case DW_CFA_GNU_negative_offset_extended:
		set_rule(m, reg, at_offset(m, CFI_OFFSET, (int64_t)-cursor_uleb(c)));
		break;
	case DW_CFA_val_offset:
		set_rule(m, reg, at_offset(m, CFI_VAL_OFFSET, (int64_t)cursor_uleb(c)));
		break;
	case DW_CFA_val_offset_sf:
		set_rule(m, reg, at_offset(m, CFI_VAL_OFFSET, cursor_sleb(c)));
		break;
	case DW_CFA_expression:
		set_rule(m, reg, expression(m, c, CFI_EXPR));
		break;
	case DW_CFA_val_expression:
		set_rule(m, reg, expression(m, c, CFI_VAL_EXPR));
		break;
	case DW_CFA_register:
		set_rule(m, reg, (struct cfi_rule){ CFI_REGISTER, (uint32_t)cursor_uleb(c), 0 });
		break;
	case DW_CFA_restore_extended:
		restore(m, reg);
		break;
	case DW_CFA_undefined:
		set_rule(m, reg, (struct cfi_rule){ .kind = CFI_UNDEFINED });
		break;
	case DW_CFA_same_value:
		set_rule(m, reg, (struct cfi_rule){ .kind = CFI_SAME });
		break;
	default:
		m->bad = true;
	}
}

/* An operation that has a byte of its own. */
static void run_op(struct cfi_machine *m, struct cursor *c, uint8_t op)
{
	switch (op) {
	case DW_CFA_nop:
		break;
	case DW_CFA_set_loc:
		m->location = read_pointer(m->section, c, m->fde->pointer_encoding);
		break;
	case DW_CFA_advance_loc1:
		m->location += cursor_uint(c, 1) * m->fde->code_align;
		break;
	case DW_CFA_advance_loc2:
		m->location += cursor_uint(c, 2) * m->fde->code_align;
		break;
	case DW_CFA_advance_loc4:
		m->location += cursor_uint(c, 4) * m->fde->code_align;
		break;
	case DW_CFA_remember_state:
		if (m->n_remembered == MAX_REMEMBERED)
			m->bad = true;
		else
			m->remembered[m->n_remembered++] = m->row;
		break;
	case DW_CFA_restore_state:
		if (m->n_remembered == 0)
			m->bad = true;
		else
			m->row = m->remembered[--m->n_remembered];
		break;
	case DW_CFA_GNU_args_size:
		cursor_uleb(c);
		break;
	case DW_CFA_def_cfa:
	case DW_CFA_def_cfa_sf:
	case DW_CFA_def_cfa_register:
	case DW_CFA_def_cfa_offset:
	case DW_CFA_def_cfa_offset_sf:
	case DW_CFA_def_cfa_expression:
		run_cfa_op(m, c, op);
		break;
	default:
		run_register_op(m, c, op);
	}
}

/* Runs until an operation moves past vaddr; those that move change nothing else. */
static void run(struct cfi_machine *m, const uint8_t *code, const uint8_t *end)
{
	struct cursor c = cursor_over(code, (size_t)(end - code));

	while (c.at < c.end && m->location <= m->vaddr && !m->bad) {
		uint8_t op = (uint8_t)cursor_uint(&c, 1), low = op & 0x3f;

		if ((op & 0xc0) == DW_CFA_advance_loc)
			m->location += low * m->fde->code_align;
		else if ((op & 0xc0) == DW_CFA_offset)
			set_rule(m, low, at_offset(m, CFI_OFFSET, (int64_t)cursor_uleb(&c)));
		else if ((op & 0xc0) == DW_CFA_restore)
			restore(m, low);
		else
			run_op(m, &c, op);
		m->bad |= c.bad;
	}
}

int eh_fde_row(const struct eh_section *s, const struct eh_fde *fde, uint64_t vaddr,
	       struct cfi_row *row)
{
	struct cfi_machine m;

	/* `remembered` is large and written before it is read. */
	memset(&m, 0, offsetof(struct cfi_machine, remembered));
	m.section = s;
	m.fde = fde;
	m.n_remembered = 0;
	m.bad = false;
	m.vaddr = vaddr;
	m.row.cfa.kind = CFI_UNDEFINED;
	run(&m, fde->cie_code, fde->cie_code_end);
	m.initial = m.row;
	m.location = fde->start;
	run(&m, fde->code, fde->code_end);
	*row = m.row;
	row->signal = fde->signal;
	return m.bad || row->cfa.kind == CFI_UNDEFINED ? -EINVAL : 0;
}
