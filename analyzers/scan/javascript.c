#include "analyzers/scan/javascript.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct js_level *js_top(const struct js *js)
{
	return &js->levels[js->n_levels - 1];
}

struct js_level *js_push(struct js *js, enum js_level_kind kind, enum js_state after)
{
	if (js->n_levels > SOURCE_DEPTH_MAX) {
		js->too_deep = true;
		return js_top(js);
	}
	ARRAY_GROW(js->levels, js->n_levels, js->cap);
	js->levels[js->n_levels++] = (struct js_level){ .kind = kind, .after = after };
	return js_top(js);
}

void js_pop(struct js *js)
{
	struct js_call *call = js_top(js)->call;

	if (call)
		strbuf_destroy(&call->pieces);
	js->n_levels--;
}

static void skip_line(struct source *src)
{
	while (!source_at_end(src) && source_peek(src, 0) != '\n' && source_peek(src, 0) != '\r')
		source_skip(src, 1);
}

bool js_comment(struct source *src)
{
	const char *end;
	size_t left = src->len - src->at;

	if (source_looks_at(src, "//")) {
		skip_line(src);
		return true;
	}
	if (!source_looks_at(src, "/*"))
		return false;
	end = memmem(src->s + src->at + 2, left - 2, "*/", 2);
	src->at = end ? (size_t)(end - src->s) + 2 : src->len;
	return true;
}

static bool is_one_of(const struct source *src, size_t len, const char *const *words)
{
	for (; *words; words++)
		if (source_word_is(src, len, *words))
			return true;
	return false;
}

/* What a word makes of the state; names are operands. */
static enum js_state state_after(const struct source *src, size_t len)
{
	static const char *const operators[] = { "return", "typeof",  "instanceof", "in",   "new",
						 "delete", "void",    "throw",      "case", "yield",
						 "await",  "extends", "default",    NULL };
	static const char *const openers[] = { "else", "do", "try", "finally", NULL };

	if (is_one_of(src, len, operators))
		return JS_OPERAND;
	return is_one_of(src, len, openers) ? JS_STATEMENT : JS_AFTER_OPERAND;
}

static void take_word(struct js *js)
{
	static const char *const headers[] = { "if", "while", "for", "with", NULL };
	struct source *src = &js->src;
	size_t len = source_word(src);
	bool name = js->member;

	if (!name && source_word_is(src, len, "function"))
		js->function = js->state == JS_STATEMENT ? JS_DECLARATION : JS_EXPRESSION;
	if (!name && is_one_of(src, len, headers))
		js->header = true;
	else if (!source_word_is(src, len, "await")) /* for await ( */
		js->header = false;
	/* "async function" is a declaration where "function" would be one. */
	if (name || !source_word_is(src, len, "async") || js->state != JS_STATEMENT)
		js->state = name ? JS_AFTER_OPERAND : state_after(src, len);
	if (source_word_is(src, len, "RegExp"))
		js->regexp = src->at + len;
	source_skip(src, len);
}

static void take_number(struct js *js)
{
	struct source *src = &js->src;

	while (source_is_word(source_peek(src, 0)) || source_peek(src, 0) == '.')
		source_skip(src, 1);
	js->state = JS_AFTER_OPERAND;
}

/* A template from behind its "`" or a substitution. */
static void take_template(struct js *js, struct strbuf *text, bool raw)
{
	if (js_template(js, text, raw)) {
		js->state = JS_AFTER_OPERAND;
		return;
	}
	js_call_other(js_top(js)->call);
	js_push(js, JS_SUBSTITUTION, JS_AFTER_OPERAND);
	js->state = JS_OPERAND;
}

static void open_paren(struct js *js)
{
	struct source *src = &js->src;
	size_t word = js->regexp;
	struct js_level *level = js_push(js, JS_PAREN, JS_AFTER_OPERAND);

	source_skip(src, 1);
	if (js->header)
		level->after = JS_STATEMENT;
	level->around = js->function;
	js->function = JS_NO_FUNCTION;
	js->header = false;
	js->regexp = 0;
	js->state = JS_OPERAND;
	if (word && !js->too_deep)
		level->call = js_call_open(js, word - strlen("RegExp"));
}

static void open_brace(struct js *js)
{
	enum js_function function = js->function;

	source_skip(&js->src, 1);
	js->function = JS_NO_FUNCTION;
	if (function == JS_NO_FUNCTION && js->state == JS_OPERAND) {
		js_push(js, JS_OBJECT, JS_AFTER_OPERAND);
		return;
	}
	js_push(js, JS_BLOCK, function == JS_EXPRESSION ? JS_AFTER_OPERAND : JS_STATEMENT);
	js->state = JS_STATEMENT;
}

static void open_bracket(struct js *js)
{
	source_skip(&js->src, 1);
	js_push(js, JS_BRACKET, JS_AFTER_OPERAND);
	js->state = JS_OPERAND;
}

/* The innermost level that this closes, or 0: brackets do not close braces. */
static size_t find_opener(const struct js *js, char closer)
{
	enum { LOOK_BACK = 32 };

	for (size_t i = js->n_levels - 1, n = 0; i > 0 && n < LOOK_BACK; i--, n++) {
		enum js_level_kind kind = js->levels[i].kind;
		bool brace = kind != JS_PAREN && kind != JS_BRACKET;

		if (closer == ')' ? kind == JS_PAREN : closer == ']' ? kind == JS_BRACKET : brace)
			return i;
		if (brace)
			return 0;
	}
	return 0;
}

static void close_bracket(struct js *js, char closer)
{
	size_t opener = find_opener(js, closer);
	struct js_level level;

	source_skip(&js->src, 1);
	js->state = JS_AFTER_OPERAND;
	if (!opener)
		return;
	while (js->n_levels - 1 > opener)
		js_pop(js);
	level = *js_top(js);
	if (level.call)
		js_call_close(js, level.call);
	js_pop(js);
	js->state = level.after;
	if (level.kind == JS_PAREN)
		js->function = level.around;
	if (level.kind == JS_SUBSTITUTION)
		take_template(js, NULL, false);
}

static void take_colon(struct js *js)
{
	struct js_level *level = js_top(js);

	source_skip(&js->src, 1);
	js->state = JS_OPERAND;
	if (level->ternaries)
		level->ternaries--;
	else if (level->kind == JS_BLOCK)
		js->state = JS_STATEMENT; /* behind a label or case */
}

/* Operators whose length or meaning matters. */
static void take_operator(struct js *js)
{
	struct source *src = &js->src;
	char c = source_peek(src, 0), next = source_peek(src, 1);

	if ((c == '+' || c == '-') && next == c) {
		/* Behind an operand it belongs to that, or else begins one. */
		source_skip(src, 2);
		if (js->state == JS_STATEMENT)
			js->state = JS_OPERAND;
	} else if (c == '!' && js->state == JS_AFTER_OPERAND && next != '=' && !js->newline) {
		source_skip(src, 1); /* "x!" of TypeScript */
	} else if (c == '=' && next == '>') {
		source_skip(src, 2);
		js->state = JS_STATEMENT;
	} else if (c == '?' &&
		   ((next == '.' && !isdigit((unsigned char)source_peek(src, 2))) || next == '?')) {
		js->member = next == '.';
		source_skip(src, 2);
		js->state = JS_OPERAND;
	} else {
		if (c == '?')
			js_top(js)->ternaries++;
		if (c == ';')
			js->function = JS_NO_FUNCTION;
		/* The second "<" of a shift begins no element. */
		source_skip(src, c == '<' && next == '<' ? 2 : 1);
		js->state = c == ';' ? JS_STATEMENT : JS_OPERAND;
	}
}

static void take_dot(struct js *js)
{
	struct source *src = &js->src;

	if (source_looks_at(src, "...")) {
		source_skip(src, 3);
		js->state = JS_OPERAND;
	} else {
		source_skip(src, 1);
		js->member = true;
	}
}

/* Strings, which may be a piece of what RegExp( is given.  False: no string begins here. */
static bool take_string(struct js *js)
{
	static const char raw[] = "String.raw`";
	struct js_call *call = js_top(js)->call;
	struct source *src = &js->src;
	char c = source_peek(src, 0);

	if (c == '"' || c == '\'') {
		js_string(js, js_call_piece(call));
		js->state = JS_AFTER_OPERAND;
		return true;
	}
	if (c != '`' && !(c == 'S' && source_looks_at(src, raw)))
		return false;
	source_skip(src, c == '`' ? 1 : strlen(raw));
	/* Behind an operand it is what a function makes of it. */
	take_template(js, js->state == JS_AFTER_OPERAND ? NULL : js_call_piece(call), c != '`');
	return true;
}

static void take_slash(struct js *js)
{
	if (js->state != JS_AFTER_OPERAND && js_regex(js)) {
		js->state = JS_AFTER_OPERAND;
		return;
	}
	source_skip(&js->src, 1);
	js->state = JS_OPERAND;
}

/* Tells RegExp( about a token in its parenthesis; its own end is told where it is closed. */
static void tell_call(struct js *js, char c)
{
	struct js_call *call = js_top(js)->call;

	if (!call || c == ')')
		return;
	if (c == ',')
		js_call_next(js, call);
	else if (c == '+' && source_peek(&js->src, 1) != '+')
		js_call_plus(call);
	else
		js_call_other(call);
}

/* A token that is neither a word nor a string. */
static void take_mark(struct js *js, char c)
{
	if (c == '/')
		take_slash(js);
	else if (c == '(')
		open_paren(js);
	else if (c == '{')
		open_brace(js);
	else if (c == ')' || c == ']' || c == '}')
		close_bracket(js, c);
	else if (c == '[')
		open_bracket(js);
	else if (c == '.')
		take_dot(js);
	else if (c == ':')
		take_colon(js);
	else if (c != '<' || !js->jsx || js->state == JS_AFTER_OPERAND || !js_element(js))
		take_operator(js);
}

static void take_token(struct js *js, char c)
{
	if (c != '(')
		js->regexp = 0;
	if (take_string(js))
		return;
	tell_call(js, c);
	if (c >= '0' && c <= '9')
		take_number(js);
	else if (source_is_word(c))
		take_word(js);
	else if (c == '#' || c == '@' || c == '\\')
		source_skip(&js->src, 1); /* begins a name or goes on with it */
	else
		take_mark(js, c);
}

static void step(struct js *js)
{
	struct source *src = &js->src;
	char c = source_peek(src, 0);

	if (js_comment(src))
		return;
	if (c == '\n' || c == '\r')
		js->newline = true;
	if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v') {
		source_skip(src, 1);
		return;
	}
	take_token(js, c);
	js->newline = false;
	if (c != '.' && c != '?' && c != '#')
		js->member = false;
}

bool scan_javascript(struct source *src, bool jsx)
{
	struct js js = { .src = *src, .jsx = jsx };

	js_push(&js, JS_BLOCK, JS_STATEMENT);
	if (source_looks_at(&js.src, "#!"))
		skip_line(&js.src);
	while (!source_at_end(&js.src) && !js.too_deep) {
		if (js_top(&js)->kind == JS_JSX_TAG)
			js_tag_step(&js);
		else if (js_top(&js)->kind == JS_JSX_TEXT)
			js_text_step(&js);
		else
			step(&js);
	}
	while (js.n_levels)
		js_pop(&js);
	free(js.levels);
	return !js.too_deep;
}
