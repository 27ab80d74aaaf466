/*
 * deadline.c: when a transaction's time is over, what is told before, and
 * where it then goes.
 *
 * A deadline is used up by its passing: who leaves an end state, or is seen
 * in a new one after the flow's ttl, is given time anew, by its state alone.
 * A ttl still counts on the way from one deadline to the next, and when the
 * last look before the expiry brings another open state.
 */
#include "flow/flow.h"

#include "base/str.h"

static txw_time after(txw_time start, int64_t span)
{
	txw_time at;
	if (span <= 0)
		return 0;
	return __builtin_add_overflow(start, span, &at) ? 0 : at;
}

txw_time flow_expires_at(const struct flow *flow, uint32_t state, txw_time created, txw_time since,
			 txw_time absolute)
{
	bool is_known = state < flow->n_states;
	if (is_known && flow->states[state].outcome != TXW_OPEN)
		return 0;
	const txw_time ends[] = {
	    is_known ? after(since, flow->states[state].expires) : 0,
	    created ? after(created, flow->ttl) : 0,
	    absolute,
	};
	txw_time first = 0;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		if (ends[i] && (!first || ends[i] < first))
			first = ends[i];
	return first;
}

uint32_t flow_expiry_to(const struct flow *flow, uint32_t state)
{
	uint32_t to = state < flow->n_states ? flow->states[state].expires_to : flow->expired;
	return to < flow->n_states ? to : flow->expired;
}

txw_time flow_warns_at(const struct flow *flow, uint32_t state, txw_time expires_at)
{
	int64_t before = state < flow->n_states ? flow->states[state].warn_before
						: flow->warn_before;
	return expires_at && before ? expires_at - before : 0;
}

txw_time flow_deadline(const struct flow *flow, uint32_t state, const txw_tx *row, txw_time over)
{
	if (flow_expiry_to(flow, state) >= flow->n_states)
		return 0;
	txw_time ends = after(row->created_at, flow->ttl);
	bool is_used_up = ends && ends <= over;
	return flow_expires_at(flow, state, is_used_up ? 0 : row->created_at, row->status_since,
			       row->deadline);
}

txw_time flow_over(const txw_tx *row, txw_time now)
{
	bool is_due = row->outcome == TXW_OPEN && row->expires_at && row->expires_at <= now;
	return row->version == 0 || is_due ? 0 : now;
}

void flow_enter(const struct flow *flow, uint32_t state, txw_tx *row, txw_time now,
		bool by_deadline)
{
	const struct flow_state *st = &flow->states[state];
	txw_time passed = row->expires_at, over = flow_over(row, now);
	if (row->version && row->outcome != TXW_OPEN && row->deadline <= now)
		row->deadline = 0;
	row->status = st->name;
	row->outcome = st->outcome;
	row->status_since = now;
	row->finished_at = st->outcome == TXW_OPEN ? 0 : now;
	row->anomaly = STR_NONE;
	row->expires_at = flow_deadline(flow, state, row, over);
	if (by_deadline && st->outcome != TXW_OPEN)
		row->expires_at = passed;
}
