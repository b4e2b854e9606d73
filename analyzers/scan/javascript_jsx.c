#include "analyzers/scan/javascript.h"

#include <ctype.h>
#include <string.h>

/* Names of elements hold dots, dashes and colons too. */
static size_t name_length(const struct source *src)
{
	size_t len = 0;

	if (isdigit((unsigned char)source_peek(src, 0)))
		return 0;
	while (source_is_word(source_peek(src, len)) ||
	       (len > 0 && source_peek(src, len) && strchr(".-:", source_peek(src, len))))
		len++;
	return len;
}

static void skip_space(struct source *src)
{
	while (source_peek(src, 0) && strchr(" \t\r\n", source_peek(src, 0)))
		source_skip(src, 1);
}

/* Behind "<name": "<T,>" and "<T extends U>" are parameters of a type. */
static bool is_type_parameter(struct source src)
{
	size_t len;

	skip_space(&src);
	if (source_peek(&src, 0) == ',')
		return true;
	len = source_word(&src);
	if (!source_word_is(&src, len, "extends"))
		return false;
	source_skip(&src, len);
	skip_space(&src);
	return source_word(&src) > 0;
}

bool js_element(struct js *js)
{
	struct source src = js->src;
	struct js_level *level;
	size_t name, len;

	source_skip(&src, 1);
	name = src.at;
	len = name_length(&src);
	source_skip(&src, len);
	if ((len == 0 && source_peek(&src, 0) != '>') || is_type_parameter(src))
		return false;
	level = js_push(js, JS_JSX_TAG, JS_AFTER_OPERAND);
	level->name = name;
	level->name_len = len;
	js->src.at = src.at;
	return true;
}

/* An element has ended: so has the operand that it is, or a child of another element. */
static void end_element(struct js *js)
{
	js_pop(js);
	js->state = JS_AFTER_OPERAND;
}

/* "<string>" behind an element's name */
static void skip_type_arguments(struct source *src)
{
	size_t depth = 0, at = src->at;

	do {
		depth += source_peek(src, 0) == '<';
		depth -= source_peek(src, 0) == '>';
		source_skip(src, 1);
	} while (depth > 0 && !source_at_end(src) && src->at - at < 1000);
}

/* Does "</name" follow somewhere?  Else "<T>" was no element but a type. */
static bool is_closed_later(struct js *js, const struct js_level *level)
{
	struct source *src = &js->src;
	size_t len = level->name_len + 2, left = src->len - src->at;
	char *closing = arena_alloc(src->arena, len);
	const char *found;

	if (!src->patience)
		return true;
	memcpy(closing, "</", 2);
	memcpy(closing + 2, src->s + level->name, level->name_len);
	found = memmem(src->s + src->at, left, closing, len);
	if (!found)
		src->patience -= left < src->patience ? left : src->patience;
	return found != NULL;
}

static void end_tag(struct js *js)
{
	struct js_level *level = js_top(js);

	source_skip(&js->src, 1);
	if (is_closed_later(js, level)) {
		level->kind = JS_JSX_TEXT;
		return;
	}
	js_pop(js);
	js->state = JS_OPERAND;
}

/* A quoted value has no escapes and may be several lines long. */
static void skip_value(struct source *src)
{
	char quote = source_peek(src, 0);
	const char *end = memchr(src->s + src->at + 1, quote, src->len - src->at - 1);

	src->at = end ? (size_t)(end - src->s) + 1 : src->len;
}

static void open_braces(struct js *js)
{
	source_skip(&js->src, 1);
	js->state = JS_OPERAND;
	js_push(js, JS_JSX_BRACES, JS_AFTER_OPERAND);
}

void js_tag_step(struct js *js)
{
	struct source *src = &js->src;
	char c = source_peek(src, 0);

	if (js_comment(src))
		return;
	if (c == '{') {
		open_braces(js);
	} else if (c == '"' || c == '\'') {
		skip_value(src);
	} else if (c == '>') {
		end_tag(js);
	} else if (c == '/' && source_peek(src, 1) == '>') {
		source_skip(src, 2);
		end_element(js);
	} else if (c == '<' && src->at > 0 && src->s[src->at - 1] == '=') {
		if (!js_element(js))
			source_skip(src, 1);
	} else if (c == '<') {
		skip_type_arguments(src);
	} else {
		source_skip(src, 1);
	}
}

void js_text_step(struct js *js)
{
	struct source *src = &js->src;
	char c = source_peek(src, 0);

	if (c == '{') {
		open_braces(js);
	} else if (c == '<' && source_peek(src, 1) == '/') {
		const char *end = memchr(src->s + src->at, '>', src->len - src->at);

		src->at = end ? (size_t)(end - src->s) + 1 : src->len;
		end_element(js);
	} else if (c != '<' || !js_element(js)) {
		source_skip(src, 1);
	}
}
