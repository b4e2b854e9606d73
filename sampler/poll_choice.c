#include "sampler/poll_choice.h"

#include "sampler/poll_key.h"

/*
 * A key that matched no more than this was perhaps a nested poll of the
 * start-up; another one that came this often, for this long, is then the loop.
 */
enum { FEW_MATCHES = 3, MANY_OTHERS = 10 };
static const nsec LONG_ENOUGH = 3000000000;
static const nsec VERY_LONG = 30000000000;

static bool take(struct poll_choice *c, const struct poll_seen *poll)
{
	*c = (struct poll_choice){ .key = poll->key, .sp = poll->sp, .ip = poll->ip };
	return true;
}

/*
 * Called from no deeper than the chosen one, which therefore is no caller of it.  But a loop's own
 * function may have a big frame (libuv's has 12 KB of events), so that a call to poll(2) in a
 * callback (the resolver of libc) looks less deep than its epoll_wait.
 */
static bool is_shallower(const struct poll_choice *c, const struct poll_seen *poll)
{
	return c->sp && poll->sp >= c->sp;
}

static bool may_be_callback(const struct poll_choice *c, const struct poll_seen *poll)
{
	return POLL_KEY_CLASS(c->key) != 0 && POLL_KEY_CLASS(poll->key) == 0;
}

/*
 * libc's poll(2) and select(2) have two system calls: with threads, one that can be cancelled, a
 * little deeper on the stack.  The loop itself goes over to it when it starts its first thread.
 * A poll of a callback goes by the same one as the loop's.
 */
static bool is_other_way(const struct poll_choice *c, const struct poll_seen *poll)
{
	enum { ONE_FUNCTION = 512, ONE_FRAME = 256, SAME = 8 };
	uint64_t apart = c->ip > poll->ip ? c->ip - poll->ip : poll->ip - c->ip;

	return POLL_KEY_CLASS(c->key) == 0 && POLL_KEY_CLASS(poll->key) == 0 && c->ip && poll->ip &&
	       apart > SAME && apart < ONE_FUNCTION && poll->sp < c->sp &&
	       c->sp - poll->sp < ONE_FRAME;
}

/* No wait inside a turn lasts that long and polls all the while: it was the loop after all. */
static bool is_worth_taking(struct poll_choice *c, const struct poll_seen *poll)
{
	if (poll->sp > c->sp)
		return true;
	if (c->others++ == 0)
		c->others_since = poll->at;
	return c->others >= MANY_OTHERS && poll->at - c->others_since >= VERY_LONG;
}

void poll_choice_nested(struct poll_choice *c, uint64_t sp)
{
	*c = (struct poll_choice){ .key = POLL_KEY_UNSEEN, .sp = sp };
}

/*
 * Programs poll once or twice as they start: Rust's looks at its standard descriptors.  A loop that
 * has hardly turned and a callback of which has an epoll of its own is rarer, and found out later.
 */
static bool was_startup(const struct poll_choice *c, const struct poll_seen *poll, uint64_t matches)
{
	return POLL_KEY_CLASS(c->key) == 0 && POLL_KEY_CLASS(poll->key) != 0 &&
	       matches <= FEW_MATCHES;
}

bool poll_choice_feed(struct poll_choice *c, const struct poll_seen *poll, uint64_t matches,
		      bool key_alive)
{
	if (poll->key == c->key) {
		/* Reported before the choice took effect. */
		c->sp = poll->sp;
		c->ip = poll->ip;
		return false;
	}
	if (c->key == POLL_KEY_UNSEEN)
		return is_worth_taking(c, poll) && take(c, poll);
	if (c->key == 0 || !key_alive)
		return take(c, poll);
	if (was_startup(c, poll, matches) || is_other_way(c, poll) ||
	    (is_shallower(c, poll) && !may_be_callback(c, poll)))
		return take(c, poll);
	if (poll->key != c->other_key || (is_shallower(c, poll) && matches != c->other_matches)) {
		c->other_key = poll->key;
		c->other_matches = matches;
		c->others = 0;
		c->others_since = poll->at;
	}
	if (++c->others < MANY_OTHERS)
		return false;
	if (is_shallower(c, poll) ||
	    (matches <= FEW_MATCHES && poll->at - c->others_since >= LONG_ENOUGH))
		return take(c, poll);
	return false;
}
