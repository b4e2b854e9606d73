#include "core/duration.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	/* clang-format off */
	{ "ns", 1 },
	{ "us", 1000 },
	{ "µs", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "min", 60000000000 },
	{ "m", 60000000000 },
	{ "h", 3600000000000 },
	/* clang-format on */
};

static uint64_t unit_ns(const char *name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(units[i].name, name) == 0)
			return units[i].ns;
	return 0;
}

/* The digits before and after the point: not strtod, whose point depends on the locale. */
static const char *read_number(const char *s, double *value)
{
	double scale = 1;
	int digits = 0;

	*value = 0;
	for (; isdigit((unsigned char)*s); s++, digits++)
		*value = *value * 10 + (*s - '0');
	if (*s == '.') {
		for (s++; isdigit((unsigned char)*s); s++, digits++)
			*value += (*s - '0') * (scale /= 10);
	}
	return digits > 0 ? s : NULL;
}

int duration_parse(const char *text, nsec *ns)
{
	double value;
	uint64_t unit;
	const char *s = read_number(text, &value);

	if (!s)
		return -EINVAL;
	while (*s == ' ')
		s++;
	unit = unit_ns(s);
	if (unit == 0 && *s == '\0' && value == 0)
		unit = 1;
	if (unit == 0)
		return -EINVAL;
	if (value * (double)unit > (double)(1ULL << 62))
		return -ERANGE;
	*ns = (uint64_t)(value * (double)unit + 0.5);
	return 0;
}
