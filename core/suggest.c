#include "core/suggest.h"

#include <stddef.h>
#include <string.h>

enum { NAME_MAX_LEN = 40 };

static int min3(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment distance; both are at most NAME_MAX_LEN long. */
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
			int change = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[la][lb];
}

void suggest_offer(struct suggest *s, const char *name)
{
	size_t len = strlen(s->word), name_len = strlen(name);
	int distance;

	if (len == 0 || len > NAME_MAX_LEN || name_len > NAME_MAX_LEN)
		return;
	/* A word that was cut short ("thresh") is nearer than its distance says. */
	distance = len >= 3 && strncmp(s->word, name, len) == 0 ? 1 : edit_distance(s->word, name);
	if (distance > 1 + (int)len / 3)
		return;
	if (!s->best || distance < s->distance) {
		s->best = name;
		s->distance = distance;
	}
}
