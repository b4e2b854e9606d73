#include "sampler/request.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
	MAX_LINE = 2048,       /* bytes of a buffer that are looked at */
	MAX_SHOWN = 160,       /* characters of a path */
	MAX_REGION = 48 << 10, /* bytes of stack; a frame of node's TLS holds 16 KB */
	MAX_BUFFER = 1 << 24,  /* bytes; a longer one is none */
	MAX_COMMANDS = 4096,   /* in one buffer */
	OBJECT = 256,          /* bytes of an object that may point to the buffer */
};
static const uint64_t LOWEST = 0x10000; /* address */

/* How a frame that reads from a connection holds what it read. */
enum holds {
	HOLDS_BUFFER, /* libuv: a uv_buf_t {base, length} on its stack, or on that of what it calls
		       */
	HOLDS_CLIENT, /* Redis: a client, which points to {buffer, bytes of it that were taken} */
};

static const struct reader {
	const char *function;
	enum holds holds;
} readers[] = {
	{ "uv__read", HOLDS_BUFFER },
	{ "uv__stream_io", HOLDS_BUFFER },
	{ "readQueryFromClient", HOLDS_CLIENT },
};

static const char *const methods[] = { "GET",     "POST",  "PUT",   "DELETE",   "HEAD",  "PATCH",
				       "OPTIONS", "TRACE", "QUERY", "PROPFIND", "REPORT" };

/* The length of the method and the space behind it; 0: none. */
static size_t method_length(const char *bytes, size_t len)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		size_t n = strlen(methods[i]);

		if (len > n && memcmp(bytes, methods[i], n) == 0 && bytes[n] == ' ')
			return n + 1;
	}
	return 0;
}

bool request_parse_http(const char *bytes, size_t len, bool queries, struct request *out)
{
	static const char version[] = " HTTP/1.";
	size_t method = method_length(bytes, len), end = method, shown;

	if (!method)
		return false;
	while (end < len && bytes[end] > ' ' && bytes[end] < 0x7f)
		end++;
	if (end == method || len - end < strlen(version) ||
	    memcmp(bytes + end, version, strlen(version)) != 0)
		return false;
	shown = end;
	for (size_t i = method; !queries && i < shown; i++)
		if (bytes[i] == '?')
			shown = i + 1;
	if (shown > method + MAX_SHOWN)
		shown = method + MAX_SHOWN;
	snprintf(out->text, sizeof(out->text), "%.*s%s", (int)shown, bytes,
		 shown < end ? "..." : "");
	return true;
}

/* The number behind `mark`, up to the end of its line: -1 if there is none. */
static long take_number(const char *bytes, size_t len, size_t *at, char mark)
{
	long n = 0;

	if (*at >= len || bytes[*at] != mark)
		return -1;
	for ((*at)++; *at < len && isdigit((unsigned char)bytes[*at]); (*at)++) {
		n = n * 10 + (bytes[*at] - '0');
		if (n > MAX_BUFFER)
			return -1;
	}
	if (len - *at < 2 || bytes[*at] != '\r' || bytes[*at + 1] != '\n')
		return -1;
	*at += 2;
	return n;
}

struct words {
	size_t at, len, next; /* of one word, and of what follows it */
};

static bool take_word(const char *bytes, size_t len, size_t at, struct words *w)
{
	long n = take_number(bytes, len, &at, '$');

	if (n < 0)
		return false;
	*w = (struct words){ at, (size_t)n, at + (size_t)n + 2 };
	return true;
}

static void append(struct request *out, const char *bytes, size_t len)
{
	size_t used = strlen(out->text);

	for (size_t i = 0; i < len && i < MAX_SHOWN && used + 1 < sizeof(out->text); i++)
		out->text[used++] = bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '.';
	out->text[used] = '\0';
}

/*
 * One command at `at`: where it ends; 0 if it is none.  Words behind the bytes
 * at hand are not shown, and only the last may reach there.
 */
static size_t take_command(const char *bytes, size_t len, size_t at, bool queries,
			   struct request *out)
{
	long n = take_number(bytes, len, &at, '*');
	struct words w;

	out->text[0] = '\0';
	if (n < 1)
		return 0;
	for (long i = 0; i < n; i++, at = w.next) {
		if (!take_word(bytes, len, at, &w))
			return 0;
		if (w.at > len || (w.next > len && i + 1 < n))
			return 0;
		if (i == 0 && (w.len == 0 || w.at + w.len > len))
			return 0;
		if (i > 0 && !queries)
			continue;
		append(out, i ? " " : "", i ? 1 : 0);
		append(out, bytes + w.at, w.at + w.len > len ? len - w.at : w.len);
	}
	if (n > 1 && !queries) {
		size_t used = strlen(out->text);

		snprintf(out->text + used, sizeof(out->text) - used, " (%ld argument%s)", n - 1,
			 n == 2 ? "" : "s");
	}
	return at;
}

bool request_parse_resp(const char *bytes, size_t len, size_t end, bool queries,
			struct request *out)
{
	size_t at = 0;

	for (int i = 0; i < MAX_COMMANDS && at < end && at < len; i++) {
		at = take_command(bytes, len, at, queries, out);
		if (at == 0)
			return false;
		if (at == end)
			return isalpha((unsigned char)out->text[0]);
	}
	return false;
}

/* As many of the len bytes at addr as a line may have; 0: none can be read. */
static size_t read_text(struct memory *mem, uint64_t addr, uint64_t len, char *text)
{
	size_t n = len < MAX_LINE ? (size_t)len : MAX_LINE;
	/* Most of what is looked at is something else, or at the end of what is mapped. */
	for (; n >= 16; n /= 2)
		if (memory_read(mem, addr, text, n) == 0)
			return n;
	return 0;
}

/* What a search needs. */
struct search {
	struct memory *mem;
	bool queries;
	struct request *out;
};

static bool try_buffer(struct search *s, uint64_t base, uint64_t len)
{
	char text[MAX_LINE];
	size_t n;

	if (base < LOWEST || len < 16 || len > MAX_BUFFER ||
	    memory_read(s->mem, base, text, 16) < 0 || !method_length(text, 16))
		return false;
	n = read_text(s->mem, base, len, text);
	if (!request_parse_http(text, n, s->queries, s->out))
		return false;
	s->out->confidence = 0.95;
	return true;
}

/* Redis keeps {char *querybuf, size_t qb_pos} side by side. */
static bool try_client(struct search *s, uint64_t client)
{
	uint64_t object[OBJECT / 8];
	char text[MAX_LINE];

	if (client < LOWEST || client % 8 || memory_read(s->mem, client, object, OBJECT) < 0)
		return false;
	for (size_t i = 0; i + 1 < OBJECT / 8; i++) {
		size_t n;

		if (object[i] < LOWEST || object[i + 1] == 0 || object[i + 1] > MAX_BUFFER ||
		    memory_read(s->mem, object[i], text, 4) < 0 || text[0] != '*')
			continue;
		n = read_text(s->mem, object[i], object[i + 1], text);
		if (!request_parse_resp(text, n, object[i + 1], s->queries, s->out))
			continue;
		s->out->confidence = 0.9;
		return true;
	}
	return false;
}

static bool search_stack(struct search *s, uint64_t from, uint64_t to, enum holds holds)
{
	uint64_t words[2];

	for (uint64_t at = from; at + 16 <= to && at - from < MAX_REGION; at += 8) {
		if (memory_read(s->mem, at, words, sizeof(words)) < 0)
			return false;
		if (holds == HOLDS_BUFFER ? try_buffer(s, words[0], words[1])
					  : try_client(s, words[0]))
			return true;
	}
	return false;
}

/* libuv's uv_stream_t, as it has been since 1.0: its type, and its descriptor. */
enum { STREAM_TYPE = 16, STREAM_FD = 184, UV_TCP = 12, UV_NAMED_PIPE = 7, MAX_FD = 1 << 20 };

static int stream_fd(struct memory *mem, uint64_t stream)
{
	int32_t type, fd;

	if (stream < LOWEST || stream % 8 ||
	    memory_read(mem, stream + STREAM_TYPE, &type, sizeof(type)) < 0 ||
	    (type != UV_TCP && type != UV_NAMED_PIPE) ||
	    memory_read(mem, stream + STREAM_FD, &fd, sizeof(fd)) < 0 || fd < 3 || fd > MAX_FD)
		return -1;
	return fd;
}

/* The stream that the frames in [from, to) work on. */
static int search_stream(struct memory *mem, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at + 8 <= to && at - from < MAX_REGION; at += 8) {
		uint64_t word;
		int fd;

		if (memory_read_u64(mem, at, &word) < 0)
			return -1;
		fd = stream_fd(mem, word);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

static const struct reader *reader_of(const struct frame *name)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (name->kind == FRAME_NATIVE && name->function &&
		    strcmp(name->function, readers[i].function) == 0)
			return &readers[i];
	return NULL;
}

/* The first of the native frames that the one at `at` called, and they called, without a break. */
static size_t first_native(const struct frame *names, size_t at)
{
	while (at > 0 && names[at - 1].kind == FRAME_NATIVE)
		at--;
	return at;
}

bool request_find(const struct raw_stack *stack, const struct frame *names, struct memory *mem,
		  bool queries, struct request *out)
{
	struct search s = { mem, queries, out };
	const struct reader *reader = NULL;
	size_t at = 0;
	uint64_t from, to;

	*out = (struct request){ .fd = -1 };
	while (at + 1 < stack->n && !(reader = reader_of(&names[at])))
		at++;
	if (!reader)
		return false;
	from = stack->frames[first_native(names, at)].sp;
	to = stack->frames[at + 1].sp;
	if (!search_stack(&s, from, to, reader->holds))
		return false;
	if (reader->holds == HOLDS_BUFFER)
		out->fd = search_stream(mem, stack->frames[at].sp, to);
	return true;
}
