#include "cli/complain.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/strings.h"

int complain(enum exit_status status, const struct error *err)
{
	struct strbuf text = { 0 };

	/* Messages quote arguments, and names that were read from a target. */
	strbuf_puts(&text, "lagprof: ");
	strbuf_puts_visible(&text, err->msg);
	if (err->fix[0]) {
		strbuf_puts(&text, "\n  try: ");
		strbuf_puts_visible(&text, err->fix);
	}
	strbuf_puts(&text, "\n");
	/* One write: the target's own output may be interleaved with it. */
	fwrite(text.s, 1, text.len, stderr);
	strbuf_destroy(&text);
	return status;
}

int complain_usage(const char *fix, const char *fmt, ...)
{
	struct error err = { 0 };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.msg, sizeof(err.msg), fmt, ap);
	va_end(ap);
	snprintf(err.fix, sizeof(err.fix), "%s", fix);
	return complain(STATUS_USAGE, &err);
}
