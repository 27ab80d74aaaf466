/*
 * claim.c: takes what is due from the store, a batch at a time.
 *
 * A claim is one engine job. In its unit each due row's next poll is already
 * set as if nothing were new, so that a poll without news costs no other
 * write and one that a crash swallowed comes again by itself. What is past
 * its deadline gets a last look, or is expired in the same unit where there
 * is nobody to look. A deadline that is near is told of in the same unit; one
 * that passed before it could be is not told of any more.
 */
#include "watch/private.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/row.h"
#include "base/str.h"
#include "engine/schedule.h"

/* What a flow's poller can take, as the loop saw it when the claim began. */
struct room {
	struct poller *poller;
	size_t left;
	txw_time blocked_until;
	int64_t wait; /* how much later to come again when there is no room */
};

struct taken {
	const txw_tx *tx;
	struct room *room;
	bool is_last;
	int64_t late; /* microseconds after it was due */
};

struct claim {
	struct job job;
	struct watch *watch;
	struct room *rooms;
	size_t n_rooms;
	struct taken *taken;
	size_t n_taken;
	struct batch expired; /* only its arena is used */
	struct arena arena;   /* becomes the claimed's */
	size_t n_seen;
	txw_time next_due;
	struct unit *unit; /* while applied */
	struct err *err;
};

static struct room *room_of(struct claim *c, txw_str flow)
{
	for (size_t i = 0; i < c->n_rooms; i++)
		if (str_eq(c->rooms[i].poller->flow, flow))
			return &c->rooms[i];
	return NULL;
}

static int32_t expire_now(struct claim *c, txw_tx *tx)
{
	struct op op = {.kind = OP_EXPIRE, .name = {.key = tx->key}, .source = STR_LIT("watch")};
	int32_t rc = op_run(&c->expired, c->unit, &op, c->err);
	if (rc < 0 || op.result == OP_CHANGED)
		return rc;
	/* Its state or flow is not what it was in the config: look again later,
	 * in case the config is mended. */
	tx->due_at = c->unit->now + HOUR;
	const txw_tx *one = tx;
	unit_note_row(c->unit, tx->id);
	return UNIT_CALL(c->unit, c->err, reschedule, &one, 1);
}

/* Tells of a deadline that is near; *tx is then as it was written. */
static int32_t warn_now(struct claim *c, txw_tx *tx)
{
	struct op op = {.kind = OP_WARN, .name = {.key = tx->key}, .source = STR_LIT("watch")};
	int32_t rc = op_run(&c->expired, c->unit, &op, c->err);
	if (rc >= 0 && op.after)
		*tx = *op.after;
	return rc;
}

static void take(struct claim *c, const txw_tx *tx, struct room *room, bool is_last, txw_time due)
{
	c->taken[c->n_taken++] = (struct taken){row_copy_tx(&c->arena, tx), room, is_last,
						c->unit->now - due};
	room->left--;
}

/* What is due is open; its state may have become an end in the config. */
static bool is_end(const struct flow *flow, txw_str status)
{
	uint32_t i = flow_find(flow, status);
	return i < flow->n_states && flow->states[i].outcome != TXW_OPEN;
}

/* Decides about one due row; returns what the store said of the write. */
static int32_t claim_row(struct claim *c, const txw_tx *stored)
{
	txw_time now = c->unit->now;
	txw_tx *tx = arena_alloc(&c->unit->arena, sizeof(*tx));
	*tx = *stored;
	struct flow_entry *entry = flows_find(c->watch->flows, tx->flow);
	struct room *room = entry && flows_polls(entry, tx) ? room_of(c, tx->flow) : NULL;
	if (entry && is_end(entry->flow, tx->status))
		return expire_now(c, tx);
	bool is_last = tx->expires_at && tx->expires_at <= now;
	txw_time warns = entry && !is_last ? schedule_warning(entry, tx) : 0;
	if (warns && warns <= now) {
		int32_t rc = warn_now(c, tx);
		if (rc < 0 || tx->due_at > now)
			return rc;
	}
	bool can_poll = room && room->left && room->blocked_until <= now;
	if (!entry) {
		tx->due_at = now + HOUR; /* its flow left the config */
	} else if (is_last && !can_poll) {
		return expire_now(c, tx);
	} else if (is_last) {
		tx->due_at = now + room->poller->timeout + LAST_LOOK_LEASE;
		take(c, tx, room, true, stored->due_at);
	} else if (can_poll) {
		schedule_next(entry, tx, now, 0);
		take(c, tx, room, false, stored->due_at);
	} else if (room) {
		txw_time again = room->blocked_until > now ? room->blocked_until : now + room->wait;
		tx->next_poll_at = again;
		schedule_due(entry, tx);
	} else {
		tx->next_poll_at = 0; /* its poller left the config */
		schedule_due(entry, tx);
	}
	const txw_tx *one = tx;
	unit_note_row(c->unit, tx->id);
	return UNIT_CALL(c->unit, c->err, reschedule, &one, 1);
}

static int32_t on_due_row(void *ctx, const txw_tx *tx)
{
	struct claim *c = ctx;
	c->n_seen++;
	c->job.rc = claim_row(c, tx);
	return c->job.rc < 0;
}

static int32_t claim_apply(struct job *job, struct unit *u, struct err *e)
{
	struct claim *c = (struct claim *)job;
	c->unit = u;
	c->err = e;
	c->n_taken = c->n_seen = 0;
	c->job.rc = 0;
	for (size_t i = 0; i < c->n_rooms; i++)
		c->rooms[i].left = WAITING_LIMIT - c->rooms[i].poller->n_waiting_then;
	int32_t rc = UNIT_CALL(u, e, due, u->now, CLAIM_LIMIT, on_due_row, c);
	if (rc < 0 || c->job.rc < 0)
		return rc < 0 ? rc : c->job.rc;
	c->next_due = 0;
	return UNIT_CALL(u, e, next_due, &c->next_due);
}

static void arm(struct watch *w, txw_time due)
{
	atomic_store(&w->next_due, due ? due : INT64_MAX);
	if (due)
		timer_set(w->loop, &w->claim_at, due);
	else
		timer_clear(w->loop, &w->claim_at);
}

static void hand_out(struct claim *c)
{
	if (c->n_taken == 0) {
		arena_free(&c->arena);
		return;
	}
	struct claimed *of = xcalloc(1, sizeof(*of));
	of->arena = c->arena;
	of->refs = c->n_taken;
	for (size_t i = 0; i < c->n_taken; i++) {
		const struct taken *t = &c->taken[i];
		series_observe(t->room->poller->m_lag, (double)t->late / 1e6);
		asker_offer(t->room->poller, of, t->tx, t->is_last);
	}
	for (size_t i = 0; i < c->n_rooms; i++)
		asker_pump(c->rooms[i].poller);
}

static void claim_done(struct job *job)
{
	struct claim *c = (struct claim *)job;
	struct watch *w = c->watch;
	w->is_claiming = false;
	if (job->rc < 0) {
		/* The store is in trouble; the log says so already. */
		arena_free(&c->arena);
		arm(w, loop_now(w->loop) + SECOND);
	} else {
		/* A due time written meanwhile may be earlier. */
		txw_time sooner = atomic_load(&w->next_due);
		txw_time due = c->next_due;
		if (sooner != INT64_MAX && (due == 0 || sooner < due))
			due = sooner;
		arm(w, due);
		hand_out(c);
	}
	arena_free(&c->expired.arena);
	free(c->rooms);
	free(c->taken);
	free(c);
}

static size_t count_pollers(const struct watch *w)
{
	size_t n = 0;
	for (const struct poller *p = w->pollers; p; p = p->next)
		n++;
	return n;
}

/* How long the lane will need for what waits in it, at least a second. */
static int64_t asker_wait(const struct poller *p)
{
	int64_t each = p->timeout / 10;
	int64_t wait = (int64_t)(p->n_waiting / (p->concurrency * p->batch) + 1) * each;
	return wait < SECOND ? SECOND : wait > MINUTE ? MINUTE : wait;
}

void claim_now(struct watch *w)
{
	if (w->is_claiming || w->is_draining || !w->engine)
		return;
	struct claim *c = xcalloc(1, sizeof(*c));
	c->watch = w;
	c->rooms = xcalloc(count_pollers(w), sizeof(*c->rooms));
	c->taken = xcalloc(CLAIM_LIMIT, sizeof(*c->taken));
	for (struct poller *p = w->pollers; p; p = p->next) {
		p->n_waiting_then = p->n_waiting;
		c->rooms[c->n_rooms++] = (struct room){
		    .poller = p, .blocked_until = asker_blocked_until(p), .wait = asker_wait(p)};
	}
	c->job.apply = claim_apply;
	c->job.done = claim_done;
	w->is_claiming = true;
	atomic_store(&w->next_due, INT64_MAX);
	engine_submit_internal(w->engine, &c->job);
}

/* Something is due earlier than the timer. */
static void on_sooner(struct task *task)
{
	struct watch *w = (struct watch *)((char *)task - offsetof(struct watch, sooner));
	atomic_store(&w->sooner_posted, false);
	txw_time due = atomic_load(&w->next_due);
	if (!w->is_claiming && due != INT64_MAX)
		timer_set(w->loop, &w->claim_at, due);
}

void claim_on_due(void *ctx, txw_time due)
{
	struct watch *w = ctx;
	int64_t known = atomic_load(&w->next_due);
	while (due < known)
		if (atomic_compare_exchange_weak(&w->next_due, &known, due))
			break;
	if (due < known && !atomic_exchange(&w->sooner_posted, true)) {
		w->sooner.run = on_sooner;
		loop_post(w->loop, &w->sooner);
	}
}
