#include "sampler/syscall_args.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"

enum {
	PEERS = 16,
	NET_LINES_MAX = 1 << 16, /* of a table of connections: about 10 MB */
};

static const nsec FILE_STAYS = 10000000;    /* ns, as long as lagprof lags on a free machine */
static const nsec OTHERS_STAY = 1000000000; /* ns */

/* A remembered socket. */
struct peer {
	unsigned long inode;
	const char *address; /* interned; NULL: it has none */
};

struct syscall_args {
	int proc;
	struct recording *rec;
	struct peer peers[PEERS];
	size_t next;
};

enum meaning {
	MEANS_DESCRIPTOR = 1, /* the first argument is one */
	MEANS_DURATION,       /* it sleeps because it was asked to */
	MEANS_SELECT,         /* so it does if the first argument, a number of descriptors, is 0 */
	MEANS_POLL,           /* the second one */
};

static const struct {
	int number;
	enum meaning meaning;
} calls[] = {
	/* clang-format off */
	{ SYS_read, MEANS_DESCRIPTOR },      { SYS_write, MEANS_DESCRIPTOR },
	{ SYS_pread64, MEANS_DESCRIPTOR },   { SYS_pwrite64, MEANS_DESCRIPTOR },
	{ SYS_readv, MEANS_DESCRIPTOR },     { SYS_writev, MEANS_DESCRIPTOR },
	{ SYS_preadv, MEANS_DESCRIPTOR },    { SYS_pwritev, MEANS_DESCRIPTOR },
	{ SYS_preadv2, MEANS_DESCRIPTOR },   { SYS_pwritev2, MEANS_DESCRIPTOR },
	{ SYS_fsync, MEANS_DESCRIPTOR },     { SYS_fdatasync, MEANS_DESCRIPTOR },
	{ SYS_ftruncate, MEANS_DESCRIPTOR }, { SYS_fallocate, MEANS_DESCRIPTOR },
	{ SYS_getdents, MEANS_DESCRIPTOR },  { SYS_getdents64, MEANS_DESCRIPTOR },
	{ SYS_flock, MEANS_DESCRIPTOR },     { SYS_ioctl, MEANS_DESCRIPTOR },
	{ SYS_sendfile, MEANS_DESCRIPTOR },  { SYS_close, MEANS_DESCRIPTOR },
	{ SYS_connect, MEANS_DESCRIPTOR },   { SYS_accept, MEANS_DESCRIPTOR },
	{ SYS_accept4, MEANS_DESCRIPTOR },   { SYS_sendto, MEANS_DESCRIPTOR },
	{ SYS_recvfrom, MEANS_DESCRIPTOR },  { SYS_sendmsg, MEANS_DESCRIPTOR },
	{ SYS_recvmsg, MEANS_DESCRIPTOR },   { SYS_sendmmsg, MEANS_DESCRIPTOR },
	{ SYS_recvmmsg, MEANS_DESCRIPTOR },
	{ SYS_nanosleep, MEANS_DURATION },   { SYS_clock_nanosleep, MEANS_DURATION },
	{ SYS_select, MEANS_SELECT },        { SYS_pselect6, MEANS_SELECT },
	{ SYS_poll, MEANS_POLL },            { SYS_ppoll, MEANS_POLL },
	/* clang-format on */
};

struct syscall_args *syscall_args_new(int proc, struct recording *rec)
{
	struct syscall_args *a = xcalloc(1, sizeof(*a));

	a->proc = proc;
	a->rec = rec;
	return a;
}

void syscall_args_free(struct syscall_args *a)
{
	free(a);
}

static void put_address(const char *hex, unsigned port, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN] = "?";
	uint32_t words[4];

	/* Words of the address in network order, each printed as a number of this machine. */
	if (strlen(hex) == 8 && sscanf(hex, "%8x", &words[0]) == 1) {
		inet_ntop(AF_INET, words, text, sizeof(text));
		snprintf(out, size, "%s:%u", text, port);
	} else if (sscanf(hex, "%8x%8x%8x%8x", &words[0], &words[1], &words[2], &words[3]) == 4) {
		inet_ntop(AF_INET6, words, text, sizeof(text));
		snprintf(out, size, "[%s]:%u", text, port);
	}
}

bool net_line_peer(const char *line, unsigned long inode, char *out, size_t size)
{
	unsigned long found;
	char remote[33];
	unsigned port;

	if (sscanf(line,
		   " %*d: %*32[0-9A-Fa-f]:%*x %32[0-9A-Fa-f]:%x %*x %*x:%*x %*x:%*x %*x %*u %*u "
		   "%lu",
		   remote, &port, &found) != 3 ||
	    found != inode || port == 0)
		return false;
	put_address(remote, port, out, size);
	return true;
}

static FILE *open_table(const struct syscall_args *a, const char *name)
{
	int fd = openat(a->proc, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file && fd >= 0)
		close(fd);
	return file;
}

static const char *look_up_peer(struct syscall_args *a, unsigned long inode)
{
	static const char *const tables[] = { "net/tcp", "net/tcp6", "net/udp", "net/udp6" };
	char line[512], address[64];

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		FILE *file = open_table(a, tables[i]);
		bool found = false;

		for (int n = 0; file && !found && n < NET_LINES_MAX; n++) {
			if (!fgets(line, sizeof(line), file))
				break;
			found = net_line_peer(line, inode, address, sizeof(address));
		}
		if (file)
			fclose(file);
		if (found)
			return recording_intern(a->rec, address);
	}
	return NULL;
}

/* A loop talks to few others inside its turns; the tables may be long. */
static const char *peer_of(struct syscall_args *a, unsigned long inode)
{
	struct peer *p;

	for (size_t i = 0; i < PEERS; i++)
		if (a->peers[i].inode == inode)
			return a->peers[i].address;
	p = &a->peers[a->next++ % PEERS];
	*p = (struct peer){ inode, look_up_peer(a, inode) };
	return p->address;
}

static nsec read_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (nsec)ts.tv_sec * 1000000000 + (nsec)ts.tv_nsec;
}

/*
 * Descriptors are looked up after the call, and the next file gets the number of the one that was
 * closed: soon after it is the same file still.  Connections and pipes stay open for longer.
 */
static bool is_same_still(const char *link, const struct sleep *sleep)
{
	nsec limit = link[0] == '/' ? FILE_STAYS : OTHERS_STAY;

	return sleep->to == 0 || read_clock() < sleep->to + limit;
}

static size_t describe(struct syscall_args *a, const struct sleep *sleep, struct argument *out)
{
	uint64_t fd = sleep->args[0];
	char name[32], link[512];
	unsigned long inode;
	const char *peer;
	size_t n = 0;
	ssize_t len;

	if (fd > INT32_MAX)
		return 0;
	snprintf(name, sizeof(name), "fd/%d", (int)fd);
	len = readlinkat(a->proc, name, link, sizeof(link) - 1);
	if (len <= 0)
		return 0;
	link[len] = '\0';
	if (!is_same_still(link, sleep))
		return 0;
	out[n++] =
		(struct argument){ .key = ARG_DESCRIPTOR, .text = recording_intern(a->rec, link) };
	if (link[0] == '/' && strncmp(link, "/dev/", 5) != 0)
		out[n++] = (struct argument){ .key = ARG_PATH, .text = out[0].text };
	if (sscanf(link, "socket:[%lu]", &inode) == 1 && (peer = peer_of(a, inode)))
		out[n++] = (struct argument){ .key = ARG_PEER, .text = peer };
	return n;
}

static bool asks_for_time(enum meaning meaning, const struct sleep *sleep)
{
	return meaning == MEANS_DURATION ||
	       (uint32_t)sleep->args[meaning == MEANS_POLL ? 1 : 0] == 0;
}

size_t syscall_args_of(struct syscall_args *a, const struct sleep *sleep, struct argument *out)
{
	size_t i = 0, n = sizeof(calls) / sizeof(calls[0]);

	while (i < n && calls[i].number != sleep->syscall)
		i++;
	if (i == n)
		return 0;
	if (calls[i].meaning == MEANS_DESCRIPTOR)
		return describe(a, sleep, out);
	if (!asks_for_time(calls[i].meaning, sleep))
		return 0;
	out[0] = (struct argument){ .key = ARG_DURATION,
				    .number = (int64_t)(sleep->to - sleep->from) };
	return sleep->to > sleep->from;
}
