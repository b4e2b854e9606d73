#include "report/tui/capability.h"

#include <string.h>

#include "report/tui/screen.h"

/* Last, and apart from screen.c: term.h makes macros of words such as `columns`. */
/* clang-format off */
#include <curses.h>
#include <term.h>
/* clang-format on */

static void append(char *out, size_t size, const char *capability)
{
	const char *s = tigetstr(capability);
	size_t len = strlen(out);

	if (s && s != (char *)-1 && len + strlen(s) < size)
		strcpy(out + len, s);
}

void screen_capability(const char *name, char *out, size_t size)
{
	out[0] = '\0';
	append(out, size, name);
}

bool screen_possible(int fd)
{
	const char *place;
	int status;

	if (setupterm(NULL, fd, &status) != OK)
		return false;
	place = tigetstr("cup");
	del_curterm(cur_term);
	return place && place != (char *)-1;
}

void screen_rescue(int fd, char *out, size_t size)
{
	static const char *const capabilities[] = { "sgr0", "op", "rmkx", "cnorm", "rmcup" };
	int status;

	out[0] = '\0';
	if (setupterm(NULL, fd, &status) != OK)
		return;
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
		append(out, size, capabilities[i]);
	del_curterm(cur_term);
}
