#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "analyzers/analyze.h"
#include "cli/command.h"
#include "cli/complain.h"
#include "cli/pid.h"
#include "cli/terminal.h"
#include "report/renderer.h"
#include "sampler/places.h"
#include "sampler/session.h"

enum {
	STUCK_MS = 50, /* of a loop that did not turn once */
	LOOK_MS = 100,
	LONGEST_MS = 1500,
	ENOUGH_SAMPLES = 10,
	STACK_BYTES = 16384,
};
static const nsec THRESHOLD = 10000000;

static void no_stall(struct sink *self, struct recording *rec, const struct stall *stall)
{
}

static void no_tick(struct sink *self, struct recording *rec)
{
}

static nsec monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (nsec)t.tv_sec * 1000000000 + (nsec)t.tv_nsec;
}

static bool seen_enough(const struct recording *rec, nsec ms)
{
	bool few = rec->n_stalls > 0 && rec->n_samples < ENOUGH_SAMPLES &&
		   2 * rec->stalls[0].blocked < rec->stalls[0].duration;
	bool stuck = rec->n_stalls == 1 && rec->stalls[0].open;

	return ms >= (few ? LONGEST_MS : stuck ? STUCK_MS : LOOK_MS);
}

/*
 * Watches the target for LOOK_MS, or STUCK_MS if that is one turn; longer when it
 * gets too little CPU to be sampled.  *s is left for the caller to close: that takes longer than
 * all the rest (the kernel waits for its readers), and the answer should not.
 */
static int look(const struct target *target, const struct options *o, struct recording *rec,
		struct session_run **s, struct error *err)
{
	static struct sink sink = { .stall = no_stall, .tick = no_tick };
	struct session_config config = { .threshold = THRESHOLD,
					 .startup = UINT64_MAX,
					 .freq = o->freq,
					 .stack_bytes = STACK_BYTES,
					 .unwinder = unwinder_find(o->unwinder),
					 .dump = true,
					 .sink = &sink };
	enum session_news news = SESSION_QUIET;
	nsec start;
	int ret;

	if (!config.unwinder)
		return error_set(err, -EINVAL, "no unwinder is called \"%s\"", o->unwinder);
	ret = session_open(s, target, &config, rec, err);
	if (ret < 0)
		return ret;
	start = monotonic();
	while (news != SESSION_ENDED && !seen_enough(rec, (monotonic() - start) / 1000000))
		news = session_step(*s, -1, 10);
	session_finish(*s, news == SESSION_ENDED ? END_TARGET_EXITED : END_DURATION);
	return 0;
}

/* The stall that is open, or the longest. */
static const struct stall *worst(const struct recording *rec)
{
	const struct stall *best = NULL;

	for (size_t i = 0; i < rec->n_stalls; i++)
		if (!best || (rec->stalls[i].open && !best->open) ||
		    (rec->stalls[i].open == best->open && rec->stalls[i].duration > best->duration))
			best = &rec->stalls[i];
	return best;
}

/*
 * What the thread is at is the question here, not why it takes so long: time
 * spent waiting for a CPU counts for the code that waits.  Returns its share.
 */
static double fold_waits(struct recording *rec, const struct stall *stall)
{
	struct stall *s = &rec->stalls[stall->id];
	double share = s->duration ? (double)s->runnable / (double)s->duration : 0;
	double scale = s->running ? (double)(s->running + s->runnable) / (double)s->running : 1;

	for (size_t i = 0; i < rec->n_samples; i++) {
		struct sample *sample = &rec->samples[i];

		if (sample->stall == stall->id && sample->state == SAMPLE_RUNNING)
			sample->weight = (nsec)((double)sample->weight * scale);
	}
	s->running += s->runnable;
	s->runnable = 0;
	return share;
}

static void print_idle(const struct recording *rec)
{
	const struct loop *loop = rec->n_loops ? rec->loops[0] : NULL;

	if (!loop || (!loop->turns && !loop->polled))
		puts("the loop waits in its poll: it has nothing to do");
	else
		printf("the loop turns: %lu turns in %d ms, the longest %.1f ms, busy %.0f %%\n",
		       (unsigned long)loop->turns, LOOK_MS, (double)loop->lag.max / 1e6,
		       100 * (double)loop->busy / (double)(loop->busy + loop->polled + 1));
}

static int print(struct recording *rec, const struct options *o, struct error *err)
{
	const struct stall *stall = worst(rec);
	double waited = stall ? fold_waits(rec, stall) : 0;
	struct diagnosis *d = diagnose(rec);
	struct report report = { .rec = rec,
				 .diagnosis = d,
				 .ascii = terminal_ascii(o),
				 .color = terminal_color(o, STDOUT_FILENO),
				 .verbose = true,
				 .width = terminal_width(STDOUT_FILENO) };
	int ret = 0;

	if (!stall) {
		print_idle(rec);
	} else if (o->as_json) {
		ret = renderer_json.render(&report, stdout, err);
	} else {
		printf("%s for at least %.0f ms", stall->open ? "blocked" : "was blocked",
		       (double)stall->duration / 1e6);
		if (waited >= 0.25)
			printf(", %.0f %% of that waiting for a CPU", waited * 100);
		putchar('\n');
		finding_text(&report, &d->findings[d->stalls[stall->id].finding], stdout);
	}
	diagnosis_free(d);
	return ret;
}

/* Looks and tells. */
static int dump(const struct target *target, const struct options *o, struct error *err)
{
	struct recording *rec = recording_new();
	struct session_run *s;
	int ret;

	ret = look(target, o, rec, &s, err);
	if (ret == 0) {
		places_resolve(rec, target_alive(target) ? target->pid : 0, !o->no_source_maps);
		ret = print(rec, o, err);
		fflush(stdout);
		session_close(s);
	}
	recording_free(rec);
	return ret;
}

static int run_dump(const struct options *o, int argc, char **argv)
{
	struct target target;
	struct error err = { 0 };
	pid_t pid;
	int ret;

	if (argc != 1)
		return complain_usage("lagprof dump PID", "dump takes one process id");
	if (pid_parse(argv[0], &pid) < 0)
		return complain_usage("pgrep -af NAME shows the ids of running programs",
				      "\"%s\" is not a process id", argv[0]);
	ret = target_attach(&target, pid, &err);
	if (ret < 0)
		return complain(STATUS_FAILED, &err);
	ret = dump(&target, o, &err);
	target_close(&target);
	return ret < 0 ? complain(STATUS_FAILED, &err) : STATUS_OK;
}

const struct command command_dump = {
	.name = "dump",
	.operands = "PID",
	.help = "say what a loop does right now, also when it hangs",
	.examples = "lagprof dump 4242\n"
		    "lagprof dump $(pgrep -n node)\n",
	.details = "Looks for a tenth of a second at most, longer on a crowded machine, and merges "
		   "the stacks seen.  A thread that is "
		   "already asleep inside a turn is interrupted for less than a millisecond.",
	.run = run_dump,
};
