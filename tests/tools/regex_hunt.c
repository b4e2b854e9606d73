/*
 * regex_hunt words|sampled: looks for what the analysis missed.  For each
 * pattern on standard input (lines as of regex_judge.c) that is not called
 * dangerous, runs the matcher on many attacks and prints those that grow: every
 * short prefix, pump and suffix over a few characters, or words taken from the
 * pattern itself.  Exit status 1 if there is any.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/regex/attack.h"
#include "analyzers/regex/regex.h"
#include "tests/tools/regex_words.h"

enum { LETTERS = 5, PREFIX_MAX = 2, PUMP_MAX = 3, SAMPLED = 3000 };

static const uint32_t letters[LETTERS] = { 'a', 'b', 'c', '1', '\n' };

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

/* The number-th word over the letters of length len. */
static void spell(uint32_t number, uint32_t len, uint32_t *to)
{
	for (uint32_t i = 0; i < len; i++, number /= LETTERS)
		to[i] = letters[number % LETTERS];
}

static uint32_t count(uint32_t len)
{
	uint32_t n = 1;

	while (len--)
		n *= LETTERS;
	return n;
}

static bool grows(struct prover *p, const struct attack *attack)
{
	bool capped;
	double small = (double)prover_run(p, attack, 10, 20000, &capped), middle, large;

	middle = (double)prover_run(p, attack, 20, 40000, &capped);
	if (!capped && log2(middle / small) < 1.3)
		return false;
	small = (double)prover_run(p, attack, 100, 3000000, &capped);
	if (capped)
		return true;
	large = (double)prover_run(p, attack, 400, 12000000, &capped);
	return capped || log2(large / small) / 2 > 1.5;
}

static void print_units(struct units u)
{
	for (uint32_t i = 0; i < u.n; i++)
		printf(u.v[i] > ' ' && u.v[i] < 127 ? "%c" : "\\u%04x", (int)u.v[i]);
}

static void print_missed(const struct attack *attack, const char *pattern)
{
	printf("missed /%s/: ", pattern);
	for (uint32_t i = 0; i < attack->n; i++) {
		print_units(attack->pumps[i].prefix);
		printf(" (");
		print_units(attack->pumps[i].pump);
		printf(")* ");
	}
	print_units(attack->suffix);
	putchar('\n');
}

static bool hunt_with(struct prover *p, struct attack *attack, const char *pattern)
{
	static const uint32_t suffixes[] = { 'a', 'b', 'c', '1', '\n', '!', ' ' };

	for (uint32_t i = 0; i <= sizeof(suffixes) / sizeof(*suffixes); i++) {
		attack->suffix = (struct units){ &suffixes[i ? i - 1 : 0], i > 0 };
		if (!grows(p, attack))
			continue;
		print_missed(attack, pattern);
		return true;
	}
	return false;
}

static bool hunt_short(struct prover *p, const struct syntax *syntax, const char *pattern)
{
	uint32_t prefix[PREFIX_MAX], pump[PUMP_MAX];
	struct attack attack = { .n = 1 };
	bool found = false;

	for (uint32_t m = 0; m <= PREFIX_MAX && !found; m++) {
		for (uint32_t n = 1; n <= PUMP_MAX && !found; n++) {
			attack.pumps[0].prefix = (struct units){ prefix, m };
			attack.pumps[0].pump = (struct units){ pump, n };
			for (uint32_t i = 0; i < count(m) * count(n) && !found; i++) {
				spell(i % count(m), m, prefix);
				spell(i / count(m), n, pump);
				found = hunt_with(p, &attack, pattern);
			}
		}
	}
	return found;
}

static struct units units_of(const struct word_text *w)
{
	return (struct units){ w->v, w->n };
}

/* One or two words for what one of the repeats repeats, or for all. */
static const struct node *sample_pump(struct words *w, struct word_text *to)
{
	const struct node *repeat = w->n_repeats && words_random(w, 8)
					    ? w->repeats[words_random(w, w->n_repeats)]
					    : NULL;

	for (uint32_t i = words_random(w, 3) ? 1 : 2; i > 0; i--)
		words_add(w, repeat ? repeat->repeat.body : w->syntax->root, to);
	if (!words_random(w, 4) && w->n_repeats)
		words_add_until(w, w->repeats[words_random(w, w->n_repeats)], to);
	if (!to->n)
		words_put(to, w->characters[words_random(w, w->n_characters)]);
	return repeat;
}

static bool hunt_sampled(struct prover *p, const struct syntax *syntax, const char *pattern)
{
	struct words w;

	words_init(&w, syntax, strlen(pattern));
	for (int i = 0; i < SAMPLED; i++) {
		struct word_text prefix[2] = { 0 }, pump[2] = { 0 }, suffix = { 0 };
		struct attack attack = { .n = words_random(&w, 5) ? 1 : 2 };

		for (uint32_t k = 0; k < attack.n; k++) {
			const struct node *repeat = sample_pump(&w, &pump[k]);

			if (words_random(&w, 8) == 0)
				words_put(&prefix[k], w.characters[words_random(&w, 8)]);
			if (repeat && k == 0 && words_random(&w, 6))
				words_add_until(&w, repeat, &prefix[k]);
			attack.pumps[k].prefix = units_of(&prefix[k]);
			attack.pumps[k].pump = units_of(&pump[k]);
		}
		if (words_random(&w, 3) == 0)
			words_add_until(&w, NULL, &suffix);
		suffix.n = suffix.n ? words_random(&w, suffix.n) : 0;
		if (words_random(&w, 2))
			words_put(&suffix, "\0!\na"[words_random(&w, 4)]);
		attack.suffix = units_of(&suffix);
		if (!grows(p, &attack))
			continue;
		print_missed(&attack, pattern);
		return true;
	}
	return false;
}

static bool hunt(const struct regex_pattern *pattern, bool sampled)
{
	struct arena a = { 0 };
	struct syntax syntax;
	struct program program;
	struct prover p;
	bool found;

	syntax_parse(&syntax, pattern, &a);
	program_compile(&program, &syntax);
	prover_init(&p, &program, UINT64_MAX);
	found = (sampled ? hunt_sampled : hunt_short)(&p, &syntax, pattern->text);
	prover_free(&p);
	program_free(&program);
	arena_free(&a);
	return found;
}

int main(int argc, char **argv)
{
	bool sampled = argc > 1 && strcmp(argv[1], "sampled") == 0;
	uint32_t safe = 0, missed = 0;
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		struct regex_pattern p = { 0 };
		struct regex_verdict v;
		struct arena a = { 0 };
		const char *engine;

		strtok(line, " \n");
		engine = strtok(NULL, " \n");
		p.flags = strtok(NULL, " \n") + 1;
		p.text = strtok(NULL, "\n");
		p.len = decode((char *)p.text) - 1;
		p.text++;
		while (strcmp(regex_engine_names[p.engine], engine) != 0)
			p.engine++;
		regex_analyze(&p, &a, &v);
		if (v.verdict == REGEX_SUSPECT)
			printf("suspect /%s/%s: %s\n", p.text, p.flags, v.reason);
		if (v.verdict == REGEX_SAFE) {
			safe++;
			missed += hunt(&p, sampled);
			fflush(stdout);
		}
		arena_free(&a);
	}
	printf("%u patterns called safe, %u of them with a growing attack\n", safe, missed);
	free(line);
	return missed > 0;
}
