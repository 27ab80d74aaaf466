/* breaker.c: see breaker.h. */
#include "watch/breaker.h"

bool breaker_may(struct breaker *b, txw_time now)
{
	if (b->state == BREAKER_OPEN && now >= b->until) {
		b->state = BREAKER_HALF_OPEN;
		b->is_probing = false;
	}
	if (b->state == BREAKER_HALF_OPEN)
		return !b->is_probing;
	return b->state == BREAKER_CLOSED;
}

void breaker_began(struct breaker *b)
{
	if (b->state == BREAKER_HALF_OPEN)
		b->is_probing = true;
}

bool breaker_good(struct breaker *b)
{
	bool was_down = b->state != BREAKER_CLOSED;
	b->state = BREAKER_CLOSED;
	b->failures = 0;
	b->is_probing = false;
	return was_down;
}

bool breaker_bad(struct breaker *b, txw_time now)
{
	b->failures++;
	if (b->state == BREAKER_CLOSED && b->failures < b->limit)
		return false;
	bool first = b->state == BREAKER_CLOSED;
	/* Late failures of calls begun before it opened do not prolong it. */
	if (b->state != BREAKER_OPEN)
		b->until = now + b->pause;
	b->state = BREAKER_OPEN;
	b->is_probing = false;
	return first;
}
