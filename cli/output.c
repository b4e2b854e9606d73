#include "cli/output.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/browser.h"
#include "core/strings.h"

static int write_to(FILE *out, const struct renderer *renderer, const struct report *report,
		    const char *name, struct error *err)
{
	int ret = renderer->render(report, out, err);

	/* A renderer notices that a write failed, but no longer why. */
	if (ret < 0 && !ferror(out))
		return ret;
	if (fflush(out) == 0 && !ferror(out))
		return 0;
	error_set(err, -errno, "cannot write %s: %s", name, strerror(errno));
	return errno == ENOSPC ? error_fix(err, "df -h . shows what is full") : err->code;
}

/* Under sudo, whoever called it is the one who wants to read it. */
static void give_away(int fd)
{
	uid_t uid;
	gid_t gid;

	if (invoking_user(&uid, &gid) && fchown(fd, uid, gid) < 0)
		return; /* root's, then: as good as can be */
}

static int write_file(const struct renderer *renderer, const struct report *report,
		      const char *path, struct error *err)
{
	struct strbuf temp = { 0 };
	FILE *out = NULL;
	int fd, ret;

	strbuf_printf(&temp, "%s.XXXXXX", path);
	fd = mkstemp(temp.s); /* mode 0600 */
	if (fd >= 0) {
		give_away(fd);
		out = fdopen(fd, "w");
	}
	if (!out) {
		ret = error_set(err, -errno, "cannot create %s: %s", path, strerror(errno));
		goto out;
	}
	ret = write_to(out, renderer, report, path, err);
	if (fclose(out) != 0 && ret == 0)
		ret = error_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
	if (ret == 0 && rename(temp.s, path) < 0)
		ret = error_set(err, -errno, "cannot create %s: %s", path, strerror(errno));
	if (ret < 0)
		unlink(temp.s);
out:
	strbuf_destroy(&temp);
	return ret;
}

int output_render(const struct renderer *renderer, const struct report *report, const char *path,
		  struct error *err)
{
	struct report here = *report;
	char root[PATH_MAX];

	if (!here.root)
		here.root = getcwd(root, sizeof(root));
	if (!path || strcmp(path, "-") == 0)
		return write_to(stdout, renderer, &here, "standard output", err);
	return write_file(renderer, &here, path, err);
}

int output_append(const struct renderer *renderer, const struct report *report, const char *path,
		  struct error *err)
{
	FILE *out = fopen(path, "ae");
	int ret;

	if (!out)
		return error_set(err, -errno, "cannot append to %s: %s", path, strerror(errno));
	ret = write_to(out, renderer, report, path, err);
	if (fclose(out) != 0 && ret == 0)
		ret = error_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
	return ret;
}

const char *output_beside(char *out, size_t size, const char *recording, const char *suffix)
{
	size_t len = strlen(recording), ext = strlen(".lagprof");

	if (len > ext && strcmp(recording + len - ext, ".lagprof") == 0)
		len -= ext;
	snprintf(out, size, "%.*s%s", (int)len, recording, suffix);
	return out;
}
