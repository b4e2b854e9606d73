#include "analyzers/scan/javascript.h"

struct js_call *js_call_open(struct js *js, size_t at)
{
	struct js_call *call = arena_alloc(js->src.arena, sizeof(*call));

	call->at = at;
	call->pattern.engine = REGEX_V8;
	call->pattern.flags = "";
	return call;
}

struct strbuf *js_call_piece(struct js_call *call)
{
	if (!call || call->state != JS_PIECE_DUE || call->pieces.len > SOURCE_LITERAL_MAX) {
		js_call_other(call);
		return NULL;
	}
	call->state = JS_PIECE_DONE;
	return &call->pieces;
}

void js_call_plus(struct js_call *call)
{
	if (call)
		call->state = call->state == JS_PIECE_DONE ? JS_PIECE_DUE : JS_DYNAMIC;
}

void js_call_other(struct js_call *call)
{
	if (call)
		call->state = JS_DYNAMIC;
}

static void take_argument(struct js *js, struct js_call *call)
{
	const char *text = call->pieces.s ? call->pieces.s : "";
	size_t len = call->pieces.len;

	if (call->argument == 0) {
		call->pattern.text = arena_strndup(js->src.arena, text, len);
		call->pattern.len = len;
	} else if (call->argument == 1) {
		call->pattern.flags = arena_strndup(js->src.arena, text, len);
	}
}

void js_call_next(struct js *js, struct js_call *call)
{
	if (!call)
		return;
	if (call->state == JS_PIECE_DONE)
		take_argument(js, call);
	call->argument++;
	call->state = JS_PIECE_DUE;
	call->pieces.len = 0;
}

void js_call_close(struct js *js, struct js_call *call)
{
	js_call_next(js, call);
	if (call && call->pattern.text)
		source_found(&js->src, call->at, &call->pattern);
}
