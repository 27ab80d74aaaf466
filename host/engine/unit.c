/* unit.c: what apply functions write and note in a unit; see engine.h. */
#include "base/id.h"
#include "base/row.h"
#include "engine/engine.h"
#include "engine/evidence.h"

struct unit_hook {
	struct unit_hook *next;
	void (*fn)(void *ctx);
	void *ctx;
};

void unit_run_hooks(struct unit *u)
{
	for (struct unit_hook *h = u->hooks; h; h = h->next)
		h->fn(h->ctx);
}

void unit_on_commit(struct unit *u, void (*fn)(void *ctx), void *ctx)
{
	struct unit_hook *h = arena_alloc(&u->arena, sizeof(*h));
	*h = (struct unit_hook){.fn = fn, .ctx = ctx};
	*(u->hooks ? &u->last_hook->next : &u->hooks) = h;
	u->last_hook = h;
}

void unit_note_row(struct unit *u, txw_id id)
{
	if (u->n_rows == u->cap_rows) {
		u->cap_rows = u->cap_rows ? u->cap_rows * 2 : 256;
		u->rows = xrealloc(u->rows, u->cap_rows * sizeof(*u->rows));
	}
	u->rows[u->n_rows++] = id;
}

void unit_note_due(struct unit *u, txw_time due)
{
	if (due && (u->earliest_due == 0 || due < u->earliest_due))
		u->earliest_due = due;
}

int32_t unit_last_seq(struct unit *u, int64_t *out, struct err *e)
{
	int32_t rc = 0;
	if (!u->has_sequence && u->store->sequence)
		rc = UNIT_CALL(u, e, sequence, &u->info.last_seq);
	u->has_sequence = rc >= 0;
	*out = u->info.last_seq;
	return rc;
}

int32_t unit_append(struct unit *u, const txw_event *ev, txw_event **out, struct err *e)
{
	if (u->n_events == u->cap_events) {
		u->cap_events = u->cap_events ? u->cap_events * 2 : 256;
		u->events = xrealloc(u->events, u->cap_events * sizeof(txw_event *));
	}
	int64_t last;
	int32_t rc = unit_last_seq(u, &last, e);
	if (rc < 0)
		return rc;
	txw_event *copy = row_copy_event(&u->arena, ev);
	copy->seq = last + 1;
	copy->id = id_from_key(copy->at, u->info.site, copy->seq);
	if (u->evidence && (rc = evidence_add(u->evidence, u, copy, e)) < 0)
		return rc;
	if ((rc = UNIT_CALL(u, e, append, &copy, 1)) < 0)
		return rc;
	u->info.last_seq = copy->seq;
	u->events[u->n_events++] = copy;
	counts_event(u, copy);
	if (out)
		*out = copy;
	return 0;
}
