#include "analyzers/scan/ignore.h"

#include "tests/test.h"

/* What a .gitignore says of a path; one that ends in "/" is a folder. */
static enum ignored said(const char *rules, const char *path)
{
	struct ignore *ignore = ignore_parse(rules, strlen(rules));
	size_t len = strlen(path);
	bool folder = path[len - 1] == '/';
	char bare[256];
	enum ignored result;

	snprintf(bare, sizeof(bare), "%.*s", (int)(len - folder), path);
	result = ignore_match(ignore, bare, folder);
	ignore_free(ignore);
	return result;
}

#define YES(rules, path)    CHECK_EQ(said(rules, path), IGNORE_YES)
#define NO(rules, path)     CHECK_EQ(said(rules, path), IGNORE_NO)
#define UNSAID(rules, path) CHECK_EQ(said(rules, path), IGNORE_UNSAID)

TEST(ignore_a_name_matches_at_any_depth)
{
	YES("a.js", "a.js");
	YES("a.js", "b/c/a.js");
	YES("*.js", "b/c/a.js");
	UNSAID("a.js", "xa.js");
	UNSAID("", "a.js");
	UNSAID("# a.js\n\n   \n", "# a.js");
	YES("\\#a", "#a");
	YES("\\!a", "!a");
}

TEST(ignore_a_slash_binds_to_the_folder)
{
	YES("/a.js", "a.js");
	UNSAID("/a.js", "b/a.js");
	YES("b/a.js", "b/a.js");
	UNSAID("b/a.js", "c/b/a.js");
	UNSAID("b/*.js", "b/c/a.js");
	YES("b/*/a.js", "b/c/a.js");
}

TEST(ignore_a_slash_at_the_end_means_folders)
{
	YES("out/", "out/");
	YES("out/", "a/out/");
	UNSAID("out/", "out");
	YES("/out/", "out/");
	UNSAID("/out/", "a/out/");
}

TEST(ignore_two_stars_stand_for_folders)
{
	YES("**/out", "out");
	YES("**/out", "a/b/out");
	YES("a/**", "a/b/c");
	UNSAID("a/**", "a/");
	YES("a/**/b", "a/b");
	YES("a/**/b", "a/x/y/b");
	YES("a/**/b/**/c", "a/b/x/b/y/c");
	UNSAID("a/**/b", "x/a/b");
}

TEST(ignore_the_last_rule_decides)
{
	NO("*.js\n!a.js", "a.js");
	YES("*.js\n!a.js", "b.js");
	YES("!a.js\n*.js", "a.js");
}

TEST(ignore_reads_blanks_brackets_and_escapes)
{
	YES("a  ", "a");
	YES("a\\ ", "a ");
	YES("a\r\nb", "a");
	YES("[ab]?.js", "bx.js");
	UNSAID("[!ab].js", "a.js");
	YES("\\*", "*");
	UNSAID("\\*", "x");
	YES(".*", ".x");
	YES("*", ".x");
}
