#include "report/renderer.h"

#include <jansson.h>

#include "analyzers/analyze.h"
#include "tests/builder.h"
#include "tests/test.h"

#define LOGIN                                            \
	"n PKCS5_PBKDF2_HMAC @/usr/bin/node\n"           \
	"j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n" \
	"j login @/app/server.js:33/30\n"                \
	"j emit @node:events:517\n"                      \
	"n uv_run @/usr/bin/node\n"                      \
	"n main @/usr/bin/node"

static const struct argument hashing[] = {
    {.key = ARG_ITERATIONS, .number = 60000, .frame = 1},
    {.key = ARG_DIGEST, .text = "sha512", .frame = 1},
};

/* 24 stalls of 70 ms and one of 151 ms, 0.8 s apart. */
static struct recording *make_logins(void)
{
	struct recording *rec = build_recording("v8");

	for (nsec i = 0; i < 24; i++) {
		nsec ms = i == 7 ? 151 : 68;

		build_stall(rec, i * 800, ms);
		build_sample_full(rec, LOGIN, ms, SAMPLE_RUNNING, -1, hashing, 2);
	}
	return rec;
}

/* Renders into a malloc'ed string. */
static char *render(const struct renderer *renderer, const struct report *report)
{
	struct error err;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	CHECK_EQ(renderer->render(report, out, &err), 0);
	fclose(out);
	return text;
}

TEST(headline_reads_as_designed)
{
	struct recording *rec = make_logins();
	struct diagnosis *d = diagnose(rec);
	struct report report = {.rec = rec, .diagnosis = d};
	struct strbuf b = {0};

	finding_headline(&b, &report, &d->findings[0]);
	CHECK_STR(b.s, "pbkdf2Sync 60000 iterations sha512 \u00b7 server.js:33 login \u00b7 "
		       "24 stalls, 1.7 s, worst 151 ms, every 0.8 s \u00b7 100 % on CPU");
	strbuf_destroy(&b);
	report.ascii = true;
	finding_headline(&b, &report, &d->findings[0]);
	CHECK_STR(b.s, "pbkdf2Sync 60000 iterations sha512 | server.js:33 login | "
		       "24 stalls, 1.7 s, worst 151 ms, every 0.8 s | 100 % on CPU");
	strbuf_destroy(&b);
	diagnosis_free(d);
	recording_free(rec);
}

TEST(text_begins_with_the_headline)
{
	struct recording *rec = make_logins();
	struct diagnosis *d = diagnose(rec);
	struct report report = {.rec = rec, .diagnosis = d};
	char *text = render(&renderer_text, &report);

	CHECK(strncmp(text, "pbkdf2Sync 60000", 16) == 0);
	CHECK(strchr(text, '\033') == NULL);
	free(text);
	diagnosis_free(d);
	recording_free(rec);
}

TEST(json_is_one_object_with_the_same_totals)
{
	struct recording *rec = make_logins();
	struct diagnosis *d = diagnose(rec);
	struct report report = {.rec = rec, .diagnosis = d};
	char *text = render(&renderer_json, &report);
	json_error_t error;
	json_t *root = json_loads(text, 0, &error), *finding;

	CHECK(root != NULL);
	finding = json_array_get(json_object_get(root, "findings"), 0);
	CHECK_STR(json_string_value(json_object_get(root, "schema")), "lagprof.report/1");
	CHECK_EQ(json_integer_value(json_object_get(finding, "stalls")), 24);
	CHECK_EQ(json_integer_value(json_object_get(finding, "total_ns")), 1715ull * MS);
	json_decref(root);
	free(text);
	diagnosis_free(d);
	recording_free(rec);
}

TEST(folded_weights_add_up_to_the_stalls)
{
	struct recording *rec = make_logins();
	struct diagnosis *d = diagnose(rec);
	struct report report = {.rec = rec, .diagnosis = d};
	char *text = render(&renderer_folded, &report);

	CHECK_STR(text, "main;uv_run;emit (node:events:517);login (server.js:33);"
			"pbkdf2Sync (pbkdf2:89);PKCS5_PBKDF2_HMAC 1715000000\n");
	free(text);
	diagnosis_free(d);
	recording_free(rec);
}
