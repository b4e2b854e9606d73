#include "core/redact.h"

#include "analyzers/analyze.h"
#include "tests/builder.h"
#include "tests/test.h"

static struct recording *record(const char *cwd, const char *const *argv, uint32_t argc)
{
	struct recording *rec = build_recording("v8");
	struct target_info *t = &rec->target;

	t->argv = arena_alloc(&rec->arena, argc * sizeof(*t->argv));
	t->argc = argc;
	for (uint32_t i = 0; i < argc; i++)
		t->argv[i] = recording_intern(rec, argv[i]);
	t->cwd = recording_intern(rec, cwd);
	t->exe = recording_intern(rec, "/home/eve/.nvm/v20/bin/node");
	return rec;
}

static struct recording *record_server(const char *cwd)
{
	static const char *const argv[] = { "node", "server.js" };

	return record(cwd, argv, 2);
}

TEST(a_command_line_keeps_its_program_script_and_names_of_options)
{
	static const char *const argv[] = { "/home/eve/.nvm/v20/bin/node",
					    "--max-old-space-size=400",
					    "-r",
					    "src/server.js",
					    "--token",
					    "hunter2",
					    "--db=postgres://eve:hunter2@db/shop",
					    "-phunter2",
					    "PASSWORD=hunter2",
					    "--p\xc3\xa4ss=1",
					    "--" };
	static const char *const shown[] = { "/dir1/node",
					     "--max-old-space-size=[hidden]",
					     "-r",
					     "src/server.js",
					     "--token",
					     "[hidden]",
					     "--db=[hidden]",
					     "-p[hidden]",
					     "[hidden]",
					     "[hidden]",
					     "--" };
	struct recording *rec = record("/home/eve/shop", argv, 11);

	recording_redact(rec);
	for (int i = 0; i < 11; i++)
		CHECK_STR(rec->target.argv[i], shown[i]);
	CHECK_STR(rec->target.exe, "/dir1/node");
	CHECK_STR(rec->target.cwd, "/app");
	recording_free(rec);
}

TEST(a_script_given_as_code_or_as_a_title_is_hidden)
{
	static const char *const eval[] = { "node", "-e", "login('hunter2')" };
	static const char *const title[] = { "nginx: master process /home/eve/nginx" };
	struct recording *rec = record("/", eval, 3);

	recording_redact(rec);
	CHECK_STR(rec->target.argv[2], "[hidden]");
	recording_free(rec);
	rec = record("/", title, 1);
	recording_redact(rec);
	CHECK_STR(rec->target.argv[0], "nginx: [hidden]");
	recording_free(rec);
}

/* What becomes of a source path of a server that runs in cwd. */
static void check_path(const char *cwd, const char *path, const char *shown)
{
	struct recording *rec = record_server(cwd);
	const struct frame *f;
	uint32_t id;

	id = recording_frame(rec, &(struct frame){ .kind = FRAME_JS, .file = path, .line = 1 });
	recording_redact(rec);
	f = recording_get_frame(rec, id);
	CHECK_STR(f->file, shown);
	recording_free(rec);
}

TEST(paths_of_code_lose_the_folder_that_they_are_in)
{
	check_path("/home/eve/shop", "/home/eve/shop/lib/a.js", "/app/lib/a.js");
	check_path("/home/eve/shop", "file:///home/eve/shop/lib/a.mjs", "/app/lib/a.mjs");
	check_path("/home/eve/shop", "/home/eve/shopping/a.js", "/dir1/a.js");
	check_path("/home/eve/shop", "/home/eve/w/node_modules/x/index.js",
		   "/dir1/node_modules/x/index.js");
	check_path("/home/eve/shop", "node:internal/crypto/pbkdf2", "node:internal/crypto/pbkdf2");
	check_path("/home/eve/shop", "https://eve.example/x.js?key=1", "[text 1]");
	check_path("/home/eve/shop", "/usr/lib/python3/dist-packages/x.py",
		   "/usr/lib/python3/dist-packages/x.py");
	check_path("/home/eve/shop", "/a.js", "/a.js");
}

TEST(folders_that_many_share_are_no_project)
{
	check_path("/", "/usr/share/nodejs/x.js", "/usr/share/nodejs/x.js");
	check_path("/usr", "/usr/share/nodejs/x.js", "/usr/share/nodejs/x.js");
	check_path("/home", "/home/eve/a.js", "/dir1/a.js");
}

TEST(a_service_without_a_working_directory_lies_where_its_script_lies)
{
	static const char *const argv[] = { "/usr/bin/node", "/srv/shop/server.js" };
	struct recording *rec = record("/", argv, 2);
	uint32_t id = build_frame(rec, "j login @/srv/shop/lib/login.js:3/1");
	const struct frame *f;

	recording_redact(rec);
	f = recording_get_frame(rec, id);
	CHECK_STR(f->file, "/app/lib/login.js");
	CHECK_STR(rec->target.argv[0], "/usr/bin/node");
	CHECK_STR(rec->target.argv[1], "/app/server.js");
	recording_free(rec);
}

/* What becomes of an argument. */
static void check_argument(enum argument_key key, const char *text, const char *shown)
{
	struct argument args[] = { { .key = ARG_BYTES, .number = 7 },
				   { .key = key, .text = text } };
	struct recording *rec = record_server("/home/eve/shop");

	build_stall(rec, 0, 30);
	build_sample_full(rec, "n main @/usr/bin/node", 30, SAMPLE_RUNNING, -1, args, 2);
	recording_redact(rec);
	CHECK_EQ(rec->samples[0].arguments[0].number, 7);
	CHECK_STR(rec->samples[0].arguments[1].text, shown);
	recording_free(rec);
}

TEST(arguments_tell_what_code_did_and_not_to_what)
{
	check_argument(ARG_DIGEST, "sha512", "sha512");
	check_argument(ARG_DIGEST, "eve's password", "[text 1]");
	check_argument(ARG_PATTERN, "^(a+)+$", "^(a+)+$");
	check_argument(ARG_FLAGS, "gi", "gi");
	check_argument(ARG_FLAGS, "", "");
	check_argument(ARG_PATH, "/home/eve/shop/uploads/eve.pdf", "[file 1]");
	check_argument(ARG_PATH, "/usr/share/zoneinfo/UTC", "/usr/share/zoneinfo/UTC");
	check_argument(ARG_HOST, "db.eve.example", "[host 1]");
	check_argument(ARG_PEER, "10.1.2.3:5432", "[host 1]");
	check_argument(ARG_COMMAND, "git log --author=eve", "git [arguments 1]");
	check_argument(ARG_COMMAND, "/home/eve/bin/convert eve.png", "convert [arguments 1]");
	check_argument(ARG_COMMAND, "TOKEN=hunter2 git pull", "[arguments 1]");
	check_argument(ARG_COMMAND, "sync", "sync");
	check_argument(ARG_MODULE, "express", "express");
	check_argument(ARG_MODULE, "/home/eve/shop/lib/a.js", "/app/lib/a.js");
	check_argument(ARG_MODULE, "data:text/javascript,login('hunter2')", "[text 1]");
}

TEST(what_was_the_same_is_called_the_same)
{
	static const char *const requests[] = { "GET /eve?token=1", "GET /bob", "GET /eve?token=1",
						"PING", "set eve hunter2" };
	static const char *const shown[] = { "GET [request 1]", "GET [request 2]",
					     "GET [request 1]", "PING", "[request 4]" };
	struct recording *rec = record_server("/srv/shop");

	for (int i = 0; i < 5; i++)
		build_stall(rec, i * 100, 30)->request = recording_intern(rec, requests[i]);
	recording_redact(rec);
	for (int i = 0; i < 5; i++)
		CHECK_STR(rec->stalls[i].request, shown[i]);
	recording_free(rec);
}

TEST(names_of_functions_stay_but_for_paths_in_them)
{
	struct recording *rec = record_server("/srv/shop");
	uint32_t plain = build_frame(rec, "n std::operator/(a::b const&, int) @/srv/shop/x.node");
	uint32_t path = build_frame(rec, "n lookup /home/eve/x.js:3 @/usr/lib/libx.so");
	const struct frame *f;

	recording_note(rec, "the map \"/tmp/eve/perf-1.map\" of http://eve/ was left out");
	rec->loops[0]->name = recording_intern(rec, "worker of eve");
	recording_redact(rec);
	f = recording_get_frame(rec, plain);
	CHECK_STR(f->function, "std::operator/(a::b const&, int)");
	CHECK_STR(f->module, "/app/x.node");
	f = recording_get_frame(rec, path);
	CHECK(!strstr(f->function, "eve"));
	CHECK_STR(f->module, "/usr/lib/libx.so");
	CHECK(!strstr(rec->notes[0], "eve"));
	CHECK_STR(rec->loops[0]->name, "worker [hidden]");
	recording_free(rec);
}

static struct recording *record_login(void)
{
	struct recording *rec = record_server("/srv/shop");

	build_stall(rec, 1000, 60);
	build_sample(rec,
		     "n PKCS5_PBKDF2_HMAC @/home/eve/.nvm/v20/bin/node\n"
		     "j pbkdf2Sync @node:internal/crypto/pbkdf2:89\n"
		     "j login @/srv/shop/lib/login.js:33/30\n"
		     "j handle @/srv/shop/node_modules/router/index.js:120/100",
		     60);
	return rec;
}

TEST(a_diagnosis_is_the_same_redacted_or_not)
{
	struct recording *open = record_login(), *closed = record_login();
	struct diagnosis *before = diagnose(open), *after;

	recording_redact(closed);
	after = diagnose(closed);
	CHECK_EQ(after->n_findings, 1);
	CHECK_STR(after->findings[0].title, before->findings[0].title);
	CHECK_STR(after->findings[0].fingerprint, before->findings[0].fingerprint);
	CHECK_STR(after->findings[0].culprit->file, "/app/lib/login.js");
	diagnosis_free(before);
	diagnosis_free(after);
	recording_free(open);
	recording_free(closed);
}
