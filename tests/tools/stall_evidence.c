/*
 * stall_evidence FILE: each stall of a recording and what is known of its call, on a line with
 * tabs between: START END (ns since the session began) CAUSE KEY=VALUE...
 */
#include <stdlib.h>

#include "analyzers/evidence.h"
#include "analyzers/findings.h"
#include "core/recording_file.h"
#include "tests/arguments.h"

static void print_stall(struct stalls *stalls, const struct stall *stall)
{
	struct support_list support = { 0 };
	struct evidence evidence;
	char word[4200];
	size_t n;
	const struct part *parts = stalls_parts(stalls, stall, &n);
	struct judgement j = judge_stall(&stalls->classifier, stall, parts, n);

	support_add(&support, &stalls->classifier, &j, parts, n);
	evidence_collect(&j, &support, &evidence);
	support_destroy(&support);
	printf("%llu\t%llu\t%s", (unsigned long long)stall->start,
	       (unsigned long long)(stall->start + stall->duration), cause_info[j.cause].id);
	for (int key = 0; key < ARG_KEYS; key++) {
		if (!evidence.has[key])
			continue;
		argument_print(&evidence.args[key], word, sizeof(word));
		printf("\t%s", word);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	struct recording *rec;
	struct arena arena = { 0 };
	struct stalls stalls;
	struct error err;

	if (argc != 2 || recording_read(&rec, argv[1], &err) < 0)
		return 2;
	stalls_init(&stalls, rec, &arena);
	for (size_t i = 0; i < rec->n_stalls; i++)
		print_stall(&stalls, &rec->stalls[i]);
	stalls_destroy(&stalls);
	arena_free(&arena);
	recording_free(rec);
	return 0;
}
