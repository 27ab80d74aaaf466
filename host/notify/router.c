/*
 * router.c: turns events into deliveries: the log is the outbox.
 *
 * A step of the engine's unit routes a bounded number of events and moves the
 * cursor in the same commit. Events come from memory when they were just
 * committed, from the store after a start or a flood. A cursor that moved
 * over events nobody wanted is saved with the next unit that writes, or when
 * it has been quiet for a second.
 *
 * Runs on the writer's thread.
 */
#include "base/id.h"
#include "base/log.h"
#include "base/row.h"
#include "base/str.h"
#include "filter/filter.h"
#include "notify/private.h"

#include <stdlib.h>

#define CURSOR STR_LIT("router")
#define QUIET  (900 * MILLISECOND) /* real, without events */

void router_init(struct router *r, struct notify *n)
{
	r->notify = n;
	r->made_last = &r->made;
}

/* ---- rules ---- */

void rule_free(struct rule *rule)
{
	arena_free(&rule->arena);
	free(rule);
}

void router_drop(struct router *r, struct target *t)
{
	for (struct rule **at = &r->rules; *at;) {
		struct rule *rule = *at;
		if (rule->target != t) {
			at = &rule->next;
			continue;
		}
		*at = rule->next;
		rule_free(rule);
	}
}

void router_put(struct router *r, struct rule *rule)
{
	rule->next = r->rules;
	r->rules = rule;
}

static bool wants(const struct rule *rule, const txw_event *ev)
{
	if (ev->seq <= rule->from_seq)
		return false;
	/* A test is for one target, in `to`; and nobody is told of a trouble
	 * by the target that has it. */
	bool is_about = str_eq(ev->to, rule->target->name);
	if (ev->type == TXW_EV_TEST)
		return is_about;
	if (!ev->tx && is_about)
		return false;
	return (rule->types >> ev->type & 1) != 0 &&
	       (rule->tenant.len == 0 || str_eq(rule->tenant, ev->tenant)) &&
	       filter_match_event(rule->filter, ev);
}

/* ---- deliveries ---- */

static struct txw_delivery_row *next_row(struct router *r, struct unit *u)
{
	if (r->n_rows == r->cap_rows) {
		r->cap_rows = r->cap_rows ? r->cap_rows * 2 : 256;
		r->rows = xrealloc(r->rows, r->cap_rows * sizeof(*r->rows));
	}
	txw_delivery_row *row = arena_alloc(&u->arena, sizeof(*row));
	r->rows[r->n_rows++] = row;
	return row;
}

/* The target's lane must look into the store. */
static void note(struct router *r, struct target *t)
{
	if (t->noted_step == r->step)
		return;
	t->noted_step = r->step;
	if (r->n_noted == r->cap_noted) {
		r->cap_noted = r->cap_noted ? r->cap_noted * 2 : 64;
		r->noted = xrealloc(r->noted, r->cap_noted * sizeof(*r->noted));
	}
	r->noted[r->n_noted++] = t;
}

/* Keeps it in this host's hands if the lane has room, so that it needs no
 * claim. */
static void hand_over(struct router *r, struct target *t, struct evrec *rec, txw_delivery_row *row)
{
	if (atomic_load(&t->held) >= target_window(t) ||
	    atomic_load(&r->notify->n_held) >= HELD_LIMIT) {
		note(r, t);
		return;
	}
	atomic_fetch_add(&t->held, 1);
	row->state = TXW_DLV_SENDING;
	row->due_at = row->created_at + LEASE;
	struct parcel *p = xcalloc(1, sizeof(*p));
	p->target = t;
	p->event = evrec_ref(rec);
	p->next = NULL;
	*r->made_last = p;
	r->made_last = &p->next;
}

static int32_t deliver(struct router *r, struct unit *u, const struct rule *rule, struct evrec *rec,
		       struct err *e)
{
	struct target *t = rule->target;
	txw_delivery_row *row = next_row(r, u);
	*row = (txw_delivery_row){
	    .size = sizeof(*row),
	    .state = TXW_DLV_PENDING,
	    .target = t->key,
	    .seq = rec->ev->seq,
	    .tx = rec->ev->tx ? rec->ev->tx->key : 0,
	    .tenant = rec->ev->tenant,
	    .ordered = rule->is_ordered && rec->ev->tx,
	    .due_at = u->now,
	    .created_at = u->now,
	    .updated_at = u->now,
	};
	if (atomic_load(&t->is_disabled)) {
		row->state = TXW_DLV_PARKED;
		row->due_at = 0;
		row->reason = STR_LIT("its target is disabled");
	} else if (row->ordered) {
		int32_t rc = UNIT_CALL(u, e, waiting, t->key, row->tx);
		if (rc < 0)
			return rc;
		if (rc > 0) {
			row->state = TXW_DLV_BLOCKED;
			row->due_at = 0;
		}
	}
	if (row->state == TXW_DLV_PENDING)
		hand_over(r, t, rec, row);
	/* An ordered one must be seen by the next `waiting`. */
	if (!row->ordered)
		return 0;
	return UNIT_CALL(u, e, put_deliveries, &row, 1);
}

static bool has_row(const struct router *r, size_t from, int64_t target)
{
	for (size_t i = from; i < r->n_rows; i++)
		if (r->rows[i]->target == target)
			return true;
	return false;
}

static int32_t route(struct router *r, struct unit *u, struct evrec *rec, struct err *e)
{
	size_t from = r->n_rows;
	for (const struct rule *rule = r->rules; rule; rule = rule->next) {
		if (!wants(rule, rec->ev))
			continue;
		/* Of two routes to one address both may match. */
		if (!rule->target->is_subscription && has_row(r, from, rule->target->key))
			continue;
		int32_t rc = deliver(r, u, rule, rec, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- where events come from ---- */

static void forget(struct router *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		evrec_unref(r->pending[r->first + i]);
	r->first += n;
	r->n -= n;
	if (r->n == 0)
		r->first = 0;
}

void router_tail(void *ctx, txw_event *const *events, size_t n)
{
	struct router *r = ctx;
	if (!r->rules) {
		/* Nobody listens: what was committed is routed. */
		if (!r->has_gap && r->n == 0)
			r->cursor = events[n - 1]->seq;
		return;
	}
	if (r->has_gap || r->n + n > PENDING_LIMIT) {
		r->has_gap = true;
		return;
	}
	if (r->first + r->n + n > r->cap) {
		if (r->first) {
			memmove(r->pending, r->pending + r->first, r->n * sizeof(*r->pending));
			r->first = 0;
		}
		if (r->n + n > r->cap) {
			r->cap = (r->n + n) * 2;
			r->pending = xrealloc(r->pending, r->cap * sizeof(*r->pending));
		}
	}
	for (size_t i = 0; i < n; i++)
		r->pending[r->first + r->n++] = evrec_new(events[i]);
}

static int32_t on_stored(void *ctx, const txw_event *ev)
{
	struct router *r = ctx;
	txw_event with = *ev;
	with.id = id_from_key(ev->at, engine_info(r->notify->engine)->site, ev->seq);
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : STEP_EVENTS;
		r->pending = xrealloc(r->pending, r->cap * sizeof(*r->pending));
	}
	r->pending[r->n++] = evrec_new(&with);
	return 0;
}

/* Fills `pending` from the store. Only committed events are seen there; those
 * of the unit that is open come by the tail. */
static int32_t read_gap(struct router *r, struct err *e)
{
	const txw_store *v = readers_store(r->notify->readers);
	txw_event_query query = {.size = sizeof(query), .limit = STEP_EVENTS, .after = r->cursor};
	if (!r->reader) {
		txw_error from = ERR_ABI_INIT;
		instance *store = engine_store(r->notify->engine);
		int32_t rc = err_from_plugin(e, v->reader_open(store->self, &r->reader, &from),
					     &from);
		if (rc < 0)
			return rc;
	}
	int32_t rc = READ_CALL(v, e, list_events, r->reader, &query, on_stored, r);
	if (rc < 0) {
		forget(r, r->n);
		return rc;
	}
	if (r->n < STEP_EVENTS)
		r->has_gap = false;
	return 0;
}

/* ---- the step ---- */

static int32_t save(struct router *r, struct unit *u, struct err *e)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_rows; i++) /* the ordered ones are put */
		if (r->rows[i]->key == 0)
			r->rows[n++] = r->rows[i];
	if (n) {
		int32_t rc = UNIT_CALL(u, e, put_deliveries, r->rows, n);
		if (rc < 0)
			return rc;
	}
	return UNIT_CALL(u, e, put_mark, CURSOR, r->next_cursor);
}

int32_t router_save(struct router *r, struct unit *u, struct err *e)
{
	return UNIT_CALL(u, e, put_mark, CURSOR, r->cursor);
}

/* The rows' keys are known now. */
static void address_parcels(struct parcel *p, size_t n_rows, txw_delivery_row *const *rows)
{
	for (size_t i = 0; i < n_rows && p; i++) {
		if (rows[i]->state != TXW_DLV_SENDING)
			continue;
		p->row = *rows[i];
		p->row.tenant = p->event->ev->tenant;
		p = p->next;
	}
}

int32_t router_step(void *ctx, struct unit *u, struct err *e)
{
	struct router *r = ctx;
	int32_t rc;
	r->next_cursor = r->cursor;
	r->n_rows = r->n_done = r->n_noted = 0;
	r->wrote_mark = false;
	r->step++;
	if (r->n == 0 && r->has_gap && (rc = read_gap(r, e)) < 0)
		return rc;
	size_t done = 0;
	while (done < r->n && done < STEP_EVENTS && r->n_rows < STEP_DELIVERIES) {
		struct evrec *rec = r->pending[r->first + done];
		if ((rc = route(r, u, rec, e)) < 0)
			return rc;
		r->next_cursor = rec->ev->seq;
		done++;
	}
	bool is_dirty = r->next_cursor != r->saved;
	bool is_quiet = is_dirty && done == r->n && clock_ticks() - r->moved_at >= QUIET;
	if (r->n_rows || (is_dirty && (u->n_events || is_quiet))) {
		size_t n = r->n_rows;
		txw_delivery_row **all = arena_alloc(&u->arena, (n ? n : 1) * sizeof(*all));
		if (n)
			memcpy(all, r->rows, n * sizeof(*all));
		if ((rc = save(r, u, e)) < 0)
			return rc;
		r->wrote_mark = true;
		address_parcels(r->made, n, all);
	}
	r->n_done = done;
	if (done)
		r->moved_at = clock_ticks();
	if (done < r->n || r->has_gap)
		return ENGINE_STEP_MORE;
	return is_dirty && !r->wrote_mark ? ENGINE_STEP_LATER : 0;
}

/* ---- to the lanes ---- */

struct handover {
	struct task task;
	struct parcel *first;
	size_t n_noted;
	struct target *noted[];
};

static void on_handover(struct task *task)
{
	struct handover *h = (struct handover *)task;
	for (struct parcel *p = h->first; p;) {
		struct parcel *next = p->next;
		lane_take(p);
		p = next;
	}
	for (size_t i = 0; i < h->n_noted; i++)
		lane_due(h->noted[i], loop_now(h->noted[i]->notify->loop));
	free(h);
}

static void post_handover(struct router *r)
{
	size_t bytes = r->n_noted * sizeof(struct target *);
	struct handover *h = xmalloc(sizeof(*h) + bytes);
	*h = (struct handover){
	    .task = {.run = on_handover}, .first = r->made, .n_noted = r->n_noted};
	if (bytes)
		memcpy(h->noted, r->noted, bytes);
	loop_post(r->notify->loop, &h->task);
}

static void drop_made(struct router *r)
{
	for (struct parcel *p = r->made; p;) {
		struct parcel *next = p->next;
		atomic_fetch_sub(&p->target->held, 1);
		evrec_unref(p->event);
		free(p);
		p = next;
	}
}

void router_committed(void *ctx, bool ok)
{
	struct router *r = ctx;
	if (!ok) {
		drop_made(r);
	} else {
		if (r->wrote_mark)
			r->saved = r->next_cursor;
		r->cursor = r->next_cursor;
		atomic_store(&r->shown_cursor, r->cursor);
		engine_note_routed(r->notify->engine, r->cursor);
		forget(r, r->n_done);
		if (r->made || r->n_noted)
			post_handover(r);
	}
	r->made = NULL;
	r->made_last = &r->made;
}

int32_t router_load(struct router *r, struct unit *u, struct err *e)
{
	int32_t rc = UNIT_CALL(u, e, get_mark, CURSOR, &r->cursor);
	r->saved = r->cursor;
	atomic_store(&r->shown_cursor, r->cursor);
	engine_note_routed(u->engine, r->cursor);
	r->has_gap = r->cursor < u->info.last_seq;
	return rc;
}

void router_stop(struct router *r)
{
	if (r->reader)
		readers_store(r->notify->readers)->reader_close(r->reader);
	r->reader = NULL;
}

void router_close(struct router *r)
{
	forget(r, r->n);
	while (r->rules) {
		struct rule *rule = r->rules;
		r->rules = rule->next;
		rule_free(rule);
	}
	free(r->pending);
	free(r->rows);
	free(r->noted);
}
