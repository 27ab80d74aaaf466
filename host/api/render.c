/* render.c: from operations' results to answers. Pure. */
#include <stdio.h>

#include "api/write.h"
#include "base/id.h"
#include "engine/schedule.h"

static void set_place(struct answer *a, const txw_tx *tx)
{
	char id[ID_TEXT_MAX];
	id_print(id, "tx", tx->id);
	snprintf(a->location, sizeof(a->location), "/v1/transactions/%s", id);
}

/* "allowed": the states that may follow. */
static void add_allowed(struct buf *b, const struct flows *flows, const txw_tx *tx)
{
	const struct flow_entry *entry = flows_find(flows, tx->flow);
	uint32_t i = entry ? flow_find(entry->flow, tx->status) : 0;
	json_m_str(b, "current", tx->status);
	json_key(b, "allowed");
	json_open(b, '[');
	if (entry && i < entry->flow->n_states) {
		const struct flow_state *st = &entry->flow->states[i];
		for (uint32_t k = 0; k < st->n_next; k++)
			json_str(b, entry->flow->states[st->next[k]].name);
	}
	json_close(b, ']');
}

/* What a dry run adds: the events there would be. */
static void add_told(struct buf *b, const struct op *op)
{
	json_m_bool(b, "dry_run", 1);
	json_m_text(b, "result", op_result_name(op->result));
	json_key(b, "events");
	json_open(b, '[');
	for (uint32_t i = 0; i < op->n_told; i++)
		json_str(b, str_of(event_type_name(op->told[i])));
	json_close(b, ']');
}

/* ... and the deadline: when, where to, and when it would be warned of. */
static void add_deadline(struct buf *b, const struct flows *flows, const txw_tx *tx)
{
	const struct flow_entry *entry = flows_find(flows, tx->flow);
	uint32_t i = entry ? flow_find(entry->flow, tx->status) : 0;
	json_key(b, "deadline");
	if (!entry || i >= entry->flow->n_states || tx->outcome != TXW_OPEN || !tx->expires_at) {
		json_none(b);
		return;
	}
	json_open(b, '{');
	json_m_time(b, "at", tx->expires_at);
	json_m_str(b, "to", entry->flow->states[flow_expiry_to(entry->flow, i)].name);
	json_m_time(b, "warns_at", schedule_warning(entry, tx));
	json_close(b, '}');
}

static void problem_with_tx(struct write *w, struct answer *a, enum problem p, const struct op *op)
{
	answer_problem_open(a, w->call, p, op->why);
	if (op->after) {
		json_key(&a->body, "transaction");
		json_tx(&a->body, op->after);
		etag_print(a->etag, op->after->version);
	}
	json_close(&a->body, '}');
}

static void render_refused(struct write *w, struct answer *a, const struct op *op)
{
	answer_problem_open(a, w->call, PROBLEM_REFUSED, op->why);
	if (w->is_dry)
		add_told(&a->body, op);
	if (op->after) {
		add_allowed(&a->body, w->call->api->site->flows, op->after);
		etag_print(a->etag, op->after->version);
	}
	json_close(&a->body, '}');
}

static void render_good(struct write *w, struct answer *a, const struct op *op)
{
	a->status = op->result == OP_CREATED ? 201 : 200;
	if (w->is_dry) {
		a->status = 200;
		json_open(&a->body, '{');
		add_told(&a->body, op);
		add_deadline(&a->body, w->call->api->site->flows, op->after);
		json_key(&a->body, "transaction");
		json_tx(&a->body, op->after);
		json_close(&a->body, '}');
		return;
	}
	json_tx(&a->body, op->after);
	etag_print(a->etag, op->after->version);
	if (op->result == OP_CREATED)
		set_place(a, op->after);
}

void render_one(struct write *w, struct answer *a)
{
	const struct op *op = &w->batch->ops[0];
	switch (op->result) {
	case OP_CREATED:
	case OP_CHANGED:
	case OP_UNCHANGED:
		render_good(w, a, op);
		return;
	case OP_REFUSED:
		render_refused(w, a, op);
		return;
	case OP_STALE:
		problem_with_tx(w, a, PROBLEM_STALE, op);
		return;
	case OP_CONFLICT:
		problem_with_tx(w, a, PROBLEM_PRECONDITION, op);
		return;
	case OP_NOT_FOUND:
		answer_problem(a, w->call, PROBLEM_NOT_FOUND, "there is no such transaction");
		return;
	case OP_INVALID:
		answer_problem(a, w->call, PROBLEM_INVALID, "%s", op->why ? op->why : "");
		return;
	default:
		answer_problem(a, w->call, PROBLEM_INTERNAL, NULL);
		return;
	}
}

static void render_result(const struct write *w, struct buf *b, const struct op *op)
{
	json_open(b, '{');
	json_m_text(b, "result", op_result_name(op->result));
	if (op->after && op->result != OP_UNDONE) {
		if (w->shows_whole) {
			json_key(b, "transaction");
			json_tx(b, op->after);
		} else {
			char id[ID_TEXT_MAX];
			size_t n = id_print(id, "tx", op->after->id);
			json_m_str(b, "id", (txw_str){id, n});
			json_m_int(b, "version", op->after->version);
			json_m_str(b, "status", op->after->status);
		}
	}
	if (op->why)
		json_m_text(b, "why", op->why);
	json_close(b, '}');
}

void render_batch(struct write *w, struct answer *a)
{
	const struct batch *b = w->batch;
	if (b->job.rc < 0) {
		answer_problem_open(a, w->call, PROBLEM_UNDONE, NULL);
	} else {
		a->status = 200;
		json_open(&a->body, '{');
	}
	buf_reserve(&a->body, b->n * 96);
	json_key(&a->body, "results");
	json_open(&a->body, '[');
	for (size_t i = 0; i < b->n; i++)
		render_result(w, &a->body, &b->ops[i]);
	json_close(&a->body, ']');
	json_close(&a->body, '}');
}
