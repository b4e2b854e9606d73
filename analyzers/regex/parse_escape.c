#include "analyzers/regex/parser.h"

#include <string.h>

#define SET(name, ...)                                               \
	static const struct range name##_ranges[] = { __VA_ARGS__ }; \
	static const struct charset name = { name##_ranges,          \
					     sizeof(name##_ranges) / sizeof(name##_ranges[0]) }

SET(digits, { '0', '9' });
SET(word, { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' });
/* Under iu the long s and the Kelvin sign count too (ECMA-262, WordCharacters). */
SET(word_folded, { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' }, { 0x17f, 0x17f },
    { 0x212a, 0x212a });
SET(space_ascii, { '\t', '\r' }, { ' ', ' ' });
SET(space_js, { '\t', '\r' }, { ' ', ' ' }, { 0xa0, 0xa0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200a },
    { 0x2028, 0x2029 }, { 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 },
    { 0xfeff, 0xfeff });
SET(space_python, { '\t', '\r' }, { 0x1c, ' ' }, { 0x85, 0x85 }, { 0xa0, 0xa0 }, { 0x1680, 0x1680 },
    { 0x2000, 0x200a }, { 0x2028, 0x2029 }, { 0x202f, 0x202f }, { 0x205f, 0x205f },
    { 0x3000, 0x3000 });
SET(newline, { '\n', '\n' });
SET(line_ends_js, { '\n', '\n' }, { '\r', '\r' }, { 0x2028, 0x2029 });
SET(blank_horizontal, { '\t', '\t' }, { ' ', ' ' }, { 0xa0, 0xa0 }, { 0x1680, 0x1680 },
    { 0x180e, 0x180e }, { 0x2000, 0x200a }, { 0x202f, 0x202f }, { 0x205f, 0x205f },
    { 0x3000, 0x3000 });
SET(blank_vertical, { '\n', '\r' }, { 0x85, 0x85 }, { 0x2028, 0x2029 });

const struct charset *parser_line_ends(struct parser *p)
{
	return p->engine == REGEX_V8 ? &line_ends_js : &newline;
}

static const struct charset *property(struct parser *p, const char *category)
{
	return unicode_property(UNICODE_GENERAL_CATEGORY, category, false, p->arena);
}

static const struct charset *python_word(struct parser *p)
{
	struct charset_builder b = { 0 };
	const struct charset *set;

	charset_add_set(&b, property(p, "L"));
	charset_add_set(&b, property(p, "N"));
	charset_add(&b, '_', '_');
	set = charset_finish(&b, p->arena);
	charset_builder_free(&b);
	return set;
}

const struct charset *parser_word(struct parser *p)
{
	unsigned folded = MODE_UNICODE | MODE_IGNORE_CASE;

	if (p->engine == REGEX_V8)
		return (p->mode & folded) == folded ? &word_folded : &word;
	if (p->engine == REGEX_PCRE2 || (p->mode & MODE_ASCII))
		return &word;
	if (!p->python_word)
		p->python_word = python_word(p);
	return p->python_word;
}

const struct charset *parser_standard(struct parser *p, char letter)
{
	bool unicode = p->engine == REGEX_PYTHON && !(p->mode & MODE_ASCII);

	if (letter == 'w')
		return parser_word(p);
	if (letter == 'd')
		return unicode ? property(p, "Nd") : &digits;
	if (p->engine == REGEX_V8)
		return &space_js;
	return unicode ? &space_python : &space_ascii;
}

/* "Script=Greek", "Lu", "Emoji": name and value as NUL-terminated text; false if too long. */
static bool read_property_name(struct parser *p, char name[64], char value[64])
{
	char *to = name;
	size_t n = 0;

	value[0] = '\0';
	for (;; p->pos++) {
		uint32_t c = parser_peek(p, 0);

		if (c == '}') {
			p->pos++;
			to[n] = '\0';
			return true;
		}
		if ((c == '=' || c == ':') && to == name) {
			to[n] = '\0';
			to = value;
			n = 0;
		} else if (n == 63 || c >= 0x80) {
			return false;
		} else {
			to[n++] = (char)c;
		}
	}
}

/* Properties that hold strings and not just characters, under v. */
static bool is_string_property(const char *name)
{
	return strcmp(name, "Basic_Emoji") == 0 || strcmp(name, "Emoji_Keycap_Sequence") == 0 ||
	       strncmp(name, "RGI_", 4) == 0;
}

static const struct charset *js_property(struct parser *p, const char *name, const char *value)
{
	const struct charset *set;

	if (strcmp(name, "General_Category") == 0 || strcmp(name, "gc") == 0)
		return unicode_property(UNICODE_GENERAL_CATEGORY, value, false, p->arena);
	if (strcmp(name, "Script") == 0 || strcmp(name, "sc") == 0)
		return unicode_property(UNICODE_SCRIPT, value, false, p->arena);
	if (strcmp(name, "Script_Extensions") == 0 || strcmp(name, "scx") == 0)
		return unicode_property(UNICODE_SCRIPT_EXTENSIONS, value, false, p->arena);
	if (value[0])
		return NULL;
	if ((p->mode & MODE_SETS) && is_string_property(name))
		return parser_unsupported(p, "properties of strings are not understood");
	set = unicode_property(UNICODE_GENERAL_CATEGORY, name, false, p->arena);
	return set ? set : unicode_property(UNICODE_BINARY, name, false, p->arena);
}

static const struct charset *pcre2_property(struct parser *p, const char *name, const char *value)
{
	static const enum unicode_kind kinds[] = { UNICODE_GENERAL_CATEGORY,
						   UNICODE_SCRIPT_EXTENSIONS, UNICODE_BINARY };
	const struct charset *set = NULL;

	if (strncmp(name, "sc", 2) == 0 && value[0])
		return unicode_property(name[2] == 'x' ? UNICODE_SCRIPT_EXTENSIONS : UNICODE_SCRIPT,
					value, true, p->arena);
	if (strcmp(name, "L&") == 0)
		name = "LC";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !set; i++)
		set = unicode_property(kinds[i], name, true, p->arena);
	if (!set)
		parser_unsupported(p, "unknown property");
	return set;
}

/* After \p or \P. */
static const struct charset *parse_property(struct parser *p, bool negative)
{
	const struct charset *set;
	char name[64], value[64] = "";

	if (parser_eat(p, '{')) {
		if (p->engine == REGEX_PCRE2 && parser_eat(p, '^'))
			negative = !negative;
		if (!read_property_name(p, name, value))
			return parser_fail(p, "invalid property name");
	} else if (p->engine == REGEX_PCRE2 && parser_peek(p, 0) < 0x80) {
		name[0] = (char)p->units[p->pos++];
		name[1] = '\0';
	} else {
		return parser_fail(p, "invalid property name");
	}
	set = p->engine == REGEX_V8 ? js_property(p, name, value) : pcre2_property(p, name, value);
	if (!set)
		return parser_fail(p, "unknown property");
	/* Under v the case folding comes before the complement (MaybeSimpleCaseFolding). */
	if (p->mode & MODE_SETS)
		set = parser_fold(p, set);
	p->ranges += set->n;
	return negative ? charset_invert(set, p->max_char, p->arena) : set;
}

/* \d \D \s \S \w \W, \p and \P, and PCRE2's \h \H \v \V \N; NULL: none of these. */
static const struct charset *parse_set_escape(struct parser *p, bool in_class)
{
	bool pcre2 = p->engine == REGEX_PCRE2;
	const struct charset *set = NULL;
	uint32_t c = parser_peek(p, 0), lower = c | 0x20;

	if (lower == 'd' || lower == 's' || lower == 'w')
		set = parser_standard(p, (char)lower);
	else if (pcre2 && lower == 'h')
		set = &blank_horizontal;
	else if (pcre2 && lower == 'v')
		set = &blank_vertical;
	else if (pcre2 && c == 'N' && !in_class &&
		 !(parser_peek(p, 1) == '{' && parser_peek(p, 2) == 'U'))
		set = &newline;
	if (set) {
		p->pos++;
		return c == lower ? set : charset_invert(set, p->max_char, p->arena);
	}
	if (lower == 'p' && (pcre2 || (p->engine == REGEX_V8 && (p->mode & MODE_UNICODE)))) {
		p->pos++;
		return parse_property(p, c == 'P');
	}
	return NULL;
}

/* \n and its likes; false: none of them. */
static bool parse_control(struct parser *p, uint32_t *c)
{
	static const struct {
		char letter, value;
		const char *engines;
	} rows[] = {
		/* clang-format off */
		{ 'n', '\n', "jcp" }, { 'r', '\r', "jcp" }, { 't', '\t', "jcp" }, { 'f', '\f', "jcp" },
		{ 'v', '\v', "jp" },  { 'a', '\a', "cp" },  { 'e', 27, "c" },
		/* clang-format on */
	};
	char engine = "jcp"[p->engine];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parser_peek(p, 0) == (uint32_t)rows[i].letter &&
		    strchr(rows[i].engines, engine)) {
			p->pos++;
			*c = (uint32_t)rows[i].value;
			return true;
		}
	}
	return false;
}

/* After "\u": 4 digits, {…} under u, and a surrogate pair as one character under u. */
static bool parse_unicode_escape(struct parser *p, uint32_t *c)
{
	uint32_t begin = p->pos, trail;

	if ((p->mode & MODE_UNICODE) && parser_eat(p, '{')) {
		if (parser_digits(p, 16, 8, c) && *c <= 0x10ffff && parser_eat(p, '}'))
			return true;
		p->pos = begin;
		return false;
	}
	if (parser_digits(p, 16, 4, c) != 4) {
		p->pos = begin;
		return false;
	}
	if (!(p->mode & MODE_UNICODE) || *c < 0xd800 || *c > 0xdbff)
		return true;
	begin = p->pos;
	if (parser_eat_text(p, "\\u") && parser_digits(p, 16, 4, &trail) == 4 && trail >= 0xdc00 &&
	    trail <= 0xdfff)
		*c = 0x10000 + ((*c & 0x3ff) << 10 | (trail & 0x3ff));
	else
		p->pos = begin;
	return true;
}

static bool js_strict(const struct parser *p)
{
	return p->engine == REGEX_V8 && (p->mode & MODE_UNICODE);
}

/* After "\x". */
static bool parse_hex(struct parser *p, uint32_t *c)
{
	uint32_t begin = p->pos;

	if (p->engine == REGEX_PCRE2) {
		if (!parser_eat(p, '{'))
			return parser_digits(p, 16, 2, c), true;
		return (parser_digits(p, 16, 8, c) && parser_eat(p, '}')) ||
		       parser_fail(p, "bad \\x{}");
	}
	if (parser_digits(p, 16, 2, c) == 2)
		return true;
	p->pos = begin;
	if (js_strict(p) || p->engine == REGEX_PYTHON)
		return parser_fail(p, "invalid escape"), false;
	*c = 'x';
	return true;
}

/* After "\c": a control letter; JavaScript takes digits and _ too inside a class. */
static bool parse_control_letter(struct parser *p, bool in_class, uint32_t *c)
{
	uint32_t next = parser_peek(p, 0);
	bool letter = (next | 0x20) - 'a' < 26u;

	if (p->engine == REGEX_PCRE2) {
		if (next < 0x20 || next > 0x7e)
			return parser_fail(p, "bad \\c"), false;
		*c = (next - 'a' < 26u ? next - 0x20 : next) ^ 0x40;
		p->pos++;
		return true;
	}
	if (letter || (in_class && !js_strict(p) && (next == '_' || next - '0' < 10u))) {
		*c = next & 0x1f;
		p->pos++;
		return true;
	}
	if (js_strict(p))
		return parser_fail(p, "invalid escape"), false;
	/* A lone backslash; the c is read again. */
	p->pos--;
	*c = '\\';
	return true;
}

/* Octal as each engine has it; false: not octal here. */
static bool parse_octal(struct parser *p, bool in_class, uint32_t *c)
{
	uint32_t first = parser_peek(p, 0), begin = p->pos;

	if (first - '0' > 7u)
		return false;
	if (js_strict(p)) {
		p->pos++;
		*c = 0;
		if (first == '0' && parser_peek(p, 0) - '0' > 9u)
			return true;
		p->pos = begin;
		return false;
	}
	if (p->engine == REGEX_PYTHON && !in_class && first != '0') {
		bool three = parser_peek(p, 1) - '0' <= 7u && parser_peek(p, 2) - '0' <= 7u;

		if (!three)
			return false;
	}
	parser_digits(p, 8, first <= '3' || p->engine != REGEX_V8 ? 3 : 2, c);
	return true;
}

/* An escape that stands for itself; false: it is an error here. */
static bool parse_identity(struct parser *p, bool in_class, uint32_t *c)
{
	*c = parser_peek(p, 0);
	if (*c == UNIT_END)
		return parser_fail(p, "\\ at the end of the pattern"), false;
	if (p->engine == REGEX_V8) {
		bool known = *c < 0x80 && strchr("^$\\.*+?()[]{}|/", (int)*c) && *c;

		if (js_strict(p) && !known && !(in_class && *c == '-'))
			return parser_fail(p, "invalid escape"), false;
		if (*c == 'k' && p->has_names)
			return parser_fail(p, "invalid named reference"), false;
	} else if ((*c | 0x20) - 'a' < 26u || *c - '0' < 10u) {
		return parser_fail(p, "bad escape"), false;
	}
	p->pos++;
	return true;
}

/* Letters with digits after them: \x \u \U \c \o \N; false: none of them, or a failure. */
static bool parse_numeric(struct parser *p, bool in_class, uint32_t *c)
{
	bool v8 = p->engine == REGEX_V8, python = p->engine == REGEX_PYTHON;

	if (parser_eat(p, 'x'))
		return parse_hex(p, c);
	if (!python && parser_eat(p, 'c'))
		return parse_control_letter(p, in_class, c);
	if (v8 && parser_eat(p, 'u')) {
		if (parse_unicode_escape(p, c))
			return true;
		*c = 'u';
		return js_strict(p) ? parser_fail(p, "invalid Unicode escape"), false : true;
	}
	if (python && parser_eat(p, 'u'))
		return parser_digits(p, 16, 4, c) == 4 || parser_fail(p, "bad escape");
	if (python && parser_eat(p, 'U'))
		return parser_digits(p, 16, 8, c) == 8 || parser_fail(p, "bad escape");
	if (python && parser_eat_text(p, "N{"))
		return parser_unsupported(p, "character names are not understood"), false;
	if (!v8 && !python && parser_eat_text(p, "o{"))
		return (parser_digits(p, 8, 11, c) && parser_eat(p, '}')) ||
		       parser_fail(p, "bad \\o{}");
	if (!v8 && !python && parser_eat_text(p, "N{U+"))
		return (parser_digits(p, 16, 8, c) && parser_eat(p, '}')) ||
		       parser_fail(p, "bad \\N{}");
	return false;
}

bool parse_class_escape(struct parser *p, bool in_class, uint32_t *c, const struct charset **set)
{
	*set = parse_set_escape(p, in_class);
	if (*set || p->error)
		return *set != NULL;
	if (in_class && parser_eat(p, 'b')) {
		*c = '\b';
		return true;
	}
	if (parse_control(p, c) || parse_octal(p, in_class, c) || parse_numeric(p, in_class, c))
		return !p->error;
	return !p->error && parse_identity(p, in_class, c);
}

static struct node *word_assertion(struct parser *p, bool negative, uint32_t start)
{
	struct node *n = parser_node(p, NODE_ASSERTION, start);

	n->assertion.kind = negative ? ASSERT_NOT_WORD : ASSERT_WORD;
	n->assertion.set = parser_word(p);
	return n;
}

/* \A \Z \z \G \K of PCRE2 and Python; NULL: none of these. */
static struct node *parse_anchor_escape(struct parser *p, uint32_t start)
{
	uint32_t c = parser_peek(p, 0);
	bool pcre2 = p->engine == REGEX_PCRE2;
	struct node *n;

	if (c != 'A' && c != 'Z' && !(pcre2 && (c == 'z' || c == 'G' || c == 'K')))
		return NULL;
	p->pos++;
	if (c == 'K')
		return parser_node(p, NODE_EMPTY, start);
	n = parser_node(p, NODE_ASSERTION, start);
	n->assertion.set = &newline;
	if (c == 'A' || c == 'G')
		n->assertion.kind = ASSERT_START;
	else
		n->assertion.kind = c == 'Z' && pcre2 ? ASSERT_END_NEWLINE : ASSERT_END;
	return n;
}

/* \R: any newline sequence, never given back in part. */
static struct node *parse_newline_sequence(struct parser *p, uint32_t start)
{
	size_t mark = p->n_stack;
	struct node *n;

	parser_push(p, parser_set_node(p, charset_single('\r', p->arena), start));
	parser_push(p, parser_set_node(p, &newline, start));
	parser_push(p, parser_gather(p, NODE_SEQUENCE, mark, start));
	parser_push(p, parser_set_node(p, &blank_vertical, start));
	n = parser_node(p, NODE_ATOMIC, start);
	n->part.body = parser_gather(p, NODE_CHOICE, mark, start);
	return n;
}

/* \g{2}, \g{-1}, \g2, \g{name}; \g<...> and \g'...' call a group. */
static struct node *parse_g_escape(struct parser *p, uint32_t start)
{
	uint32_t group;
	bool brace, relative;

	if (parser_peek(p, 0) == '<' || parser_peek(p, 0) == '\'')
		return parser_unsupported(p, "recursion is not understood");
	brace = parser_eat(p, '{');
	relative = parser_eat(p, '-');
	if (!parser_number(p, &group))
		return brace && !relative ? parse_named_reference(p, '}', start)
					  : parser_fail(p, "bad \\g");
	if (brace && !parser_eat(p, '}'))
		return parser_fail(p, "bad \\g");
	if (relative)
		group = group < p->groups ? p->groups - group : 0;
	return parse_back_reference(p, group, start);
}

static struct node *parse_k_escape(struct parser *p, uint32_t start)
{
	if (parser_eat(p, '<'))
		return parse_named_reference(p, '>', start);
	if (p->engine == REGEX_PCRE2 && parser_eat(p, '{'))
		return parse_named_reference(p, '}', start);
	if (p->engine == REGEX_PCRE2 && parser_eat(p, '\''))
		return parse_named_reference(p, '\'', start);
	return parser_fail(p, "invalid named reference");
}

/* \1 and more; NULL without an error when the digits are not a reference but octal. */
static struct node *parse_number_reference(struct parser *p, uint32_t start)
{
	uint32_t begin = p->pos, group, length;

	if (parser_peek(p, 0) - '1' > 8u)
		return NULL;
	parser_number(p, &group);
	length = p->pos - begin;
	if (group < p->total_groups && (p->engine != REGEX_PYTHON || length <= 2))
		return parse_back_reference(p, group, start);
	if (js_strict(p) || (p->engine == REGEX_PCRE2 && group < 10) ||
	    (p->engine == REGEX_PYTHON && length <= 2))
		return parser_fail(p, "reference to a group that does not exist");
	p->pos = begin;
	return NULL;
}

/* Escapes that only one or two of the engines have; NULL: not one of them. */
static struct node *parse_special(struct parser *p, uint32_t start)
{
	bool v8 = p->engine == REGEX_V8, pcre2 = p->engine == REGEX_PCRE2;

	if (((v8 && (p->has_names || js_strict(p))) || pcre2) && parser_eat(p, 'k'))
		return parse_k_escape(p, start);
	if (pcre2 && parser_eat(p, 'g'))
		return parse_g_escape(p, start);
	if (pcre2 && parser_eat(p, 'R'))
		return parse_newline_sequence(p, start);
	if (pcre2 && (parser_peek(p, 0) == 'X' || parser_peek(p, 0) == 'C'))
		return parser_unsupported(p, "\\X and \\C are not understood");
	return v8 ? NULL : parse_anchor_escape(p, start);
}

struct node *parse_escape(struct parser *p, uint32_t start)
{
	const struct charset *set;
	struct node *n;
	uint32_t c;

	if (parser_eat(p, 'b'))
		return word_assertion(p, false, start);
	if (parser_eat(p, 'B'))
		return word_assertion(p, true, start);
	n = parse_number_reference(p, start);
	if (!n && !p->error)
		n = parse_special(p, start);
	if (n || p->error)
		return n;
	if (!parse_class_escape(p, false, &c, &set))
		return NULL;
	if (!set)
		return parser_literal(p, c, start);
	n = parser_node(p, NODE_SET, start);
	/* \w and its likes are closed under case folding as they are; \p is not. */
	n->set = p->units[start + 1] == 'p' || p->units[start + 1] == 'P' ? parser_fold(p, set)
									  : set;
	return n;
}
