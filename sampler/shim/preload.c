/*
 * The library that `lagprof run --probe shim` preloads into the target: it
 * notes when the target's loops poll, in a page shared with lagprof, and is
 * otherwise not there.  It takes itself out of the environment, so that child
 * processes are left alone; where the target itself runs another program in
 * its place, that one gets it again.
 *
 * Built apart from lagprof and linked with no library at all, so that it loads beside any libc.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sampler/poll_key.h"
#include "sampler/shim/page.h"

#define EXPORT     __attribute__((visibility("default")))
#define REAL(name) ((__typeof__(&name))next(&real_##name, #name))

enum { MAX_PATH = 128, MAX_VARIABLES = 4096, MAX_ARGUMENTS = 4096 };

static struct shim_page *page; /* NULL: do nothing */
static uint32_t *original;     /* not 0, but 0 in a forked copy of this process */
static char page_variable[sizeof(SHIM_VARIABLE) + MAX_PATH]; /* "LAGPROF_SHIM=…" */
static char library[MAX_PATH];                               /* our own path in LD_PRELOAD */
static struct stat library_file;
static __thread struct shim_thread *mine __attribute__((tls_model("initial-exec")));
static __thread int searched __attribute__((tls_model("initial-exec")));

static void *real_epoll_wait, *real_epoll_pwait, *real_poll, *real_ppoll, *real_select,
	*real_pselect, *real_listen, *real_execve, *real_execvpe, *real_fexecve;

/* The function that we stand in front of. */
static void *next(void **known, const char *name)
{
	if (!*known)
		*known = dlsym(RTLD_NEXT, name);
	return *known;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The slot of this thread: its own from earlier, or a free one. */
static struct shim_thread *find_slot(void)
{
	uint32_t tid = (uint32_t)syscall(SYS_gettid);

	for (uint32_t i = 0; i < SHIM_THREADS; i++) {
		struct shim_thread *t = &page->threads[(tid + i) % SHIM_THREADS];
		uint32_t none = 0;

		if (__atomic_compare_exchange_n(&t->tid, &none, tid, 0, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE) ||
		    none == tid)
			return t;
	}
	return NULL;
}

static struct shim_thread *slot(void)
{
	/* A forked copy writes nothing. */
	if (!page || page->off || !*original)
		return NULL;
	if (!searched) {
		searched = 1;
		mine = find_slot();
	}
	return mine;
}

/* hist_bucket() of core/hist.c. */
static size_t bucket(uint64_t ns)
{
	int exp = 63 - __builtin_clzll(ns | 1);

	if (ns < HIST_SUB)
		return (size_t)ns;
	if (exp >= HIST_MAX_EXP)
		return HIST_BUCKETS - 1;
	return (size_t)(exp - HIST_SUB_BITS + 1) * HIST_SUB +
	       (size_t)((ns >> (exp - HIST_SUB_BITS)) & (HIST_SUB - 1));
}

static void end_turn(struct shim_thread *t, uint64_t now)
{
	uint64_t length = now - t->turn_start;
	struct shim_turn *turn = &t->longs[t->n_long % SHIM_LONG];

	t->turns++;
	t->busy += length;
	t->lag[bucket(length)]++;
	if (t->turns == 1 || length < t->min)
		t->min = length;
	if (length > t->max)
		t->max = length;
	if (length < page->threshold)
		return;
	*turn = (struct shim_turn){ t->turn_start, now };
	__atomic_store_n(&t->n_long, t->n_long + 1, __ATOMIC_RELEASE);
}

static void see_other(struct shim_thread *t, uint64_t key, uint64_t sp, uint64_t now)
{
	t->other_key = key;
	t->other_sp = sp;
	t->other_at = now;
	__atomic_store_n(&t->others, t->others + 1, __ATOMIC_RELEASE);
}

/* A poll begins: NULL, or the slot if it is the loop's. */
static struct shim_thread *enter(uint64_t key, uint64_t sp)
{
	struct shim_thread *t = slot();
	uint64_t now, want;

	if (!t)
		return NULL;
	now = now_ns();
	want = __atomic_load_n(&t->key, __ATOMIC_RELAXED);
	if (want != key && !(want == POLL_KEY_ANY_POLL && POLL_KEY_CLASS(key) == 0)) {
		see_other(t, key, sp, now);
		if (want)
			return NULL;
		t->key = key;
	}
	if (!t->first_poll)
		t->first_poll = now;
	if (t->turn_start)
		end_turn(t, now);
	t->turn_start = 0;
	__atomic_store_n(&t->poll_start, now, __ATOMIC_RELEASE);
	return t;
}

static void leave(struct shim_thread *t)
{
	uint64_t now;

	if (!t)
		return;
	now = now_ns();
	t->polled += now - t->poll_start;
	t->poll_start = 0;
	__atomic_store_n(&t->turn_start, now, __ATOMIC_RELEASE);
}

#define HERE ((uint64_t)(uintptr_t)__builtin_frame_address(0))

EXPORT int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
	struct shim_thread *t = enter(POLL_KEY_EPOLL | (uint32_t)fd, HERE);
	int ret = REAL(epoll_wait)(fd, events, max, timeout);

	leave(t);
	return ret;
}

EXPORT int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout,
		       const sigset_t *mask)
{
	struct shim_thread *t = enter(POLL_KEY_EPOLL | (uint32_t)fd, HERE);
	int ret = REAL(epoll_pwait)(fd, events, max, timeout, mask);

	leave(t);
	return ret;
}

/* Not in every libc: looked up by name, never linked. */
static void *real_epoll_pwait2;
typedef int epoll_pwait2_fn(int, struct epoll_event *, int, const struct timespec *,
			    const sigset_t *);
EXPORT int epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *timeout,
			const sigset_t *mask)
{
	struct shim_thread *t = enter(POLL_KEY_EPOLL | (uint32_t)fd, HERE);
	epoll_pwait2_fn *real = next(&real_epoll_pwait2, "epoll_pwait2");
	int ret = real(fd, events, max, timeout, mask);

	leave(t);
	return ret;
}

EXPORT int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct shim_thread *t = enter(HERE, HERE);
	int ret = REAL(poll)(fds, n, timeout);

	leave(t);
	return ret;
}

EXPORT int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	struct shim_thread *t = enter(HERE, HERE);
	int ret = REAL(ppoll)(fds, n, timeout, mask);

	leave(t);
	return ret;
}

/* What a program compiled with _FORTIFY_SOURCE calls instead. */
EXPORT int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size);
EXPORT int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size)
{
	struct shim_thread *t = enter(HERE, HERE);
	int ret;

	if (size / sizeof(*fds) < n)
		__builtin_trap();
	ret = REAL(poll)(fds, n, timeout);
	leave(t);
	return ret;
}

EXPORT int select(int n, fd_set *in, fd_set *out, fd_set *other, struct timeval *timeout)
{
	struct shim_thread *t = enter(HERE, HERE);
	int ret = REAL(select)(n, in, out, other, timeout);

	leave(t);
	return ret;
}

EXPORT int pselect(int n, fd_set *in, fd_set *out, fd_set *other, const struct timespec *timeout,
		   const sigset_t *mask)
{
	struct shim_thread *t = enter(HERE, HERE);
	int ret = REAL(pselect)(n, in, out, other, timeout, mask);

	leave(t);
	return ret;
}

EXPORT int listen(int fd, int backlog)
{
	if (slot() && !page->listen_at)
		page->listen_at = now_ns();
	return REAL(listen)(fd, backlog);
}

/* lagprof may have ended without a word, and its id may be another process's by now. */
static int library_is_there(void)
{
	struct stat st;

	/* stat() is no function of its own in older versions of glibc. */
	return syscall(SYS_stat, library, &st) == 0 && st.st_dev == library_file.st_dev &&
	       st.st_ino == library_file.st_ino;
}

/*
 * The target runs another program in its place: that one is to have the library
 * again.  Returns env, or a longer copy in `room`.
 */
static char *const *with_shim(char *const *env, char **room, char *preload, size_t size)
{
	size_t n = 0, len = strlen(library);
	const char *theirs = NULL;

	if (!page || page->off || (uint32_t)getpid() != page->pid || !env || !library_is_there())
		return env;
	for (char *const *v = env; *v; v++) {
		if (n == MAX_VARIABLES - 3)
			return env;
		if (strncmp(*v, "LD_PRELOAD=", 11) == 0)
			theirs = *v + 11;
		else
			room[n++] = *v;
	}
	if (theirs && strlen(theirs) + len + 13 > size)
		return env;
	memcpy(preload, "LD_PRELOAD=", 11);
	memcpy(preload + 11, library, len + 1);
	if (theirs && *theirs) {
		preload[11 + len] = ':';
		memcpy(preload + 12 + len, theirs, strlen(theirs) + 1);
	}
	room[n++] = preload;
	room[n++] = page_variable;
	room[n] = NULL;
	return room;
}

#define WITH_SHIM(env) with_shim((env), (char *[MAX_VARIABLES]){ NULL }, (char[4096]){ 0 }, 4096)

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	return REAL(execve)(path, argv, WITH_SHIM(envp));
}

EXPORT int execv(const char *path, char *const argv[])
{
	return REAL(execve)(path, argv, WITH_SHIM(environ));
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	return REAL(execvpe)(file, argv, WITH_SHIM(envp));
}

EXPORT int execvp(const char *file, char *const argv[])
{
	return REAL(execvpe)(file, argv, WITH_SHIM(environ));
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	return REAL(fexecve)(fd, argv, WITH_SHIM(envp));
}

/* The arguments of execl() and its likes, up to and with the NULL. */
#define GATHER(argv, first, list)                            \
	do {                                                 \
		size_t n_ = 0;                               \
		va_start(list, first);                       \
		(argv)[n_++] = (char *)(uintptr_t)(first);   \
		while (n_ < MAX_ARGUMENTS && (argv)[n_ - 1]) \
			(argv)[n_++] = va_arg(list, char *); \
		(argv)[MAX_ARGUMENTS] = NULL;                \
	} while (0)

EXPORT int execl(const char *path, const char *arg, ...)
{
	char *argv[MAX_ARGUMENTS + 1];
	va_list list;

	GATHER(argv, arg, list);
	va_end(list);
	return execv(path, argv);
}

EXPORT int execlp(const char *file, const char *arg, ...)
{
	char *argv[MAX_ARGUMENTS + 1];
	va_list list;

	GATHER(argv, arg, list);
	va_end(list);
	return execvp(file, argv);
}

EXPORT int execle(const char *path, const char *arg, ...)
{
	char *argv[MAX_ARGUMENTS + 1];
	char *const *envp;
	va_list list;

	GATHER(argv, arg, list);
	envp = va_arg(list, char *const *);
	va_end(list);
	return execve(path, argv, envp);
}

static char **variable(const char *name)
{
	size_t len = strlen(name);

	for (char **v = environ; v && *v; v++)
		if (strncmp(*v, name, len) == 0 && (*v)[len] == '=')
			return v;
	return NULL;
}

static void remove_variable(char **v)
{
	for (; *v; v++)
		v[0] = v[1];
}

/* Leaves in LD_PRELOAD what the user had there; ours is the first entry. */
static void clean_preload(void)
{
	char **v = variable("LD_PRELOAD");
	char *entry = v ? *v + strlen("LD_PRELOAD=") : NULL;
	size_t len = entry ? strcspn(entry, ": ") : 0;

	if (len == 0 || len >= sizeof(library))
		return;
	memcpy(library, entry, len);
	library[len] = '\0';
	if (entry[len])
		memmove(entry, entry + len + 1, strlen(entry + len + 1) + 1);
	else
		remove_variable(v);
}

static struct shim_page *map_page(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct shim_page *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (lseek(fd, 0, SEEK_END) == (off_t)sizeof(*p))
		p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return NULL;
	if (p->magic == SHIM_MAGIC && p->pid == (uint32_t)getpid())
		return p;
	munmap(p, sizeof(*p));
	return NULL;
}

/* A word that the kernel clears in every child that fork() makes, however it is called. */
static uint32_t *map_original(void)
{
	enum { PAGE = 4096 };
	uint32_t *word =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (word == MAP_FAILED)
		return NULL;
	if (madvise(word, PAGE, MADV_WIPEONFORK) < 0) {
		munmap(word, PAGE);
		return NULL;
	}
	*word = 1;
	return word;
}

__attribute__((constructor)) static void load(void)
{
	char **v = variable(SHIM_VARIABLE);
	struct shim_page *p;

	if (!v || strlen(*v) >= sizeof(page_variable))
		return;
	memcpy(page_variable, *v, strlen(*v) + 1);
	remove_variable(v);
	clean_preload();
	syscall(SYS_stat, library, &library_file);
	p = map_page(page_variable + sizeof(SHIM_VARIABLE));
	original = p ? map_original() : NULL;
	if (!original)
		return;
	/* The threads of the program before are gone. */
	for (size_t i = 0; i < SHIM_THREADS; i++)
		memset(&p->threads[i], 0, offsetof(struct shim_thread, lag));
	p->loads++;
	page = p;
}
