#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

bool terminal_color(const struct options *o, int fd)
{
	if (o->color != COLOR_AUTO)
		return o->color == COLOR_ALWAYS;
	if (environment("NO_COLOR")[0] || strcmp(environment("TERM"), "dumb") == 0)
		return false;
	return isatty(fd);
}

bool terminal_ascii(const struct options *o)
{
	/* The order of setlocale(3). */
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	if (o->ascii)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = environment(names[i]);

		if (value[0])
			return !strcasestr(value, "utf-8") && !strcasestr(value, "utf8");
	}
	/* Nothing says otherwise: containers and CI have no locale and read UTF-8. */
	return false;
}

int terminal_width(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return isatty(fd) ? 80 : 0;
	return size.ws_col;
}
