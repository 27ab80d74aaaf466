/*
 * settle.c: verdicts to rows.
 *
 * Verdicts of one turn of the loop become one engine job. A job that the
 * store refuses is tried again each second, and until it goes through no lane
 * starts anything: what is not written down must not go on.
 */
#include "base/log.h"
#include "base/str.h"
#include "notify/private.h"

#include <stdio.h>
#include <stdlib.h>

#define FLUSH_LOAD   8                 /* attempts under way, */
#define FLUSH_WAIT   (5 * MILLISECOND) /* ... from which on a flush waits, */
#define FLUSH_FULL   256               /* ... but for this many verdicts */
#define RETRY_SETTLE SECOND
#define PAUSE_MAX    (5 * MINUTE) /* when the target asked for time without a time */

struct settled {
	struct parcel *parcel; /* freed when it is durable */
	txw_delivery_row row;
	txw_attempt attempt;
	bool has_attempt;
	bool is_final; /* the next of an ordered one may go */
	bool is_dead;
	int32_t unblocked;
};

struct settle {
	struct job job;
	struct notify *notify;
	struct arena arena;
	struct settled **items;
	size_t n, cap;
	struct target **targets; /* whose rows changed */
	txw_target *target_rows;
	size_t n_targets, cap_targets;
	struct timer again;
	struct settle *next_stuck; /* notify's, while `again` is set */
};

/* ---- the job ---- */

static int32_t write_rows(struct settle *s, struct unit *u, struct err *e)
{
	const txw_delivery_row **rows = arena_alloc(&u->arena, (s->n + 1) * sizeof(*rows));
	const txw_attempt **attempts = arena_alloc(&u->arena, (s->n + 1) * sizeof(*attempts));
	size_t n_attempts = 0;
	for (size_t i = 0; i < s->n; i++) {
		rows[i] = &s->items[i]->row;
		if (s->items[i]->has_attempt)
			attempts[n_attempts++] = &s->items[i]->attempt;
	}
	if (s->n == 0)
		return 0;
	return UNIT_CALL(u, e, settle, rows, s->n, attempts, n_attempts);
}

static int32_t tell_dead(struct settled *it, struct unit *u, struct err *e)
{
	struct target *t = it->parcel->target;
	const txw_event *about = it->parcel->event->ev;
	/* Two dead targets would tell each other for ever. */
	if (about->type == TXW_EV_DELIVERY_DEAD)
		return 0;
	char detail[256];
	snprintf(detail, sizeof(detail), "{\"seq\":%lld,\"attempts\":%u,\"status\":%u}",
		 (long long)it->row.seq, it->row.attempts, it->row.status);
	txw_event ev = {
	    .size = sizeof(ev),
	    .type = TXW_EV_DELIVERY_DEAD,
	    .at = u->now,
	    .tenant = about->tenant,
	    .to = t->name,
	    .source = t->name,
	    .reason = it->row.reason,
	    .detail = str_of(detail),
	};
	return unit_append(u, &ev, NULL, e);
}

static int32_t settle_apply(struct job *job, struct unit *u, struct err *e)
{
	struct settle *s = (struct settle *)job;
	int32_t rc = write_rows(s, u, e);
	for (size_t i = 0; i < s->n_targets && rc >= 0; i++)
		rc = UNIT_CALL(u, e, put_target, &s->target_rows[i]);
	for (size_t i = 0; i < s->n && rc >= 0; i++) {
		struct settled *it = s->items[i];
		if (it->is_final && it->row.ordered)
			rc = it->unblocked = UNIT_CALL(u, e, unblock, it->row.target, it->row.tx,
						       u->now);
		if (rc >= 0 && it->is_dead)
			rc = tell_dead(it, u, e);
	}
	return rc < 0 ? rc : 0;
}

/* Its texts go where its job's arena is now. */
static void own_texts(struct settled *it, struct arena *a)
{
	it->row.reason = arena_str(a, it->row.reason);
	it->attempt.reason = it->row.reason;
	it->attempt.peer = arena_str(a, it->attempt.peer);
	it->attempt.response = arena_str(a, it->attempt.response);
}

static void on_again(struct timer *timer)
{
	struct settle *s = (struct settle *)((char *)timer - offsetof(struct settle, again));
	struct settle **at = &s->notify->stuck;
	while (*at != s)
		at = &(*at)->next_stuck;
	*at = s->next_stuck;
	engine_submit_internal(s->notify->engine, &s->job);
}

static void unstick(struct notify *n)
{
	n->is_stuck = false;
	struct target *t, *next;
	HASH_ITER(by_key, n->by_key, t, next)
	lane_pump(t);
}

static void settle_free(struct settle *s)
{
	arena_free(&s->arena);
	free(s->items);
	free(s->targets);
	free(s->target_rows);
	free(s);
}

static void settle_done(struct job *job);

static void submit(struct settle *s)
{
	s->job.apply = settle_apply;
	s->job.done = settle_done;
	s->job.item.weight = s->n + s->n_targets;
	engine_submit_internal(s->notify->engine, &s->job);
}

/* The store refuses something in it, and would again. One by one the rest goes
 * through; what does not is left to the end of its lease. */
static void divide(struct settle *s)
{
	bool is_one = s->n + s->n_targets == 1;
	if (is_one || s->n_targets)
		log_error("what came of a delivery cannot be saved", "why", s->job.err.text);
	for (size_t i = 0; i < s->n; i++) {
		if (is_one) {
			parcel_free(s->items[i]->parcel);
			free(s->items[i]);
			continue;
		}
		struct settle *one = xcalloc(1, sizeof(*one));
		one->notify = s->notify;
		one->items = xcalloc(1, sizeof(*one->items));
		one->items[0] = s->items[i];
		one->n = one->cap = 1;
		own_texts(s->items[i], &one->arena);
		submit(one);
	}
	settle_free(s);
}

/* Its leases end, and what they held goes on, at the next start. */
void settle_abandon(struct notify *n)
{
	while (n->stuck) {
		struct settle *s = n->stuck;
		n->stuck = s->next_stuck;
		timer_clear(n->loop, &s->again);
		for (size_t i = 0; i < s->n; i++) {
			parcel_free(s->items[i]->parcel);
			free(s->items[i]);
		}
		settle_free(s);
	}
}

static void settle_done(struct job *job)
{
	struct settle *s = (struct settle *)job;
	struct notify *n = s->notify;
	txw_time now = loop_now(n->loop);
	if (job->rc < 0 && job->rc != TXW_E_CANCELLED && !engine_is_trouble(job->rc)) {
		divide(s);
		return;
	}
	if (job->rc < 0 && job->rc != TXW_E_CANCELLED) {
		n->is_stuck = true;
		s->next_stuck = n->stuck;
		n->stuck = s;
		s->again.fire = on_again;
		timer_set(n->loop, &s->again, now + RETRY_SETTLE);
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		struct settled *it = s->items[i];
		struct target *t = it->parcel->target;
		txw_time due = it->row.state == TXW_DLV_PENDING ? it->row.due_at : 0;
		if (it->unblocked > 0)
			due = now;
		if (due && !t->is_deleted && job->rc >= 0)
			lane_due(t, due);
		parcel_free(it->parcel);
		free(it);
	}
	bool was_stuck = n->is_stuck;
	settle_free(s);
	if (was_stuck)
		unstick(n);
}

void settle_flush(struct notify *n)
{
	struct settle *s = n->settling;
	if (!s)
		return;
	n->settling = NULL;
	for (size_t i = 0; i < s->n_targets; i++)
		target_row(s->targets[i], &s->target_rows[i]);
	submit(s);
}

static void on_flush(struct task *task)
{
	struct notify *n = (struct notify *)((char *)task - offsetof(struct notify, flush));
	n->flush_posted = false;
	settle_flush(n);
	loop_release(n->loop);
}

static void on_flush_at(struct timer *timer)
{
	settle_flush((struct notify *)((char *)timer - offsetof(struct notify, flush_at)));
}

/* At the end of this turn. */
static void flush_soon(struct notify *n)
{
	timer_clear(n->loop, &n->flush_at);
	if (n->flush_posted)
		return;
	n->flush_posted = true;
	n->flush.run = on_flush;
	loop_hold(n->loop);
	loop_post(n->loop, &n->flush);
}

/* A commit costs the same for one verdict as for a hundred. With much under
 * way a few milliseconds are waited for more; a virtual clock does not pass by
 * itself, an ordered delivery keeps others waiting. */
static void flush_by_load(struct notify *n, bool is_ordered)
{
	if (loop_clock(n->loop)->is_virtual || n->is_draining || is_ordered ||
	    n->in_flight < FLUSH_LOAD || n->settling->n >= FLUSH_FULL) {
		flush_soon(n);
	} else if (!n->flush_posted && n->flush_at.place == 0) {
		n->flush_at.fire = on_flush_at;
		timer_set(n->loop, &n->flush_at, loop_now(n->loop) + FLUSH_WAIT);
	}
}

static struct settle *current(struct notify *n)
{
	if (!n->settling) {
		n->settling = xcalloc(1, sizeof(*n->settling));
		n->settling->notify = n;
	}
	return n->settling;
}

static struct settled *add(struct notify *n, struct parcel *p)
{
	struct settle *s = current(n);
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->items = xrealloc(s->items, s->cap * sizeof(*s->items));
	}
	struct settled *it = xcalloc(1, sizeof(*it));
	it->parcel = p;
	it->row = p->row;
	it->row.updated_at = loop_now(n->loop);
	s->items[s->n++] = it;
	flush_by_load(n, p->row.ordered);
	return it;
}

void settle_target(struct target *t)
{
	struct settle *s = current(t->notify);
	flush_soon(t->notify);
	for (size_t i = 0; i < s->n_targets; i++)
		if (s->targets[i] == t)
			return;
	if (s->n_targets == s->cap_targets) {
		s->cap_targets = s->cap_targets ? s->cap_targets * 2 : 8;
		s->targets = xrealloc(s->targets, s->cap_targets * sizeof(struct target *));
		s->target_rows = xrealloc(s->target_rows, s->cap_targets * sizeof(txw_target));
	}
	s->targets[s->n_targets++] = t;
}

void settle_forget(struct target *t)
{
	struct settle *s = t->notify->settling;
	for (size_t i = 0; s && i < s->n_targets; i++) {
		if (s->targets[i] == t) {
			s->targets[i] = s->targets[--s->n_targets];
			return;
		}
	}
}

static void suppress(struct settled *it)
{
	it->row.state = TXW_DLV_SUPPRESSED;
	it->row.due_at = 0;
	it->row.reason = STR_LIT("its subscription was deleted");
}

void settle_back(struct parcel *p, txw_time due)
{
	struct settled *it = add(p->target->notify, p);
	if (p->target->is_deleted) {
		suppress(it);
		return;
	}
	bool parked = atomic_load(&p->target->is_disabled);
	it->row.state = parked ? TXW_DLV_PARKED : TXW_DLV_PENDING;
	it->row.due_at = parked ? 0 : due;
	if (parked)
		it->row.reason = STR_LIT("its target is disabled");
}

/* ---- the verdict ---- */

static void record(struct settled *it, const struct verdict_in *in, struct arena *a)
{
	const txw_verdict *v = &in->v;
	it->row.attempts++;
	it->row.status = v->status;
	it->row.reason = arena_str(a, v->reason);
	it->has_attempt = true;
	it->attempt = (txw_attempt){
	    .size = sizeof(it->attempt),
	    .n = it->row.attempts,
	    .delivery = it->row.key,
	    .at = in->parcel->started,
	    .verdict = v->verdict,
	    .status = v->status,
	    .took = v->took,
	    .connect_took = v->connect_took,
	    .tls_took = v->tls_took,
	    .first_byte_took = v->first_byte_took,
	    .peer = arena_str(a, v->peer),
	    .reason = it->row.reason,
	    .response = arena_str(a, v->response),
	};
}

static void end(struct settled *it, uint32_t state)
{
	it->row.state = state;
	it->row.due_at = 0;
	it->is_final = true;
	it->is_dead = state == TXW_DLV_DEAD;
	if (it->is_dead)
		series_add(it->parcel->target->channel->m_dead, 1);
}

static void succeeded(struct settled *it, struct target *t)
{
	end(it, TXW_DLV_DELIVERED);
	if (t->failing_since == 0)
		return;
	t->failing_since = 0;
	t->failures = 0;
	settle_target(t);
}

static void failed(struct settled *it, struct target *t, const txw_verdict *v, txw_time now)
{
	const struct channel *c = t->channel;
	t->failures++;
	if (t->failing_since == 0) {
		t->failing_since = now;
		settle_target(t);
	}
	int64_t wait = channel_backoff(c, it->row.attempts, (uint64_t)it->row.key);
	bool throttled = v->verdict == TXW_VERDICT_THROTTLE;
	if (wait < 0) {
		end(it, TXW_DLV_DEAD);
	} else {
		if (v->after > wait || (v->after > 0 && !throttled))
			wait = v->after;
		bool parked = atomic_load(&t->is_disabled);
		it->row.state = parked ? TXW_DLV_PARKED : TXW_DLV_PENDING;
		it->row.due_at = parked ? 0 : now + wait;
	}
	if (throttled) {
		int64_t pause = v->after > 0                   ? v->after
				: wait < 0 || wait > PAUSE_MAX ? PAUSE_MAX
							       : wait;
		lane_pause(t, now + pause);
	}
	if (t->is_subscription && c->disable_after && now - t->failing_since >= c->disable_after &&
	    t->failures > 1)
		target_disable(t, "it has been failing for too long");
}

static void gone(struct settled *it, struct target *t)
{
	if (!t->is_subscription) {
		char name[256];
		snprintf(name, sizeof(name), "%.*s", STR_ARG(t->name));
		log_warn("a route's target wants no more: remove it from the config", "target",
			 name);
		end(it, TXW_DLV_DEAD);
		return;
	}
	/* A 2xx that asks for no more did take this one. */
	end(it, it->row.status / 100 == 2 ? TXW_DLV_DELIVERED : TXW_DLV_PARKED);
	target_disable(t, "the receiver asked for no more (410 Gone)");
}

void settle_verdict(struct verdict_in *in)
{
	struct parcel *p = in->parcel;
	struct target *t = p->target;
	struct notify *n = t->notify;
	const txw_verdict *v = &in->v;
	txw_time now = loop_now(n->loop);
	timer_clear(n->loop, &p->deadline);
	t->in_flight--;
	n->in_flight--;
	struct settled *it = add(n, p);
	record(it, in, &n->settling->arena);
	series_add(v->verdict == TXW_VERDICT_OK ? t->channel->m_ok : t->channel->m_failed, 1);
	series_observe(t->channel->m_seconds, (double)v->took / 1e6);
	switch (t->is_deleted && v->verdict != TXW_VERDICT_OK ? UINT32_MAX : v->verdict) {
	case TXW_VERDICT_OK:
		succeeded(it, t);
		break;
	case UINT32_MAX:
		suppress(it);
		break;
	case TXW_VERDICT_DROP:
		end(it, TXW_DLV_DEAD);
		break;
	case TXW_VERDICT_GONE:
		gone(it, t);
		break;
	default:
		failed(it, t, v, now);
	}
	arena_free(&in->arena);
	loop_release(n->loop);
	if (!t->is_deleted)
		lane_pump(t);
}
