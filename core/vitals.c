#include "core/vitals.h"

#include <string.h>

const char *const observed_names[OBSERVED_STATES] = {
	"starting", "observed", "no_loop", "failed", "over_limit",
};

void vitals_init(struct vitals *v)
{
	memset(v, 0, sizeof(*v));
	hist_init(&v->total.lag);
}

void vitals_add_totals(struct vitals *sum, const struct vitals *v)
{
	hist_merge(&sum->total.lag, &v->total.lag);
	for (size_t i = 0; i < CAUSES; i++) {
		sum->total.stalls[i] += v->total.stalls[i];
		sum->total.stalled[i] += v->total.stalled[i];
	}
	sum->total.lost_samples += v->total.lost_samples;
	sum->total.lost_turns += v->total.lost_turns;
}

void vitals_add(struct vitals *sum, const struct vitals *v)
{
	vitals_add_totals(sum, v);
	sum->observed += v->observed;
	sum->busy += v->busy;
	sum->polled += v->polled;
	sum->taken += v->taken;
	sum->own_cpu += v->own_cpu;
	sum->memory += v->memory;
	sum->loops += v->loops;
	if (v->open > sum->open)
		sum->open = v->open;
}
