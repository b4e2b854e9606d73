#include "sampler/maps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* True if s ended in suffix, which is cut off. */
static bool strip_suffix(char *s, const char *suffix)
{
	size_t len = strlen(s), cut = strlen(suffix);

	if (len <= cut || strcmp(s + len - cut, suffix) != 0)
		return false;
	s[len - cut] = '\0';
	return true;
}

bool maps_parse_line(char *line, struct mapping *m)
{
	char perms[5];
	char *path;
	int used = 0;

	*m = (struct mapping){ 0 };
	if (sscanf(line,
		   "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %" SCNx32 ":%" SCNx32 " %" SCNu64 "%n",
		   &m->start, &m->end, perms, &m->offset, &m->dev_major, &m->dev_minor, &m->ino,
		   &used) != 7 ||
	    strlen(perms) != 4 || m->start >= m->end)
		return false;
	m->write = perms[1] == 'w';
	m->exec = perms[2] == 'x';
	m->anon = m->ino == 0;
	path = line + used + strspn(line + used, " ");
	if (!m->anon)
		m->deleted = strip_suffix(path, " (deleted)");
	m->path = path;
	return true;
}
