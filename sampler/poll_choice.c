#include "sampler/poll_choice.h"

/*
 * A key that matched no more than this was perhaps a nested poll of the
 * start-up; another one that came this often, for this long, is then the loop.
 */
enum { FEW_MATCHES = 3, MANY_OTHERS = 10 };
static const nsec LONG_ENOUGH = 3000000000;

static bool take(struct poll_choice *c, const struct poll_seen *poll)
{
	*c = (struct poll_choice){ .key = poll->key, .sp = poll->sp };
	return true;
}

bool poll_choice_feed(struct poll_choice *c, const struct poll_seen *poll, uint64_t matches,
		      bool key_alive)
{
	if (poll->key == c->key) {
		c->sp = poll->sp; /* reported before the choice took effect */
		return false;
	}
	if (c->key == 0 || !key_alive)
		return take(c, poll);
	/* Called from no deeper than the chosen one: that cannot be inside its turn. */
	if (c->sp && poll->sp >= c->sp)
		return take(c, poll);
	if (poll->key != c->other_key) {
		c->other_key = poll->key;
		c->others = 0;
		c->others_since = poll->at;
	}
	c->others++;
	if (matches <= FEW_MATCHES && c->others >= MANY_OTHERS &&
	    poll->at - c->others_since >= LONG_ENOUGH)
		return take(c, poll);
	return false;
}
