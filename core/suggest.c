#include "core/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_LEN = 40 };

static int min3(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment distance, in either case; both are at most NAME_MAX_LEN long. */
static int edit_distance(const char *a, const char *b)
{
	int la = (int)strlen(a), lb = (int)strlen(b);
	int d[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];

	for (int i = 0; i <= la; i++)
		d[i][0] = i;
	for (int j = 0; j <= lb; j++)
		d[0][j] = j;
	for (int i = 1; i <= la; i++) {
		for (int j = 1; j <= lb; j++) {
			int change = d[i - 1][j - 1] + !same(a[i - 1], b[j - 1]);

			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, change);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]) && d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[la][lb];
}

/* Is the word the last part of the name, behind a "_", "." or "-"? */
static bool is_end(const char *word, size_t len, const char *name, size_t name_len)
{
	return name_len > len && strchr("_.-", name[name_len - len - 1]) &&
	       strcasecmp(word, name + name_len - len) == 0;
}

void suggest_offer(struct suggest *s, const char *name)
{
	size_t len = strlen(s->word), name_len = strlen(name);
	int distance;

	if (len == 0 || len > NAME_MAX_LEN || name_len > NAME_MAX_LEN)
		return;
	/* A word that was cut short ("thresh", "crypto") is nearer than its distance says. */
	distance = edit_distance(s->word, name);
	if (len >= 3 && strncasecmp(s->word, name, len) == 0)
		distance = distance < 1 ? distance : 1;
	else if (len >= 3 && is_end(s->word, len, name, name_len))
		distance = distance < 2 ? distance : 2;
	if (distance > 1 + (int)len / 3)
		return;
	if (!s->best || distance < s->distance) {
		s->best = name;
		s->distance = distance;
	}
}
