#include "sampler/demangle.h"

#include <unistd.h>

#include "sampler/symbols.h"
#include "tests/test.h"

static const char *shown(const char *name)
{
	static struct recording *rec;

	recording_free(rec);
	rec = recording_new();
	return symbol_demangle(rec, name);
}

TEST(demangle_keeps_template_arguments_and_drops_parameters)
{
	CHECK_STR(shown("_ZN2v88internal10JsonParserItE9ParseJsonENS0_6HandleINS0_6ObjectEEE"),
		  "v8::internal::JsonParser<unsigned short>::ParseJson");
	CHECK_STR(shown("_Z3fooIiEvT_"), "foo<int>");
	CHECK_STR(shown("_ZN3FooC1Ev"), "Foo::Foo");
	CHECK_STR(shown("_ZNK3foocvbEv"), "foo::operator bool");
	CHECK_STR(shown("_ZN12_GLOBAL__N_13fooEv"), "(anonymous namespace)::foo");
	CHECK_STR(shown("_ZZN3foo3barEvENKUlvE_clEv"), "foo::bar()::{lambda()#1}::operator()");
}

TEST(demangle_reads_both_manglings_of_rust)
{
	CHECK_STR(shown("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE"),
		  "core::fmt::Write::write_fmt");
	CHECK_STR(shown("_ZN102_$LT$core..iter..adapters..map..Map$LT$I$C$F$GT$$u20$as$u20$core.."
			"iter..traits..iterator..Iterator$GT$4next17h0123456789abcdefE"),
		  "<core::iter::adapters::map::Map<I,F> as core::iter::traits::iterator::Iterator>"
		  "::next");
	CHECK_STR(shown("_RNvNtCs1234_7mycrate3foo3bar"), "mycrate::foo::bar");
	CHECK_STR(shown("_RINvNtC3std3mem8align_ofdE"), "std::mem::align_of::<f64>");
}

TEST(demangle_drops_what_compilers_append_to_copies)
{
	CHECK_STR(shown("dictFind.part.0"), "dictFind");
	CHECK_STR(shown("dictFind.constprop.0.isra.1"), "dictFind");
	CHECK_STR(shown("_ZN3foo3barEv.cold"), "foo::bar");
	CHECK_STR(shown("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE.llvm.1234"),
		  "core::fmt::Write::write_fmt");
	CHECK_STR(shown("name.with.dots"), "name.with.dots");
	CHECK_STR(shown("name.partial"), "name.partial");
	CHECK_STR(shown(".cold"), ".cold");
}

TEST(demangle_leaves_other_names_alone)
{
	CHECK_STR(shown("main"), "main");
	CHECK_STR(shown("_Z"), "_Z");
	CHECK_STR(shown("_Znot mangled"), "_Znot mangled");
	CHECK_STR(shown("_R"), "_R");
	CHECK_STR(shown(""), "");
	CHECK(shown(NULL) == NULL);
}

/* f<a, b<a, a>, b<b<a, a>, b<a, a> >...>: each argument is twice as long as the one before it. */
TEST(demangle_of_a_name_that_would_fill_memory_is_cut)
{
	struct strbuf name = { 0 };
	const char *s;

	strbuf_puts(&name, "_Z1fI1a1bIS0_S0_E");
	for (int i = 2; i <= 35; i++) {
		char c = (char)(i < 10 ? '0' + i : 'A' + i - 10);

		strbuf_printf(&name, "S1_IS%c_S%c_E", c, c);
	}
	strbuf_puts(&name, "Evv");
	alarm(10);
	s = shown(name.s);
	alarm(0);
	CHECK(strncmp(s, "f<a, b<a, a>, b<b<a, a>, b<a, a> >, ", 36) == 0);
	CHECK(strlen(s) > 4000 && strlen(s) < 5000);
	strbuf_destroy(&name);
}

TEST(demangle_reads_names_of_thousands_of_letters)
{
	struct strbuf name = { 0 };

	strbuf_puts(&name, "_ZN");
	for (int i = 0; i < 200; i++)
		strbuf_printf(&name, "9space_%03d", i);
	strbuf_puts(&name, "1fEv");
	CHECK(strncmp(shown(name.s), "space_000::space_001::", 22) == 0);
	strbuf_destroy(&name);
}
