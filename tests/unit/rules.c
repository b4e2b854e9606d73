#include "analyzers/rules.h"

#include "analyzers/glob.h"
#include "analyzers/syscalls.h"
#include "core/names.h"
#include "tests/builder.h"
#include "tests/test.h"

/* Puts an instance of a glob into out: every star becomes two letters that no row has. */
static const char *instance_of(const char *glob, char *out, size_t size)
{
	size_t n = 0;

	for (; *glob && n + 3 < size; glob++) {
		if (*glob == '*')
			n += (size_t)snprintf(out + n, size - n, "zq");
		else
			out[n++] = *glob;
	}
	out[n] = '\0';
	return out;
}

TEST(rules_no_row_hides_behind_an_earlier_one)
{
	for (int kind = FRAME_KERNEL; kind <= FRAME_PYTHON; kind++) {
		for (const struct rule *r = rules_of(kind); r->function; r++) {
			char where[256], function[256];
			struct frame f = { .kind = kind };
			const struct rule *found;

			f.function = instance_of(r->function, function, sizeof(function));
			f.file = f.module = instance_of(r->where, where, sizeof(where));
			found = rule_find(&f, f.function);
			if (r->cause != CAUSES && found != r)
				test_fail(__FILE__, __LINE__, "row %s %s is hidden by %s %s",
					  r->where, r->function, found ? found->where : "-",
					  found ? found->function : "-");
		}
	}
}

/* Real names, as they come out of node 20, redis 7, nginx, CPython 3.11 and Debian's libraries. */
static const struct {
	const char *frame;
	enum cause cause; /* CAUSES: no rule */
} known[] = {
	/* clang-format off */
	{ "n sha512_block_data_order_avx2 @/usr/bin/node", CAUSE_SYNC_CRYPTO },
	{ "n PKCS5_PBKDF2_HMAC @/usr/lib/x86_64-linux-gnu/libcrypto.so.3", CAUSE_SYNC_CRYPTO },
	{ "n - @/usr/lib/x86_64-linux-gnu/libcrypto.so.1.1", CAUSE_SYNC_CRYPTO },
	{ "n EVP_PBE_scrypt_ex @/usr/bin/node", CAUSE_SYNC_CRYPTO },
	{ "n EVP_DigestUpdate @/usr/bin/app", CAUSE_SYNC_CRYPTO },
	{ "n RSA_generate_key_ex @/usr/bin/app", CAUSE_SYNC_CRYPTO },
	{ "n rsaz_1024_mul_avx2 @/usr/bin/node", CAUSE_SYNC_CRYPTO },
	{ "n EC_POINT_mul @/usr/bin/app", CAUSE_SYNC_CRYPTO },
	{ "n aesni_ctr32_encrypt_blocks @/usr/bin/node", CAUSE_SYNC_CRYPTO },
	{ "n _aesni_ctr32_ghash_6x @/usr/bin/node", CAUSE_SYNC_CRYPTO },
	{ "n bn_mul_mont @/usr/bin/node", CAUSE_SYNC_CRYPTO },
	{ "n crypto_pwhash_argon2id @/usr/lib/x86_64-linux-gnu/libsodium.so.23", CAUSE_SYNC_CRYPTO },
	{ "n argon2id_hash_raw @/usr/bin/app", CAUSE_SYNC_CRYPTO },
	{ "n - @/app/node_modules/argon2/build/Release/argon2.node", CAUSE_SYNC_CRYPTO },
	{ "n - @/app/node_modules/bcrypt/lib/binding/napi-v3/bcrypt_lib.node", CAUSE_SYNC_CRYPTO },
	{ "n crypt_r @/usr/lib/x86_64-linux-gnu/libcrypt.so.1.1.0", CAUSE_SYNC_CRYPTO },
	{ "n node::crypto::Hash::HashUpdate(v8::FunctionCallbackInfo<v8::Value> const&) @/usr/bin/node",
	  CAUSE_SYNC_CRYPTO },
	{ "j pbkdf2Sync @node:internal/crypto/pbkdf2:89", CAUSE_SYNC_CRYPTO },
	{ "j scryptSync @node:internal/crypto/scrypt:1", CAUSE_SYNC_CRYPTO },
	{ "j nextTick @/app/node_modules/bcryptjs/dist/bcrypt.js:1", CAUSE_SYNC_CRYPTO },
	{ "p new @/usr/lib/python3.11/hashlib.py:1", CAUSE_SYNC_CRYPTO },

	{ "n v8::internal::JsonParser<unsigned char>::ParseJsonValue() @/usr/bin/node",
	  CAUSE_LARGE_PARSE },
	{ "j JSON.parse", CAUSE_LARGE_PARSE },
	{ "n yajl_do_parse @/usr/lib/x86_64-linux-gnu/libyajl.so.2", CAUSE_LARGE_PARSE },
	{ "n json_loads @/usr/lib/x86_64-linux-gnu/libjansson.so.4", CAUSE_LARGE_PARSE },
	{ "n cJSON_ParseWithLengthOpts @/usr/bin/app", CAUSE_LARGE_PARSE },
	{ "n simdjson::haswell::dom_parser_implementation::parse(unsigned char const*) @/usr/bin/app",
	  CAUSE_LARGE_PARSE },
	{ "n bool rapidjson::GenericReader<rapidjson::UTF8<char> >::ParseValue<0u>(int) @/usr/bin/app",
	  CAUSE_LARGE_PARSE },
	{ "n XML_ParseBuffer @/usr/lib/x86_64-linux-gnu/libexpat.so.1", CAUSE_LARGE_PARSE },
	{ "n xmlParseDocument @/usr/lib/x86_64-linux-gnu/libxml2.so.2", CAUSE_LARGE_PARSE },
	{ "n google::protobuf::MessageLite::ParseFromArray(void const*, int) @/usr/bin/app",
	  CAUSE_LARGE_PARSE },
	{ "n csv_parse @/usr/bin/app", CAUSE_LARGE_PARSE },
	{ "n - @/usr/lib/python3.11/lib-dynload/_pickle.cpython-311-x86_64-linux-gnu.so",
	  CAUSE_LARGE_PARSE },
	{ "p raw_decode @/usr/lib/python3.11/json/decoder.py:353", CAUSE_LARGE_PARSE },
	{ "n bool v8::internal::JsonStringifier::DoNotEscape<unsigned char>(unsigned char) @/usr/bin/node",
	  CAUSE_LARGE_SERIALIZE },
	{ "j JSON.stringify", CAUSE_LARGE_SERIALIZE },
	{ "p iterencode @/usr/lib/python3.11/json/encoder.py:1", CAUSE_LARGE_SERIALIZE },
	{ "j formatValue @node:internal/util/inspect:809", CAUSE_LARGE_SERIALIZE },

	{ "x (regexp)", CAUSE_REGEX },
	{ "x RegExp:^(a+)+$", CAUSE_REGEX },
	{ "n v8::internal::IrregexpInterpreter::Result v8::internal::(anonymous namespace)::RawMatch<unsigned char>"
	  "(v8::internal::Isolate*) @/usr/bin/node", CAUSE_REGEX },
	{ "n v8::internal::RegExpImpl::IrregexpExec(v8::internal::Isolate*) @/usr/bin/node", CAUSE_REGEX },
	{ "n Builtins_RegExpPrototypeTest @/usr/bin/node", CAUSE_REGEX },
	{ "n pcre2_match_8 @/usr/lib/x86_64-linux-gnu/libpcre2-8.so.0", CAUSE_REGEX },
	{ "n - @/usr/lib/x86_64-linux-gnu/libpcre.so.3", CAUSE_REGEX },
	{ "n onig_search @/usr/lib/x86_64-linux-gnu/libonig.so.5", CAUSE_REGEX },
	{ "n re2::RE2::Match(re2::StringPiece const&) const @/usr/bin/app", CAUSE_REGEX },
	{ "n regexec @/usr/lib/x86_64-linux-gnu/libc.so.6", CAUSE_REGEX },
	{ "n re_search_internal @/usr/lib/x86_64-linux-gnu/libc.so.6", CAUSE_REGEX },
	{ "n sre_ucs1_match @/usr/bin/python3.11", CAUSE_REGEX },
	{ "p match @/usr/lib/python3.11/re/__init__.py:166", CAUSE_REGEX },
	{ "p compile @/usr/lib/python3.11/re/__init__.py:227", CAUSE_COMPILE },
	{ "p compile @/usr/lib/python3.9/re.py:252", CAUSE_COMPILE },
	{ "p _parse @/usr/lib/python3.11/re/_parser.py:507", CAUSE_COMPILE },
	{ "p join @/usr/lib/python3.11/threading.py:1112", CAUSE_LOCK_WAIT },
	{ "p create_default_context @/usr/lib/python3.11/ssl.py:770", CAUSE_SYNC_CRYPTO },
	{ "k do_mkdirat", CAUSE_SYNC_FS },

	{ "n deflate @/usr/lib/x86_64-linux-gnu/libz.so.1", CAUSE_COMPRESSION },
	{ "n Cr_z_deflate @/usr/bin/node", CAUSE_COMPRESSION },
	{ "n BrotliEncoderCompressStream @/usr/bin/node", CAUSE_COMPRESSION },
	{ "n ZSTD_compressBlock_fast @/usr/bin/app", CAUSE_COMPRESSION },
	{ "n lzma_code @/usr/lib/x86_64-linux-gnu/liblzma.so.5", CAUSE_COMPRESSION },
	{ "n BZ2_bzCompress @/usr/lib/x86_64-linux-gnu/libbz2.so.1.0", CAUSE_COMPRESSION },
	{ "j processChunkSync @node:zlib:400", CAUSE_COMPRESSION },
	{ "p compress @/usr/lib/python3.11/gzip.py:1", CAUSE_COMPRESSION },

	{ "n node::fs::Read(v8::FunctionCallbackInfo<v8::Value> const&) @/usr/bin/node", CAUSE_SYNC_FS },
	{ "j readFileSync @node:fs:448", CAUSE_SYNC_FS },
	{ "n sqlite3_step @/usr/lib/x86_64-linux-gnu/libsqlite3.so.0", CAUSE_SYNC_FS },
	{ "k filemap_read", CAUSE_SYNC_FS },
	{ "n getaddrinfo @/usr/lib/x86_64-linux-gnu/libc.so.6", CAUSE_SYNC_DNS },
	{ "n - @/usr/lib/x86_64-linux-gnu/libnss_dns.so.2", CAUSE_SYNC_DNS },
	{ "n node::SyncProcessRunner::TryInitializeAndRunLoop(v8::Local<v8::Value>) @/usr/bin/node",
	  CAUSE_SYNC_CHILD },
	{ "j execSync @node:child_process:1", CAUSE_SYNC_CHILD },
	{ "n do_system @/usr/lib/x86_64-linux-gnu/libc.so.6", CAUSE_SYNC_CHILD },
	{ "n __wait4 @/usr/lib/x86_64-linux-gnu/libc.so.6", CAUSE_SYNC_CHILD },
	{ "p run @/usr/lib/python3.11/subprocess.py:1", CAUSE_SYNC_CHILD },

	{ "n v8::internal::ScavengerCollector::CollectGarbage() @/usr/bin/node", CAUSE_GC },
	{ "n v8::internal::MarkCompactCollector::MarkLiveObjects() @/usr/bin/node", CAUSE_GC },
	{ "n v8::internal::Heap::CollectGarbage(v8::internal::AllocationSpace) @/usr/bin/node", CAUSE_GC },
	{ "n gc_collect_main @/usr/bin/python3.11", CAUSE_GC },
	{ "n luaC_step @/usr/bin/redis-check-rdb", CAUSE_GC },
	{ "n node::DefaultProcessExitHandlerInternal @/usr/bin/node", CAUSE_UNKNOWN },
	{ "n v8::internal::Builtin_FunctionConstructor @/usr/bin/node", CAUSE_COMPILE },
	{ "n v8::internal::Compiler::Compile(v8::internal::Isolate*) @/usr/bin/node", CAUSE_COMPILE },
	{ "n v8::internal::ParserBase<v8::internal::Parser>::ParseStatement() @/usr/bin/node",
	  CAUSE_COMPILE },
	{ "n v8::ScriptCompiler::CompileFunction(v8::Local<v8::Context>) @/usr/bin/node", CAUSE_COMPILE },
	{ "j require @node:internal/modules/helpers:177", CAUSE_COMPILE },
	{ "p _find_and_load @<frozen importlib._bootstrap>:1165", CAUSE_COMPILE },

	{ "n __lll_lock_wait @/usr/lib/x86_64-linux-gnu/libc.so.6", CAUSE_LOCK_WAIT },
	{ "n take_gil @/usr/bin/python3.11", CAUSE_LOCK_WAIT },
	{ "n clock_nanosleep @/usr/lib/x86_64-linux-gnu/libc.so.6", CAUSE_SLEEP },
	{ "n v8::internal::FutexEmulation::WaitJs32(v8::internal::Isolate*) @/usr/bin/node", CAUSE_SLEEP },
	{ "k filemap_fault", CAUSE_PAGE_FAULT },
	{ "k n_tty_write", CAUSE_BLOCKING_OUTPUT },
	{ "n Builtins_RunMicrotasks @/usr/bin/node", CAUSE_MICROTASK_STARVATION },
	{ "j processTicksAndRejections @node:internal/process/task_queues:95",
	  CAUSE_MICROTASK_STARVATION },
	{ "n Builtins_ArrayTimSort @/usr/bin/node", CAUSE_USER_CODE },

	/* What is not a blocking call */
	{ "n uv_run @/usr/bin/node", CAUSES },
	{ "n _PyEval_EvalFrameDefault @/usr/bin/python3.11", CAUSES },
	{ "n keysCommand @/usr/bin/redis-check-rdb", CAUSES },
	{ "n handle_request @/app/bcrypt-service/server", CAUSES },
	{ "j parse @/app/lib/json.js:1", CAUSES },
	{ "j emit @node:events:517", CAUSES },
	{ "j onread @node:internal/stream_base_commons:190", CAUSES },
	{ "p get @/app/queue.py:3", CAUSES },
	{ "p parse @/usr/lib/python3.11/site-packages/lib/xml/x.py:3", CAUSES },
	{ "p run_once @/usr/lib/python3.11/asyncio/base_events.py:1", CAUSES },
	/* clang-format on */
};

TEST(rules_know_what_real_functions_do)
{
	struct recording *rec = build_recording(NULL);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint32_t id = build_frame(rec, known[i].frame);
		const struct frame *f = recording_get_frame(rec, id);
		struct strbuf name = { 0 };
		const struct rule *r;
		enum cause cause;

		if (f->function)
			strbuf_puts_function(&name, f->function);
		r = rule_find(f, name.s);
		cause = r ? r->cause : CAUSES;
		if (cause != known[i].cause)
			test_fail(__FILE__, __LINE__, "%s is taken for %s", known[i].frame,
				  r ? cause_info[cause].id : "nothing");
		strbuf_destroy(&name);
	}
	recording_free(rec);
}

TEST(rules_show_every_cause_that_a_function_can_show)
{
	bool seen[CAUSES] = { false };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].cause < CAUSES)
			seen[known[i].cause] = true;
	for (int cause = 0; cause < CAUSES; cause++) {
		/* Nothing but a descriptor or the scheduler tells these. */
		bool other = cause == CAUSE_SYNC_NET || cause == CAUSE_MANY_CALLBACKS ||
			     cause == CAUSE_CPU_STARVATION || cause == CAUSE_STOPPED ||
			     cause == CAUSE_UNKNOWN;

		if (!seen[cause] && !other)
			test_fail(__FILE__, __LINE__, "nothing shows %s", cause_info[cause].id);
	}
}

TEST(causes_are_all_described_and_have_names_and_advice)
{
	static char text[64 << 10];
	FILE *in = fopen(test_source("docs/causes.md"), "r");

	CHECK(in != NULL);
	text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
	fclose(in);
	for (int cause = 0; cause < CAUSES; cause++) {
		char heading[64];

		snprintf(heading, sizeof(heading), "\n### `%s`\n", cause_info[cause].id);
		if (!strstr(text, heading))
			test_fail(__FILE__, __LINE__, "docs/causes.md lacks %s",
				  cause_info[cause].id);
		CHECK(cause_info[cause].label != NULL);
		CHECK(cause_info[cause].advice || cause == CAUSE_UNKNOWN);
		CHECK_EQ(cause_parse(cause_info[cause].id), cause);
	}
	CHECK_EQ(cause_parse("sync"), -1);
	CHECK_EQ(severity_of(49999999), SEVERITY_NOTICE);
	CHECK_EQ(severity_of(50000000), SEVERITY_WARNING);
	CHECK_EQ(severity_of(100000000), SEVERITY_INCIDENT);
}

TEST(syscalls_are_in_order_so_that_each_is_found)
{
	CHECK_STR(syscall_rule_find(0)->name, "read");
	CHECK_STR(syscall_rule_find(61)->name, "wait4");
	CHECK_STR(syscall_rule_find(202)->name, "futex");
	CHECK_EQ(syscall_rule_find(230)->cause, CAUSE_SLEEP);
	CHECK_STR(syscall_rule_find(441)->name, "epoll_pwait2");
	CHECK(syscall_rule_find(-1) == NULL);
	CHECK(syscall_rule_find(39) == NULL);
}

TEST(glob_stars_match_any_bytes_and_give_way)
{
	CHECK(glob_match("*", ""));
	CHECK(glob_match("a*b*c", "a--b-b--c"));
	CHECK(!glob_match("a*b*c", "a--b--"));
	CHECK(glob_match("*Sync", "readFileSync"));
	CHECK(!glob_match("*Sync", "readFileSyncs"));
	CHECK(!glob_match("", "x"));
	CHECK(glob_match("*aab", "aaaaab"));
	CHECK(!glob_match("abc", "ab"));
}
