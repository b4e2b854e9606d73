#include "analyzers/analyze.h"
#include "tests/builder.h"
#include "tests/test.h"

#define PBKDF2                                                                          \
	"n sha512_block_data_order_avx2 @/usr/bin/node\n"                               \
	"n PKCS5_PBKDF2_HMAC @/usr/bin/node\n"                                          \
	"n node::crypto::PBKDF2Traits::DeriveBits(node::Environment*) @/usr/bin/node\n" \
	"j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n"
#define HTTP                                                                           \
	"j emit @node:events:517\n"                                                    \
	"j parserOnIncoming @node:_http_server:1127\n"                                 \
	"n node::(anonymous namespace)::Parser::Execute(char const*) @/usr/bin/node\n" \
	"n uv_run @/usr/bin/node\n"                                                    \
	"n main @/usr/bin/node"

TEST(diagnose_names_the_call_its_caller_and_its_arguments)
{
	static const struct argument args[] = {
	    {.key = ARG_ITERATIONS, .number = 60000, .frame = 3},
	    {.key = ARG_DIGEST, .text = "sha512", .frame = 3},
	    {.key = ARG_KEYLEN, .number = 64, .frame = 3},
	};
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	build_stall(rec, 1000, 100);
	build_sample_full(rec, PBKDF2 "j login @/app/server.js:33/30\n" HTTP, 100, SAMPLE_RUNNING,
			  -1, args, 3);
	d = diagnose(rec);
	CHECK_EQ(d->n_findings, 1);
	CHECK_EQ(d->findings[0].cause, CAUSE_SYNC_CRYPTO);
	CHECK_STR(d->findings[0].title, "pbkdf2Sync 60000 iterations sha512");
	CHECK_STR(d->findings[0].call, "pbkdf2Sync");
	CHECK_STR(d->findings[0].culprit->function, "login");
	CHECK_EQ(d->findings[0].culprit->line, 33);
	CHECK_EQ(d->findings[0].severity, SEVERITY_INCIDENT);
	CHECK(strstr(d->findings[0].advice, "crypto.pbkdf2()"));
	CHECK_EQ(d->stalls[0].finding, 0);
	CHECK(d->stalls[0].culprit == d->findings[0].culprit);
	diagnosis_free(d);
	recording_free(rec);
}

TEST(diagnose_an_empty_recording_has_no_findings)
{
	struct recording *rec = build_recording(NULL);
	struct diagnosis *d = diagnose(rec);

	CHECK_EQ(d->n_findings, 0);
	CHECK_EQ(d->n_stalls, 0);
	CHECK(d->complete_ratio == 1);
	CHECK(d->unattributed_ratio == 0);
	diagnosis_free(d);
	recording_free(rec);
}
