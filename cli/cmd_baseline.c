#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzers/budget.h"
#include "analyzers/diff.h"
#include "cli/command.h"
#include "cli/complain.h"
#include "cli/loaded.h"
#include "core/units.h"

static int copy_bytes(int from, int to)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		for (ssize_t done = 0, w; done < n; done += w) {
			w = write(to, bytes + done, (size_t)(n - done));
			if (w < 0)
				return -errno;
		}
	return n < 0 ? -errno : 0;
}

/* `to` appears whole or stays what it was. */
static int copy_file(const char *from, const char *to, struct error *err)
{
	struct strbuf temp = { 0 };
	int in = open(from, O_RDONLY | O_CLOEXEC), out, ret;

	if (in < 0)
		return error_set(err, -errno, "cannot open %s: %s", from, strerror(errno));
	strbuf_printf(&temp, "%s.XXXXXX", to);
	out = mkstemp(temp.s); /* mode 0600 */
	ret = out < 0 ? -errno : copy_bytes(in, out);
	if (out >= 0 && close(out) < 0 && ret == 0)
		ret = -errno;
	if (ret == 0 && rename(temp.s, to) < 0)
		ret = -errno;
	if (ret < 0 && out >= 0)
		unlink(temp.s);
	if (ret < 0)
		error_set(err, ret, "cannot write %s: %s", to, strerror(-ret));
	close(in);
	strbuf_destroy(&temp);
	return ret;
}

static void say_side(struct strbuf *b, const struct diff_side *side)
{
	strbuf_puts(b, "lag p99 ");
	strbuf_duration(b, side->lag_p99);
	strbuf_puts(b, ", ");
	strbuf_duration(b, side->stalled);
	strbuf_puts(b, " of ");
	strbuf_duration(b, side->serving);
	strbuf_puts(b, " blocked");
}

/* Replaces the baseline, if the new recording is lower; says what was done and why. */
static int update(const struct options *o, const struct loaded *now, const struct loaded *old,
		  char **paths, struct error *err)
{
	struct diff_input before = { old->rec, old->d }, after = { now->rec, now->d };
	struct arena arena = { 0 };
	const struct diff *diff = diff_make(&before, &after, &arena);
	bool replace = o->raise || diff_is_lower(diff);
	struct strbuf line = { 0 };
	int ret = replace ? copy_file(paths[0], paths[1], err) : 0;

	strbuf_puts_visible(&line, paths[1]);
	strbuf_puts(&line, replace ? ": replaced; now " : ": kept; measured ");
	say_side(&line, &diff->after);
	strbuf_puts(&line, ", before ");
	say_side(&line, &diff->before);
	if (ret == 0 && !o->quiet)
		puts(line.s);
	strbuf_destroy(&line);
	arena_free(&arena);
	return ret;
}

static int make(const struct options *o, char **paths, struct error *err)
{
	struct strbuf line = { 0 };
	int ret = copy_file(paths[0], paths[1], err);

	strbuf_puts_visible(&line, paths[1]);
	if (ret == 0 && !o->quiet)
		printf("%s: made\n", line.s);
	strbuf_destroy(&line);
	return ret;
}

static bool is_enough(const struct loaded *l)
{
	uint64_t turns = 0;

	for (size_t i = 0; i < l->rec->n_loops; i++)
		turns += l->rec->loops[i]->turns;
	return turns >= BUDGET_MIN_TURNS && l->rec->session.lost_turns == 0;
}

static int run_baseline(const struct options *o, int argc, char **argv)
{
	struct loaded now = { 0 }, old = { 0 };
	struct error err = { 0 };
	int ret;

	if (argc != 2)
		return complain_usage("lagprof baseline new.lagprof main.lagprof",
				      "baseline takes a new recording and the baseline");
	ret = loaded_read(&now, argv[0], true, &err);
	if (ret == 0 && !is_enough(&now)) {
		error_set(&err, -EINVAL, "%s: too little was observed for a baseline", argv[0]);
		loaded_free(&now);
		return complain(STATUS_INCONCLUSIVE, &err);
	}
	if (ret == 0 && access(argv[1], F_OK) < 0 && errno == ENOENT)
		ret = make(o, argv, &err);
	else if (ret == 0 && (ret = loaded_read(&old, argv[1], true, &err)) == 0)
		ret = update(o, &now, &old, argv, &err);
	loaded_free(&old);
	loaded_free(&now);
	return ret < 0 ? complain(STATUS_FAILED, &err) : STATUS_OK;
}

const struct command command_baseline = {
	.name = "baseline",
	.operands = "NEW BASELINE",
	.help = "make a recording the baseline, if it is better than the last",
	.examples = "lagprof baseline new.lagprof main.lagprof\n"
		    "lagprof check -b 'lag.p99<baseline*1.2' --baseline main.lagprof new.lagprof\n",
	.details =
		"The baseline is replaced when there is none or when neither the lag's p99 nor "
		"the blocked share of the time is higher; with --raise in any case.  A recording "
		"of too few turns is refused with status 98.",
	.run = run_baseline,
};
