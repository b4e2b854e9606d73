/*
 * A recording of a service with one finding of many kinds, written to a file
 * for tests/golden/report.sh, which compares what lagprof says about it.
 */
#include "core/recording_file.h"
#include "tests/builder.h"
#include "tests/test.h"

#define NODE "@/usr/bin/node\n"
#define HTTP                                                                                      \
	"j emit @node:events:517\n"                                                               \
	"j parserOnIncoming @node:_http_server:1127\n"                                            \
	"n node::(anonymous namespace)::Parser::Execute(char const*) " NODE "n uv__io_poll " NODE \
	"n uv_run " NODE "n node::Start(int, char**) " NODE "n main " NODE                        \
	"n __libc_start_main @/usr/lib/x86_64-linux-gnu/libc.so.6\nn _start " NODE
#define PBKDF2                                                                              \
	"n sha512_block_data_order_avx2 " NODE "n PKCS5_PBKDF2_HMAC " NODE                  \
	"n node::crypto::PBKDF2Traits::DeriveBits(node::Environment*) " NODE                \
	"n Builtins_CallApiCallback " NODE "j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n" \
	"j login @/app/server.js:33/30\n"
#define TICKS "j processTicksAndRejections @node:internal/process/task_queues:77\nn uv_run " NODE

static void describe(struct recording *rec)
{
	static const char *argv[] = { "node", "server.js" };
	struct loop *loop = rec->loops[0];

	rec->session.start_unix_ns = 1700000000000000000;
	rec->session.duration = 30000ull * MS;
	rec->session.serving_since = 400ull * MS;
	rec->session.sample_hz = 997;
	rec->session.end = END_TARGET_EXITED;
	rec->session.exit_status = 0;
	rec->session.error_bound = 20000;
	rec->session.intrinsic_latency = 1200000;
	rec->session.own_cpu = 90 * MS;
	rec->session.resolved = true;
	rec->session.lost_samples = 12;
	rec->target.argv = argv;
	rec->target.argc = 2;
	rec->target.cwd = "/app";
	rec->target.exe = "/usr/bin/node";
	rec->target.runtime_version = "20.20.2";
	loop->kind = LOOP_LIBUV;
	for (int i = 0; i < 5000; i++)
		hist_add(&loop->lag, 200000 + (uint64_t)i * 300);
	rec->threadpool.known = true;
	rec->threadpool.size = 4;
	rec->threadpool.observed = 120000ull * MS;
	rec->threadpool.busy = 6000ull * MS;
	rec->threadpool.saturated = 250 * MS;
	hist_add(&rec->threadpool.queue_wait, 3 * MS);
	rec->threadpool.resolution = 4 * MS;
	rec->host = (struct host){
		.cpus = 4,
		.quota = 1500,
		.cpu = 120000ull * MS,
		.idle = 80000ull * MS,
		.throttled = 40 * MS,
		.neighbours = { { 77, "cc1", 90 * MS } },
		.n_neighbours = 1,
	};
	recording_note(rec, "stacks of the kernel are not visible (kernel.kptr_restrict)");
}

static void add_crypto(struct recording *rec)
{
	static const struct argument args[] = {
		{ .key = ARG_ITERATIONS, .number = 60000, .frame = 4 },
		{ .key = ARG_DIGEST, .text = "sha512", .frame = 4 },
		{ .key = ARG_KEYLEN, .number = 64, .frame = 4 },
	};

	for (nsec i = 0; i < 24; i++) {
		struct stall *stall = build_stall(rec, 1000 + i * 800, i == 7 ? 151 : 68);

		stall->request = "GET /login";
		build_sample_full(rec, PBKDF2 HTTP, stall->duration / MS, SAMPLE_RUNNING, -1, args,
				  3);
	}
}

static void add_others(struct recording *rec)
{
	static const struct argument bytes[] = { { .key = ARG_BYTES, .number = 10777781 } };
	static const struct argument regex[] = {
		{ .key = ARG_PATTERN, .text = "^(a+)+$", .frame = 1 },
		{ .key = ARG_SUBJECT_LENGTH, .number = 25, .frame = 1 },
	};
	static const struct argument command[] = {
		{ .key = ARG_COMMAND, .text = "git log -1", .frame = 3 },
	};
	struct stall *stall;

	build_stall(rec, 20500, 240);
	build_sample_full(rec,
			  "j JSON.parse\nj importUsers @/app/lib/users.js:12/8\n"
			  "j post @/app/server.js:60/58\n" HTTP,
			  240, SAMPLE_RUNNING, -1, bytes, 1);
	stall = build_stall(rec, 21000, 500);
	stall->running = 320 * MS;
	stall->runnable = 180 * MS;
	build_sample_full(
		rec, "x (regexp)\nj RegExp.prototype.test\nj validate @/app/lib/form.js:5/4\n" HTTP,
		320, SAMPLE_RUNNING, -1, regex, 2);
	build_stall(rec, 22000, 105);
	build_sample_full(
		rec,
		"k schedule\nk ep_poll\nn epoll_pwait @/usr/lib/libc.so.6\n"
		"j execSync @node:child_process:958\nj version @/app/lib/git.js:3/2\n" HTTP,
		105, SAMPLE_BLOCKED, 281, command, 1);
	stall = &rec->stalls[rec->n_stalls - 1];
	stall->blocked = stall->duration;
	stall->running = 0;
	build_stall(rec, 23000, 90);
	for (int i = 0; i < 9; i++) {
		build_sample(rec, "j drain @/app/lib/queue.js:20/18\n" TICKS, 5);
		build_sample(rec,
			     "j nextTick @node:internal/process/task_queues:128\n"
			     "j drain @/app/lib/queue.js:21/18\n" TICKS,
			     5);
	}
}

/* What no code is to blame for, and what came before it served. */
static void add_host(struct recording *rec)
{
	struct stall *stall = build_stall(rec, 24000, 80);

	stall->running = 6 * MS;
	stall->runnable = 74 * MS;
	stall->throttled = 60 * MS;
	stall = build_stall(rec, 25000, 25);
	stall->blocked = stall->running;
	stall->running = 0;
	stall = build_stall(rec, 20, 310);
	stall->phase = PHASE_STARTUP;
	build_sample(rec,
		     "n v8::internal::Compiler::Compile(v8::internal::Isolate*) " NODE
		     "j Module._compile @node:internal/modules/cjs/loader:1364\n"
		     "j require @node:internal/modules/helpers:177\n"
		     "j (anonymous) @/app/server.js:3/1\nn main " NODE,
		     310);
}

TEST(recording_of_a_service_is_written_for_the_golden_report)
{
	const char *dir = getenv("LAGPROF_TEST_OUT");
	struct recording *rec = build_recording("v8");
	struct recording_writer *w;
	struct error err;
	char path[512];

	describe(rec);
	add_crypto(rec);
	add_others(rec);
	add_host(rec);
	for (size_t i = 0; i < rec->n_stalls; i++) {
		rec->loops[0]->busy += rec->stalls[i].duration;
		hist_add(&rec->loops[0]->lag, rec->stalls[i].duration);
	}
	rec->loops[0]->turns = rec->loops[0]->lag.n;
	rec->loops[0]->polled = rec->session.duration - rec->loops[0]->busy;
	snprintf(path, sizeof(path), "%s/service.lagprof", dir ? dir : test_tmpdir());
	CHECK_EQ(recording_create(&w, path, 0, &err), 0);
	CHECK_EQ(recording_finish(w, rec, &err), 0);
	recording_free(rec);
}
