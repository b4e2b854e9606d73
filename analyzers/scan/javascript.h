#ifndef LAGPROF_ANALYZERS_SCAN_JAVASCRIPT_H
#define LAGPROF_ANALYZERS_SCAN_JAVASCRIPT_H

#include "analyzers/scan/source.h"

/*
 * A scanner for JavaScript that keeps just what tells a regex from a division,
 * an object from a block and an element of JSX from a comparison: what the last
 * token was, and what each bracket that is open was opened by.
 */

enum js_state {
	JS_STATEMENT,    /* a statement may begin: "/" is a regex, "{" a block */
	JS_OPERAND,      /* an operand is due: "/" is a regex, "{" an object */
	JS_AFTER_OPERAND /* an operand has ended: "/" divides, "{" is a body */
};

enum js_level_kind {
	JS_PAREN,
	JS_BRACKET,
	JS_BLOCK,
	JS_OBJECT,
	JS_SUBSTITUTION, /* "${" in a template */
	JS_JSX_BRACES,   /* "{" in an element or its tag */
	JS_JSX_TAG,      /* behind "<name" */
	JS_JSX_TEXT      /* between an opening tag and its closing tag */
};

/* A function's head has been seen, its body has not. */
enum js_function { JS_NO_FUNCTION, JS_DECLARATION, JS_EXPRESSION };

/* What the argument in hand of RegExp( is made of. */
enum js_pieces {
	JS_PIECE_DUE,  /* a string comes next: at the begin and behind "+" */
	JS_PIECE_DONE, /* strings only */
	JS_DYNAMIC     /* what cannot be known before the program runs */
};

/* RegExp(…) under way. */
struct js_call {
	size_t at;         /* of "RegExp" */
	unsigned argument; /* 0 the pattern, 1 the flags */
	enum js_pieces state;
	struct strbuf pieces;         /* of the argument in hand */
	struct regex_pattern pattern; /* its text is NULL unless it is known */
};

struct js_level {
	enum js_level_kind kind;
	enum js_state after;     /* what its end makes of the state */
	enum js_function around; /* the head that a parenthesis belongs to */
	unsigned ternaries;      /* "?" that wait for their ":" */
	struct js_call *call;    /* NULL: it is not the parenthesis of RegExp( */
	size_t name, name_len;   /* of JS_JSX_TAG and JS_JSX_TEXT */
};

struct js {
	struct source src;
	bool jsx;
	bool too_deep;
	enum js_state state;
	enum js_function function;
	bool header;             /* if, while, for or with has just been seen */
	bool member;             /* "." has: what follows is a name, whatever it is called */
	bool newline;            /* a line has ended since the last token */
	size_t regexp;           /* behind the word RegExp that has just been seen; else 0 */
	struct js_level *levels; /* innermost last; levels[0] is the source itself */
	size_t n_levels, cap;
};

struct js_level *js_top(const struct js *js);
/* In a source that is nested too deeply it is the level that is there. */
struct js_level *js_push(struct js *js, enum js_level_kind kind, enum js_state after);
void js_pop(struct js *js);

/* A comment that begins here; false, and nothing taken, if none does. */
bool js_comment(struct source *src);

/* A string in quotes; what it says goes to `text` unless that is NULL. */
void js_string(struct js *js, struct strbuf *text);
/*
 * A template from behind its "`", or from behind the "}" of a substitution, to
 * its end (true) or behind the "${" of the next substitution (false).
 */
bool js_template(struct js *js, struct strbuf *text, bool raw);
/* The regex that begins at this "/"; false, and nothing taken, if none does. */
bool js_regex(struct js *js);

/* An element that begins at this "<"; false, and nothing taken, if none does. */
bool js_element(struct js *js);
/* The next piece of a tag, and of the text between tags. */
void js_tag_step(struct js *js);
void js_text_step(struct js *js);

/* RegExp( at that place has been opened: what follows in its parenthesis is told to it. */
struct js_call *js_call_open(struct js *js, size_t at);
/* Where a string is to be put; NULL: nowhere. */
struct strbuf *js_call_piece(struct js_call *call);
void js_call_plus(struct js_call *call);
/* Any token but strings, "+" and ",". */
void js_call_other(struct js_call *call);
/* A comma. */
void js_call_next(struct js *js, struct js_call *call);
/* The closing parenthesis: what is known is a pattern that was found. */
void js_call_close(struct js *js, struct js_call *call);

#endif
