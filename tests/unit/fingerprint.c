#include "analyzers/fingerprint.h"

#include "analyzers/analyze.h"
#include "tests/builder.h"
#include "tests/test.h"

#define CALL                                   \
	"n PKCS5_PBKDF2_HMAC @/usr/bin/node\n" \
	"j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n"

/* The target runs that script; its own frame need not be seen. */
static void set_script(struct recording *rec, const char *script)
{
	static const char *argv[2];

	argv[0] = "node";
	argv[1] = recording_intern(rec, script);
	rec->target.argv = argv;
	rec->target.argc = 2;
}

/* The fingerprint of a stall with that stack, of a target in that working directory. */
static const char *of_in(const char *cwd, const char *script, const char *stack)
{
	static char prints[4][17];
	static int turn;
	char *out = prints[turn++ % 4];
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;

	set_script(rec, script);
	rec->target.cwd = cwd;
	build_stall(rec, 0, 100);
	build_sample(rec, stack, 100);
	d = diagnose(rec);
	CHECK_EQ(d->n_findings, 1);
	memcpy(out, d->findings[0].fingerprint, 17);
	diagnosis_free(d);
	recording_free(rec);
	return out;
}

static const char *of(const char *script, const char *stack)
{
	return of_in(NULL, script, stack);
}

TEST(fingerprint_is_16_hex_digits)
{
	const char *s = of("server.js", CALL "j login @/app/server.js:33");

	CHECK_EQ(strlen(s), 16);
	CHECK_EQ(strspn(s, "0123456789abcdef"), 16);
}

TEST(fingerprint_never_changes_from_one_version_to_the_next)
{
	CHECK_STR(of("/app/server.js", CALL "j login @/app/server.js:33"), "b9d1bbde2b7699f9");
}

TEST(fingerprint_is_the_same_when_lines_shift)
{
	CHECK_STR(of("/app/server.js", CALL "j login @/app/server.js:33/30"),
		  of("/app/server.js", CALL "j login @/app/server.js:133/130"));
}

TEST(fingerprint_is_the_same_in_another_checkout)
{
	CHECK_STR(of("/app/server.js", CALL "j login @/app/lib/auth.js:33"),
		  of("/home/ci/build-7/x/server.js",
		     CALL "j login @/home/ci/build-7/x/lib/auth.js:33"));
	CHECK_STR(of("/app/bin/www.js", CALL "j login @/app/lib/auth.js:33"),
		  of("/x/y/z/bin/www.js", CALL "j login @/x/y/z/lib/auth.js:33"));
	CHECK_STR(of("/app/server.mjs", CALL "j login @file:///app/lib/auth.mjs:33"),
		  of("/x/y/server.mjs", CALL "j login @file:///x/y/lib/auth.mjs:33"));
	CHECK_STR(of("/a/s.js", CALL "j h @/a/node_modules/auth/index.js:5"),
		  of("/b/c/s.js",
		     CALL "j h @/b/c/node_modules/.pnpm/auth@1/node_modules/auth/index.js:5"));
}

TEST(fingerprint_of_a_script_that_is_named_relative_goes_by_the_working_directory)
{
	CHECK_STR(of_in("/app", "./server.js", CALL "j login @/app/lib/auth.js:33"),
		  of_in("/x/y", "server.js", CALL "j login @/x/y/lib/auth.js:33"));
	CHECK_STR(of_in("/app", "bin/www.js", CALL "j login @/app/lib/auth.js:33"),
		  of("/x/y/bin/www.js", CALL "j login @/x/y/lib/auth.js:33"));
	CHECK_STR(of_in("/app", "/usr/lib/node_modules/pm2/lib/Container.js",
			CALL "j login @/app/lib/auth.js:33"),
		  of_in("/home/ci/app", "/home/ci/n/node_modules/pm2/lib/Container.js",
			CALL "j login @/home/ci/app/lib/auth.js:33"));
}

TEST(fingerprint_without_the_script_goes_by_the_last_three_components)
{
	CHECK_STR(of("app", CALL "j login @/srv/one/src/lib/auth.js:33"),
		  of("app", CALL "j login @/home/me/two/src/lib/auth.js:33"));
}

TEST(fingerprint_differs_for_another_function_file_cause_or_call)
{
	const char *s = "/app/server.js";
	char base[17];

	strcpy(base, of(s, CALL "j login @/app/server.js:33"));
	CHECK(strcmp(base, of(s, CALL "j signup @/app/server.js:33")) != 0);
	CHECK(strcmp(base, of(s, CALL "j login @/app/lib/server.js:33")) != 0);
	CHECK(strcmp(base, of(s, "j JSON.parse\nj login @/app/server.js:33")) != 0);
	CHECK(strcmp(base, of(s, "j scryptSync @node:internal/crypto/scrypt:71\n"
				 "j login @/app/server.js:33")) != 0);
}

TEST(fingerprint_of_native_code_does_not_depend_on_debug_information)
{
	struct frame with = { .kind = FRAME_NATIVE,
			      .function = "work",
			      .module = "/srv/app",
			      .file = "/build/src/app.c",
			      .line = 7 };
	struct frame without = { .kind = FRAME_NATIVE,
				 .function = "work",
				 .module = "/home/me/app" };
	struct recording *rec = build_recording(NULL);
	struct finding f = { .cause = CAUSE_USER_CODE, .culprit = &with };
	char a[17], b[17];

	fingerprint(a, rec, &f, 0);
	f.culprit = &without;
	fingerprint(b, rec, &f, 0);
	CHECK_STR(a, b);
	recording_free(rec);
}

TEST(fingerprints_tell_functions_of_one_name_in_one_file_apart_by_their_order)
{
	struct recording *rec = build_recording("v8");
	struct diagnosis *d;
	const struct finding *early, *late;
	char moved[17];

	set_script(rec, "/app/server.js");
	build_stall(rec, 0, 200);
	build_sample(rec, CALL "j - @/app/server.js:70/65", 200);
	build_stall(rec, 500, 100);
	build_sample(rec, CALL "j - @/app/server.js:33/30", 100);
	d = diagnose(rec);
	CHECK_EQ(d->n_findings, 2);
	early = &d->findings[1];
	late = &d->findings[0];
	CHECK_EQ(early->culprit->define_line, 30);
	CHECK(strcmp(early->fingerprint, late->fingerprint) != 0);
	CHECK_STR(early->fingerprint, of("/app/server.js", CALL "j - @/app/server.js:34/31"));
	strcpy(moved, late->fingerprint);
	diagnosis_free(d);
	recording_free(rec);

	rec = build_recording("v8");
	set_script(rec, "/app/server.js");
	build_stall(rec, 0, 100);
	build_sample(rec, CALL "j - @/app/server.js:36/35", 100);
	build_stall(rec, 500, 300);
	build_sample(rec, CALL "j - @/app/server.js:80/75", 300);
	d = diagnose(rec);
	CHECK_STR(d->findings[0].fingerprint, moved);
	diagnosis_free(d);
	recording_free(rec);
}

TEST(project_path_stays_inside_the_project)
{
	struct recording *rec = build_recording("v8");

	set_script(rec, "/app/src/server.js");
	CHECK_STR(project_path(rec, "/app/src/routes/a.js"), "routes/a.js");
	CHECK_STR(project_path(rec, "/app/lib/a.js"), "lib/a.js");
	CHECK_STR(project_path(rec, "/opt/shared/deep/er/a.js"), "deep/er/a.js");
	CHECK_STR(project_path(rec, "node:internal/timers"), "node:internal/timers");
	CHECK_STR(project_path(rec, "app.py"), "app.py");
	CHECK_STR(project_path(rec, "/usr/lib/python3/dist-packages/x/y.py"), "x/y.py");
	CHECK_STR(project_path(rec, "/a.js"), "a.js");
	recording_free(rec);
}
