/*
 * Makes the recordings that the tests and benchmarks of the report's formats
 * need, and renders them: "pages NAME FORMAT" to standard output.  FORMAT
 * "recording" writes a .lagprof file instead, to a third argument.
 */
#include <stdlib.h>
#include <sys/resource.h>

#include "analyzers/analyze.h"
#include "core/recording_file.h"
#include "report/renderer.h"
#include "tests/builder.h"
#include "tests/hostile.h"

/* Every part of the page has something to show. */
static void add_logins(struct recording *rec)
{
	static const struct argument hashing[] = {
		{ .key = ARG_ITERATIONS, .number = 60000, .frame = 2 },
		{ .key = ARG_DIGEST, .text = "sha512", .frame = 2 },
		{ .key = ARG_KEYLEN, .number = 64, .frame = 2 },
	};

	for (nsec i = 0; i < 24; i++) {
		nsec ms = i == 7 ? 151 : 60 + i;
		struct stall *stall = build_stall(rec, 1000 + i * 800, ms + 5);

		stall->request = recording_intern(rec, "POST /login");
		stall->confidence = 0.9;
		stall->running -= 5 * MS;
		stall->runnable = 5 * MS;
		build_sample_full(rec,
				  "n sha512_block_data_order_avx2 @/usr/bin/node\n"
				  "n PKCS5_PBKDF2_HMAC @/usr/bin/node\n"
				  "j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n"
				  "j login @/app/server.js:33/30\n"
				  "j handle @/app/node_modules/router/index.js:120/100\n"
				  "j emit @node:events:517\n"
				  "n uv_run @/usr/bin/node\n"
				  "n main @/usr/bin/node",
				  ms, SAMPLE_RUNNING, -1, hashing, 3);
	}
}

static void add_validations(struct recording *rec)
{
	static const struct argument matching[] = {
		{ .key = ARG_PATTERN, .text = "^(a+)+$", .frame = 1 },
		{ .key = ARG_FLAGS, .text = "i", .frame = 1 },
		{ .key = ARG_SUBJECT_LENGTH, .number = 23, .frame = 1 },
	};

	for (nsec i = 0; i < 5; i++) {
		build_stall(rec, 1500 + i * 4000, 120 + 60 * i);
		build_sample_full(
			rec,
			"n v8::internal::RegExpImpl::IrregexpExec(v8::internal::Isolate*) "
			"@/usr/bin/node\n"
			"j RegExp.prototype.test\n"
			"j validate @/app/lib/email.js:12/8\n"
			"j emit @node:events:517\n"
			"n uv_run @/usr/bin/node\n"
			"n main @/usr/bin/node",
			100 + 60 * i, SAMPLE_RUNNING, -1, matching, 3);
	}
}

static void add_reads(struct recording *rec)
{
	static const struct argument reading[] = {
		{ .key = ARG_PATH, .text = "/app/views/index.html", .frame = 3 },
	};

	for (nsec i = 0; i < 3; i++) {
		build_stall(rec, 2300 + i * 5000, 40);
		rec->stalls[rec->n_stalls - 1].blocked = 40 * MS;
		rec->stalls[rec->n_stalls - 1].running = 0;
		build_sample_full(rec,
				  "k io_schedule\nk vfs_read\n"
				  "n __read @/lib/x86_64-linux-gnu/libc.so.6\n"
				  "j readFileSync @node:fs:470\n"
				  "j render @/app/views.js:7/5\n"
				  "j emit @node:events:517\n"
				  "n uv_run @/usr/bin/node\n"
				  "n main @/usr/bin/node",
				  40, SAMPLE_BLOCKED, 0, reading, 1);
	}
}

static void add_odd_ones(struct recording *rec)
{
	static const char *argv[] = { "node", "worker.js" };
	struct target_info *process = recording_add_process(rec);
	struct loop *worker = recording_add_loop(rec);
	struct stall *stall;

	process->pid = 4250;
	process->parent = 4242;
	process->argv = argv;
	process->argc = 2;
	worker->pid = 4250;
	worker->tid = 4250;
	worker->name = "worker";
	stall = build_stall(rec, 100, 300);
	stall->phase = PHASE_STARTUP;
	build_sample(rec, "j (anonymous) @/app/server.js:3/1\nn main @/usr/bin/node", 280);
	stall = build_stall(rec, 7000, 90);
	stall->running = 10 * MS;
	stall->runnable = 80 * MS;
	stall->throttled = 60 * MS;
	stall = build_stall(rec, 9000, 33);
	stall->loop = 1;
	build_sample(rec, "j crunch @/app/worker.js:9/2\nn main @/usr/bin/node", 33);
	stall = build_stall(rec, 19700, 300);
	stall->open = true;
	build_sample(rec, "j spin @/app/server.js:90/88\nn main @/usr/bin/node", 290);
}

static void set_session(struct recording *rec, nsec duration)
{
	static const char *argv[] = { "node", "server.js", "--port", "8080" };

	rec->session.start_unix_ns = 1790000000000000000;
	rec->session.duration = duration;
	rec->session.serving_since = 500 * (nsec)MS;
	rec->session.sample_hz = 997;
	rec->session.error_bound = 20000;
	rec->session.intrinsic_latency = 233000;
	rec->session.own_cpu = duration / 100;
	rec->session.end = END_TARGET_EXITED;
	rec->session.lost_samples = 3;
	rec->target.argc = 4;
	rec->target.argv = xcalloc(4, sizeof(*rec->target.argv));
	for (int i = 0; i < 4; i++)
		rec->target.argv[i] = recording_intern(rec, argv[i]);
	rec->target.exe = recording_intern(rec, "/usr/bin/node");
	rec->target.runtime_version = recording_intern(rec, "20.20.2");
	rec->threadpool.known = true;
	rec->threadpool.size = 4;
	rec->threadpool.observed = duration * 4;
	rec->threadpool.busy = duration;
	rec->threadpool.saturated = duration / 20;
	rec->host = (struct host){ .cpus = 2,
				   .quota = 1500,
				   .cpu = duration * 2,
				   .idle = duration / 2,
				   .steal = duration / 50,
				   .throttled = 60 * MS,
				   .neighbours = { { 77, "ffmpeg", 20 * MS },
						   { 4242, "node", 12 * MS } },
				   .n_neighbours = 2 };
	for (nsec i = 1; i < 100; i++)
		hist_add(&rec->threadpool.queue_wait, i * 100000);
}

static void add_turns(struct recording *rec, uint32_t n)
{
	for (size_t i = 0; i < rec->n_stalls; i++) {
		struct loop *loop = rec->loops[rec->stalls[i].loop];

		hist_add(&loop->lag, rec->stalls[i].duration);
		loop->turns++;
		loop->busy += rec->stalls[i].duration;
	}
	for (uint32_t i = 0; i < n; i++) {
		nsec lag = 1000 + (nsec)random() % 3000000;

		hist_add(&rec->loops[0]->lag, lag);
		rec->loops[0]->turns++;
		rec->loops[0]->busy += lag;
	}
	for (size_t i = 0; i < rec->n_loops; i++)
		if (rec->session.duration > rec->loops[i]->busy)
			rec->loops[i]->polled = rec->session.duration - rec->loops[i]->busy;
}

static struct recording *make_plain(void)
{
	struct recording *rec = build_recording("v8");

	set_session(rec, 20000ull * MS);
	add_logins(rec);
	add_validations(rec);
	add_reads(rec);
	add_odd_ones(rec);
	add_turns(rec, 5000);
	recording_note(rec, "Child processes were not followed.");
	return rec;
}

static struct recording *make_empty(void)
{
	struct recording *rec = build_recording("v8");

	set_session(rec, 20000ull * MS);
	rec->session.lost_samples = 0;
	add_turns(rec, 5000);
	return rec;
}

static struct recording *make_unseen(void)
{
	return build_recording(NULL);
}

/* Each string everywhere that a target can put one. */
static void add_hostile(struct recording *rec, const char *s, uint32_t line)
{
	struct argument args[] = { { .key = ARG_PATTERN, .text = s },
				   { .key = ARG_PATH, .text = s },
				   { .key = ARG_FLAGS, .text = s },
				   { .key = ARG_DESCRIPTOR, .text = s },
				   { .key = ARG_MODULE, .text = s } };
	struct strbuf file = { 0 };
	struct sample sample = {
		.stall = build_stall(rec, line * 60, 30)->id,
		.weight = 25 * MS,
		.syscall = -1,
		.arguments = args,
		.n_arguments = 5,
	};
	uint32_t frames[4];

	strbuf_printf(&file, "/app/%s", s);
	rec->stalls[sample.stall].request = recording_intern(rec, s);
	rec->stalls[sample.stall].confidence = 1;
	frames[0] = recording_frame(rec, &(struct frame){ .kind = FRAME_NATIVE,
							  .function = s,
							  .module = s,
							  .file = s,
							  .build_id = s });
	frames[1] = recording_frame(rec, &(struct frame){ .kind = FRAME_JS, .function = s });
	frames[2] = recording_frame(rec, &(struct frame){ .kind = FRAME_JS,
							  .function = s,
							  .file = file.s,
							  .line = line + 1,
							  .define_line = line + 1 });
	frames[3] = build_frame(rec, "n RegExp.prototype.exec @/usr/bin/node");
	sample.stack = recording_stack(rec, frames, 4, (enum stack_end)(line % STACK_ENDS));
	recording_add_sample(rec, &sample);
	recording_note(rec, "%s", s);
	strbuf_destroy(&file);
}

static struct recording *make_hostile(void)
{
	struct recording *rec = build_recording("v8");

	set_session(rec, 20000ull * MS);
	free(rec->target.argv);
	rec->target.argc = HOSTILE;
	rec->target.argv = xcalloc(HOSTILE, sizeof(*rec->target.argv));
	for (uint32_t i = 0; i < HOSTILE; i++) {
		const char *s = recording_intern(rec, hostile[i]);

		rec->target.argv[i] = s;
		add_hostile(rec, s, i);
	}
	rec->target.exe = rec->target.argv[0];
	rec->target.runtime = rec->target.argv[1];
	rec->target.runtime_version = rec->target.argv[2];
	rec->loops[0]->name = rec->target.argv[3];
	*recording_add_process(rec) = rec->target;
	rec->session.probe = rec->target.argv[4];
	rec->session.unwinder = rec->target.argv[5];
	rec->host.neighbours[0].name = rec->target.argv[6];
	add_turns(rec, 100);
	return rec;
}

/* SECRET wherever a machine, its users or their data are named. */
static struct recording *make_private(void)
{
	static const char *argv[] = { "/home/SECRET/node", "server.js", "--db=SECRET", "SECRET" };
	static const struct {
		enum argument_key key;
		const char *call, *text;
	} calls[] = { { ARG_PATH, "readFileSync @node:fs:470", "/home/SECRET/a.pdf" },
		      { ARG_HOST, "lookupSync @node:dns:20", "SECRET.example" },
		      { ARG_COMMAND, "execSync @node:child_process:960", "git log SECRET" },
		      { ARG_MODULE, "Module._load @node:internal/modules/cjs/loader:1",
			"/home/SECRET/lib/a.js" } };
	struct recording *rec = build_recording("v8");

	set_session(rec, 20000ull * MS);
	for (uint32_t i = 0; i < 4; i++)
		rec->target.argv[i] = recording_intern(rec, argv[i]);
	rec->target.exe = rec->target.argv[0];
	rec->target.cwd = recording_intern(rec, "/home/SECRET/shop");
	rec->loops[0]->name = recording_intern(rec, "node SECRET");
	rec->host.neighbours[0].name = recording_intern(rec, "SECRETd");
	for (nsec i = 0; i < 8; i++) {
		struct argument args[] = {
			{ .key = calls[i % 4].key, .text = calls[i % 4].text, .frame = 1 },
		};
		struct stall *stall = build_stall(rec, i * 200, 40);
		char stack[400];

		snprintf(stack, sizeof(stack),
			 "n read@plt /home/SECRET/x @/home/SECRET/libx.so\n"
			 "j %s\nj login%u @/home/SECRET/shop/server.js:%u/30\n"
			 "j handle @/home/SECRET/node_modules/router/index.js:120/100\n"
			 "n main @/home/SECRET/node",
			 calls[i % 4].call, (unsigned)i % 4, 33 + (unsigned)i % 4);
		stall->request = recording_intern(rec, "GET /users/SECRET?key=SECRET");
		stall->confidence = 1;
		build_sample_full(rec, stack, 40, SAMPLE_RUNNING, -1, args, 1);
	}
	recording_note(rec, "The file /home/SECRET/perf-1.map was not believed.");
	add_turns(rec, 100);
	return rec;
}

/* Names of one, two and no columns a character. */
static struct recording *make_wide(void)
{
	static const char *const names[] = {
		"日本語", "😀grin", "e\u0301te\u0301", "한국어サーバー", "plain", "ｆｕｌｌ幅",
	};
	struct recording *rec = build_recording("v8");
	char stack[256];

	set_session(rec, 20000ull * MS);
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		build_stall(rec, 1000 + i * 2000, 30 + i * 40)->request =
			recording_intern(rec, names[i]);
		snprintf(stack, sizeof(stack), "j %s @/app/%s.js:%u/1\nn main @/usr/bin/node",
			 names[i], names[i], i + 2);
		build_sample(rec, stack, 30 + i * 40);
	}
	add_turns(rec, 100);
	return rec;
}

/* What a load is made of. */
struct load {
	uint32_t stalls, samples, stacks; /* stacks are unique */
	uint32_t forks; /* levels at which a stack's number decides, digit by digit, on the call */
	uint32_t tail;  /* random frames below them, each stack's own */
};

enum { TRUNK = 15 }; /* frames that all stacks begin with */

static uint32_t make_frame(struct recording *rec, uint32_t level, uint32_t n)
{
	char function[48], file[64];

	snprintf(function, sizeof(function), "function%u_%u", level, n);
	snprintf(file, sizeof(file), "/srv/app/node_modules/package%u/lib/f%u.js", n % 97, n % 13);
	return recording_frame(rec, &(struct frame){ .kind = n % 3 ? FRAME_JS : FRAME_NATIVE,
						     .function = function,
						     .file = n % 3 ? file : NULL,
						     .module = n % 3 ? NULL : "/usr/bin/node",
						     .line = n % 3 ? n + 1 : 0 });
}

static uint32_t make_stack(struct recording *rec, const struct load *load, uint32_t number)
{
	uint32_t frames[64], n = TRUNK + load->forks + load->tail;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t call = 0, level = i;

		if (i >= TRUNK + load->forks) {
			call = (uint32_t)random() % 5000;
			level = 99;
		} else if (i >= TRUNK) {
			call = number % 10;
			number /= 10;
		}
		frames[n - 1 - i] = make_frame(rec, level, call);
	}
	return recording_stack(rec, frames, n, STACK_COMPLETE);
}

static void add_stalls(struct recording *rec, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct stall *s = build_stall(rec, 0, 0);

		s->start = 1000ull * MS + i * 36ull * MS + (nsec)random() % MS;
		s->duration = s->running = 20 * MS + (nsec)random() % (10 * MS);
		s->request = recording_intern(rec, i % 2 ? "GET /a" : "POST /b");
	}
}

static struct recording *make_load(const struct load *load)
{
	struct recording *rec = build_recording("v8");
	uint32_t *stacks = xcalloc(load->stacks, sizeof(*stacks));

	set_session(rec, load->stalls * 36ull * MS + 1000ull * MS);
	for (uint32_t i = 0; i < load->stacks; i++)
		stacks[i] = make_stack(rec, load, i);
	add_stalls(rec, load->stalls);
	for (uint32_t i = 0; i < load->samples; i++) {
		uint32_t stall = (uint32_t)((uint64_t)i * load->stalls / load->samples);
		uint32_t each = load->samples / load->stalls;

		recording_add_sample(
			rec, &(struct sample){
				     .stall = stall,
				     .stack = stacks[(uint32_t)random() % load->stacks],
				     .at = rec->stalls[stall].start,
				     .weight = rec->stalls[stall].duration / (each ? each : 1),
				     .syscall = -1,
			     });
		rec->stalls[stall].samples++;
	}
	add_turns(rec, load->stalls);
	free(stacks);
	return rec;
}

/* 34,000 nodes. */
static struct recording *make_big(void)
{
	return make_load(&(struct load){ 100000, 50000, 23000, 5, 0 });
}

/* A million nodes. */
static struct recording *make_huge(void)
{
	return make_load(&(struct load){ 50000, 50000, 50000, 2, 20 });
}

/* What a bad minute leaves: a tenth of it blocked, sampled at 1 kHz. */
static struct recording *make_minute(void)
{
	return make_load(&(struct load){ 1600, 6000, 2000, 4, 2 });
}

static struct recording *make_hour(void)
{
	return make_load(&(struct load){ 10000, 200000, 20000, 5, 2 });
}

static struct recording *make_two_hours(void)
{
	return make_load(&(struct load){ 20000, 400000, 40000, 5, 2 });
}

static const struct {
	const char *name;
	struct recording *(*make)(void);
} pages[] = {
	{ "plain", make_plain },     { "empty", make_empty },         { "unseen", make_unseen },
	{ "hostile", make_hostile }, { "wide", make_wide },           { "private", make_private },
	{ "big", make_big },         { "huge", make_huge },           { "minute", make_minute },
	{ "hour", make_hour },       { "two_hours", make_two_hours },
};

/* What a session's analyzers may say as well: budgets, and proofs about patterns. */
static void render(struct recording *rec, const char *format, const char *name)
{
	static const struct redos proof = { .verdict = "exponential",
					    .kind = "inner",
					    .attack = "\"a\".repeat(n) + \"!\"",
					    .degree = -1,
					    .guilty_start = 1,
					    .guilty_end = 6 };
	static struct redos hostile_proof;
	static const uint32_t breakers[] = { 0 };
	struct budget_result rules[] = { { "lag.p99<50ms", "error", "91 ms", false },
					 { "stall.count{cause=sync_crypto}==0", "warn", "24", false,
					   breakers, 1 },
					 { "blocked.ratio<60%", "error", "16.5 %", true } };
	struct budget_report budget = { VERDICT_FAIL, NULL, rules, 3 };
	struct diagnosis *d = diagnose(rec);
	struct report report = { .rec = rec, .diagnosis = d };
	struct error err = { 0 };

	if (strcmp(name, "plain") == 0 || strcmp(name, "hostile") == 0)
		report.budget = &budget;
	if (strcmp(name, "hostile") == 0) {
		hostile_proof = (struct redos){ .verdict = hostile[0],
						.kind = hostile[1],
						.attack = hostile[2],
						.guilty_start = 2,
						.guilty_end = 5 };
		rules[0].expr = rules[0].value = hostile[3];
		budget.reason = hostile[4];
	}
	for (size_t i = 0; i < d->n_findings; i++)
		if (d->findings[i].cause == CAUSE_REGEX)
			d->findings[i].evidence.redos =
				strcmp(name, "plain") == 0 ? &proof : &hostile_proof;
	if (renderer_find(format)->render(&report, stdout, &err) < 0)
		exit(1);
	diagnosis_free(d);
}

static void save(const struct recording *rec, const char *path)
{
	struct recording_writer *w;
	struct error err;

	if (recording_create(&w, path, 0, &err) < 0 || recording_finish(w, rec, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc >= 3 && i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct recording *rec;

		if (strcmp(pages[i].name, argv[1]) != 0)
			continue;
		srandom(1);
		rec = pages[i].make();
		if (argc == 4)
			save(rec, argv[3]);
		else
			render(rec, argv[2], argv[1]);
		free(rec->target.argv);
		recording_free(rec);
		return 0;
	}
	fprintf(stderr, "usage: pages NAME FORMAT | pages NAME recording FILE\n");
	return 2;
}
