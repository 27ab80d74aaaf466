/* schedule.c: see schedule.h. */
#include "engine/schedule.h"

#include "base/str.h"

static struct cadence cadence_of(const struct flow_entry *entry, const txw_tx *tx)
{
	struct cadence c = entry->cadence;
	uint32_t i = flow_find(entry->flow, tx->status);
	if (i >= entry->flow->n_states)
		return c;
	const struct cadence *own = &entry->flow->states[i].cadence;
	if (own->every)
		c.every = own->every;
	if (own->slow_to)
		c.slow_to = own->slow_to;
	if (own->first_after)
		c.first_after = own->first_after;
	if (own->multiplier_milli)
		c.multiplier_milli = own->multiplier_milli;
	return c;
}

int64_t schedule_interval(const struct flow_entry *entry, const txw_tx *tx)
{
	if (!flows_polls(entry, tx))
		return 0;
	struct cadence c = cadence_of(entry, tx);
	int64_t v = c.every;
	if (c.slow_to <= c.every)
		return v;
	for (int64_t n = 0; n < tx->polls && v < c.slow_to; n++) {
		int64_t longer = v / 1000 * c.multiplier_milli;
		if (longer <= v)
			break;
		v = longer;
	}
	return v < c.slow_to ? v : c.slow_to;
}

/* splitmix64's finaliser: jitter is the same for the same row and poll, so
 * that a site on the virtual clock repeats itself. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static int64_t jittered(const struct flow_entry *entry, const txw_tx *tx, int64_t v)
{
	int64_t width = v / 1000 * entry->jitter_milli;
	if (width <= 0)
		return v;
	uint64_t r = mix(tx->id.lo ^ mix((uint64_t)(tx->polls + tx->version * 1024)));
	return v - width + (int64_t)(r % (uint64_t)(2 * width + 1));
}

void schedule_due(const struct flow_entry *entry, txw_tx *tx)
{
	txw_time due = 0;
	if (tx->outcome == TXW_OPEN && !tx->paused) {
		txw_time warns = schedule_warning(entry, tx);
		due = tx->next_poll_at;
		if (tx->expires_at && (due == 0 || tx->expires_at < due))
			due = tx->expires_at;
		if (warns && warns < due)
			due = warns;
	}
	tx->due_at = due;
}

txw_time schedule_warning(const struct flow_entry *entry, const txw_tx *tx)
{
	if (tx->warned == tx->expires_at)
		return 0;
	return flow_warns_at(entry->flow, flow_find(entry->flow, tx->status), tx->expires_at);
}

void schedule_enter(const struct flow_entry *entry, txw_tx *tx, txw_time now)
{
	schedule_next(entry, tx, now, cadence_of(entry, tx).first_after > 0);
}

void schedule_next(const struct flow_entry *entry, txw_tx *tx, txw_time now, int is_new)
{
	tx->next_poll_at = 0;
	if (flows_polls(entry, tx) && tx->outcome == TXW_OPEN && !tx->paused) {
		int64_t wait = is_new ? cadence_of(entry, tx).first_after
				      : jittered(entry, tx, schedule_interval(entry, tx));
		tx->next_poll_at = now + wait;
		if (!is_new)
			tx->polls++;
	}
	schedule_due(entry, tx);
}
