/*
 * op.c: what an operation does to a transaction, inside a unit.
 *
 * Every operation is: load the row, let the flow decide, and either say why
 * not or save the row and append the event. The row's last_seq is known
 * before the append, because the engine is the log's one writer.
 */
#include "engine/op.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/id.h"
#include "base/row.h"
#include "base/str.h"
#include "engine/audit.h"
#include "engine/change.h"
#include "engine/flows.h"
#include "engine/redact.h"
#include "engine/schedule.h"

static void result(struct change *c, enum op_result r)
{
	c->op->result = r;
}

static void because(struct change *c, enum op_result r, const char *why)
{
	c->op->result = r;
	c->op->why = why;
}

/* ---- writing ---- */

/* Moves the row from the count it is in to the one it belongs to. */
static void count_row(struct change *c)
{
	const txw_tx *row = c->row;
	if (c->counted_outcome == row->outcome && str_eq(c->counted_status, row->status))
		return;
	if (c->counted_status.len)
		counts_now(c->unit, row, c->counted_status, c->counted_outcome, -1);
	counts_now(c->unit, row, row->status, row->outcome, 1);
	c->counted_status = row->status;
	c->counted_outcome = row->outcome;
}

/* Saves c->row as its next version with an event of that type; `from` is the
 * status before. */
static int32_t commit_row(struct change *c, uint32_t type, txw_str from, struct err *e)
{
	struct op *op = c->op;
	struct unit *u = c->unit;
	txw_tx *row = c->row;
	int64_t prev = row->last_seq, last;
	int32_t rc = unit_last_seq(u, &last, e);
	if (rc < 0)
		return rc;
	row->version++;
	row->updated_at = u->now;
	row->last_seq = last + 1;
	if (op->n_told < sizeof(op->told) / sizeof(op->told[0]))
		op->told[op->n_told++] = type;
	if (op->dry_run)
		return 0;
	if ((rc = UNIT_CALL(u, e, save, &row, 1)) < 0)
		return rc;
	unit_note_due(u, row->due_at);
	unit_note_row(u, row->id);
	count_row(c);
	txw_event ev = {
	    .size = sizeof(ev),
	    .type = type,
	    .prev = prev,
	    .at = u->now,
	    .tenant = row->tenant,
	    .from = from,
	    .to = row->status,
	    .source = op->source,
	    .actor = op->actor,
	    .trace = op->trace,
	    .source_event_id = op->source_event_id,
	    .source_at = op->source_at,
	    .reason = op->reason,
	    .code = op->code,
	    .detail = op->detail,
	    .tx = row,
	};
	return unit_append(u, &ev, NULL, e);
}

/* ---- create ---- */

static void enter_state(struct change *c, uint32_t to, bool by_deadline)
{
	txw_tx *row = c->row;
	flow_enter(c->entry->flow, to, row, c->unit->now, by_deadline);
	row->reason = c->op->reason;
	row->code = c->op->code;
	row->polls = 0;
	row->poll_failures = 0;
}

/* The time only goes on, as in same(): what comes without a version is judged
 * by the latest. */
static void take_source(struct change *c)
{
	const struct op *op = c->op;
	if (op->source_version.len)
		c->row->source_version = op->source_version;
	if (op->source_at > c->row->source_at)
		c->row->source_at = op->source_at;
}

/* Without the message's id: that is of the event by which it counted. One
 * that was refused, sent again when the flow allows it, must still count. */
static int32_t anomaly(struct change *c, txw_str word, struct err *e)
{
	txw_str status = c->row->status, id = c->op->source_event_id;
	c->row->anomaly = word;
	c->op->source_event_id = STR_NONE;
	int32_t rc = commit_row(c, TXW_EV_ANOMALY, status, e);
	c->op->source_event_id = id;
	return rc;
}

static const char NO_EXPIRY[] =
    "its flow cannot expire: no state has the outcome \"expired\", and there is no expires-to";

static bool can_expire(const struct change *c, uint32_t state)
{
	const struct flow *f = c->entry->flow;
	return f->states[state].outcome != TXW_OPEN || flow_expiry_to(f, state) < f->n_states;
}

static int32_t audit_hold(struct change *c, struct err *e)
{
	char id[ID_TEXT_MAX];
	size_t n = id_print(id, "tx", c->row->id);
	const struct audit row = {.tenant = c->row->tenant,
				  .actor = c->op->actor,
				  .action = c->row->held ? "transaction.hold"
							 : "transaction.release",
				  .object = {id, n}};
	return audit_add(c->unit, &row, e);
}

static int32_t create(struct change *c, struct err *e)
{
	struct op *op = c->op;
	txw_time now = c->unit->now;
	uint32_t initial = c->entry->flow->initial;
	uint32_t to = op->status.len ? flow_find(c->entry->flow, op->status) : initial;
	bool is_unknown = to == c->entry->flow->n_states;
	if (is_unknown && op->kind != OP_DISCOVER) {
		because(c, OP_INVALID, change_unknown_text(c));
		return 0;
	}
	/* A discovered one must not be lost for a word nobody knows. */
	if (is_unknown)
		to = initial;
	bool is_timed = op->expires_at || op->expires_in;
	if (is_timed && op->kind != OP_DISCOVER && !can_expire(c, to)) {
		because(c, OP_INVALID, NO_EXPIRY);
		return 0;
	}
	txw_tx *row = arena_alloc(&c->unit->arena, sizeof(*row));
	*row = (txw_tx){
	    .size = sizeof(*row),
	    .id = id_new(now),
	    .tenant = op->name.tenant,
	    .flow = op->name.flow,
	    .ref = op->name.ref,
	    .owner = op->owner,
	    .amount = op->amount,
	    .currency = op->currency,
	    .attributes = op->attributes,
	    .created_at = now,
	    .deadline = op->expires_at   ? op->expires_at
			: op->expires_in ? now + op->expires_in
					 : 0,
	    .paused = op->paused,
	    .held = op->held,
	};
	c->row = row;
	enter_state(c, to, false);
	take_source(c);
	schedule_next(c->entry, row, now, 1);
	int32_t rc = commit_row(c, TXW_EV_CREATED, STR_NONE, e);
	if (rc >= 0 && is_unknown && op->unknown_is_anomaly)
		rc = anomaly(c, op->status, e);
	if (rc >= 0 && row->held && !op->dry_run)
		rc = audit_hold(c, e);
	if (rc >= 0)
		result(c, OP_CREATED);
	return rc;
}

/* ---- status ---- */

static int32_t refuse(struct change *c, const struct decision *d, struct err *e)
{
	struct op *op = c->op;
	bool unknown = flow_find(c->entry->flow, op->status) == c->entry->flow->n_states;
	const char *why = unknown      ? change_unknown_text(c)
			  : d->is_late ? change_late_text(c)
				       : change_illegal_text(c);
	bool tell = d->answer == FLOW_ANOMALY && (!unknown || op->unknown_is_anomaly);
	if (tell) {
		if (op->reason.len == 0)
			op->reason = str_of(why);
		int32_t rc = anomaly(c, op->status, e);
		if (rc < 0)
			return rc;
	}
	because(c, unknown ? OP_INVALID : OP_REFUSED, why);
	return 0;
}

static int32_t move(struct change *c, const struct decision *d, struct err *e)
{
	txw_str from = c->row->status;
	int32_t rc;
	/* A move against the rules is applied, but never silently. */
	if (d->is_flagged && (rc = anomaly(c, c->op->status, e)) < 0)
		return rc;
	if (d->is_late)
		c->op->reason = str_of(change_late_reason(c));
	enter_state(c, d->to, false);
	take_source(c);
	schedule_enter(c->entry, c->row, c->unit->now);
	rc = commit_row(c, d->event_type, from, e);
	if (rc >= 0)
		result(c, OP_CHANGED);
	return rc;
}

/* Is it open, in a state that the config has made an end meanwhile? */
static bool is_end_now(const struct change *c, uint32_t state)
{
	const struct flow *f = c->entry->flow;
	return c->row->outcome == TXW_OPEN && state < f->n_states &&
	       f->states[state].outcome != TXW_OPEN;
}

/* It ends where it is: no deadline of before may lead it elsewhere. */
static int32_t finish(struct change *c, uint32_t state, struct err *e)
{
	txw_str from = c->row->status;
	if (c->op->reason.len == 0 || c->op->kind == OP_EXPIRE)
		c->op->reason = STR_LIT("its flow was changed: this state is an end now");
	enter_state(c, state, false);
	take_source(c);
	schedule_enter(c->entry, c->row, c->unit->now);
	int32_t rc = commit_row(c, flow_event_type(c->entry->flow, state, state, false), from, e);
	if (rc >= 0)
		result(c, OP_CHANGED);
	return rc;
}

/* The same status, but told later: what comes late must be judged by the
 * latest word, so that is kept. No event, no version: nothing moved. */
static int32_t same(struct change *c, struct err *e)
{
	const struct op *op = c->op;
	txw_tx *row = c->row;
	bool newer = op->source_version.len && !str_eq(op->source_version, row->source_version);
	result(c, OP_UNCHANGED);
	if (newer)
		row->source_version = op->source_version;
	if (op->source_at > row->source_at) {
		row->source_at = op->source_at;
		newer = true;
	}
	if (!newer || op->dry_run)
		return 0;
	unit_note_row(c->unit, row->id);
	return UNIT_CALL(c->unit, e, save, &row, 1);
}

/* Has the row moved since the source was asked? Then what it said may be of
 * before, unless its own version or time tells. */
static bool is_outrun(const struct change *c)
{
	const struct op *op = c->op;
	const txw_tx *row = c->row;
	bool tells = (op->source_version.len && row->source_version.len) ||
		     (op->source_at && row->source_at);
	bool moved = op->asked_of ? op->asked_of->status_since != row->status_since ||
					!str_eq(op->asked_of->status, row->status)
				  : op->asked_at && row->status_since > op->asked_at;
	return moved && !tells;
}

static int32_t status(struct change *c, struct err *e)
{
	struct op *op = c->op;
	if (op->source_event_id.len && c->row->key) {
		int32_t rc = UNIT_CALL(c->unit, e, seen, c->row->key, op->source_event_id);
		if (rc < 0)
			return rc;
		if (rc > 0) {
			result(c, OP_UNCHANGED);
			return 0;
		}
	}
	struct seen seen = {op->status, op->source_version, op->source_at};
	struct decision d;
	flow_decide(c->entry->flow, c->row, &seen, &d);
	if (d.answer != FLOW_SAME && is_outrun(c)) {
		because(c, OP_STALE, "the transaction moved while its source was asked");
		return 0;
	}
	switch (d.answer) {
	case FLOW_CHANGE:
		return move(c, &d, e);
	case FLOW_SAME:
		return is_end_now(c, d.to) ? finish(c, d.to, e) : same(c, e);
	case FLOW_STALE:
		because(c, OP_STALE, "older than what is known: the transaction keeps its status");
		return 0;
	default:
		return refuse(c, &d, e);
	}
}

/* ---- expire ---- */

static int32_t expire(struct change *c, struct err *e)
{
	txw_tx *row = c->row;
	uint32_t i = flow_find(c->entry->flow, row->status);
	if (is_end_now(c, i) && !row->paused)
		return finish(c, i, e);
	if (row->outcome != TXW_OPEN || row->paused || row->expires_at == 0 ||
	    row->expires_at > c->unit->now || i == c->entry->flow->n_states) {
		result(c, OP_UNCHANGED);
		return 0;
	}
	uint32_t to = flow_expiry_to(c->entry->flow, i);
	if (to >= c->entry->flow->n_states) { /* the flow has no place for it */
		result(c, OP_UNCHANGED);
		return 0;
	}
	char text[TIME_TEXT_MAX];
	time_print(text, row->expires_at);
	if (c->op->reason.len == 0)
		c->op->reason = str_of(
		    arena_printf(&c->batch->arena, "its deadline %s passed", text));
	txw_str from = row->status;
	enter_state(c, to, true);
	schedule_next(c->entry, row, c->unit->now, 0);
	int32_t rc = commit_row(c, flow_event_type(c->entry->flow, i, to, true), from, e);
	if (rc >= 0)
		result(c, OP_CHANGED);
	return rc;
}

/* ---- warn ---- */

/* Once for each deadline: the mark is in the event's commit. */
static int32_t warn(struct change *c, struct err *e)
{
	txw_tx *row = c->row;
	txw_time now = c->unit->now, at = schedule_warning(c->entry, row);
	result(c, OP_UNCHANGED);
	if (row->outcome != TXW_OPEN || row->paused || !at || at > now || row->expires_at <= now)
		return 0;
	char text[TIME_TEXT_MAX];
	time_print(text, row->expires_at);
	c->op->reason = str_of(arena_printf(&c->batch->arena, "its deadline is %s", text));
	row->warned = row->expires_at;
	schedule_due(c->entry, row);
	int32_t rc = commit_row(c, TXW_EV_EXPIRING, row->status, e);
	if (rc >= 0)
		result(c, OP_CHANGED);
	return rc;
}

/* ---- update ---- */

static bool set_text(txw_str *field, txw_str value)
{
	if (str_eq(*field, value))
		return false;
	*field = value;
	return true;
}

static bool update_row(struct change *c)
{
	struct op *op = c->op;
	txw_tx *row = c->row;
	bool changed = false;
	if (op->set & OP_SET_OWNER)
		changed |= set_text(&row->owner, op->owner);
	if (op->set & OP_SET_AMOUNT)
		changed |= set_text(&row->amount, op->amount);
	if (op->set & OP_SET_CURRENCY)
		changed |= set_text(&row->currency, op->currency);
	if (op->set & OP_SET_ATTRIBUTES)
		changed |= set_text(&row->attributes, op->attributes);
	if (op->set & OP_SET_EXPIRES && row->deadline != op->expires_at) {
		uint32_t i = flow_find(c->entry->flow, row->status);
		row->deadline = op->expires_at;
		if (i < c->entry->flow->n_states && row->outcome == TXW_OPEN)
			row->expires_at = flow_deadline(c->entry->flow, i, row,
							flow_over(row, c->unit->now));
		changed = true;
	}
	if (op->set & OP_SET_PAUSED && row->paused != op->paused) {
		row->paused = op->paused;
		changed = true;
	}
	if (op->set & OP_SET_HELD && row->held != op->held) {
		row->held = op->held;
		changed = true;
	}
	return changed;
}

static int32_t update(struct change *c, struct err *e)
{
	txw_tx *row = c->row;
	bool was_paused = row->paused;
	bool was_held = row->held;
	uint32_t state = flow_find(c->entry->flow, row->status);
	if (c->op->set & OP_SET_EXPIRES && c->op->expires_at && state < c->entry->flow->n_states &&
	    !can_expire(c, state)) {
		because(c, OP_INVALID, NO_EXPIRY);
		return 0;
	}
	bool changed = update_row(c);
	if (was_paused && !row->paused)
		schedule_next(c->entry, row, c->unit->now, 1);
	if (c->op->set & OP_SET_POLL_NOW && row->outcome == TXW_OPEN && flows_polls(c->entry, row))
		row->next_poll_at = c->unit->now;
	if (row->paused)
		row->next_poll_at = 0;
	schedule_due(c->entry, row);
	if (!changed) {
		const txw_tx *one = row;
		result(c, OP_UNCHANGED);
		if (!(c->op->set & OP_SET_POLL_NOW) || c->op->dry_run)
			return 0;
		unit_note_due(c->unit, row->due_at);
		unit_note_row(c->unit, row->id);
		return UNIT_CALL(c->unit, e, reschedule, &one, 1);
	}
	int32_t rc = commit_row(c, TXW_EV_UPDATED, row->status, e);
	if (rc >= 0 && was_held != (row->held != 0) && !c->op->dry_run)
		rc = audit_hold(c, e);
	if (rc >= 0)
		result(c, OP_CHANGED);
	return rc;
}

/* ---- one operation ---- */

static int32_t on_existing(struct change *c, struct err *e)
{
	switch (c->op->kind) {
	case OP_CREATE:
		result(c, OP_UNCHANGED);
		return 0;
	case OP_STATUS:
		return status(c, e);
	case OP_DISCOVER:
	case OP_IMPORT:
		if (c->op->status.len)
			return status(c, e);
		result(c, OP_UNCHANGED);
		return 0;
	case OP_EXPIRE:
		return expire(c, e);
	case OP_WARN:
		return warn(c, e);
	case OP_UPDATE:
		return update(c, e);
	}
	return 0;
}

static int32_t run(struct change *c, struct err *e)
{
	struct op *op = c->op;
	const txw_tx *stored = NULL;
	op->name.size = sizeof(op->name);
	int32_t rc = UNIT_CALL(c->unit, e, load, &op->name, sizeof(op->name), 1, &stored);
	if (rc < 0)
		return rc;
	/* An id may be guessed: another tenant's row does not exist. */
	if (stored && op->name.tenant.len && !str_eq(stored->tenant, op->name.tenant))
		stored = NULL;
	bool makes = op->kind == OP_CREATE || op->kind == OP_DISCOVER || op->kind == OP_IMPORT;
	if (!stored && !makes) {
		because(c, OP_NOT_FOUND, "there is no such transaction");
		return 0;
	}
	txw_str flow = stored ? stored->flow : op->name.flow;
	c->entry = flows_find(engine_flows(c->unit->engine), flow);
	if (!c->entry) {
		because(c, OP_INVALID, change_no_flow_text(c, flow));
		return 0;
	}
	/* Here, since every way in comes by, and nothing is kept before. */
	op->detail = redact_json(c->entry->redact, &c->batch->arena, op->detail);
	op->attributes = redact_json(c->entry->redact, &c->batch->arena, op->attributes);
	if (!stored)
		return create(c, e);
	c->row = arena_alloc(&c->unit->arena, sizeof(*c->row));
	*c->row = *stored;
	c->counted_status = stored->status;
	c->counted_outcome = stored->outcome;
	if (op->if_version && op->if_version != stored->version) {
		because(c, OP_CONFLICT, "it has another version by now");
		return 0;
	}
	return on_existing(c, e);
}

/* The op's texts may have been completed by an earlier try (a reason): the
 * caller's are kept beside. */
int32_t op_run(struct batch *b, struct unit *u, struct op *op, struct err *e)
{
	struct change c = {.unit = u, .batch = b, .op = op};
	txw_str reason = op->reason;
	op->result = OP_PENDING;
	op->after = NULL;
	op->why = NULL;
	op->n_told = 0;
	int32_t rc = run(&c, e);
	op->reason = reason;
	if (rc >= 0 && c.row)
		op->after = row_copy_tx(&b->arena, c.row);
	return rc;
}

const char *op_result_name(enum op_result r)
{
	static const char *const names[] = {
	    [OP_PENDING] = "pending",     [OP_CREATED] = "created", [OP_CHANGED] = "changed",
	    [OP_UNCHANGED] = "unchanged", [OP_REFUSED] = "refused", [OP_STALE] = "stale",
	    [OP_NOT_FOUND] = "not_found", [OP_INVALID] = "invalid", [OP_CONFLICT] = "conflict",
	    [OP_UNDONE] = "undone",
	};
	return names[r];
}
