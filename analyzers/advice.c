#include "analyzers/title.h"

#include <string.h>

#include "analyzers/glob.h"
#include "core/names.h"

/* What its users can do about a program depends on what it is. */
enum program { ANY, NATIVE, PYTHON, REDIS, NGINX };

/* By the program's file, for those that no language runtime was found in. */
static const struct {
	const char *file; /* glob */
	enum program program;
} programs[] = {
	{ "redis-*", REDIS },  { "valkey-*", REDIS }, { "keydb-*", REDIS },
	{ "python*", PYTHON }, { "nginx*", NGINX },   { "openresty*", NGINX },
};

/* clang-format off */
/* The remedy for one call: the first row that matches; else the cause's own advice. */
static const struct {
	enum cause cause;
	const char *call; /* glob */
	const char *advice;
	enum program program;
} rows[] = {
	{ CAUSE_SYNC_CRYPTO, "pbkdf2Sync",
	  "Call crypto.pbkdf2(): it computes on the thread pool and the loop goes on; size the pool "
	  "for the load or put a pool of workers in front of it." },
	{ CAUSE_SYNC_CRYPTO, "scryptSync",
	  "Call crypto.scrypt(): it computes on the thread pool and the loop goes on." },
	{ CAUSE_SYNC_CRYPTO, "generateKeyPairSync",
	  "Call crypto.generateKeyPair(), or make the keys before listen()." },
	{ CAUSE_SYNC_CRYPTO, "bcryptjs",
	  "bcryptjs computes in JavaScript on the loop even when called asynchronously: use bcrypt, "
	  "which runs on the thread pool, or crypto.scrypt()." },
	{ CAUSE_SYNC_CRYPTO, "crypto.sign",
	  "Give crypto.sign() a callback: it then works on the thread pool; or sign with Ed25519 or "
	  "ECDSA, which are many times faster than RSA." },
	{ CAUSE_SYNC_CRYPTO, "crypto.verify",
	  "Give crypto.verify() a callback: it then works on the thread pool; or keep what was "
	  "verified in a cache." },
	{ CAUSE_SYNC_CRYPTO, "randomBytes",
	  "Give crypto.randomBytes() a callback: it then works on the thread pool." },
	{ CAUSE_SYNC_CRYPTO, "*Sync",
	  "Make the call without Sync: it computes on the thread pool and the loop goes on." },
	{ CAUSE_SYNC_CRYPTO, "*DiffieHellman",
	  "Looking for a prime takes long: use a named group (crypto.getDiffieHellman) or ECDH, and "
	  "make it before listen()." },
	{ CAUSE_SYNC_CRYPTO, "Cipher.*",
	  "Encrypt large inputs as a stream, in pieces, or in a worker." },
	{ CAUSE_SYNC_CRYPTO, "createHash",
	  "Hashing has no asynchronous form: do many hashes in a worker, or a few hundred between two "
	  "turns of the loop (setImmediate)." },
	{ CAUSE_SYNC_CRYPTO, "createHmac",
	  "Hashing has no asynchronous form: do many hashes in a worker, or a few hundred between two "
	  "turns of the loop (setImmediate)." },
	{ CAUSE_SYNC_CRYPTO, "Hash.*",
	  "Hash large inputs as a stream in pieces or in a worker." },
	{ CAUSE_SYNC_CRYPTO, "TLS*",
	  "Resume sessions, prefer ECDSA certificates, or end TLS in a proxy before this process." },
	{ CAUSE_SYNC_CRYPTO, "PKCS5_PBKDF2_HMAC*",
	  "Derive the key on a worker thread and return to the loop when it is done." },
	{ CAUSE_SYNC_CRYPTO, "hashlib*",
	  "Await loop.run_in_executor(): hashlib lets go of the GIL while it computes." },
	{ CAUSE_LARGE_PARSE, "JSON.parse",
	  "Cap the size of bodies (1 MB), parse large input record by record (stream-json), or in a "
	  "worker." },
	{ CAUSE_LARGE_PARSE, "json.loads",
	  "Cap the size of bodies, parse in an executor process, or stream the input (ijson)." },
	{ CAUSE_LARGE_SERIALIZE, "JSON.stringify",
	  "Send the value page by page or as a stream of records, or serialize it in a worker." },
	{ CAUSE_LARGE_SERIALIZE, "structured*lone",
	  "Copy only what will change, hand buffers over in the list of what to transfer, or share "
	  "memory (SharedArrayBuffer)." },
	{ CAUSE_LARGE_SERIALIZE, "postMessage",
	  "A message is copied on both threads: send less, hand buffers over in the list of what to "
	  "transfer, or share memory (SharedArrayBuffer)." },
	{ CAUSE_LARGE_PARSE, "structured clone",
	  "A message is copied on both threads: send less, hand buffers over in the list of what to "
	  "transfer, or share memory (SharedArrayBuffer)." },
	{ CAUSE_LARGE_SERIALIZE, "copy.deepcopy",
	  "Copy only what will change, or make a new value out of the parts that are needed." },
	{ CAUSE_LARGE_SERIALIZE, "util.inspect",
	  "Do not log whole objects: name the fields that matter." },
	{ CAUSE_SYNC_FS, "readFileSync",
	  "Await fs.promises.readFile() or stream the file; what never changes is read once, before "
	  "listen()." },
	{ CAUSE_SYNC_FS, "writeFileSync",
	  "Await fs.promises.writeFile() or keep a write stream open." },
	{ CAUSE_SYNC_FS, "*Sync",
	  "Use the call of the same name in fs.promises; the synchronous one belongs before listen()." },
	{ CAUSE_SYNC_FS, "file.*",
	  "Read and write in a thread (asyncio.to_thread): file calls have no asynchronous form." },
	{ CAUSE_SYNC_FS, "sqlite*",
	  "Run queries of this length in a thread (asyncio.to_thread), and look at their plan.", PYTHON },
	{ CAUSE_SYNC_FS, "sqlite*",
	  "Run queries of this length in a worker thread, and look at their plan." },
	{ CAUSE_SYNC_FS, "f*sync",
	  "Flush on another thread: fsync waits for the disk." },
	{ CAUSE_SYNC_CHILD, "execSync",
	  "Use child_process.exec() or execFile() and continue in its callback." },
	{ CAUSE_SYNC_CHILD, "execFileSync",
	  "Use child_process.execFile() and continue in its callback." },
	{ CAUSE_SYNC_CHILD, "spawnSync",
	  "Use child_process.spawn() and handle its 'close' event." },
	{ CAUSE_SYNC_CHILD, "*spawn",
	  "Starting a child copies the page tables of the whole process: start it from a small "
	  "process, or keep children in a pool." },
	{ CAUSE_SYNC_CHILD, "subprocess.*",
	  "Await asyncio.create_subprocess_exec()." },
	{ CAUSE_SYNC_CHILD, "Popen*",
	  "Await asyncio.create_subprocess_exec()." },
	{ CAUSE_COMPRESSION, "gzip.*",
	  "Compress in a thread (asyncio.to_thread): zlib lets go of the GIL." },
	{ CAUSE_COMPRESSION, "*Sync*",
	  "Use the call without Sync or a stream: both compress on the thread pool." },
	{ CAUSE_SYNC_NET, "requests",
	  "Use an asynchronous client (aiohttp, httpx.AsyncClient), or call it in a thread." },
	{ CAUSE_SYNC_DNS, "*",
	  "Resolve in the thread pool or with an asynchronous resolver, and cache the answers." },
	{ CAUSE_UNKNOWN, "Go's scheduler*",
	  "Nobody need have waited: Go runs goroutines on its other threads meanwhile, and has no "
	  "loop; see what they wait for with go tool trace." },
	{ CAUSE_SLEEP, "time.sleep",
	  "Use await asyncio.sleep()." },
	{ CAUSE_SLEEP, "Atomics.wait",
	  "Use Atomics.waitAsync() or a message; a thread that runs a loop must not wait." },
	{ CAUSE_LOCK_WAIT, "*sqlite*",
	  "Another connection holds the database: keep its transactions short, let readers and the "
	  "writer go on beside each other (PRAGMA journal_mode=WAL), and query on another thread." },
	{ CAUSE_SYNC_CRYPTO, "ssl.create_default_context",
	  "It reads all certificates each time: make one context at startup, and keep it." },
	{ CAUSE_LOCK_WAIT, "Event.wait",
	  "Use asyncio.Event, and loop.call_soon_threadsafe(event.set) in the other thread." },
	{ CAUSE_LOCK_WAIT, "Queue.*",
	  "Use asyncio.Queue, or take from the queue in a thread (asyncio.to_thread)." },
	{ CAUSE_LOCK_WAIT, "Thread.join",
	  "Await asyncio.to_thread(thread.join), or let the thread tell the loop when it is done "
	  "(loop.call_soon_threadsafe)." },
	{ CAUSE_LOCK_WAIT, "Future.result",
	  "Await loop.run_in_executor() or asyncio.wrap_future(): result() keeps the loop waiting." },
	{ CAUSE_LOCK_WAIT, "GIL",
	  "Another Python thread held the interpreter: move its work to a process." },
	{ CAUSE_COMPILE, "require",
	  "Load the module at the top of the file, before listen(): the first require() reads and "
	  "compiles it on the loop." },
	{ CAUSE_COMPILE, "re.compile",
	  "Compile each pattern once, at the top of the module, and keep it." },
	{ CAUSE_COMPILE, "new RegExp",
	  "Make each RegExp once, outside of the function that uses it, and keep it." },
	{ CAUSE_COMPILE, "new Function",
	  "Make functions out of text once, before listen(), and keep them." },
	{ CAUSE_COMPILE, "eval",
	  "eval() compiles its text each time: make a function of it once and keep that, or parse the "
	  "data with JSON.parse()." },
	{ CAUSE_COMPILE, "vm.Script",
	  "Compile each script once (new vm.Script), before listen(), and run that again." },
	{ CAUSE_COMPILE, "*Context",
	  "A new context is a whole new set of built-in objects: make one (vm.createContext), compile "
	  "the script once (new vm.Script), and run that in it." },
	{ CAUSE_COMPILE, "ajv",
	  "Compile each schema once, before listen(), and keep the function that checks it." },
	{ CAUSE_COMPILE, "babel",
	  "Transform code once, before listen() or at build time, and keep the result." },
	{ CAUSE_COMPILE, "acorn",
	  "Transform code once, before listen() or at build time, and keep the result." },
	{ CAUSE_COMPILE, "terser",
	  "Transform code once, before listen() or at build time, and keep the result." },
	{ CAUSE_COMPILE, "typescript",
	  "Transform code once, before listen() or at build time, and keep the result." },
	{ CAUSE_COMPILE, "*template*",
	  "Compile each template once, before listen(), and keep the function that renders it." },
	{ CAUSE_COMPILE, "import",
	  "Import the module at startup: the first import reads and compiles it on the loop." },
	{ CAUSE_USER_CODE, "sorted",
	  "Sort less (keep it sorted, heapq.nlargest for the top N), in the database, or in a "
	  "process." },
	{ CAUSE_USER_CODE, "list.sort",
	  "Sort less (keep it sorted, heapq.nlargest for the top N), in the database, or in a "
	  "process." },
	{ CAUSE_USER_CODE, "*.sort",
	  "Sort less (keep it sorted, take the top N), in the database, or in a worker." },
	{ CAUSE_USER_CODE, "new Intl.*",
	  "To make an Intl object costs as much as thousands of its uses: make each once, outside of "
	  "the function that uses it, and keep it." },
	{ CAUSE_USER_CODE, "*.toLocale*",
	  "It makes or looks up an Intl object each time: make one Intl.DateTimeFormat or "
	  "Intl.NumberFormat, keep it, and call its format()." },
	{ CAUSE_USER_CODE, "String.localeCompare",
	  "Make one Intl.Collator, keep it, and call its compare(): it is many times faster." },
	{ CAUSE_USER_CODE, "Buffer.*",
	  "Each byte is copied or decoded on the loop: work on the pieces as they arrive (streams), "
	  "and leave large buffers as they are." },
	{ CAUSE_USER_CODE, "*HeapSnapshot",
	  "A snapshot stops the process for as long as its heap is large: take it while no client "
	  "waits, or from a replica." },
	{ CAUSE_USER_CODE, "keysCommand",
	  "KEYS walks the whole key space: use SCAN." },
	{ CAUSE_USER_CODE, "smembersCommand",
	  "SMEMBERS copies the whole set: use SSCAN." },
	{ CAUSE_USER_CODE, "sinterGenericCommand",
	  "SMEMBERS and SINTER walk whole sets: use SSCAN, or ask a replica.", REDIS },
	{ CAUSE_USER_CODE, "*unionInterDiff*",
	  "It walks all of its sets: keep them small, or ask a replica.", REDIS },
	{ CAUSE_USER_CODE, "sunionDiffGenericCommand",
	  "It walks all of its sets: keep them small, or ask a replica.", REDIS },
	{ CAUSE_USER_CODE, "*range*Command",
	  "Ask for a part of the range and page through it, or ask a replica.", REDIS },
	{ CAUSE_USER_CODE, "qsort",
	  "SORT reads and orders the whole value: sort in the client, or keep a sorted set.", REDIS },
	{ CAUSE_USER_CODE, "sort*Command*",
	  "SORT reads and orders the whole value: sort in the client, or keep a sorted set.", REDIS },
	{ CAUSE_USER_CODE, "saveCommand",
	  "SAVE writes all data on the loop: use BGSAVE.", REDIS },
	{ CAUSE_USER_CODE, "debugCommand",
	  "DEBUG is for tests: keep clients of a server in use from it.", REDIS },
	{ CAUSE_USER_CODE, "fcall*Command*",
	  "Nothing else runs while a script does: make it shorter, or work in batches." },
	{ CAUSE_SLEEP, "*",
	  "The server answers nobody while it sleeps: DEBUG SLEEP is for tests.", REDIS },
	{ CAUSE_SYNC_FS, "*",
	  "The server waits for its disk: see appendfsync and no-appendfsync-on-rewrite, give it a "
	  "faster disk, or write to disk on a replica only.", REDIS },
	{ CAUSE_SYNC_CHILD, "*",
	  "The kernel copies the page tables of all data: save on a replica, keep servers small, and "
	  "switch transparent huge pages off.", REDIS },
	{ CAUSE_USER_CODE, "*getallCommand",
	  "HGETALL copies the whole hash: use HSCAN or HMGET." },
	{ CAUSE_USER_CODE, "del*Command",
	  "DEL frees large values on the loop: use UNLINK." },
	{ CAUSE_USER_CODE, "flush*Command",
	  "Add ASYNC: the values are then freed on another thread." },
	{ CAUSE_USER_CODE, "eval*Command",
	  "Nothing else runs while a script does: make it shorter, or work in batches." },
	{ CAUSE_USER_CODE, "*",
	  "Redis does one command at a time: ask for less in one (SCAN and its kin, ranges), or ask "
	  "a replica.", REDIS },
	{ CAUSE_SYNC_CHILD, "*fork",
	  "The kernel copies the page tables of the whole process: use posix_spawn(), a smaller "
	  "process, or huge pages." },

	{ CAUSE_COMPRESSION, "*",
	  "Lower gzip_comp_level, raise gzip_min_length, or serve files that were compressed before "
	  "(gzip_static).", NGINX },
	{ CAUSE_REGEX, "*",
	  "Rewrite the pattern so that it cannot backtrack, or use a prefix location or a map in its "
	  "place.", NGINX },
	{ CAUSE_SYNC_FS, "*",
	  "Let threads read files (aio threads), so that the worker does not wait for the disk.", NGINX },
	{ CAUSE_USER_CODE, "ngx_js_*",
	  "A script runs on the worker's loop: keep it short, or do the work in a service behind "
	  "proxy_pass.", NGINX },
	{ CAUSE_USER_CODE, "ngx_http_lua_*",
	  "A script runs on the worker's loop: keep it short, or do the work in a service behind "
	  "proxy_pass.", NGINX },
	{ CAUSE_USER_CODE, "*",
	  "The worker's other connections wait meanwhile: more workers, smaller buffers and limits "
	  "(sendfile_max_chunk, limit_req) keep each wait short.", NGINX },

	{ CAUSE_SYNC_CRYPTO, "*",
	  "Await loop.run_in_executor(): hashlib lets go of the GIL while it computes; what does not "
	  "needs a process.", PYTHON },
	{ CAUSE_LARGE_PARSE, "*",
	  "Cap the size of what is accepted, or parse in an executor process.", PYTHON },
	{ CAUSE_LARGE_SERIALIZE, "*",
	  "Write the value in parts (a page, a record at a time), or in an executor process.", PYTHON },
	{ CAUSE_SYNC_FS, "*",
	  "Read and write in a thread (asyncio.to_thread): file calls have no asynchronous form.", PYTHON },
	{ CAUSE_SYNC_CHILD, "*",
	  "Await asyncio.create_subprocess_exec().", PYTHON },
	{ CAUSE_COMPRESSION, "*",
	  "Compress in a thread (asyncio.to_thread): zlib lets go of the GIL.", PYTHON },
	{ CAUSE_SYNC_NET, "*",
	  "Use an asynchronous client (aiohttp, httpx.AsyncClient), or call it in a thread.", PYTHON },
	{ CAUSE_SLEEP, "*",
	  "Use await asyncio.sleep().", PYTHON },
	{ CAUSE_LOCK_WAIT, "*",
	  "Use asyncio.Lock, or take the lock in a thread (asyncio.to_thread).", PYTHON },
	{ CAUSE_USER_CODE, "*",
	  "Split the work with await asyncio.sleep(0) between its pieces, or move it to a process "
	  "(loop.run_in_executor with a ProcessPoolExecutor).", PYTHON },

	{ CAUSE_SYNC_FS, "*",
	  "Do it on another thread: no poll waits for a file.", NATIVE },
	{ CAUSE_SYNC_CHILD, "*",
	  "Start the child without waiting for it, and take its end as an event (pidfd, SIGCHLD).",
	  NATIVE },
	{ CAUSE_COMPILE, "*",
	  "Load it before the loop begins.", NATIVE },
	{ CAUSE_USER_CODE, "*",
	  "Split the work into pieces with a turn of the loop between them, or do it on another "
	  "thread and tell the loop by an event.", NATIVE },
};
/* clang-format on */

static enum program program_of(const struct target_info *target)
{
	const char *file = target->exe ? path_base(target->exe) : "";

	if (target->runtime)
		return strcmp(target->runtime, "cpython") == 0 ? PYTHON : ANY;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (glob_match(programs[i].file, file))
			return programs[i].program;
	return NATIVE;
}

const char *advice_find(const struct judgement *j, const struct target_info *target, bool quota)
{
	const char *call = j->call ? j->call : j->hot ? j->hot : "";
	enum program program = program_of(target);

	if (quota)
		return "Not the code: the CPU limit of its cgroup held the thread back; raise the "
		       "quota, or run fewer threads under it.";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].cause == j->cause && glob_match(rows[i].call, call) &&
		    (rows[i].program == ANY || rows[i].program == program))
			return rows[i].advice;
	return cause_info[j->cause].advice;
}
