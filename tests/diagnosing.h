#ifndef LAGPROF_TESTS_DIAGNOSING_H
#define LAGPROF_TESTS_DIAGNOSING_H

#include "analyzers/analyze.h"
#include "tests/builder.h"
#include "tests/test.h"

/* What the tests of the diagnosis have in common: pieces of stacks, and a diagnosis of one stall.
 */

#define NODE "@/usr/bin/node\n"
#define PBKDF2                                                               \
	"n sha512_block_data_order_avx2 " NODE "n PKCS5_PBKDF2_HMAC " NODE   \
	"n node::crypto::PBKDF2Traits::DeriveBits(node::Environment*) " NODE \
	"j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n"
#define PARSE "n v8::internal::JsonParser<unsigned char>::ParseJson() " NODE "j JSON.parse\n"
#define HTTP                                                                                 \
	"j emit @node:events:517\n"                                                          \
	"j parserOnIncoming @node:_http_server:1127\n"                                       \
	"n node::(anonymous namespace)::Parser::Execute(char const*) " NODE "n uv_run " NODE \
	"n main " NODE
#define TICKS "j processTicksAndRejections @node:internal/process/task_queues:77\n"

/* Diagnoses, hands over the only finding, and frees nothing: done() does. */
static inline struct diagnosis *only_finding(struct recording *rec, const struct finding **f)
{
	static const struct finding none;
	struct diagnosis *d = diagnose(rec);

	CHECK_EQ(d->n_findings, 1);
	*f = d->n_findings ? &d->findings[0] : &none;
	return d;
}

static inline void done(struct recording *rec, struct diagnosis *d)
{
	diagnosis_free(d);
	recording_free(rec);
}

/* The cause of one stall of 100 ms of which all samples show that stack. */
static inline enum cause cause_of(const char *runtime, const char *stack, int syscall)
{
	struct recording *rec = build_recording(runtime);
	struct diagnosis *d;
	enum cause cause;

	build_stall(rec, 0, 100);
	if (syscall >= 0)
		build_blocked(rec, stack, 100, syscall);
	else
		build_sample(rec, stack, 100);
	d = diagnose(rec);
	cause = d->stalls[0].cause;
	done(rec, d);
	return cause;
}

#endif
