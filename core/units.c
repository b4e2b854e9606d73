#include "core/units.h"

#include <inttypes.h>

/* One decimal below ten unless it is zero, none from there on: 2.4, 8, 151. */
static void put_rounded(struct strbuf *b, double v, const char *unit)
{
	if (v < 9.95 && (unsigned)(v * 10 + 0.5) % 10 != 0)
		strbuf_printf(b, "%.1f %s", v, unit);
	else
		strbuf_printf(b, "%.0f %s", v, unit);
}

void strbuf_duration(struct strbuf *b, uint64_t ns)
{
	/* The limits are where rounding would show the next unit's 1. */
	if (ns < 999500) {
		put_rounded(b, (double)ns / 1e3, "us");
	} else if (ns < 999500000) {
		put_rounded(b, (double)ns / 1e6, "ms");
	} else if (ns < 119500000000) {
		put_rounded(b, (double)ns / 1e9, "s");
	} else {
		uint64_t s = (ns + 500000000) / 1000000000;

		strbuf_printf(b, "%" PRIu64 " min", s / 60);
		if (s % 60)
			strbuf_printf(b, " %" PRIu64 " s", s % 60);
	}
}

void strbuf_bytes(struct strbuf *b, uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = (double)bytes / 1e3;
	size_t unit = 0;

	if (bytes < 1000) {
		strbuf_printf(b, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
		return;
	}
	while (v >= 999.5) {
		v /= 1e3;
		unit++;
	}
	if (v < 99.95 && (unsigned)(v * 10 + 0.5) % 10 != 0)
		strbuf_printf(b, "%.1f %s", v, units[unit]);
	else
		strbuf_printf(b, "%.0f %s", v, units[unit]);
}

void strbuf_count(struct strbuf *b, uint64_t n)
{
	if (n < 1000) {
		strbuf_printf(b, "%" PRIu64, n);
		return;
	}
	strbuf_count(b, n / 1000);
	strbuf_printf(b, ",%03" PRIu64, n % 1000);
}
