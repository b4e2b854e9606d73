#include "cli/pid.h"

#include <errno.h>
#include <stdlib.h>

int pid_parse(const char *text, pid_t *pid)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value <= 0 || value > 1 << 22)
		return -EINVAL;
	*pid = (pid_t)value;
	return 0;
}
