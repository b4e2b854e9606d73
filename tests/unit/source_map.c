#include "sampler/source_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/recording.h"
#include "core/strings.h"
#include "tests/test.h"

static struct source_map *parse(const char *json)
{
	return source_map_parse(json, strlen(json));
}

static bool is_at(const struct source_map *map, uint32_t line, uint32_t column, const char *source,
		  uint32_t from_line, uint32_t from_column)
{
	struct source_place p;

	return source_map_find(map, line, column, &p) && strcmp(p.source, source) == 0 &&
	       p.line == from_line && p.column == from_column;
}

/* Line 1: columns 1 and 5 of a.ts:1, 9 from nowhere; line 3: b.ts:11. */
static const char two_sources[] = "{\"version\":3,\"sourceRoot\":\"src\","
				  "\"sources\":[\"a.ts\",\"b.ts\"],"
				  "\"mappings\":\"AAAA,IAAI,I;;ACUF\"}";

TEST(source_map_finds_the_place_that_begins_at_or_before_a_column)
{
	struct source_map *map = parse(two_sources);

	CHECK(is_at(map, 1, 1, "src/a.ts", 1, 1));
	CHECK(is_at(map, 1, 4, "src/a.ts", 1, 1));
	CHECK(is_at(map, 1, 5, "src/a.ts", 1, 5));
	CHECK(is_at(map, 3, 40, "src/b.ts", 11, 3));
	source_map_free(map);
}

TEST(source_map_says_when_code_comes_from_nowhere)
{
	struct source_map *map = parse(two_sources);
	struct source_place p;

	CHECK(!source_map_find(map, 1, 9, &p));
	CHECK(!source_map_find(map, 2, 1, &p));
	CHECK(!source_map_find(map, 4, 1, &p));
	CHECK(!source_map_find(map, 0, 1, &p));
	CHECK(!source_map_find(map, UINT32_MAX, UINT32_MAX, &p));
	source_map_free(map);
}

TEST(source_map_without_a_column_takes_the_first_place_of_the_line)
{
	struct source_map *map = parse(two_sources);

	CHECK(is_at(map, 1, 0, "src/a.ts", 1, 1));
	CHECK(is_at(map, 3, 0, "src/b.ts", 11, 3));
	source_map_free(map);
}

TEST(source_map_guesses_no_place_in_a_minified_line)
{
	struct strbuf json = { 0 };
	struct source_place p;
	struct source_map *map;

	strbuf_puts(&json, "{\"version\":3,\"sources\":[\"a.ts\"],\"mappings\":\"AAAA");
	for (int i = 0; i < 100; i++)
		strbuf_puts(&json, ",CAAC");
	strbuf_puts(&json, "\"}");
	map = source_map_parse(json.s, json.len);
	CHECK(map && !source_map_find(map, 1, 0, &p));
	CHECK(source_map_find(map, 1, 50, &p));
	source_map_free(map);
	strbuf_destroy(&json);
}

TEST(source_map_reads_past_the_line_that_keeps_json_from_running)
{
	struct source_map *map =
		parse(")]}'\n{\"version\":3,\"sources\":[\"a.ts\"],\"mappings\":\"AAAA\"}");

	CHECK(map && is_at(map, 1, 1, "a.ts", 1, 1));
	source_map_free(map);
	CHECK(!parse(")]}'"));
	CHECK(!parse(")]}'x"));
}

TEST(source_map_refuses_what_is_none)
{
	static const char *const bad[] = {
		"",
		"null",
		"[]",
		"{",
		"{\"version\":2,\"sources\":[],\"mappings\":\"\"}",
		"{\"version\":3,\"sources\":[]}",
		"{\"version\":3,\"sources\":[],\"mappings\":7}",
		"{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"A!AA\"}",
		"{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"AA\"}",
		"{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"AAAAAA\"}",
		"{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"gggggggggggggggggggggA\"}",
		"{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"DAAA\"}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct source_map *map = parse(bad[i]);

		CHECK(!map);
		source_map_free(map);
	}
}

TEST(source_map_takes_a_source_it_does_not_have_for_nowhere)
{
	struct source_map *map =
		parse("{\"version\":3,\"sources\":[null],\"mappings\":\"AAAA;ACAA;ADDA\"}");
	struct source_place p;

	CHECK(map != NULL);
	for (uint32_t line = 1; map && line < 5; line++)
		CHECK(!source_map_find(map, line, 1, &p));
	source_map_free(map);
}

static bool url_is(const char *script, const char *expected)
{
	char *url = source_map_url(script, strlen(script));
	bool same = expected ? url && strcmp(url, expected) == 0 : !url;

	free(url);
	return same;
}

TEST(source_map_url_is_that_of_the_last_comment)
{
	CHECK(url_is("x\n//# sourceMappingURL=a.js.map", "a.js.map"));
	CHECK(url_is("//# sourceMappingURL=a\n//@ sourceMappingURL=b\n", "b"));
	CHECK(url_is("s = 'sourceMappingURL=a'", NULL));
	CHECK(url_is("//# sourceMappingURL=\n", NULL));
	CHECK(url_is("sourceMappingURL=a", NULL));
	CHECK(url_is("", NULL));
}

static bool data_is(const char *url, const char *expected)
{
	size_t len = 0;
	char *data = source_map_data(url, &len);
	bool same =
		expected ? data && len == strlen(expected) && strcmp(data, expected) == 0 : !data;

	free(data);
	return same;
}

TEST(source_map_data_is_decoded)
{
	CHECK(data_is("data:application/json;base64,eyJhIjoxfQ==", "{\"a\":1}"));
	CHECK(data_is("data:application/json;charset=utf-8;base64,eyJhIjoxfQ", "{\"a\":1}"));
	CHECK(data_is("data:application/json,%7B%22a%22:1%7d", "{\"a\":1}"));
	CHECK(data_is("data:,%", "%"));
	CHECK(data_is("data:,%4", "%4"));
	CHECK(data_is("data:;base64", NULL));
	CHECK(data_is("a.js.map", NULL));
}

static bool join_is(const char *base, const char *name, const char *expected)
{
	char *path = source_map_join(base, name);
	bool same = strcmp(path, expected) == 0;

	if (!same)
		fprintf(stderr, "%s\n", path);
	free(path);
	return same;
}

TEST(source_map_names_are_relative_to_the_file_they_stand_in)
{
	CHECK(join_is("/app/dist/a.js", "../src/a.ts", "/app/src/a.ts"));
	CHECK(join_is("/app/dist/a.js", "./a.ts", "/app/dist/a.ts"));
	CHECK(join_is("/app/dist/a.js", "/src//a.ts", "/src/a.ts"));
	CHECK(join_is("/a.js", "../../../../etc/passwd", "/etc/passwd"));
	CHECK(join_is("/a.js", "..", "/"));
	CHECK(join_is("/a.js", "file:///src/a%20b.ts", "/src/a b.ts"));
	CHECK(join_is("/a.js", "webpack://shop/./src/a.ts", "webpack://shop/./src/a.ts"));
}

TEST(source_map_names_of_bundlers_say_where_in_the_project)
{
	CHECK_STR(source_in_project("webpack://shop/./src/a.ts"), "./src/a.ts");
	CHECK_STR(source_in_project("webpack:///../lib/a.ts"), "../lib/a.ts");
	CHECK_STR(source_in_project("turbopack:///[project]/app/a.tsx"), "app/a.tsx");
	CHECK(!source_in_project("https://host.example/src/a.ts"));
	CHECK(!source_in_project("file:///src/a.ts"));
	CHECK(!source_in_project("webpack://shop"));
	CHECK(!source_in_project("webpack://shop/"));
	CHECK(!source_in_project("/app/src/a.ts"));
}

static bool has_lines(const char *text, uint32_t n, uint32_t first, uint32_t second)
{
	const struct script_lines script = { .n = n, .first = { first, second } };

	return source_has_lines(&script, text, strlen(text));
}

TEST(source_is_known_again_by_its_lines)
{
	CHECK(has_lines("a\nbc\n", 3, 1, 4));
	CHECK(has_lines("a\r\nbc\r\n", 3, 2, 6));
	CHECK(has_lines("\xef\xbb\xbf"
			"a\nbc\n",
			3, 1, 4)); /* a BOM is not in what V8 sees */
	CHECK(has_lines("\xf0\x9f\x98\x80\xe2\x80\xa8\xc3\xa9\n", 3, 2, 4));
	/* A comment behind the last line, but nothing before it. */
	CHECK(has_lines("a\nbc\n", 5, 1, 4));
	CHECK(!has_lines("a\nbc\n", 5, 1, 5));
	CHECK(!has_lines("a\nbc\n", 2, 1, 4));
	/* Lines that were kept, whatever became of what is on them. */
	CHECK(has_lines("a\nbc\n", 3, 7, 9));
	CHECK(has_lines("", 1, 0, 0));
	has_lines("\xf0", 1, 0, 0);
}
