/*
 * lane.c: keeps deliveries to one target within its limits and in order.
 *
 * Invariants:
 *   - at most `concurrency` attempts are under way, at most a window of
 *     deliveries is held, all lanes together hold at most HELD_LIMIT;
 *   - what waits while the target is paused is given back to the store;
 *   - of an ordered target the store hands out one delivery a transaction at
 *     a time: the others are BLOCKED until it is settled.
 *
 * Runs on the loop, but lane_complete.
 */
#include "base/id.h"
#include "base/log.h"
#include "base/row.h"
#include "base/str.h"
#include "notify/private.h"

#include <stdio.h>
#include <stdlib.h>

static bool may_work(const struct target *t)
{
	const struct notify *n = t->notify;
	return !n->is_draining && !n->is_stuck && !t->is_deleted && !atomic_load(&t->is_disabled) &&
	       t->paused_until <= loop_now(n->loop);
}

static void feed_hungry(struct notify *n)
{
	while (n->hungry && n->n_held < HELD_LIMIT) {
		struct target *t = n->hungry;
		n->hungry = t->next_hungry;
		if (!n->hungry)
			n->hungry_last = &n->hungry;
		t->is_hungry = false;
		if (t->is_deleted)
			target_remove(t);
		else
			lane_claim(t);
	}
}

void parcel_free(struct parcel *p)
{
	struct target *t = p->target;
	struct notify *n = t->notify;
	if (--p->refs > 0)
		return;
	evrec_unref(p->event);
	address_unref(p->address);
	free(p->reason);
	free(p);
	n->n_held--;
	atomic_fetch_sub(&t->held, 1);
	if (t->is_deleted)
		target_remove(t);
	else if (t->due && t->due <= loop_now(n->loop))
		lane_pump(t);
	feed_hungry(n);
}

/* ---- one attempt ---- */

static struct parcel *take_waiting(struct target *t)
{
	struct parcel *p = t->first;
	t->first = p->next;
	if (!t->first)
		t->last = &t->first;
	t->n_waiting--;
	return p;
}

/* Brings a verdict to the loop. */
struct posted {
	struct task task;
	struct verdict_in in;
};

static void on_verdict(struct task *task)
{
	struct posted *v = (struct posted *)task;
	settle_verdict(&v->in);
	free(v);
}

static void post_verdict(struct parcel *p, const txw_verdict *from)
{
	struct notify *n = p->target->notify;
	struct posted *v = xcalloc(1, sizeof(*v));
	struct arena *a = &v->in.arena;
	txw_str response = from->size > offsetof(txw_verdict, response) ? from->response : STR_NONE;
	if (response.len > 4096)
		response.len = 4096;
	arena_first(a, from->reason.len + response.len + 256);
	memcpy(&v->in.v, from, from->size < sizeof(v->in.v) ? from->size : sizeof(v->in.v));
	v->in.v.reason = arena_str(a, v->in.v.reason);
	v->in.v.peer = arena_str(a, v->in.v.peer);
	v->in.v.response = arena_str(a, response);
	v->in.parcel = p;
	v->in.at = loop_now(n->loop);
	v->task.run = on_verdict;
	loop_post(n->loop, &v->task);
}

int32_t lane_complete(instance *self, uint64_t token, const txw_verdict *v)
{
	struct parcel *p = tokens_take(self->services->notify->tokens, token);
	if (!p) {
		atomic_fetch_add(&self->misbehaved, 1);
		return TXW_E_NOTFOUND;
	}
	post_verdict(p, v);
	return TXW_OK;
}

static void fail(struct parcel *p, txw_str why)
{
	txw_verdict v = {.size = sizeof(v), .verdict = TXW_VERDICT_RETRY, .reason = why};
	v.took = loop_now(p->target->notify->loop) - p->started;
	post_verdict(p, &v);
}

static void on_back(struct task *task)
{
	parcel_free((struct parcel *)((char *)task - offsetof(struct parcel, back)));
}

/* On the instance's thread. A worker's parcel outlives its verdict until send
 * has returned; on the loop a verdict comes by a task, so after. */
static void parcel_run(struct task *task)
{
	struct parcel *p = (struct parcel *)((char *)task - offsetof(struct parcel, task));
	instance *in = p->address->channel->in;
	struct notify *n = p->target->notify;
	txw_error from = ERR_ABI_INIT;
	int32_t rc = TXW_OK;
	if (!atomic_load(&p->is_over)) /* its deadline passed in the queue */
		rc = in->role->v.notifier.send(in->self, &p->item, sizeof(p->item), 1, &from);
	if (rc < 0 && tokens_take(n->tokens, p->token)) {
		struct err e = {0};
		err_from_plugin(&e, rc, &from);
		fail(p, str_of(e.text));
	}
	if (in->role->row.flags & TXW_BLOCKING) {
		p->back.run = on_back;
		loop_post(n->loop, &p->back);
	}
}

static void on_deadline(struct timer *timer)
{
	struct parcel *p = (struct parcel *)((char *)timer - offsetof(struct parcel, deadline));
	instance *in = p->address->channel->in;
	if (!tokens_take(p->target->notify->tokens, p->token))
		return; /* its verdict is on the way */
	atomic_store(&p->is_over, true);
	if (in->role->v.notifier.cancel)
		in->role->v.notifier.cancel(in->self, p->token);
	char text[96], took[DURATION_TEXT_MAX];
	duration_print(took, p->address->channel->timeout);
	int n = snprintf(text, sizeof(text), "timed out: no answer within %s", took);
	fail(p, (txw_str){text, (size_t)n});
}

static void parcel_send(struct parcel *p)
{
	struct target *t = p->target;
	struct notify *n = t->notify;
	txw_time now = loop_now(n->loop);
	p->token = tokens_issue(n->tokens, p);
	p->started = now;
	p->address = t->address;
	p->address->refs++;
	p->item = (txw_delivery){
	    .size = sizeof(p->item),
	    .attempt = p->row.attempts + 1,
	    .token = p->token,
	    .id = id_from_key(p->row.created_at, engine_info(n->engine)->site, p->row.key),
	    .event = p->event->ev,
	    .address = t->address->address,
	    .settings = t->address->settings,
	    .target = t->name,
	    .deadline = now + t->channel->timeout,
	};
	p->deadline.fire = on_deadline;
	timer_set(n->loop, &p->deadline, p->item.deadline);
	p->task.run = parcel_run;
	t->in_flight++;
	n->in_flight++;
	loop_hold(n->loop);
	bool worker = t->channel->in->role->row.flags & TXW_BLOCKING;
	p->refs += worker;
	/* A worker with too much to do: the deadline will fail it. */
	if (instance_run(t->channel->in, &p->task) < 0)
		p->refs -= worker;
}

/* ---- the lane ---- */

static void on_wake(struct timer *timer)
{
	struct target *t = (struct target *)((char *)timer - offsetof(struct target, wake));
	lane_pump(t);
}

static void arm(struct target *t, txw_time at)
{
	t->wake.fire = on_wake;
	if (t->wake.place == 0 || at < t->wake.at)
		timer_set(t->notify->loop, &t->wake, at);
}

/* When the pause, the rate or the store's next due time lets it go on. */
static void arm_for_due(struct target *t)
{
	txw_time at = t->due > t->paused_until ? t->due : t->paused_until;
	if (t->due == 0 || t->is_deleted || atomic_load(&t->is_disabled))
		return;
	/* What is due already comes when the window has room again. */
	if (at > loop_now(t->notify->loop))
		arm(t, at);
}

void lane_take(struct parcel *p)
{
	struct target *t = p->target;
	t->notify->n_held++;
	p->refs = 1;
	p->next = NULL;
	*t->last = p;
	t->last = &p->next;
	t->n_waiting++;
	lane_pump(t);
}

void lane_pump(struct target *t)
{
	struct notify *n = t->notify;
	txw_time now = loop_now(n->loop);
	if (!may_work(t)) {
		txw_time until = t->paused_until > now ? t->paused_until : now;
		/* A draining host leaves it to its lease's end at start. */
		if (!n->is_draining && !n->is_stuck)
			lane_give_back(t, until);
		if (until > now && !t->is_deleted)
			arm(t, until);
		return;
	}
	while (t->first && t->in_flight < t->concurrency) {
		txw_time later = rate_take(&t->rate, now);
		if (later) {
			arm(t, later);
			return;
		}
		parcel_send(take_waiting(t));
	}
	if (t->due && t->due <= now && t->n_waiting < target_window(t) / 4)
		lane_claim(t);
	else
		arm_for_due(t);
}

void lane_due(struct target *t, txw_time due)
{
	if (due && (t->due == 0 || due < t->due))
		t->due = due;
	lane_pump(t);
}

void lane_pause(struct target *t, txw_time until)
{
	if (until <= t->paused_until)
		return;
	t->paused_until = until;
	settle_target(t);
	lane_give_back(t, until);
	arm(t, until);
}

void lane_give_back(struct target *t, txw_time due)
{
	while (t->first)
		settle_back(take_waiting(t), due);
}

/* ---- claims ---- */

struct claim {
	struct job job;
	struct target *target;
	uint32_t limit;
	struct parcel *first;
	struct parcel **last;
	uint32_t n;
	txw_time due;
};

static int32_t on_claimed(void *ctx, const txw_delivery_row *row, const txw_target *target,
			  const txw_event *ev)
{
	struct claim *c = ctx;
	(void)target;
	if (!ev)
		return 0;
	txw_event with = *ev;
	with.id = id_from_key(ev->at, engine_info(c->target->notify->engine)->site, ev->seq);
	struct parcel *p = xcalloc(1, sizeof(*p));
	p->target = c->target;
	p->event = evrec_new(&with);
	p->row = *row;
	p->row.tenant = p->event->ev->tenant;
	p->reason = row->reason.len ? str_dup(row->reason) : NULL;
	p->row.reason = str_of(p->reason);
	*c->last = p;
	c->last = &p->next;
	c->n++;
	return 0;
}

static void forget_claimed(struct claim *c)
{
	while (c->first) {
		struct parcel *p = c->first;
		c->first = p->next;
		evrec_unref(p->event);
		free(p->reason);
		free(p);
	}
	c->last = &c->first;
	c->n = 0;
}

static int32_t claim_apply(struct job *job, struct unit *u, struct err *e)
{
	struct claim *c = (struct claim *)job;
	forget_claimed(c);
	int32_t rc = UNIT_CALL(u, e, claim, c->target->key, u->now, u->now + LEASE, c->limit,
			       on_claimed, c);
	if (rc < 0)
		return rc;
	return UNIT_CALL(u, e, target_due, c->target->key, &c->due);
}

static void claim_done(struct job *job)
{
	struct claim *c = (struct claim *)job;
	struct target *t = c->target;
	t->is_claiming = false;
	if (job->rc < 0) {
		forget_claimed(c);
		t->due = 0;
		if (!t->is_deleted)
			lane_due(t, loop_now(t->notify->loop) + SECOND);
	} else {
		/* A lease of ours is no reason to wake. */
		if (c->due && (t->due == 0 || c->due < t->due))
			t->due = c->due;
		atomic_fetch_add(&t->held, c->n);
		for (struct parcel *p = c->first; p;) {
			struct parcel *next = p->next;
			lane_take(p);
			p = next;
		}
		if (c->n == 0 && !t->is_deleted)
			lane_pump(t);
	}
	if (t->is_deleted)
		target_remove(t);
	free(c);
}

void lane_claim(struct target *t)
{
	struct notify *n = t->notify;
	size_t held = atomic_load(&t->held), window = target_window(t);
	/* Half a window at a time; parcel_free() comes back for the rest. */
	if (t->is_claiming || t->is_hungry || !may_work(t) || held > window / 2)
		return;
	if (n->n_held >= HELD_LIMIT) {
		t->is_hungry = true;
		t->next_hungry = NULL;
		*n->hungry_last = t;
		n->hungry_last = &t->next_hungry;
		return;
	}
	struct claim *c = xcalloc(1, sizeof(*c));
	c->target = t;
	c->limit = (uint32_t)(window - held);
	c->last = &c->first;
	c->job.apply = claim_apply;
	c->job.done = claim_done;
	t->is_claiming = true;
	t->due = 0;
	engine_submit_internal(n->engine, &c->job);
}
