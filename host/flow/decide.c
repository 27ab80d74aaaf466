/*
 * decide.c: what a flow says when a transaction is seen in some status.
 *
 * A pure function of the stored row and the observation. It keeps promise 4
 * (no regression): a late word is STALE, a forbidden move is never applied
 * in silence.
 *
 * A row may be in a state that the flow no longer has, after an edit of the
 * config. There is no rule about leaving such a state, so any declared state
 * is let in; otherwise the transaction would be stuck for ever.
 */
#include "flow/flow.h"

#include "base/buf.h"
#include "base/decimal.h"
#include "base/str.h"

uint32_t flow_find(const struct flow *flow, txw_str name)
{
	uint32_t i = 0;
	while (i < flow->n_states && !str_eq(flow->states[i].name, name))
		i++;
	return i;
}

bool flow_allows(const struct flow *flow, uint32_t from, uint32_t to)
{
	if (from >= flow->n_states)
		return false;
	const struct flow_state *s = &flow->states[from];
	for (uint32_t k = 0; k < s->n_next; k++)
		if (s->next[k] == to)
			return true;
	return false;
}

void flow_allowed_text(const struct flow *flow, uint32_t from, struct buf *out)
{
	if (from >= flow->n_states)
		return;
	const struct flow_state *s = &flow->states[from];
	for (uint32_t k = 0; k < s->n_next; k++) {
		buf_text(out, k ? ", \"" : "\"");
		buf_str(out, flow->states[s->next[k]].name);
		buf_char(out, '"');
	}
}

/* As numbers if both are, else in byte order. */
static int version_cmp(txw_str a, txw_str b)
{
	if (decimal_valid(a) && decimal_valid(b))
		return decimal_cmp(a, b);
	return str_cmp(a, b);
}

static bool is_stale(const txw_tx *row, const struct seen *seen)
{
	if (row->source_version.len && seen->source_version.len)
		return version_cmp(seen->source_version, row->source_version) < 0;
	return row->source_at && seen->source_at && seen->source_at < row->source_at;
}

static uint32_t type_of(const struct flow *flow, bool from_end, uint32_t to, bool by_deadline)
{
	static const uint32_t by_outcome[] = {
	    [TXW_OPEN] = TXW_EV_STATUS_CHANGED, [TXW_SUCCESS] = TXW_EV_SUCCEEDED,
	    [TXW_FAILURE] = TXW_EV_FAILED,      [TXW_OUT_CANCELLED] = TXW_EV_CANCELLED,
	    [TXW_EXPIRED] = TXW_EV_EXPIRED,
	};
	uint32_t outcome = flow->states[to].outcome;
	if (outcome == TXW_OPEN)
		return from_end ? TXW_EV_REOPENED : TXW_EV_STATUS_CHANGED;
	return by_deadline ? TXW_EV_EXPIRED : by_outcome[outcome];
}

uint32_t flow_event_type(const struct flow *flow, uint32_t from, uint32_t to, bool by_deadline)
{
	if (from >= flow->n_states)
		return TXW_EV_CREATED;
	return type_of(flow, flow->states[from].outcome != TXW_OPEN, to, by_deadline);
}

static void object(const txw_tx *row, txw_str word, enum flow_answer told, struct decision *out)
{
	bool is_news = !str_eq(row->anomaly, word);
	out->answer = is_news ? FLOW_ANOMALY : told;
	out->event_type = is_news ? TXW_EV_ANOMALY : 0;
}

/* What the flow says of a move that `next` does not list; false: not made,
 * and *out says how that is answered. */
static bool permits(const struct flow *flow, const txw_tx *row, txw_str word, struct decision *out)
{
	bool is_refused = out->is_late ? flow->late == LATE_REFUSE
				       : flow->illegal == ILLEGAL_REFUSE;
	bool is_recorded = out->is_late ? flow->late == LATE_RECORD
					: flow->illegal == ILLEGAL_RECORD;
	if (is_refused)
		out->answer = FLOW_ILLEGAL;
	else if (is_recorded)
		object(row, word, FLOW_ILLEGAL, out);
	else
		out->is_flagged = !out->is_late;
	return !is_refused && !is_recorded;
}

bool flow_is_expired(const txw_tx *row)
{
	return row->outcome == TXW_EXPIRED || (row->outcome != TXW_OPEN && row->expires_at);
}

void flow_decide(const struct flow *flow, const txw_tx *row, const struct seen *seen,
		 struct decision *out)
{
	uint32_t from = flow_find(flow, row->status);
	uint32_t to = flow_find(flow, seen->status);
	bool is_new = row->status.len == 0;

	*out = (struct decision){.to = to};
	if (to == flow->n_states) {
		object(row, seen->status, FLOW_UNKNOWN, out);
		return;
	}
	if (!is_new && is_stale(row, seen)) {
		out->answer = FLOW_STALE;
		return;
	}
	if (from == to) {
		out->answer = FLOW_SAME;
		return;
	}
	out->is_late = flow_is_expired(row);
	if (from < flow->n_states && !flow_allows(flow, from, to) &&
	    !permits(flow, row, seen->status, out))
		return;
	out->answer = FLOW_CHANGE;
	out->event_type = is_new ? TXW_EV_CREATED
				 : type_of(flow, row->outcome != TXW_OPEN, to, false);
}
