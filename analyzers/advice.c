#include "analyzers/title.h"

#include "analyzers/glob.h"

/* clang-format off */
/* The remedy for one call: the first row that matches; else the cause's own advice. */
static const struct {
	enum cause cause;
	const char *call; /* glob */
	const char *advice;
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
	{ CAUSE_SYNC_CHILD, "*fork",
	  "The kernel copies the page tables of the whole process: use posix_spawn(), a smaller "
	  "process, or huge pages." },
	{ CAUSE_COMPRESSION, "gzip.*",
	  "Compress in a thread (asyncio.to_thread): zlib lets go of the GIL." },
	{ CAUSE_COMPRESSION, "*Sync*",
	  "Use the call without Sync or a stream: both compress on the thread pool." },
	{ CAUSE_SYNC_NET, "requests",
	  "Use an asynchronous client (aiohttp, httpx.AsyncClient), or call it in a thread." },
	{ CAUSE_SYNC_DNS, "*",
	  "Resolve in the thread pool or with an asynchronous resolver, and cache the answers." },
	{ CAUSE_SLEEP, "time.sleep",
	  "Use await asyncio.sleep()." },
	{ CAUSE_SLEEP, "Atomics.wait",
	  "Use Atomics.waitAsync() or a message; a thread that runs a loop must not wait." },
	{ CAUSE_LOCK_WAIT, "GIL",
	  "Another Python thread held the interpreter: move its work to a process." },
	{ CAUSE_COMPILE, "require",
	  "Load the module at the top of the file, before listen(): the first require() reads and "
	  "compiles it on the loop." },
	{ CAUSE_COMPILE, "import",
	  "Import the module at startup: the first import reads and compiles it on the loop." },
	{ CAUSE_USER_CODE, "*.sort",
	  "Sort less (keep it sorted, take the top N), in the database, or in a worker." },
	{ CAUSE_USER_CODE, "keysCommand",
	  "KEYS walks the whole key space: use SCAN." },
	{ CAUSE_USER_CODE, "smembersCommand",
	  "SMEMBERS copies the whole set: use SSCAN." },
	{ CAUSE_USER_CODE, "hgetallCommand",
	  "HGETALL copies the whole hash: use HSCAN or HMGET." },
	{ CAUSE_USER_CODE, "delCommand",
	  "DEL frees large values on the loop: use UNLINK." },
	{ CAUSE_USER_CODE, "flush*Command",
	  "Add ASYNC: the values are then freed on another thread." },
	{ CAUSE_USER_CODE, "eval*Command",
	  "Nothing else runs while a script does: make it shorter, or work in batches." },
};
/* clang-format on */

const char *advice_find(const struct judgement *j, bool quota)
{
	const char *call = j->call ? j->call : j->hot;

	if (quota)
		return "Not the code: the CPU limit of its cgroup held the thread back; raise the "
		       "quota, or run fewer threads under it.";
	for (size_t i = 0; call && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].cause == j->cause && glob_match(rows[i].call, call))
			return rows[i].advice;
	return cause_info[j->cause].advice;
}
