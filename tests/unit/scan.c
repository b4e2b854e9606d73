#include "analyzers/scan/scan.h"

#include <stdlib.h>

#include "tests/test.h"

/* What is found in a source: "LINE:COLUMN /pattern/flags", separated by blanks. */
static const char *found(enum scan_language language, const char *source)
{
	static struct strbuf out;
	struct scan_uses uses = { 0 };
	struct arena a = { 0 };

	strbuf_destroy(&out);
	out = (struct strbuf){ 0 };
	strbuf_puts(&out, "");
	CHECK(scan_source(language, source, strlen(source), &a, &uses));
	for (size_t i = 0; i < uses.n; i++) {
		const struct scan_use *u = &uses.v[i];

		strbuf_printf(&out, "%s%u:%u /", i ? " " : "", u->line, u->column);
		strbuf_add(&out, u->pattern.text, u->pattern.len);
		strbuf_printf(&out, "/%s", u->pattern.flags);
		CHECK_EQ(u->pattern.engine, language == SCAN_PYTHON ? REGEX_PYTHON : REGEX_V8);
	}
	free(uses.v);
	arena_free(&a);
	return out.s ? out.s : "";
}

#define JS(source) found(SCAN_JAVASCRIPT, source)
#define TS(source) found(SCAN_TYPESCRIPT, source)
#define PY(source) found(SCAN_PYTHON, source)

TEST(a_slash_behind_an_operand_divides)
{
	CHECK_STR(JS("a / b / c"), "");
	CHECK_STR(JS("f(x) / 2 / g"), "");
	CHECK_STR(JS("a[1] / b[2] / 3"), "");
	CHECK_STR(JS("i++ / 2 / j-- / k"), "");
	CHECK_STR(JS("this / 2 / x; super / 1 / y"), "");
	CHECK_STR(JS("1 / 2 / 3; .5 / 2 / g; 0x1f / a / 1e5 / g"), "");
	CHECK_STR(JS("'a' / b / `c` / d / g"), "");
	CHECK_STR(JS("x = {} / 1 / g"), "");
	CHECK_STR(JS("x = { a: { b: 1 } } / 2 / g"), "");
	CHECK_STR(JS("x = function () {} / 1 / g"), "");
	CHECK_STR(JS("o.return / 2 / g; o?.typeof / 2 / g; o.if(x) / 2 / g"), "");
	CHECK_STR(JS("a\n/ b / g"), "");
	CHECK_STR(JS("`${a}` / b / g"), "");
	CHECK_STR(TS("a! / b / g"), "");
	CHECK_STR(JS("x /= 2; y /= 3"), "");
	CHECK_STR(JS("(a, b) / c / g"), "");
	CHECK_STR(JS("a ?.5 / 2 : b / g"), "");
}

TEST(a_slash_where_an_operand_is_due_begins_a_regex)
{
	CHECK_STR(JS("/a/g"), "1:1 /a/g");
	CHECK_STR(JS("x = /a/"), "1:5 /a/");
	CHECK_STR(JS("f(/a/i, /b/)"), "1:3 /a/i 1:9 /b/");
	CHECK_STR(JS("return /a/.test(x) / 2"), "1:8 /a/");
	CHECK_STR(JS("typeof /a/; case /b/: x"), "1:8 /a/ 1:18 /b/");
	CHECK_STR(JS("a ? /b/ : /c/"), "1:5 /b/ 1:11 /c/");
	CHECK_STR(JS("!/a/.test(x); ++/b/.lastIndex"), "1:2 /a/ 1:17 /b/");
	CHECK_STR(JS("[/a/, /b/][0] / 2"), "1:2 /a/ 1:7 /b/");
	CHECK_STR(JS("({ a: /b/, c: /d/ })"), "1:7 /b/ 1:15 /d/");
	CHECK_STR(JS("x => /a/.test(x)"), "1:6 /a/");
	CHECK_STR(JS("a && /b/ || /c/"), "1:6 /b/ 1:13 /c/");
	CHECK_STR(JS("else /a/.test(x)"), "1:6 /a/");
	CHECK_STR(JS("a = b / /c/.d"), "1:9 /c/");
	CHECK_STR(JS("x = a\n!/b/.test(x)"), "2:2 /b/");
}

TEST(a_slash_behind_a_bracket_depends_on_what_opened_it)
{
	CHECK_STR(JS("if (x) /a/.test(y)"), "1:8 /a/");
	CHECK_STR(JS("while (f(x)) /a/.test(y)"), "1:14 /a/");
	CHECK_STR(JS("for (const x of y) /a/.test(x)"), "1:20 /a/");
	CHECK_STR(JS("for await (const x of y) /a/.test(x)"), "1:26 /a/");
	CHECK_STR(JS("if (x) { y } /a/.test(z)"), "1:14 /a/");
	CHECK_STR(JS("function f() {} /a/.test(z)"), "1:17 /a/");
	CHECK_STR(JS("async function f() {} /a/.test(z)"), "1:23 /a/");
	CHECK_STR(JS("class A { b() {} } /a/.test(z)"), "1:20 /a/");
	CHECK_STR(JS("label: { x } /a/.test(z)"), "1:14 /a/");
	CHECK_STR(JS("x = () => {}\n/a/.test(z)"), "2:1 /a/");
	CHECK_STR(JS("switch (a) { case 1: { x } /a/.test(z) }"), "1:28 /a/");
	CHECK_STR(JS("(function () { return 1 })() / 2 / g"), "");
}

TEST(a_regex_ends_at_its_slash)
{
	CHECK_STR(JS("/[/]/.test(a)"), "1:1 /[/]/");
	CHECK_STR(JS("/\\//g"), "1:1 /\\//g");
	CHECK_STR(JS("/[\\]/]+/u"), "1:1 /[\\]/]+/u");
	CHECK_STR(JS("/'/; x = '/'; /\"/"), "1:1 /'/ 1:15 /\"/");
	CHECK_STR(JS("x = /a\n/b/"), "");
	CHECK_STR(JS("x = /a/banana"), "");
}

TEST(comments_and_strings_hold_no_regex)
{
	CHECK_STR(JS("// /a/\n/* /b/ */ /c/"), "2:11 /c/");
	CHECK_STR(JS("'/a/' + \"/b/\" + `/c/`"), "");
	CHECK_STR(JS("'it\\'s /a/'; /b/"), "1:14 /b/");
	CHECK_STR(JS("#!/usr/bin/env node\n/a/"), "2:1 /a/");
	CHECK_STR(JS("a /* x */ / b /* y */ / g"), "");
	CHECK_STR(JS("'open\n;/a/"), "2:2 /a/");
}

TEST(templates_are_nested)
{
	CHECK_STR(JS("`a ${ /b/.test(`c ${ /d/ } /e/`) } /f/` / 2"), "1:7 /b/ 1:22 /d/");
	CHECK_STR(JS("`${ { a: '}' }.a }` / 2; `\\${ /a/ \\``"), "");
	CHECK_STR(JS("`${ () => { return `}` } }`; /a/"), "1:30 /a/");
}

TEST(regexp_is_called_with_literals)
{
	CHECK_STR(JS("new RegExp('a\\\\d+', 'gi')"), "1:5 /a\\d+/gi");
	CHECK_STR(JS("RegExp(\"a\")"), "1:1 /a/");
	CHECK_STR(JS("new RegExp(`a\nb`)"), "1:5 /a\nb/");
	CHECK_STR(JS("new RegExp(String.raw`\\d+`, 'u')"), "1:5 /\\d+/u");
	CHECK_STR(JS("new RegExp('a' +\n 'b' + \"c\")"), "1:5 /abc/");
	CHECK_STR(JS("new RegExp('a', flags)"), "1:5 /a/");
	CHECK_STR(JS("new RegExp('a' + x); new RegExp(`a${x}`); new RegExp(x)"), "");
	CHECK_STR(JS("new RegExp('a'.repeat(3)); new RegExp(f('a'))"), "");
	CHECK_STR(JS("new RegExp(/a/, 'g')"), "1:12 /a/");
	CHECK_STR(JS("new RegExp(x ? 'a' : 'b'); RegExp; XRegExp('a'); RegExp()"), "");
	CHECK_STR(JS("new RegExp(f(new RegExp('a')) + 'b')"), "1:18 /a/");
	CHECK_STR(JS("new RegExp('a', ) / 2 / g"), "1:5 /a/");
}

TEST(escapes_of_strings_are_decoded)
{
	CHECK_STR(JS("RegExp('\\x41\\u0042\\u{43}\\103\\t\\q')"), "1:1 /ABCC\tq/");
	CHECK_STR(JS("RegExp('\\ud83d\\ude00')"), "1:1 /\xf0\x9f\x98\x80/");
	CHECK_STR(JS("RegExp('\\ud83dx')"), "1:1 /\xed\xa0\xbdx/");
	CHECK_STR(JS("RegExp('\\ud83d\\u0041')"), "1:1 /\xed\xa0\xbd"
						  "A/");
	CHECK_STR(JS("RegExp('a\\\nb')"), "1:1 /ab/");
	CHECK_STR(PY("re.compile('\\x41\\u0042\\103\\t\\d\\\\d')"), "1:1 /ABC\t\\d\\d/");
}

TEST(columns_count_as_editors_do)
{
	CHECK_STR(JS("'\xc3\xa9'; /a/"), "1:6 /a/");
	CHECK_STR(JS("'\xf0\x9f\x98\x80'; /a/"), "1:7 /a/");
	CHECK_STR(JS("\xef\xbb\xbf/a/\r\n;/b/\r;/c/"), "1:1 /a/ 2:2 /b/ 3:2 /c/");
}

TEST(jsx_is_text_and_not_code)
{
	CHECK_STR(JS("x = <p>don't / a / {/b/.test(c)} `</p>; /d/"), "1:21 /b/ 1:41 /d/");
	CHECK_STR(JS("x = <a href=\"/a/\" b={/c/} />; y / 2 / g"), "1:22 /c/");
	CHECK_STR(JS("x = <><B.C d='it' /> /a/ </> / 2 / g"), "");
	CHECK_STR(JS("return (<ul>{xs.map(x => <li key={x}>{x / 2} it's</li>)}</ul>)\n/a/"), "");
	CHECK_STR(JS("f(<a b=<i>/c/</i> />); /d/"), "1:24 /d/");
	CHECK_STR(JS("a < b / c > d / g; a << b; x <8; /e/"), "1:34 /e/");
	CHECK_STR(JS("const f = <T,>(x: T) => /a/.test(x)"), "1:25 /a/");
	CHECK_STR(JS("const f = <T extends U>(x: T) => /a/.test(x)"), "1:34 /a/");
	CHECK_STR(JS("type F = <T>(x: T) => T; x = /a/"), "1:30 /a/");
	CHECK_STR(JS("x = <S<string> a={/b/}>it's</S>; /c/"), "1:19 /b/ 1:34 /c/");
	CHECK_STR(TS("x = <string>y; /a/"), "1:16 /a/");
}

TEST(typescript_is_read)
{
	CHECK_STR(TS("const a: RegExp = /a/g; function f(x: string): { b: number } { return /c/ }"),
		  "1:19 /a/g 1:71 /c/");
	CHECK_STR(TS("class A<T> { private b = /a/; c?: RegExp = /d/ }"), "1:26 /a/ 1:44 /d/");
	CHECK_STR(TS("let x = y as number / 2 / g"), "");
}

TEST(python_calls_of_re_are_found)
{
	CHECK_STR(PY("re.compile(r'a\\d')"), "1:1 /a\\d/");
	CHECK_STR(PY("x = re.match('a', b) # re.match('c')"), "1:5 /a/");
	CHECK_STR(PY("re.compile(r'''a\nb''', re.X | re.IGNORECASE)"), "1:1 /a\nb/xi");
	CHECK_STR(PY("re.compile(\n  r'a' # x\n  'b'\n  \"c\",\n)"), "1:1 /abc/");
	CHECK_STR(PY("re.compile('a' + 'b')"), "1:1 /ab/");
	CHECK_STR(PY("re.sub('a', lambda m: re.sub('b', '', m), s, flags=re.S)"),
		  "1:1 /a/s 1:23 /b/");
	CHECK_STR(PY("re.sub('a', 'b', c, 0, re.M)"), "1:1 /a/m");
	CHECK_STR(PY("re.split('a', b, 0, re.I); re.search('a', f(re.I, re.M))"),
		  "1:1 /a/i 1:28 /a/");
	CHECK_STR(PY("re.compile(b'\\xff')"), "1:1 /\xc3\xbf/a");
	CHECK_STR(PY("re.compile(pattern='a', flags=re.A)"), "1:1 /a/a");
	CHECK_STR(PY("re.compile(('a' # x\n'b'), (re.I | re.M))"), "1:1 /ab/im");
	CHECK_STR(PY("re \\\n . search ('a')"), "1:1 /a/");
}

TEST(python_patterns_made_while_running_are_left_out)
{
	CHECK_STR(PY("re.compile(x); re.compile('a' % b); re.compile('a'.format(b))"), "");
	CHECK_STR(PY("re.compile(f'a{b}'); re.compile('a' + b); re.compile(rf'{b}')"), "");
	CHECK_STR(PY("re.compile(('a', 'b')); re.compile(('a') % b); re.compile(f('a'))"), "");
	CHECK_STR(PY("re.compile(f'a{{2}}')"), "1:1 /a{2}/");
	CHECK_STR(PY("self.re.compile('a'); more.compile('a'); re.escape('a'); re.compile"), "");
	CHECK_STR(PY("\"re.compile('a')\"; '''re.match(\"a\")'''"), "");
	CHECK_STR(PY("re.compile('\\N{EN DASH}')"), "");
}

TEST(python_names_of_re_are_followed)
{
	CHECK_STR(PY("import os, re as r\nr.compile('a')"), "2:1 /a/");
	CHECK_STR(PY("from re import (compile as c,\n  match)\nc('a'); match('b', x)"),
		  "3:1 /a/ 3:9 /b/");
	CHECK_STR(PY("import regex as re\nre.compile('a')"), "");
	CHECK_STR(PY("match('a', b); compile('c')"), "");
	CHECK_STR(PY("from os import path as re2\nfrom x import re\nre.compile('a')"), "3:1 /a/");
}

TEST(scan_knows_languages_by_suffix)
{
	CHECK_EQ(scan_language_of("a/b.js"), SCAN_JAVASCRIPT);
	CHECK_EQ(scan_language_of("a.d.ts"), SCAN_TYPESCRIPT);
	CHECK_EQ(scan_language_of("a.tsx"), SCAN_JAVASCRIPT);
	CHECK_EQ(scan_language_of("x.py"), SCAN_PYTHON);
	CHECK_EQ(scan_language_of("README"), -1);
	CHECK_EQ(scan_language_of("js"), -1);
}

/* Time is linear in what a source holds: these would take hours otherwise. */
TEST(scan_bears_hostile_sources)
{
	static const char *const pieces[] = { "/[",      "<a>", "(",  "((]",   "RegExp('", "`${",
					      "re.sub(", "{",   "x?", "<a b=", "'''",      "f'{" };
	size_t len = 1 << 20;
	char *text = xcalloc(1, len + 1);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct scan_uses uses = { 0 };
		struct arena a = { 0 };
		size_t n = strlen(pieces[i]);

		for (size_t at = 0; at + n <= len; at += n)
			memcpy(text + at, pieces[i], n);
		for (int language = 0; language < SCAN_LANGUAGES; language++)
			scan_source((enum scan_language)language, text, len, &a, &uses);
		free(uses.v);
		arena_free(&a);
	}
	free(text);
}
