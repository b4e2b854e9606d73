#include "sampler/in_hand.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* "10.0.0.7:51234", interned; NULL: a descriptor of another kind, or no right to ask. */
static const char *peer_of(const struct target *target, struct recording *rec, int fd)
{
	struct sockaddr_storage addr = { 0 };
	const struct sockaddr_in *v4 = (void *)&addr;
	const struct sockaddr_in6 *v6 = (void *)&addr;
	char host[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];
	socklen_t len = sizeof(addr);
	/* A second descriptor of the socket, for a moment. */
	int copy = fd >= 0 ? (int)syscall(SYS_pidfd_getfd, target->pidfd, fd, 0) : -1;
	bool known = copy >= 0 && getpeername(copy, (void *)&addr, &len) == 0;

	if (copy >= 0)
		close(copy);
	if (known && addr.ss_family == AF_INET &&
	    inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host)))
		snprintf(text, sizeof(text), "%s:%u", host, ntohs(v4->sin_port));
	else if (known && addr.ss_family == AF_INET6 &&
		 inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host)))
		snprintf(text, sizeof(text), "[%s]:%u", host, ntohs(v6->sin6_port));
	else
		return NULL;
	return recording_intern(rec, text);
}

bool in_hand_due(struct in_hand *h)
{
	if (++h->skipped < h->stride)
		return false;
	h->skipped = 0;
	return true;
}

/* Every second one goes, and from now on half as many come. */
static void thin(struct in_hand *h)
{
	for (size_t i = 0; i < IN_HAND_MAX / 2; i++)
		h->seen[i] = h->seen[2 * i];
	h->n = IN_HAND_MAX / 2;
	h->stride = h->stride ? h->stride * 2 : 2;
}

/* Asked for once a request of a turn: -1 if it was not yet. */
static int same_as(const struct in_hand *h, const char *text)
{
	for (size_t i = h->n; text && i-- > 0;)
		if (h->seen[i].text == text)
			return (int)i;
	return -1;
}

void in_hand_add(struct in_hand *h, const struct target *target, struct recording *rec, nsec at,
		 const struct request *request)
{
	const char *text = request ? recording_intern(rec, request->text) : NULL;
	const char *peer = NULL;
	int same = same_as(h, text);

	if (same >= 0)
		peer = h->seen[same].peer;
	else if (request)
		peer = peer_of(target, rec, request->fd);
	if (h->n == IN_HAND_MAX)
		thin(h);
	h->seen[h->n].at = at;
	h->seen[h->n].text = text;
	h->seen[h->n].peer = peer;
	h->seen[h->n].confidence = request ? request->confidence : 0;
	h->n++;
}

static size_t count(const struct in_hand *h, const struct turn *turn, const char *text, bool any)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += h->seen[i].at >= turn->start && h->seen[i].at < turn->end &&
		     (any || h->seen[i].text == text);
	return n;
}

void in_hand_settle(const struct in_hand *h, const struct turn *turn, struct stall *stall)
{
	size_t all = count(h, turn, NULL, true), best = 0, votes = 0;

	for (size_t i = 0; i < h->n; i++) {
		size_t n = h->seen[i].text ? count(h, turn, h->seen[i].text, false) : 0;

		if (n > votes) {
			votes = n;
			best = i;
		}
	}
	stall->request = stall->peer = NULL;
	stall->confidence = 0;
	/* The others are those of a timer, or of many requests in one turn. */
	if (2 * votes <= all)
		return;
	stall->request = h->seen[best].text;
	stall->peer = h->seen[best].peer;
	stall->confidence = h->seen[best].confidence * (double)votes / (double)all;
}

void in_hand_forget(struct in_hand *h, nsec at)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++)
		if (h->seen[i].at >= at)
			h->seen[kept++] = h->seen[i];
	h->n = kept;
	if (kept == 0)
		h->stride = h->skipped = 0;
}
