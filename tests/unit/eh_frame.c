#include "sampler/eh_frame.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "core/arena.h"
#include "sampler/eh_index.h"
#include "tests/test.h"

enum { VADDR = 0x10000, FUNCTION = 0x8000, LENGTH = 0x100 };

/* A section with one CIE ("zR", pc-relative) and one FDE for FUNCTION. */
struct section {
	uint8_t bytes[512];
	size_t n, fde;
};

static void put(struct section *s, const void *bytes, size_t n)
{
	memcpy(s->bytes + s->n, bytes, n);
	s->n += n;
}

static void put_u32(struct section *s, uint64_t value)
{
	uint32_t v = (uint32_t)value;

	put(s, &v, 4);
}

/* Writes an entry's length into the word at `at`, having filled it up with nops. */
static void close_entry(struct section *s, size_t at)
{
	uint32_t length;

	while (s->n % 4)
		s->bytes[s->n++] = 0;
	length = (uint32_t)(s->n - at - 4);
	memcpy(s->bytes + at, &length, 4);
}

static void make_section(struct section *s, const char *augmentation, const char *data,
			 size_t data_len, const char *code, size_t code_len)
{
	uint8_t size = (uint8_t)data_len;

	*s = (struct section){ 0 };
	put_u32(s, 0);
	put_u32(s, 0);
	put(s, "\x01", 1);
	put(s, augmentation, strlen(augmentation) + 1);
	put(s, "\x01\x78\x10", 3); /* code 1, data -8, return address in 16 */
	put(s, &size, 1);
	put(s, data, data_len);
	put(s, "\x0c\x07\x08\x90\x01", 5); /* CFA = rsp + 8; ra at CFA - 8 */
	close_entry(s, 0);
	s->fde = s->n;
	put_u32(s, 0);
	put_u32(s, s->n); /* back to the CIE at 0 */
	put_u32(s, FUNCTION - (VADDR + s->n));
	put_u32(s, LENGTH);
	put(s, "\0", 1);
	put(s, code, code_len);
	close_entry(s, s->fde);
}

static int row_in(const struct section *s, uint64_t offset, struct cfi_row *row)
{
	/* Of its exact size on the heap, so that a read past the end is seen. */
	uint8_t *bytes = memcpy(xcalloc(1, s->n), s->bytes, s->n);
	struct eh_section section = { bytes, s->n, VADDR };
	struct eh_fde fde;
	int rc = eh_fde_parse(&section, s->fde, &fde);

	if (rc == 0)
		rc = eh_fde_row(&section, &fde, FUNCTION + offset, row);
	free(bytes);
	return rc;
}

static int row_of(const char *code, size_t len, uint64_t offset, struct cfi_row *row)
{
	struct section s;

	make_section(&s, "zR", "\x1b", 1, code, len);
	return row_in(&s, offset, row);
}

#define ROW(code, offset, row) row_of(code, sizeof(code) - 1, offset, row)

static void check_rule(const struct cfi_rule *rule, enum cfi_kind kind, uint32_t reg, int64_t value,
		       int line)
{
	if (rule->kind != kind || rule->reg != reg || rule->value != value)
		test_fail(__FILE__, line, "rule is %u/%u/%lld", rule->kind, rule->reg,
			  (long long)rule->value);
}

#define CHECK_RULE(rule, kind, reg, value) check_rule(&(rule), kind, reg, value, __LINE__)

/* push %rbp; mov %rsp,%rbp; ...; leave; ret */
static const char frame_code[] = "\x41\x0e\x10\x86\x02\x43\x0d\x06\x02\x60\x0c\x07\x08\xc6";

TEST(eh_frame_row_is_the_one_of_its_address)
{
	struct cfi_row row;

	CHECK_EQ(ROW(frame_code, 0, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 8);
	CHECK_RULE(row.regs[DW_RIP], CFI_OFFSET, 0, -8);
	CHECK_RULE(row.regs[DW_RBP], CFI_SAME, 0, 0);
	CHECK_EQ(ROW(frame_code, 1, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 16);
	CHECK_RULE(row.regs[DW_RBP], CFI_OFFSET, 0, -16);
	CHECK_EQ(ROW(frame_code, 3, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 16);
	CHECK_EQ(ROW(frame_code, 4, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RBP, 16);
	CHECK_EQ(ROW(frame_code, 4 + 0x5f, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RBP, 16);
	CHECK_EQ(ROW(frame_code, 4 + 0x60, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 8);
	CHECK_RULE(row.regs[DW_RBP], CFI_SAME, 0, 0);
	CHECK(!row.signal);
}

TEST(eh_frame_remembered_rows_come_back_whole_and_in_order)
{
	static const char code[] = "\x41\x0e\x20\x83\x04\x0a\x41\x0e\x30\x0a\x41\x0c\x06\x40"
				   "\x0b\x41\x0b\x41\x0e\x50";
	struct cfi_row row;

	CHECK_EQ(ROW(code, 3, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 0x30);
	CHECK_EQ(ROW(code, 4, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 0x20);
	CHECK_EQ(ROW(code, 5, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 0x50);
	CHECK_EQ(ROW("\x41\x0e\x20\x83\x04\x0a\x41\x0c\x06\x40\xc3\x41\x0b", 2, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RBP, 0x40);
	CHECK_RULE(row.regs[DW_RBX], CFI_SAME, 0, 0);
	CHECK_EQ(ROW("\x41\x0e\x20\x83\x04\x0a\x41\x0c\x06\x40\xc3\x41\x0b", 3, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 0x20);
	CHECK_RULE(row.regs[DW_RBX], CFI_OFFSET, 0, -32);
	CHECK(ROW("\x0b", 0, &row) < 0);
	CHECK(ROW("\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a", 0, &row) < 0);
}

TEST(eh_frame_every_operation_sets_its_rule)
{
	struct cfi_row row;

	/* offset_extended r12 3; offset_extended_sf r13 -2; GNU_negative_offset_extended r14 2 */
	CHECK_EQ(ROW("\x05\x0c\x03\x11\x0d\x7e\x2f\x0e\x02", 0, &row), 0);
	CHECK_RULE(row.regs[12], CFI_OFFSET, 0, -24);
	CHECK_RULE(row.regs[13], CFI_OFFSET, 0, 16);
	CHECK_RULE(row.regs[14], CFI_OFFSET, 0, 16);
	/* val_offset rsp 0; val_offset_sf rbx 3; register rbp r10; undefined r15; same_value r16 */
	CHECK_EQ(ROW("\x14\x07\x00\x15\x03\x03\x09\x06\x0a\x07\x0f\x08\x10", 0, &row), 0);
	CHECK_RULE(row.regs[DW_RSP], CFI_VAL_OFFSET, 0, 0);
	CHECK_RULE(row.regs[DW_RBX], CFI_VAL_OFFSET, 0, -24);
	CHECK_RULE(row.regs[DW_RBP], CFI_REGISTER, 10, 0);
	CHECK_RULE(row.regs[15], CFI_UNDEFINED, 0, 0);
	CHECK_RULE(row.regs[DW_RIP], CFI_SAME, 0, 0);
	/* restore_extended r16: what the CIE says */
	CHECK_EQ(ROW("\x07\x10\x06\x10", 0, &row), 0);
	CHECK_RULE(row.regs[DW_RIP], CFI_OFFSET, 0, -8);
	/* def_cfa_sf rbp -2; def_cfa_register rbx; def_cfa_offset_sf -4; args_size; nop */
	CHECK_EQ(ROW("\x12\x06\x7e\x0d\x03\x2e\x10\x00", 0, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RBX, 16);
	CHECK_EQ(ROW("\x13\x7c", 0, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 32);
	/* advance_loc1, 2, 4; set_loc (pc-relative, to far beyond) */
	CHECK_EQ(
		ROW("\x02\x10\x0e\x11\x03\x10\x00\x0e\x12\x04\x10\x00\x00\x00\x0e\x13", 0x2f, &row),
		0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 0x12);
	CHECK_EQ(ROW("\x01\x00\x00\x00\x00\x0e\x11", 0x50, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 8);
	/* offset of xmm0 (17): ignored */
	CHECK_EQ(ROW("\x91\x05", 0, &row), 0);
}

TEST(eh_frame_expressions_are_kept_with_place_and_length)
{
	struct cfi_row row;

	/* def_cfa_expression { breg7 -8, deref }; expression rbp { breg7 0 }; val_expression r12 {}
	 */
	CHECK_EQ(ROW("\x0f\x03\x77\x78\x06\x10\x06\x02\x77\x00\x16\x0c\x00", 0, &row), 0);
	CHECK_EQ(row.cfa.kind, CFI_EXPR);
	CHECK_EQ(row.cfa.reg, 3);
	CHECK_EQ(row.regs[DW_RBP].kind, CFI_EXPR);
	CHECK_EQ(row.regs[DW_RBP].reg, 2);
	CHECK_EQ(row.regs[DW_RBP].value, row.cfa.value + 3 + 3);
	CHECK_EQ(row.regs[12].kind, CFI_VAL_EXPR);
	CHECK(ROW("\x0f\x7f\x77\x78", 0, &row) < 0);
}

TEST(eh_frame_malformed_instructions_are_refused)
{
	struct cfi_row row;

	CHECK(ROW("\x3e", 0, &row) < 0);                 /* no such operation */
	CHECK(ROW("\x0c\x11\x08", 0, &row) < 0);         /* CFA from a vector register */
	CHECK(ROW("\x0f\x01\x77\x0e\x10", 0, &row) < 0); /* offset of an expression */
	CHECK(ROW("\x13\xff\xff\xff\xff\xff\xff\xff\xff\x3f", 0, &row) < 0); /* overflows */
}

TEST(eh_frame_augmentations_are_read)
{
	struct cfi_row row;
	struct section s;

	make_section(&s, "zRS", "\x1b", 1, "", 0);
	CHECK_EQ(row_in(&s, 0, &row), 0);
	CHECK(row.signal == 1);
	/* a personality (indirect, pc-relative, 4 bytes) and a language-specific area */
	make_section(&s, "zPLR", "\x9b\x11\x22\x33\x44\x1b\x1b", 7, "\x0e\x40", 2);
	CHECK_EQ(row_in(&s, 0, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 0x40);
	make_section(&s, "zRB", "\x1b", 1, "\x0e\x40", 2);
	CHECK_EQ(row_in(&s, 0, &row), 0);
	/* unknown letters: z says how long they are */
	make_section(&s, "zR?", "\x1b\x99\x99", 3, "\x0e\x40", 2);
	CHECK_EQ(row_in(&s, 0, &row), 0);
	CHECK_RULE(row.cfa, CFI_REGISTER, DW_RSP, 0x40);
	make_section(&s, "eh", "\x1b", 1, "", 0);
	CHECK(row_in(&s, 0, &row) < 0);
}

TEST(eh_frame_walk_passes_terminators_and_ends)
{
	struct section s;
	struct eh_section section;
	uint64_t next = 0, offset;
	size_t n = 0;

	make_section(&s, "zR", "\x1b", 1, "", 0);
	put_u32(&s, 0);
	put_u32(&s, 0);
	section = (struct eh_section){ s.bytes, s.n, VADDR };
	while (eh_frame_next(&section, &next, &offset))
		CHECK_EQ(offset, n++ == 0 ? 0 : s.fde);
	CHECK_EQ(n, 2);
}

TEST(eh_frame_no_truncation_or_changed_byte_reads_outside)
{
	struct section whole, s;
	struct cfi_row row;

	make_section(&whole, "zPLR", "\x9b\x11\x22\x33\x44\x1b\x1b", 7, frame_code,
		     sizeof(frame_code) - 1);
	for (size_t n = 1; n < whole.n; n++) {
		s = whole;
		s.n = n;
		CHECK(row_in(&s, 0x40, &row) < 0);
	}
	for (size_t i = 0; i < whole.n; i++)
		for (int value = 0; value < 256; value++) {
			s = whole;
			s.bytes[i] = (uint8_t)value;
			row_in(&s, 0x40, &row);
		}
}

/* Every row that the linker's table gives is also found without it. */
TEST(eh_index_without_a_header_finds_the_same_rows)
{
	struct elf_file *with = NULL, *without = NULL;
	struct error err;
	struct cfi_row a, b;
	size_t found = 0;

	CHECK_EQ(elf_open(&with, open("/proc/self/exe", O_RDONLY | O_CLOEXEC), &err), 0);
	CHECK_EQ(elf_open(&without, open("/proc/self/exe", O_RDONLY | O_CLOEXEC), &err), 0);
	without->eh_frame_hdr = 0;
	CHECK(eh_index_size(with) > 1000);
	CHECK_EQ(eh_index_size(with), eh_index_size(without));
	for (size_t i = 0; i < with->n_segments; i++) {
		const struct elf_segment *seg = &with->segments[i];

		for (uint64_t at = seg->vaddr; seg->exec && at < seg->vaddr + seg->filesz;
		     at += 31) {
			int rc = eh_index_row(with, at, &a);

			CHECK_EQ(rc, eh_index_row(without, at, &b));
			CHECK(rc != 1 || memcmp(&a, &b, sizeof(a)) == 0);
			found += rc == 1;
		}
	}
	CHECK(found > 1000);
	elf_close(with);
	elf_close(without);
}
