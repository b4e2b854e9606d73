#include "sampler/pool.h"

#include <errno.h>
#include <string.h>

/*
 * A pool at rest is looked at about as often as the session wakes up anyway; one
 * in use more often, for waits are known to the distance of two looks.
 */
static const nsec AT_REST = 20000000, IN_USE = 10000000, BUSY = 4000000;
static const nsec PER_NODE = 40000; /* a longer walk may come less often */

struct list_node {
	uint64_t next, prev;
};

void pool_init(struct pool *p, const struct pool_place *place)
{
	*p = (struct pool){ .place = *place };
}

static int read_count(struct memory *m, uint64_t addr, uint32_t *out)
{
	return memory_read(m, addr, out, sizeof(*out));
}

static int read_threads(const struct pool_place *place, struct memory *m, uint32_t *threads,
			uint32_t *idle)
{
	if (read_count(m, place->nthreads, threads) < 0 ||
	    read_count(m, place->idle_threads, idle) < 0 || *threads > POOL_MAX_THREADS ||
	    *idle > *threads)
		return -EFAULT;
	return 0;
}

/* A head whose neighbours point back at it. */
static bool is_list(struct memory *m, uint64_t head)
{
	struct list_node node, next, prev;

	return memory_read(m, head, &node, sizeof(node)) == 0 &&
	       memory_read(m, node.next, &next, sizeof(next)) == 0 &&
	       memory_read(m, node.prev, &prev, sizeof(prev)) == 0 && next.prev == head &&
	       prev.next == head;
}

bool pool_place_fits(const struct pool_place *place, struct memory *m)
{
	uint32_t threads, idle;

	return read_threads(place, m, &threads, &idle) == 0 && threads > 0 &&
	       is_list(m, place->queue) && is_list(m, place->slow_queue);
}

static bool is_work(const struct pool_place *place, uint64_t node)
{
	return node != place->slow_message && node != place->exit_message;
}

/*
 * The nodes of a queue, oldest first, at most POOL_MAX_WAITING.  Threads change
 * the list meanwhile: -EAGAIN if a node does not follow the one before.
 */
static int walk(struct pool *p, struct memory *m, uint64_t head, uint64_t *nodes, size_t *n)
{
	struct list_node node;
	uint64_t before = head, at;

	*n = 0;
	if (memory_read(m, head, &node, sizeof(node)) < 0)
		return -EFAULT;
	for (at = node.next; at != head && *n < POOL_MAX_WAITING; at = node.next) {
		if (memory_read(m, at, &node, sizeof(node)) < 0 || node.prev != before)
			return -EAGAIN;
		p->closing |= at == p->place.exit_message;
		if (is_work(&p->place, at))
			nodes[(*n)++] = at;
		before = at;
	}
	return 0;
}

static bool is_host(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:")] ==
	       '\0';
}

/* Do the nodes begin with all that is known from `first` on? */
static bool continues(const struct pool_queue *q, size_t first, const uint64_t *nodes, size_t n)
{
	if (q->n - first > n)
		return false;
	for (size_t i = first; i < q->n; i++)
		if (q->work[i].node != nodes[i - first])
			return false;
	return true;
}

/*
 * Work leaves a queue at its front and enters at its end.  So a node that is
 * seen again behind one that was not known is other work at the same address.
 */
static void update(struct pool_queue *q, const uint64_t *nodes, size_t n, nsec between,
		   struct hist *waits)
{
	size_t gone = 0, kept;

	while (!continues(q, gone, nodes, n))
		gone++;
	for (size_t i = 0; i < gone; i++)
		hist_add(waits, between - q->work[i].since);
	kept = q->n - gone;
	for (size_t i = 0; i < kept; i++)
		q->work[i] = q->work[gone + i];
	for (size_t i = kept; i < n; i++)
		q->work[i] = (struct pool_work){ nodes[i], between };
	q->n = n;
}

static void look_at_queue(struct pool *p, int index, struct memory *m, nsec between,
			  struct threadpool *out)
{
	uint64_t head = index ? p->place.slow_queue : p->place.queue;
	uint64_t nodes[POOL_MAX_WAITING];
	size_t n;

	if (walk(p, m, head, nodes, &n) == 0)
		update(&p->queues[index], nodes, n, between, &out->queue_wait);
}

/* The time since the last look belongs half to what was seen then, half to what is seen now. */
static void count(struct pool *p, nsec now, uint32_t threads, uint32_t working,
		  struct threadpool *out)
{
	nsec half = p->last ? (now - p->last) / 2 : 0;
	bool was_full = p->threads && p->working == p->threads;
	bool is_full = threads && working == threads;

	out->known |= threads > 0;
	if (threads > out->size)
		out->size = threads;
	out->observed += half * p->threads + half * threads;
	out->busy += half * p->working + half * working;
	out->saturated += half * was_full + half * is_full;
}

/* Of a request to look up a name, by what libuv's uv_getaddrinfo_t keeps behind its queue's node.
 */
static void read_lookup(struct pool *p, struct memory *m, struct threadpool *out)
{
	enum { HOST_NAME = 2 * 8 + 2 * 8 }; /* behind the node, the callback and the hints */
	char host[sizeof(out->lookup_host)];
	uint64_t addr;

	if (memory_read(m, p->queues[1].work[0].node + HOST_NAME, &addr, sizeof(addr)) == 0 &&
	    memory_read_string(m, addr, host, sizeof(host)) > 0 && is_host(host))
		memcpy(out->lookup_host, host, sizeof(host));
}

/* Look-ups that wait, whatever the other half of the threads does. */
static void count_lookups(struct pool *p, struct memory *m, nsec between, nsec now,
			  struct threadpool *out)
{
	nsec since = p->lookups ? p->last : between;

	p->lookups = p->queues[1].n > 0;
	if (!p->lookups)
		return;
	out->lookups += now - since;
	read_lookup(p, m, out);
}

/* Looks at even distances could fall into step with a timer of the target. */
static nsec uneven(uint64_t look, nsec mean)
{
	const nsec golden = 618;

	return mean * 3 / 4 + mean / 2 * (look * golden % 1000) / 1000;
}

static size_t waiting(const struct pool *p)
{
	return p->queues[0].n + p->queues[1].n;
}

static bool is_busy(const struct pool *p)
{
	return waiting(p) || (p->threads && p->working == p->threads);
}

static nsec distance(const struct pool *p)
{
	if (is_busy(p))
		return BUSY + waiting(p) * PER_NODE;
	return p->working ? IN_USE : AT_REST;
}

/* How close to each other the looks were, in the time that matters. */
static void measure(struct pool *p, nsec now, struct threadpool *out)
{
	if (!p->last || !is_busy(p))
		return;
	p->close += now - p->last;
	p->n_close++;
	out->resolution = p->close / p->n_close;
}

int pool_look(struct pool *p, struct memory *m, nsec now, struct threadpool *out)
{
	nsec between = p->last ? p->last + (now - p->last) / 2 : now;
	uint32_t threads, idle;

	p->next = now + AT_REST;
	if (read_threads(&p->place, m, &threads, &idle) < 0)
		return -EFAULT;
	measure(p, now, out);
	/* Before it is started, its queues are no lists yet. */
	for (int i = 0; i < POOL_QUEUES && threads; i++)
		look_at_queue(p, i, m, between, out);
	if (p->closing)
		return 0;
	count(p, now, threads, threads - idle, out);
	count_lookups(p, m, between, now, out);
	p->threads = threads;
	p->working = threads - idle;
	p->last = now;
	p->next = now + uneven(++p->looks, distance(p));
	return 0;
}

void pool_finish(struct pool *p, struct threadpool *out)
{
	for (int i = 0; i < POOL_QUEUES; i++) {
		for (size_t k = 0; k < p->queues[i].n; k++)
			hist_add(&out->queue_wait, p->last - p->queues[i].work[k].since);
		p->queues[i].n = 0;
	}
}
