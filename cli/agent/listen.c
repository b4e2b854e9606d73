#include "cli/agent/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 16 };

static int refuse(const char *address, struct error *err)
{
	error_set(err, -EINVAL, "--listen: \"%s\" is not ADDRESS:PORT or unix:PATH", address);
	return error_fix(err, "--listen 127.0.0.1:9095");
}

static int fail(const char *address, struct error *err)
{
	int code = errno;

	error_set(err, -code, "cannot listen on %s: %s", address, strerror(code));
	return code == EADDRINUSE ? error_fix(err, "another port, or end who listens there")
				  : -code;
}

/* Left behind by one that was killed: nobody answers there. */
static void remove_stale(const struct sockaddr_un *un)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (lstat(un->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    connect(fd, (const struct sockaddr *)un, sizeof(*un)) < 0 && errno == ECONNREFUSED)
		unlink(un->sun_path);
	close(fd);
}

static int listen_unix(struct listening *l, const char *path, struct error *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	mode_t before;
	int ret;

	if (!path[0] || strlen(path) >= sizeof(un.sun_path)) {
		error_set(err, -EINVAL, "--listen: the path of a socket has 1 to %zu bytes",
			  sizeof(un.sun_path) - 1);
		return error_fix(err, "--listen unix:/run/lagprof.sock");
	}
	strcpy(un.sun_path, path);
	remove_stale(&un);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	before = umask(0177);
	ret = l->fd < 0 ? -1 : bind(l->fd, (const struct sockaddr *)&un, sizeof(un));
	umask(before);
	if (ret < 0)
		return fail(path, err);
	snprintf(l->path, sizeof(l->path), "%s", path);
	snprintf(l->url, sizeof(l->url), "unix:%s", path);
	l->local = true;
	return listen(l->fd, BACKLOG) < 0 ? fail(path, err) : 0;
}

static bool is_loopback(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)a;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	return a->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

/* The port that was given may have been 0: any. */
static void put_url(struct listening *l)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	char host[64], port[16];

	if (getsockname(l->fd, (struct sockaddr *)&a, &len) == 0 &&
	    getnameinfo((struct sockaddr *)&a, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(l->url, sizeof(l->url),
			 strchr(host, ':') ? "http://[%s]:%s/" : "http://%s:%s/", host, port);
}

static int listen_inet(struct listening *l, const char *address, const struct addrinfo *a,
		       struct error *err)
{
	static const int on = 1;

	l->local = is_loopback(a->ai_addr);
	l->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0 || setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(l->fd, a->ai_addr, a->ai_addrlen) < 0 || listen(l->fd, BACKLOG) < 0)
		return fail(address, err);
	put_url(l);
	return 0;
}

/* "[::1]:9095" into its parts. */
static bool split(const char *address, char host[256], const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon ? (size_t)(colon - address) : 0;

	if (len == 0 || len > 255 || !colon[1] ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	*port = colon + 1;
	if (address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	snprintf(host, 256, "%.*s", (int)len, address);
	return strlen(*port) <= 5;
}

int listen_on(struct listening *l, const char *address, bool allowed, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *found;
	char host[256];
	const char *port;
	int ret;

	*l = (struct listening){ .fd = -1 };
	if (strncmp(address, "unix:", 5) == 0)
		return listen_unix(l, address + 5, err);
	if (!split(address, host, &port))
		return refuse(address, err);
	ret = getaddrinfo(host, port, &hints, &found);
	if (ret != 0)
		return error_set(err, -EINVAL, "--listen: %s: %s", address, gai_strerror(ret));
	if (is_loopback(found->ai_addr) || allowed) {
		ret = listen_inet(l, address, found, err);
	} else {
		ret = error_set(
			err, -EPERM,
			"--listen: other machines can reach %s, and whoever asks is answered",
			address);
		error_fix(err, "--listen 127.0.0.1:%s, or add --expose", port);
	}
	freeaddrinfo(found);
	return ret;
}

void listen_end(struct listening *l)
{
	if (l->fd >= 0)
		close(l->fd);
	if (l->path[0])
		unlink(l->path);
}
