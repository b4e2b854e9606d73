#include "sampler/request.h"

#include <unistd.h>

#include "sampler/in_hand.h"
#include "tests/test.h"

#define MS 1000000ull

static const char *http(const char *bytes, bool queries)
{
	static struct request out;

	return request_parse_http(bytes, strlen(bytes), queries, &out) ? out.text : "none";
}

TEST(request_line_is_shown_without_its_query)
{
	CHECK_STR(http("GET /a/b HTTP/1.1\r\nHost: x\r\n\r\n", false), "GET /a/b");
	CHECK_STR(http("POST / HTTP/1.0\r\n", false), "POST /");
	CHECK_STR(http("GET /a?token=secret HTTP/1.1\r\n", false), "GET /a?...");
	CHECK_STR(http("GET /a?token=secret HTTP/1.1\r\n", true), "GET /a?token=secret");
}

TEST(request_line_must_be_whole)
{
	CHECK_STR(http("", false), "none");
	CHECK_STR(http("GET", false), "none");
	CHECK_STR(http("GET  HTTP/1.1\r\n", false), "none");
	CHECK_STR(http("GET /a", false), "none");
	CHECK_STR(http("GET /a HTTP/2", false), "none");
	CHECK_STR(http("GET /a\xff HTTP/1.1\r\n", false), "none");
	CHECK_STR(http("GOT /a HTTP/1.1\r\n", false), "none");
	CHECK_STR(http("{\"GET\":1}", false), "none");
}

TEST(request_line_that_is_long_is_cut)
{
	char line[1200];

	snprintf(line, sizeof(line), "GET /%01000d HTTP/1.1\r\n", 0);
	CHECK_EQ(strlen(http(line, true)), 4 + 160 + 3);
}

static const char *resp(const char *bytes, size_t end, bool queries)
{
	static struct request out;

	return request_parse_resp(bytes, strlen(bytes), end, queries, &out) ? out.text : "none";
}

TEST(request_of_redis_is_the_command_that_was_taken_last)
{
	const char *two = "*2\r\n$3\r\nGET\r\n$3\r\nfoo\r\n*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n";

	CHECK_STR(resp(two, 22, false), "GET (1 argument)");
	CHECK_STR(resp(two, 43, false), "KEYS (1 argument)");
	CHECK_STR(resp(two, 43, true), "KEYS *");
	CHECK_STR(resp(two, 30, false), "none");
	CHECK_STR(resp("*1\r\n$4\r\nPING\r\n", 14, false), "PING");
	CHECK_STR(resp("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\nb\n\r\n", 28, true), "SET a b.");
}

TEST(request_of_redis_may_end_behind_what_was_read)
{
	CHECK_STR(resp("*2\r\n$4\r\nECHO\r\n$2000\r\nxx", 2023, false), "ECHO (1 argument)");
	CHECK_STR(resp("*3\r\n$4\r\nECHO\r\n$2000\r\nxx", 2023, false), "none");
	CHECK_STR(resp("*2\r\n$4000\r\nECHO", 4022, false), "none");
	CHECK_STR(resp("*-1\r\n", 5, false), "none");
	CHECK_STR(resp("*0\r\n", 4, false), "none");
	CHECK_STR(resp("*1\r\n$99999999999999999999\r\n", 26, false), "none");
}

/* A stack that reads: the leaf is JavaScript, then a native callback, then `reader`. */
struct scene {
	uint64_t words[64];
	struct raw_stack stack;
	struct frame names[5];
	char buffer[64];
	struct memory_live *live;
};

static void set_scene(struct scene *s, const char *reader)
{
	static const char *const functions[] = { "handler", "callback", NULL, "uv_run", "main" };

	memset(s, 0, sizeof(*s));
	strcpy(s->buffer, "GET /slow?x=1 HTTP/1.1\r\n\r\n");
	s->stack.n = 5;
	for (size_t i = 0; i < 5; i++) {
		s->stack.frames[i].sp = (uintptr_t)&s->words[i * 10];
		s->names[i] = (struct frame){ .kind = i ? FRAME_NATIVE : FRAME_JS,
					      .function = i == 2 ? reader : functions[i] };
	}
	s->live = memory_live_new(getpid());
}

static bool find(struct scene *s, struct request *out)
{
	bool found;

	memory_live_forget(s->live);
	found = request_find(&s->stack, s->names, memory_of_live(s->live), false, out);
	memory_live_free(s->live);
	return found;
}

TEST(request_is_found_in_the_buffer_of_the_frame_that_read)
{
	uint64_t stream[32] = { [2] = 12, [23] = 17 }; /* UV_TCP, and its descriptor */
	struct request out;
	struct scene s;

	set_scene(&s, "uv__read");
	s.words[24] = (uintptr_t)s.buffer;
	s.words[25] = 65536;
	s.words[27] = (uintptr_t)stream;
	CHECK(find(&s, &out));
	CHECK_STR(out.text, "GET /slow?...");
	CHECK_EQ(out.fd, 17);
	CHECK(out.confidence > 0.9);
}

TEST(request_is_not_looked_for_in_frames_of_a_timer)
{
	struct request out;
	struct scene s;

	set_scene(&s, "uv__run_timers");
	s.words[24] = (uintptr_t)s.buffer;
	s.words[25] = 65536;
	CHECK(!find(&s, &out));
	/* Nor in what JavaScript or the loop itself left on the stack. */
	set_scene(&s, "uv__read");
	s.words[4] = s.words[34] = (uintptr_t)s.buffer;
	s.words[5] = s.words[35] = 65536;
	CHECK(!find(&s, &out));
}

TEST(request_of_redis_is_found_through_the_client)
{
	static char buffer[] = "*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n";
	uint64_t client[40] = { [8] = (uintptr_t)buffer, [9] = sizeof(buffer) - 1 };
	struct request out;
	struct scene s;

	set_scene(&s, "readQueryFromClient");
	s.words[13] = (uintptr_t)client;
	CHECK(find(&s, &out));
	CHECK_STR(out.text, "KEYS (1 argument)");
	set_scene(&s, "readQueryFromClient");
	client[9] = 5; /* in the middle of it */
	s.words[13] = (uintptr_t)client;
	CHECK(!find(&s, &out));
}

/* What a stall of [100, 200) ms is given, after samples every ms: 'a', 'b' or '-' each. */
static const char *vote(const char *samples, double *confidence)
{
	struct recording *rec = recording_new();
	struct target target = { .pidfd = -1 };
	struct turn turn = { .start = 100 * MS, .end = 300 * MS };
	struct stall stall = { 0 };
	struct in_hand h = { 0 };
	static char out[64];

	for (nsec at = 100 * MS; *samples; samples++, at += MS) {
		struct request r = { .fd = -1, .confidence = 1 };

		snprintf(r.text, sizeof(r.text), "GET /%c", *samples);
		if (in_hand_due(&h))
			in_hand_add(&h, &target, rec, at, *samples == '-' ? NULL : &r);
	}
	CHECK(h.n <= IN_HAND_MAX);
	in_hand_settle(&h, &turn, &stall);
	snprintf(out, sizeof(out), "%s", stall.request ? stall.request : "none");
	*confidence = stall.confidence;
	recording_free(rec);
	return out;
}

TEST(request_of_a_stall_is_what_most_of_it_worked_on)
{
	double confidence;

	CHECK_STR(vote("aaaaa", &confidence), "GET /a");
	CHECK(confidence == 1);
	CHECK_STR(vote("ab-aaaaa", &confidence), "GET /a");
	CHECK(confidence == 0.75);
	CHECK_STR(vote("aa--", &confidence), "none");
	CHECK(confidence == 0);
	CHECK_STR(vote("-----", &confidence), "none");
	CHECK_STR(vote("", &confidence), "none");
	/* A short request, then a long timer: the samples are spread over the turn. */
	CHECK_STR(vote("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		       "--------------------------------------------------------------------",
		       &confidence),
		  "none");
}
