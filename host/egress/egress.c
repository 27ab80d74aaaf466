/*
 * egress.c: requests in, answers out: slots, deadlines and the loop's turn.
 *
 * Transfers live in slots, made as needed up to EGRESS_MAX_IN_FLIGHT and
 * reused, the latest first, so the handles in use stay warm. An id is the
 * slot and a generation: a stale one finds another id in the slot and does
 * nothing.
 *
 * What starts and what ends is brought to the loop by one task, posted when
 * it is not posted yet: under load a turn takes a batch, and the wakes cost
 * nothing per request.
 *
 * egress_close is called when the loop runs no more tasks: a posted turn is
 * never run after it.
 */
#include "egress/egress.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "egress/transfer.h"
#include "measure/metrics.h"

#define SLOT_BITS 12
#define SLOT_MASK ((UINT64_C(1) << SLOT_BITS) - 1)
_Static_assert(EGRESS_MAX_IN_FLIGHT == 1 << SLOT_BITS, "an id holds a slot");

#define WARM_TRANSFERS 256 /* free ones that keep their handle */

static const char *const RESULT_NAMES[R_COUNT] = {
    [R_ANSWERED] = "answered", [R_DENIED] = "denied",       [R_TIMEOUT] = "timeout", [R_IO] = "io",
    [R_FULL] = "full",         [R_CANCELLED] = "cancelled",
};

static enum result result_of(int32_t error)
{
	switch (error) {
	case TXW_OK:
		return R_ANSWERED;
	case TXW_E_DENIED:
		return R_DENIED;
	case TXW_E_TIMEOUT:
		return R_TIMEOUT;
	case TXW_E_FULL:
		return R_FULL;
	case TXW_E_CANCELLED:
		return R_CANCELLED;
	default:
		return R_IO;
	}
}

/* ---- slots: under the lock ---- */

static struct transfer *slot_take(struct egress *e)
{
	struct transfer *t = e->free;
	if (t) {
		e->free = t->next;
		e->n_free--;
		return t;
	}
	if (e->n_slots == EGRESS_MAX_IN_FLIGHT)
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->egress = e;
	t->slot = (uint32_t)e->n_slots;
	e->slots[e->n_slots++] = t;
	return t;
}

static void slot_give(struct egress *e, struct transfer *t)
{
	t->id = 0;
	t->next = e->free;
	e->free = t;
	e->n_free++;
}

static struct transfer *slot_find(struct egress *e, uint64_t id)
{
	uint64_t slot = id & SLOT_MASK;
	return id && slot < e->n_slots && e->slots[slot]->id == id ? e->slots[slot] : NULL;
}

static struct pool *pool_for(struct egress *e, const struct egress_policy *policy)
{
	struct pool *p;
	for (p = e->pools; p; p = p->next)
		if (policy_same(p->policy, policy))
			return p;
	if (!e->has_curl && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	e->has_curl = true;
	p = pool_open(e, policy);
	if (p) {
		p->next = e->pools;
		e->pools = p;
	}
	return p;
}

/* ---- the loop's side ---- */

static void on_deadline(struct timer *timer)
{
	struct transfer *t = (struct transfer *)(void *)((char *)timer -
							 offsetof(struct transfer, deadline));
	struct egress *e = t->egress;
	pthread_mutex_lock(&e->lock);
	bool wake = pool_stop(t->pool, t, TXW_E_TIMEOUT);
	pthread_mutex_unlock(&e->lock);
	if (wake)
		pool_wake(t->pool);
}

static void count_in_flight(struct egress *e)
{
	pthread_mutex_lock(&e->lock);
	size_t n = e->n_slots - e->n_free;
	pthread_mutex_unlock(&e->lock);
	series_set(e->in_flight, (double)n);
}

/* Tells the caller, and makes the slot free again. */
static void conclude(struct transfer *t, bool is_surplus)
{
	struct egress *e = t->egress;
	timer_clear(e->loop, &t->deadline);

	txw_http_header headers[ANSWER_HEADERS];
	txw_http_response response;
	struct buf text = {0};
	transfer_answer(t, &response, headers, &text);
	series_add(e->results[result_of(t->error)], 1);
	series_observe(e->seconds, (double)t->took / 1e6);
	t->done(t->ctx, &response);
	buf_free(&text);

	transfer_trim(t, is_surplus);
	pthread_mutex_lock(&e->lock);
	slot_give(e, t);
	pthread_mutex_unlock(&e->lock);
	loop_release(e->loop);
}

static void turn(struct egress *e)
{
	pthread_mutex_lock(&e->lock);
	struct transfer *arming = e->arming, *over = e->over;
	e->arming = e->over = NULL;
	e->over_last = &e->over;
	e->is_posted = false;
	bool is_surplus = e->n_free >= WARM_TRANSFERS;
	for (struct pool *p = e->pools; p; p = p->next) {
		if (p->is_called)
			pool_wake(p);
		p->is_called = false;
	}
	pthread_mutex_unlock(&e->lock);

	for (struct transfer *t = over; t; t = t->next)
		t->is_over = true;
	for (struct transfer *t = arming; t; t = t->arm_next)
		if (!t->is_over)
			timer_set(e->loop, &t->deadline, t->ends);
	while (over) {
		struct transfer *t = over;
		over = t->next;
		conclude(t, is_surplus);
	}
	count_in_flight(e);
}

static void on_turn(struct task *task)
{
	turn((struct egress *)(void *)((char *)task - offsetof(struct egress, turn)));
}

void egress_publish(struct pool *p)
{
	struct egress *e = p->egress;
	if (!p->over)
		return;
	pthread_mutex_lock(&e->lock);
	*e->over_last = p->over;
	e->over_last = p->over_last;
	bool post = !e->is_posted && !e->is_closing;
	e->is_posted = true;
	pthread_mutex_unlock(&e->lock);
	p->over = NULL;
	p->over_last = &p->over;
	if (post)
		loop_post(e->loop, &e->turn);
}

/* ---- starting and cancelling: [any] ---- */

static int32_t reserve(struct egress *e, const struct egress_policy *policy, struct transfer **out,
		       struct err *err)
{
	int32_t rc = 0;
	pthread_mutex_lock(&e->lock);
	struct pool *p = e->is_closing ? NULL : pool_for(e, policy);
	struct transfer *t = p ? slot_take(e) : NULL;
	if (t)
		t->pool = p;
	else if (e->is_closing)
		rc = err_set(err, TXW_E_CANCELLED, "the host is stopping");
	else if (!p)
		rc = err_set(err, TXW_E_NOMEM, "no thread for outgoing requests");
	else
		rc = err_set(err, TXW_E_BUSY, "%d outgoing requests are under way: try later",
			     EGRESS_MAX_IN_FLIGHT);
	pthread_mutex_unlock(&e->lock);
	*out = t;
	return rc;
}

static void unreserve(struct egress *e, struct transfer *t)
{
	pthread_mutex_lock(&e->lock);
	slot_give(e, t);
	pthread_mutex_unlock(&e->lock);
}

static void submit(struct egress *e, struct transfer *t, uint64_t *id)
{
	loop_hold(e->loop);
	pthread_mutex_lock(&e->lock);
	t->id = ++e->generation << SLOT_BITS | t->slot;
	if (id)
		*id = t->id;
	t->arm_next = e->arming;
	e->arming = t;
	/* Woken when the turn is over: libcurl looks at every request under
	 * way each time it is called, so many at once are cheaper. */
	if (pool_submit(t->pool, t))
		t->pool->is_called = true;
	bool post = !e->is_posted;
	e->is_posted = true;
	pthread_mutex_unlock(&e->lock);
	if (post)
		loop_post(e->loop, &e->turn);
}

int32_t egress_start(struct egress *e, const struct egress_policy *policy,
		     const txw_http_request *request, txw_http_done done, void *ctx, uint64_t *id,
		     struct err *err)
{
	struct transfer *t;
	int32_t rc = reserve(e, policy, &t, err);
	if (rc < 0)
		return rc;
	rc = request_copy(t, request, err);
	if (rc < 0) {
		unreserve(e, t);
		return rc;
	}
	t->began = clock_ticks();
	t->ends = loop_now(e->loop) + t->timeout;
	t->deadline.fire = on_deadline;
	t->is_over = false;
	t->done = done;
	t->ctx = ctx;
	submit(e, t, id);
	return TXW_PENDING;
}

void egress_cancel(struct egress *e, uint64_t id)
{
	pthread_mutex_lock(&e->lock);
	struct transfer *t = slot_find(e, id);
	struct pool *p = t ? t->pool : NULL;
	bool wake = t && pool_stop(p, t, TXW_E_CANCELLED);
	pthread_mutex_unlock(&e->lock);
	if (wake)
		pool_wake(p);
}

/* ---- life ---- */

static void define_metrics(struct egress *e, struct metrics *metrics)
{
	static const struct metric_row requests = {
	    .name = "txwatch_egress_requests_total",
	    .help = "Outgoing HTTP requests by what came of them",
	    .type = TXW_METRIC_COUNTER,
	    .labels = {"result"},
	};
	static const struct metric_row in_flight = {
	    .name = "txwatch_egress_in_flight",
	    .help = "Outgoing HTTP requests under way",
	    .type = TXW_METRIC_GAUGE,
	};
	struct metric_row seconds = {
	    .name = "txwatch_egress_request_seconds",
	    .help = "How long outgoing HTTP requests took",
	    .unit = "seconds",
	    .type = TXW_METRIC_HISTOGRAM,
	    .bounds = METRIC_SECONDS,
	    .n_bounds = METRIC_SECONDS_N,
	};
	struct metric *by_result = metric_define(metrics, &requests);
	for (int i = 0; i < R_COUNT; i++)
		e->results[i] = metric_series(by_result, &RESULT_NAMES[i]);
	e->in_flight = metric_only(metric_define(metrics, &in_flight));
	e->seconds = metric_only(metric_define(metrics, &seconds));
}

struct egress *egress_open(struct loop *loop, struct metrics *metrics)
{
	struct egress *e = xcalloc(1, sizeof(*e));
	e->loop = loop;
	e->turn.run = on_turn;
	e->over_last = &e->over;
	pthread_mutex_init(&e->lock, NULL);
	define_metrics(e, metrics);
	return e;
}

void egress_close(struct egress *e)
{
	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	e->is_closing = true;
	pthread_mutex_unlock(&e->lock);
	while (e->pools) {
		struct pool *p = e->pools;
		e->pools = p->next;
		pool_close(p);
	}
	turn(e); /* what the threads left behind */
	for (size_t i = 0; i < e->n_slots; i++) {
		transfer_trim(e->slots[i], true);
		free(e->slots[i]);
	}
	if (e->has_curl)
		curl_global_cleanup();
	pthread_mutex_destroy(&e->lock);
	free(e);
}
