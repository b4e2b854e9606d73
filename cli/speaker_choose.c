#include "cli/speaker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/guard.h"
#include "report/tui/screen.h"

bool speaker_screen_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && term[0] && strcmp(term, "dumb") != 0 &&
	       (isatty(STDIN_FILENO) || access("/dev/tty", R_OK) == 0) &&
	       screen_possible(STDOUT_FILENO);
}

struct speaker *speaker_choose(const struct options *o, FILE *out)
{
	if (!o->tui || !speaker_screen_possible())
		return speaker_lines(o, out);
	return speaker_screen(o, true);
}
