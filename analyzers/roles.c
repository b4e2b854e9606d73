#include "analyzers/roles.h"

#include <string.h>

#include "analyzers/glob.h"

/* clang-format off */
/*
 * The first row that matches wins.  What matches none is a file of the user
 * (JS, Python) or, native, a function of the user's program.
 */
static const struct {
	enum frame_kind kind;
	const char *where; /* glob over the module (native) or the file (JS, Python) */
	const char *function;
	enum role role;
} rows[] = {
	/* What runs a loop */
	{ FRAME_NATIVE, "*", "uv_run",                    ROLE_LOOP },
	{ FRAME_NATIVE, "*", "event_base_loop",           ROLE_LOOP },
	{ FRAME_NATIVE, "*", "ev_run",                    ROLE_LOOP },
	{ FRAME_NATIVE, "*", "aeMain",                    ROLE_LOOP },
	{ FRAME_NATIVE, "*", "aeProcessEvents",           ROLE_LOOP },
	{ FRAME_NATIVE, "*", "ngx_process_events_and_timers", ROLE_LOOP },
	{ FRAME_NATIVE, "*", "ngx_worker_process_cycle",  ROLE_LOOP },
	{ FRAME_NATIVE, "*", "g_main_loop_run",           ROLE_LOOP },
	{ FRAME_NATIVE, "*", "g_main_context_iteration",  ROLE_LOOP },
	{ FRAME_NATIVE, "*", "QEventLoop::exec",          ROLE_LOOP },
	{ FRAME_NATIVE, "*", "boost::asio::detail::scheduler::run", ROLE_LOOP },
	{ FRAME_NATIVE, "*/uvloop/*", "*",                ROLE_LOOP },
	{ FRAME_NATIVE, "*/_asyncio.*", "*",              ROLE_LOOP },
	{ FRAME_PYTHON, "*/asyncio/runners.py", "run",    ROLE_LOOP },
	{ FRAME_PYTHON, "*/asyncio/base_events.py", "run_*", ROLE_LOOP },
	{ FRAME_PYTHON, "*/asyncio/base_events.py", "_run_once", ROLE_LOOP },
	{ FRAME_PYTHON, "*/asyncio/events.py", "_run",    ROLE_LOOP },
	{ FRAME_PYTHON, "*/uvloop/*", "run",              ROLE_LOOP },
	{ FRAME_PYTHON, "*/trio/_core/_run.py", "*",      ROLE_LOOP },
	{ FRAME_PYTHON, "*/twisted/internet/*base.py", "mainLoop", ROLE_LOOP },

	{ FRAME_JS, "node:*async_hooks", "*",             ROLE_NOBODY },
	{ FRAME_JS, "node:*", "*",                        ROLE_INTERNAL },
	{ FRAME_JS, "*/node_modules/*", "*",              ROLE_DEPENDENCY },
	{ FRAME_JS, "*/.yarn/*", "*",                     ROLE_DEPENDENCY },
	{ FRAME_JS, "*/.pnp.*", "*",                      ROLE_DEPENDENCY },

	/* Functions written in C. */
	{ FRAME_PYTHON, "", "*",                          ROLE_NOBODY },
	{ FRAME_PYTHON, "<frozen *", "*",                 ROLE_NOBODY },
	/* What runs as a program has no file; what a library makes has no place in one. */
	{ FRAME_PYTHON, "<stdin>", "*",                   ROLE_OWN },
	{ FRAME_PYTHON, "<string>", "__*__",              ROLE_NOBODY },
	{ FRAME_PYTHON, "<string>", "*",                  ROLE_OWN },
	{ FRAME_PYTHON, "<ipython*", "*",                 ROLE_OWN },
	{ FRAME_PYTHON, "<*", "*",                        ROLE_NOBODY },
	/* Templates: the line is that of the Python they were made into. */
	{ FRAME_PYTHON, "*.htm*", "*",                    ROLE_NOBODY },
	{ FRAME_PYTHON, "*.j2", "*",                      ROLE_NOBODY },
	{ FRAME_PYTHON, "*.jinja*", "*",                  ROLE_NOBODY },
	{ FRAME_PYTHON, "*_html", "*",                    ROLE_NOBODY },
	{ FRAME_PYTHON, "*.txt", "*",                     ROLE_NOBODY },
	{ FRAME_PYTHON, "*/site-packages/*", "*",         ROLE_DEPENDENCY },
	{ FRAME_PYTHON, "*/dist-packages/*", "*",         ROLE_DEPENDENCY },
	{ FRAME_PYTHON, "*/lib/python*/*", "*",           ROLE_NOBODY },
	{ FRAME_PYTHON, "*/lib/pypy*/*", "*",             ROLE_NOBODY },

	/* Commands of redis and its forks: whatever they call, people know these names */
	{ FRAME_NATIVE, "*/redis-*", "processCommand*",   ROLE_NOBODY },
	{ FRAME_NATIVE, "*/redis-*", "*Command",          ROLE_ENTRY },
	{ FRAME_NATIVE, "*/redis-*", "*CommandGeneric",   ROLE_ENTRY },
	{ FRAME_NATIVE, "*/valkey-*", "processCommand*",  ROLE_NOBODY },
	{ FRAME_NATIVE, "*/valkey-*", "*Command",         ROLE_ENTRY },
	{ FRAME_NATIVE, "*/valkey-*", "*CommandGeneric",  ROLE_ENTRY },
	{ FRAME_NATIVE, "*/keydb-*", "*Command",          ROLE_ENTRY },
	{ FRAME_NATIVE, "*/redis-*", "lua*",              ROLE_NOBODY },
	{ FRAME_NATIVE, "*/redis-*", "*Ziplist*",         ROLE_OWN },
	{ FRAME_NATIVE, "*/redis-*", "processInput*",     ROLE_NOBODY },
	{ FRAME_NATIVE, "*/redis-*", "readQueryFromClient", ROLE_NOBODY },
	{ FRAME_NATIVE, "*/redis-*", "connSocket*",       ROLE_NOBODY },
	{ FRAME_NATIVE, "*/redis-*", "call",              ROLE_NOBODY },
	/* Modules of nginx */
	{ FRAME_NATIVE, "*", "ngx_http_perl_handle_request", ROLE_ENTRY },
	{ FRAME_NATIVE, "*", "ngx_http_lua_*_by_chunk",   ROLE_ENTRY },
	{ FRAME_NATIVE, "*", "ngx_http_lua_run_thread",   ROLE_ENTRY },
	{ FRAME_NATIVE, "*", "ngx_http_js_*_handler",     ROLE_ENTRY },
	{ FRAME_NATIVE, "*", "ngx_js_call",               ROLE_ENTRY },
	{ FRAME_NATIVE, "*", "ngx_http_regex_exec",       ROLE_ENTRY },
	{ FRAME_NATIVE, "*", "ngx_http_*_handler",        ROLE_OWN },
	{ FRAME_NATIVE, "*", "ngx_*_process_events",      ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "ngx_spawn_process",         ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "ngx_master_process_*",      ROLE_NOBODY },

	/* Where every thread begins */
	{ FRAME_NATIVE, "*/node*", "main",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*/python*", "main",              ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "main",                      ROLE_INTERNAL },
	{ FRAME_NATIVE, "*", "_start",                    ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "__libc_start_*",            ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "start_thread",              ROLE_NOBODY },
	/* musl, linked into the program */
	{ FRAME_NATIVE, "*", "libc_start_main_stage2",    ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "__syscall*",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "__timedwait*",              ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "__vdsosym",                 ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "pthread_*",                 ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "__pthread_*",               ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "clone*",                    ROLE_NOBODY },
	/* Allocators, loops and interpreters that are linked into the program */
	{ FRAME_NATIVE, "*", "*malloc*",                  ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "*calloc*",                  ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "*realloc*",                 ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "free",                      ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "zfree",                     ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "je_*",                      ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "mi_*",                      ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "operator new*",             ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "operator delete*",          ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "std::*",                    ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "__gnu_cxx::*",              ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "core::*",                   ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "alloc::*",                  ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "<std::*",                   ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "<core::*",                  ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "<alloc::*",                 ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "<tokio::*",                 ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "<mio::*",                   ROLE_NOBODY },
	/* Go's runtime and standard library */
	{ FRAME_NATIVE, "*", "runtime.*",                 ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "reflect.*",                 ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "internal/*",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "encoding/*",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "net/*",                     ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "crypto/*",                  ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "compress/*",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "regexp.*",                  ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "regexp/*",                  ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "bufio.*",                   ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "[*",                        ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "tokio::*",                  ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "mio::*",                    ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "boost::asio::*",            ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "uv_*",                      ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "uv__*",                     ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "ev_*",                      ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "event_*",                   ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "bufferevent_*",             ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "lua_*",                     ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "luaV_*",                    ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "luaD_*",                    ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "luaH_*",                    ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "luaL_*",                    ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "luaS_*",                    ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "Perl_*",                    ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "Py*",                       ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "_Py*",                      ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "v8::*",                     ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "node::*",                   ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "Builtins_*",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "njs_*",                     ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "Curl_*",                    ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "mem*",                      ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "__mem*",                    ROLE_NOBODY },
	{ FRAME_NATIVE, "*", "str*cmp*",                  ROLE_NOBODY },
	/* Shared objects */
	{ FRAME_NATIVE, "*.node", "*",                    ROLE_ADDON },
	{ FRAME_NATIVE, "*-packages/*.so", "*",           ROLE_ADDON },
	{ FRAME_NATIVE, "*/lib-dynload/*", "*",           ROLE_ADDON },
	{ FRAME_NATIVE, "/lib*/*", "*",                   ROLE_NOBODY },
	{ FRAME_NATIVE, "/usr/lib*/ld-*", "*",            ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libc.so*", "*",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libc-*.so", "*",               ROLE_NOBODY },
	{ FRAME_NATIVE, "*/ld-musl*", "*",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libm.so*", "*",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libpthread*", "*",             ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libgcc_s*", "*",               ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libstdc++*", "*",              ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libc++*", "*",                 ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libjemalloc*", "*",            ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libtcmalloc*", "*",            ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libmimalloc*", "*",            ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libasan*", "*",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libuv*", "*",                  ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libev*", "*",                  ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libglib-*", "*",               ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libgio-*", "*",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*/liblua*", "*",                 ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libperl*", "*",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libruby*", "*",                ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libtcl*", "*",                 ROLE_NOBODY },
	{ FRAME_NATIVE, "*/libQt*Core*", "*",             ROLE_NOBODY },
	{ FRAME_NATIVE, "[*", "*",                        ROLE_NOBODY },
	{ FRAME_NATIVE, "/usr/lib/*", "*",                ROLE_DEPENDENCY },
	{ FRAME_NATIVE, "/usr/lib64/*", "*",              ROLE_DEPENDENCY },
	{ FRAME_NATIVE, "/usr/local/lib/*", "*",          ROLE_DEPENDENCY },
};
/* clang-format on */

/* What matches no row. */
static enum role default_role(const struct frame *f, const struct target_info *target)
{
	switch (f->kind) {
	case FRAME_JS:
	case FRAME_JIT:
		/* Builtins have neither file nor line; code made by eval() has a line. */
		return f->file || f->line ? ROLE_OWN : ROLE_NOBODY;
	case FRAME_PYTHON:
		return ROLE_OWN;
	case FRAME_NATIVE:
		/* libc's checked wrappers are inlined into their callers from its headers. */
		if (f->file && glob_match("/usr/include/*", f->file))
			return ROLE_NOBODY;
		/* The program is the VM when there is one. */
		return target->runtime || !f->function ? ROLE_NOBODY : ROLE_OWN;
	case FRAME_KERNEL:
		break;
	}
	return ROLE_NOBODY;
}

enum role role_of(const struct frame *f, const char *name, const struct target_info *target)
{
	const char *where = f->kind == FRAME_NATIVE ? f->module : f->file;

	name = name ? name : "";
	where = where ? where : "";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].kind == f->kind && glob_match(rows[i].function, name) &&
		    glob_match(rows[i].where, where))
			return rows[i].role;
	return default_role(f, target);
}
