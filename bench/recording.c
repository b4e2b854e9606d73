/*
 * What a recording costs: bytes in the file, CPU to write and to read it, memory.  An hour with 1 M
 * turns and 50 k stalls whose stacks have 40 frames, written as it would be live: whenever a stall
 * has ended.  "random": every stack is another one, the worst there is; "alike": three culprits, 20
 * samples a stall, as services are.
 */
#include "core/recording_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TURNS = 1000000, STALLS = 50000, DEPTH = 40, FUNCTIONS = 5000 };

struct load {
	const char *name;
	uint32_t samples;  /* of a stall */
	uint32_t culprits; /* different callers of the leaf; 0: all frames are random */
	nsec every;        /* from one stall to the next */
};

static double cpu(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint32_t make_frame(struct recording *rec, uint32_t i)
{
	char function[64], file[64];

	snprintf(function, sizeof(function), "node::module%u::Function%u(v8::Local)", i % 97, i);
	snprintf(file, sizeof(file), "/srv/app/node_modules/package%u/lib/file%u.js", i % 53, i);
	return recording_frame(rec, &(struct frame){ .kind = i % 2 ? FRAME_NATIVE : FRAME_JS,
						     .function = function,
						     .module = i % 2 ? "/usr/bin/node" : NULL,
						     .file = i % 2 ? NULL : file,
						     .line = i % 2 ? 0 : i,
						     .address = i % 2 ? 0x400000 + i * 16ull : 0 });
}

/* Few functions take most of the time. */
static uint32_t hot(void)
{
	double r = (double)random() / RAND_MAX;

	return (uint32_t)(r * r * r * r * (FUNCTIONS - 1));
}

static uint32_t make_stack(struct recording *rec, const struct load *load, const uint32_t *frames)
{
	uint32_t stack[DEPTH], base = 0;

	if (load->culprits)
		base = (uint32_t)random() % load->culprits * DEPTH;
	for (uint32_t i = 0; i < DEPTH; i++)
		stack[i] = frames[load->culprits ? base + i : (uint32_t)random() % FUNCTIONS];
	if (load->culprits)
		stack[0] = frames[hot()];
	return recording_stack(rec, stack, DEPTH, STACK_COMPLETE);
}

static void add_stall(struct recording *rec, const struct load *load, const uint32_t *frames)
{
	struct stall *s = recording_add_stall(rec);

	s->start = s->id * load->every + (nsec)random() % 1000000;
	s->duration = 20000000 + (nsec)random() % 20000000;
	s->running = s->duration;
	s->samples = load->samples;
	s->phase = PHASE_SERVING;
	s->request = recording_intern(rec, "GET /login");
	for (uint32_t i = 0; i < load->samples; i++)
		recording_add_sample(rec, &(struct sample){ .stall = s->id,
							    .stack = make_stack(rec, load, frames),
							    .at = s->start + i * 1000000 +
								  (nsec)random() % 50000,
							    .weight = s->duration / load->samples,
							    .syscall = -1 });
}

static void add_turns(struct loop *loop)
{
	for (uint32_t i = 0; i < TURNS / STALLS; i++) {
		hist_add(&loop->lag, (nsec)random() % 2000000);
		loop->turns++;
	}
}

struct cost {
	double make, write, read;
	off_t bytes;
};

static struct recording *write_live(const struct load *load, const char *path, struct cost *cost)
{
	struct recording *rec = recording_new();
	uint32_t *frames = xcalloc(FUNCTIONS, sizeof(*frames));
	struct recording_writer *w;
	struct error err;
	double from;

	srandom(1);
	recording_add_loop(rec);
	for (uint32_t i = 0; i < FUNCTIONS; i++)
		frames[i] = make_frame(rec, i);
	if (recording_create(&w, path, 0, &err) < 0)
		exit(1);
	for (uint32_t i = 0; i < STALLS; i++) {
		from = cpu();
		add_stall(rec, load, frames);
		add_turns(rec->loops[0]);
		cost->make += cpu() - from;
		from = cpu();
		rec->session.duration = i * load->every;
		recording_write(w, rec, true, &err);
		cost->write += cpu() - from;
	}
	from = cpu();
	if (recording_finish(w, rec, &err) < 0)
		exit(1);
	cost->write += cpu() - from;
	free(frames);
	return rec;
}

static double megabytes(const struct recording *rec)
{
	const struct stacks *s = &rec->stacks;

	return (double)(rec->arena.bytes + rec->cap_samples * sizeof(*rec->samples) +
			rec->cap_stalls * sizeof(*rec->stalls) +
			s->cap_frames * sizeof(*s->frames) + s->cap_stacks * sizeof(*s->stacks) +
			(s->frame_slot_cap + s->stack_slot_cap) * sizeof(uint32_t) +
			rec->strings.cap * sizeof(char *)) /
	       1e6;
}

static void measure(const struct load *load)
{
	struct recording *rec, *again = NULL;
	struct cost cost = { 0 };
	struct error err;
	struct stat st;
	char path[64];
	double from, samples;

	snprintf(path, sizeof(path), "/tmp/bench-%d.lagprof", getpid());
	rec = write_live(load, path, &cost);
	stat(path, &st);
	from = cpu();
	if (recording_read(&again, path, &err) < 0)
		exit(1);
	cost.read = cpu() - from;
	unlink(path);
	samples = (double)STALLS * load->samples;
	printf("%s: %d turns, %d stalls, %.0f samples, %zu stacks of %d frames\n", load->name,
	       TURNS, STALLS, samples, rec->stacks.n_stacks, DEPTH);
	printf("  file: %.2f MB, %.1f bytes a stall, %.1f a sample\n", (double)st.st_size / 1e6,
	       (double)st.st_size / STALLS, (double)st.st_size / samples);
	printf("  write: %.3f s CPU, %.2f us a stall, %.3f us a turn, %.2f of making the data\n",
	       cost.write, cost.write / STALLS * 1e6, cost.write / TURNS * 1e6,
	       cost.write / cost.make);
	printf("  read: %.3f s CPU, %.2f of writing\n", cost.read, cost.read / cost.write);
	printf("  memory: %.1f MB with %zu samples kept, %.1f MB when read\n", megabytes(rec),
	       rec->n_samples, megabytes(again));
	recording_free(rec);
	recording_free(again);
}

int main(void)
{
	static const struct load loads[] = {
		{ .name = "random", .samples = 1, .every = 72000000 },
		{ .name = "alike", .samples = 20, .culprits = 3, .every = 72000000 },
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(*loads); i++)
		measure(&loads[i]);
	return 0;
}
