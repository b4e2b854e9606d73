/*
 * Answers the lines of regex_probe.c with what libpcre2 says: same output.
 * Built without the library it only says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static size_t decode(char *s)
{
	char *to = s;

	for (const char *from = s; *from; from++) {
		unsigned byte;

		if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return (size_t)(to - s);
}

static uint32_t option_of(char letter)
{
	switch (letter) {
	case 'i':
		return PCRE2_CASELESS;
	case 'm':
		return PCRE2_MULTILINE;
	case 's':
		return PCRE2_DOTALL;
	case 'x':
		return PCRE2_EXTENDED;
	case 'U':
		return PCRE2_UNGREEDY;
	case 'D':
		return PCRE2_DOLLAR_ENDONLY;
	case 'A':
		return PCRE2_ANCHORED;
	case 'n':
		return PCRE2_NO_AUTO_CAPTURE;
	case 'u':
		return PCRE2_UTF;
	default:
		return 0;
	}
}

static void answer(const char *pattern, size_t n, uint32_t options, const char *subject, size_t len)
{
	pcre2_match_data *data;
	pcre2_code *code;
	PCRE2_SIZE at;
	int error, rc;

	code = pcre2_compile((PCRE2_SPTR)pattern, n, options, &error, &at, NULL);
	if (!code) {
		puts("invalid");
		return;
	}
	data = pcre2_match_data_create_from_pattern(code, NULL);
	rc = pcre2_match(code, (PCRE2_SPTR)subject, len, 0, 0, data, NULL);
	if (rc == PCRE2_ERROR_NOMATCH)
		puts("no");
	else if (rc < 0)
		puts("quirk"); /* a limit */
	else
		printf("%zu %zu\n", pcre2_get_ovector_pointer(data)[0],
		       pcre2_get_ovector_pointer(data)[1]);
	pcre2_match_data_free(data);
	pcre2_code_free(code);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		char *flags, *pattern, *subject;
		uint32_t options = 0;
		size_t n;

		strtok(line, " \n");
		flags = strtok(NULL, " \n");
		pattern = strtok(NULL, " \n");
		subject = strtok(NULL, "\n");
		for (flags++; *flags; flags++)
			options |= option_of(*flags);
		n = decode(pattern) - 1;
		answer(pattern + 1, n, options, subject + 1, decode(subject) - 1);
	}
	free(line);
	return 0;
}
#else
int main(void)
{
	fputs("built without libpcre2\n", stderr);
	return 77;
}
#endif
