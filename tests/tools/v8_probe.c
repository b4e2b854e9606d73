/*
 * v8_probe [options] CMD...: runs a node program, samples its main thread and
 * says how many of its frames got a name and a line.  With --after it attaches
 * to the running process instead of watching it from its first instruction.
 *
 *	--seconds N   sample for so long (2)
 *	--after MS    let it use so much CPU time before anything is opened (0: from exec on); one
 *	              that seldom runs has eight times as long
 *	--hz N        samples per second of CPU time (400)
 *	--marks TEXT  lines of the script with that text: innermost frames should be there
 *	--lines       print the share of each line of the script (innermost frames)
 *	--stacks N    print the first N stacks
 *	--expect KEY=VALUE...  of those, count samples whose arguments are all of these
 *	--worker      sample the busiest other thread instead of the main one
 */
#include <ctype.h>
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"
#include "sampler/stacks.h"
#include "tests/arguments.h"
#include "tests/samples.h"

enum {
	EXPECTED_MAX = 8,
	LINES_MAX = 4096,
	SAMPLES_MAX = 1 << 16,
	STACK_BYTES = 48 << 10,
	REFRESH_US = 20000,
	POLL_US = 5000,
	LATE_US = 1000, /* a sample read later may have lost its arguments: not counted then */
};

struct run {
	struct recording *rec;
	struct stack_maker *maker;
	struct space *space;
	double refreshed; /* us, when the space was read last */
	const char *script, *mark;
	bool marked[LINES_MAX];
	uint32_t lines[LINES_MAX]; /* innermost frames of the script, by line */
	int stacks;
	/* Counts of samples and of JavaScript frames. */
	uint32_t samples, complete, frames, named, exact, unresolved, innermost, right;
	uint32_t arguments[ARG_KEYS];
	char values[ARG_KEYS][80];
	const char *expected[EXPECTED_MAX];
	size_t n_expected;
	uint32_t as_expected;
	double cost[SAMPLES_MAX]; /* us of CPU time */
};

static double now_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* A line is marked if it holds the text as a word of its own. */
static bool is_marked(const char *line, const char *mark)
{
	size_t n = strlen(mark);

	for (const char *p = line; (p = strstr(p, mark)); p += n) {
		if (!isalnum((unsigned char)p[n]))
			return true;
	}
	return false;
}

static void load_marks(struct run *p)
{
	FILE *f = fopen(p->script, "r");
	char line[4096];

	for (int n = 1; f && n < LINES_MAX && fgets(line, sizeof(line), f); n++)
		p->marked[n] = is_marked(line, p->mark);
	if (f)
		fclose(f);
}

static void print_stack(const struct run *p, const struct sample *s)
{
	const struct stack *stack = recording_get_stack(p->rec, s->stack);

	printf("-- %s\n", stack_end_names[stack->end]);
	for (uint32_t i = 0; i < stack->n; i++) {
		const struct frame *f = recording_get_frame(p->rec, stack->frames[i]);

		printf("%3u %d %s %s:%u:%u (%u)%s\n", i, f->kind, f->function ? f->function : "?",
		       f->file     ? f->file
		       : f->module ? f->module
				   : "-",
		       f->line, f->column, f->define_line, f->inlined ? " inlined" : "");
	}
	for (size_t i = 0; i < s->n_arguments; i++) {
		char word[256];

		argument_print(&s->arguments[i], word, sizeof(word));
		printf("    %s (frame %u)\n", word, s->arguments[i].frame);
	}
}

static bool is_as_expected(const struct run *p, const struct sample *s)
{
	char word[256];

	for (size_t k = 0; k < p->n_expected; k++) {
		bool found = false;

		for (size_t i = 0; i < s->n_arguments && !found; i++) {
			argument_print(&s->arguments[i], word, sizeof(word));
			found = strcmp(word, p->expected[k]) == 0;
		}
		if (!found)
			return false;
	}
	return true;
}

static void count_frame(struct run *p, const struct frame *f, bool *seen)
{
	p->unresolved += f->kind == FRAME_JIT && !f->function;
	/* A builtin has no file. */
	if (f->kind != FRAME_JS || (!f->file && !f->define_line))
		return;
	p->frames++;
	p->named += f->function && f->file;
	p->exact += f->column != 0;
	if (*seen || !p->script || !f->file || strcmp(f->file, p->script) != 0)
		return;
	*seen = true;
	p->innermost++;
	if (f->line < LINES_MAX) {
		p->lines[f->line]++;
		p->right += p->marked[f->line];
	}
}

static void take_sample(void *arg, const struct sample_bytes *bytes)
{
	struct raw_sample raw = { .regs = bytes->regs,
				  .stack = bytes->stack,
				  .stack_len = bytes->len };
	struct error err;
	struct run *p = arg;
	struct sample s = { .at = bytes->at };
	const struct stack *stack;
	uint32_t right = p->right;
	bool seen = false;
	double start;

	if (p->samples == SAMPLES_MAX)
		return;
	/* A session hears of new mappings from the kernel. */
	if (now_us(CLOCK_MONOTONIC) > p->refreshed + REFRESH_US) {
		space_refresh(p->space, &err);
		p->refreshed = now_us(CLOCK_MONOTONIC);
	}
	start = now_us(CLOCK_THREAD_CPUTIME_ID);
	stack_maker_make(p->maker, &raw, &s);
	if (p->n_expected && now_us(CLOCK_MONOTONIC) > (double)bytes->at / 1e3 + LATE_US)
		return;
	p->cost[p->samples++] = now_us(CLOCK_THREAD_CPUTIME_ID) - start;
	stack = recording_get_stack(p->rec, s.stack);
	p->complete += stack->end == STACK_COMPLETE;
	for (uint32_t i = 0; i < stack->n; i++)
		count_frame(p, recording_get_frame(p->rec, stack->frames[i]), &seen);
	for (size_t i = 0; i < s.n_arguments; i++) {
		p->arguments[s.arguments[i].key]++;
		argument_print(&s.arguments[i], p->values[s.arguments[i].key],
			       sizeof(p->values[0]));
	}
	p->as_expected += p->right > right && is_as_expected(p, &s);
	if (p->stacks > 0) {
		p->stacks--;
		print_stack(p, &s);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_result(struct run *p, bool lines)
{
	qsort(p->cost, p->samples, sizeof(p->cost[0]), by_value);
	printf("samples=%u complete=%u frames=%u named=%u exact=%u unresolved=%u innermost=%u "
	       "right=%u as_expected=%u median_us=%.0f version=%s",
	       p->samples, p->complete, p->frames, p->named, p->exact, p->unresolved, p->innermost,
	       p->right, p->n_expected ? p->as_expected : 0,
	       p->samples ? p->cost[p->samples / 2] : 0,
	       p->rec->target.runtime_version ? p->rec->target.runtime_version : "?");
	for (size_t k = 0; k < ARG_KEYS; k++)
		if (p->arguments[k])
			printf(" %u:%s", p->arguments[k], p->values[k]);
	printf("\n");
	for (size_t i = 0; i < p->rec->n_notes; i++)
		printf("note: %s\n", p->rec->notes[i]);
	for (uint32_t i = 0; lines && i < LINES_MAX; i++)
		if (p->lines[i])
			printf("line %u %.4f\n", i, (double)p->lines[i] / p->innermost);
}

/* The thread besides the main one that has used most CPU time; 0: none. */
static pid_t busiest_worker(pid_t pid)
{
	unsigned long most = 0, user;
	pid_t busiest = 0;
	char path[64];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/stat", pid, e->d_name);
		f = e->d_name[0] != '.' && atoi(e->d_name) != pid ? fopen(path, "r") : NULL;
		if (f &&
		    fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu",
			   &user) == 1 &&
		    user > most) {
			most = user;
			busiest = atoi(e->d_name);
		}
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return busiest;
}

/* On a loaded machine no other clock tells how far the start of a program has come. */
static void let_run(pid_t pid, int ms)
{
	double end = now_us(CLOCK_MONOTONIC) + 8e3 * ms;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0)
		return;
	while (now_us(clock) < 1e3 * ms && now_us(CLOCK_MONOTONIC) < end)
		usleep(POLL_US);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", 1, 0, 's' }, { "after", 1, 0, 'a' },  { "hz", 1, 0, 'h' },
		{ "marks", 1, 0, 'm' },   { "lines", 0, 0, 'l' },  { "worker", 0, 0, 'w' },
		{ "expect", 1, 0, 'e' },  { "stacks", 1, 0, 'n' }, { 0 },
	};
	struct run *p = xcalloc(1, sizeof(*p));
	struct samples_wanted wanted = { .hz = 400,
					 .n = SAMPLES_MAX,
					 .seconds = 2,
					 .dump = STACK_BYTES,
					 .each = take_sample,
					 .arg = p };
	bool lines = false, worker = false;
	pid_t pid;
	int c, after = 0;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (c) {
		case 's':
			wanted.seconds = (unsigned)atoi(optarg);
			break;
		case 'a':
			after = atoi(optarg);
			break;
		case 'h':
			wanted.hz = (unsigned)atoi(optarg);
			break;
		case 'm':
			p->mark = optarg;
			break;
		case 'l':
			lines = true;
			break;
		case 'n':
			p->stacks = atoi(optarg);
			break;
		case 'e':
			if (p->n_expected < EXPECTED_MAX)
				p->expected[p->n_expected++] = optarg;
			break;
		case 'w':
			worker = true;
			break;
		default:
			return 2;
		}
	}
	for (int i = optind + 1; i < argc && !p->script; i++)
		if (argv[i][0] != '-')
			p->script = realpath(argv[i], NULL);
	if (p->mark && p->script)
		load_marks(p);
	p->rec = recording_new();
	pid = samples_start((const char *const *)argv + optind);
	let_run(pid, after);
	setpriority(PRIO_PROCESS, 0, -10); /* as a session does */
	wanted.tid = worker ? busiest_worker(pid) : pid;
	p->space = space_new(pid);
	p->maker = stack_maker_new(&unwinder_native, p->space, pid, p->rec);
	if (samples_take(&wanted) < 0) {
		fprintf(stderr, "the kernel forbids sampling\n");
		return 77;
	}
	samples_stop(pid);
	print_result(p, lines);
	stack_maker_free(p->maker);
	space_free(p->space);
	recording_free(p->rec);
	free((void *)p->script);
	free(p);
	return 0;
}
