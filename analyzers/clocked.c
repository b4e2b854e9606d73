#include "analyzers/clocked.h"

#include <string.h>

/* What a program calls to know the time, by the names that frames have. */
static const char *const clocks[] = {
	/* clang-format off */
	/* libc, the vDSO and, where that has no clock, the kernel */
	"clock_gettime", "__clock_gettime", "__vdso_clock_gettime", "__x64_sys_clock_gettime",
	"gettimeofday", "__vdso_gettimeofday", "__x64_sys_gettimeofday", "time", "uv_hrtime", "uv__hrtime",
	/* Date.now(), new Date(), performance.now(), process.hrtime() */
	"Date.now", "v8::internal::Builtin_DateNow", "v8::internal::Runtime_DateCurrentTime",
	"v8::internal::JSDate::CurrentTimeValue", "v8::base::OS::TimeCurrentMillis",
	"node::performance::FastPerformanceNow", "node::performance::PerformanceNow",
	"node::process::BindingData::FastBigInt", "node::process::BindingData::FastNumber",
	/* time.time() and its kin */
	"time.time", "time.monotonic", "time.perf_counter", "time.process_time",
	/* clang-format on */
};

static bool is_clock(const char *name)
{
	for (size_t i = 0; name && i < sizeof(clocks) / sizeof(clocks[0]); i++)
		if (strcmp(name, clocks[i]) == 0)
			return true;
	return false;
}

/* Does the nearest user code ask for the time in that sample? */
static bool reads_clock(struct classifier *c, const struct part *p)
{
	const struct stack *stack = sample_stack(c->rec, p->sample);

	for (uint32_t i = 0; stack && i < stack->n && i < p->blame.begin; i++)
		if (is_clock(classify(c, stack->frames[i])->name))
			return true;
	return false;
}

/* The time before the first sample counts as far as no sample could be taken. */
static nsec surely_since(const struct classifier *c, const struct stall *stall, nsec at)
{
	nsec before = at > stall->start ? at - stall->start : 0,
	     gate = c->rec->session.threshold / 2;

	return at - (before < gate ? before : gate);
}

nsec clocked_time(struct classifier *c, const struct stall *stall, const struct part *parts,
		  size_t n)
{
	enum { LEAST = 4 }; /* a few samples prove nothing */
	nsec all = 0, reading = 0, first = 0, last = 0;
	size_t readings = 0;

	for (size_t i = 0; i < n; i++) {
		const struct sample *s = parts[i].sample;

		if (s->state != SAMPLE_RUNNING)
			continue;
		all += s->weight;
		if (!reads_clock(c, &parts[i]))
			continue;
		reading += s->weight;
		first = readings++ ? first : s->at;
		last = s->at;
	}
	if (readings < LEAST || reading < all / 2)
		return 0;
	return last - surely_since(c, stall, first);
}
