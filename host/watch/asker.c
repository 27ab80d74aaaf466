/*
 * asker.c: a poller's lane: what waits, what is under way, and what holds it.
 *
 * Invariants:
 *   - at most `concurrency` calls are under way, WAITING_LIMIT looks wait;
 *   - nothing starts while the upstream asked for a pause or the breaker is
 *     open; half-open lets one call through;
 *   - a look is answered once: by its token, whoever comes first of the
 *     plugin, the deadline and the end of the call.
 */
#include "watch/private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"

void asker_release(struct look *look)
{
	struct claimed *of = look->of;
	if (--of->refs == 0) {
		arena_free(&of->arena);
		free(of);
	}
	free(look);
}

void asker_offer(struct poller *p, struct claimed *of, const txw_tx *tx, bool is_last)
{
	struct look *look = xcalloc(1, sizeof(*look));
	look->of = of;
	look->poller = p;
	look->tx = tx;
	look->is_last = is_last;
	*p->last = look;
	p->last = &look->next;
	p->n_waiting++;
}

txw_time asker_blocked_until(const struct poller *p)
{
	txw_time t = p->paused_until;
	if (p->breaker.state == BREAKER_OPEN && p->breaker.until > t)
		t = p->breaker.until;
	return t;
}

static struct look *take_waiting(struct poller *p)
{
	struct look *look = p->first;
	p->first = look->next;
	if (!p->first)
		p->last = &p->first;
	p->n_waiting--;
	return look;
}

/* While it is held up, what waits is given back: its next poll is set in the
 * store already. A last look is answered, so that it expires on time. */
static void give_back(struct poller *p)
{
	while (p->first) {
		struct look *look = take_waiting(p);
		if (look->is_last && !p->watch->is_draining)
			answer_failed(look,
				      STR_LIT("the upstream is failing or asked for a pause"));
		else
			asker_release(look);
	}
}

/* ---- a call ---- */

static void call_end(struct call *call)
{
	struct poller *p = call->poller;
	struct loop *loop = p->watch->loop;
	timer_clear(loop, &call->deadline);
	series_observe(p->m_seconds, (double)(clock_ticks() - call->started) / 1e6);
	p->n_calls--;
	for (size_t i = 0; i < call->n; i++)
		asker_release(call->looks[i]);
	free(call->looks);
	free(call->items);
	free(call);
	loop_release(loop);
	asker_pump(p);
}

static void call_drop(struct call *call)
{
	if (--call->left == 0)
		call_end(call);
}

void asker_answered(struct look *look)
{
	/* The plugin may still read its items: they go with the call. */
	if (look->call)
		call_drop(look->call);
	else
		asker_release(look);
}

/* Fails every look of the call that has no answer yet. */
static void call_fail(struct call *call, txw_str why, bool cancel)
{
	struct poller *p = call->poller;
	const txw_poller *v = &p->in->role->v.poller;
	size_t n = call->n;
	struct look **looks = xcalloc(n, sizeof(struct look *));
	size_t n_open = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t token = call->items[i].token;
		struct look *look = tokens_take(p->watch->tokens, token);
		if (!look)
			continue;
		if (cancel && v->cancel)
			v->cancel(p->in->self, token);
		looks[n_open++] = look;
	}
	if (n_open)
		asker_bad(p, why);
	for (size_t i = 0; i < n_open; i++)
		answer_failed(looks[i], why); /* the last one ends the call */
	free(looks);
}

static void on_deadline(struct timer *timer)
{
	struct call *call = (struct call *)((char *)timer - offsetof(struct call, deadline));
	char text[96], took[DURATION_TEXT_MAX];
	duration_print(took, call->poller->timeout);
	int n = snprintf(text, sizeof(text), "timed out: no answer within %s", took);
	call_fail(call, (txw_str){text, (size_t)n}, true);
}

/* poll() has returned, on a thread of its own or with an error. */
struct returned {
	struct task task;
	struct call *call;
	int32_t rc;
	struct err err;
};

static void on_returned(struct task *task)
{
	struct returned *r = (struct returned *)task;
	if (r->rc < 0)
		call_fail(r->call, str_of(r->err.text), false);
	call_drop(r->call);
	free(r);
}

static void post_returned(struct call *call, int32_t rc, txw_str why)
{
	struct returned *r = xcalloc(1, sizeof(*r));
	r->call = call;
	r->rc = rc;
	if (rc < 0)
		err_set(&r->err, rc, "%.*s", STR_ARG(why));
	r->task.run = on_returned;
	loop_post(call->poller->watch->loop, &r->task);
}

/* On the instance's thread. `left` counts this call too, so that it outlives
 * looks completed before poll() returns. */
static void call_run(struct task *task)
{
	struct call *call = (struct call *)task;
	instance *in = call->poller->in;
	txw_error from = ERR_ABI_INIT;
	int32_t rc = in->role->v.poller.poll(in->self, call->items, sizeof(*call->items), call->n,
					     &from);
	if (rc >= 0 && !(in->role->row.flags & TXW_BLOCKING)) {
		call->left--; /* completions come by the loop: some are left */
		return;
	}
	struct err e = {0};
	err_from_plugin(&e, rc, &from);
	post_returned(call, rc, str_of(e.text));
}

static void call_start(struct poller *p)
{
	struct watch *w = p->watch;
	struct call *call = xcalloc(1, sizeof(*call));
	size_t n = p->n_waiting < p->batch ? p->n_waiting : p->batch;
	/* A probe asks about one. */
	if (p->breaker.state == BREAKER_HALF_OPEN)
		n = 1;
	call->poller = p;
	call->looks = xcalloc(n, sizeof(struct look *));
	call->items = xcalloc(n, sizeof(*call->items));
	call->n = n;
	call->left = n + 1;
	call->started = clock_ticks();
	txw_time now = loop_now(w->loop), deadline = now + p->timeout;
	for (size_t i = 0; i < n; i++) {
		struct look *look = take_waiting(p);
		look->call = call;
		look->token = tokens_issue(w->tokens, look);
		call->looks[i] = look;
		call->items[i] = (txw_poll_item){.size = sizeof(txw_poll_item),
						 .is_last = look->is_last,
						 .token = look->token,
						 .tx = look->tx,
						 .deadline = deadline};
	}
	call->deadline.fire = on_deadline;
	timer_set(w->loop, &call->deadline, deadline);
	call->task.run = call_run;
	p->n_calls++;
	loop_hold(w->loop);
	int32_t rc = instance_run(p->in, &call->task);
	if (rc < 0)
		post_returned(call, rc, STR_LIT("the instance has too much to do"));
}

static void on_again(struct timer *timer)
{
	asker_pump((struct poller *)((char *)timer - offsetof(struct poller, again)));
}

void asker_pump(struct poller *p)
{
	struct watch *w = p->watch;
	txw_time now = loop_now(w->loop);
	p->again.fire = on_again;
	series_set(p->m_waiting, (double)p->n_waiting);
	if (w->is_draining || asker_blocked_until(p) > now) {
		give_back(p);
		return;
	}
	while (p->first && p->n_calls < p->concurrency) {
		if (!breaker_may(&p->breaker, now))
			return;
		txw_time later = rate_take(&p->rate, now);
		if (later) {
			timer_set(w->loop, &p->again, later);
			return;
		}
		breaker_began(&p->breaker);
		call_start(p);
	}
}

/* ---- health ---- */

struct health_job {
	struct job job;
	struct arena arena;
	txw_event ev;
};

static int32_t health_apply(struct job *job, struct unit *u, struct err *e)
{
	struct health_job *h = (struct health_job *)job;
	h->ev.at = u->now;
	return unit_append(u, &h->ev, NULL, e);
}

static void health_done(struct job *job)
{
	struct health_job *h = (struct health_job *)job;
	arena_free(&h->arena);
	free(h);
}

static void tell(struct poller *p, uint32_t type, txw_str why)
{
	struct health_job *h = xcalloc(1, sizeof(*h));
	h->job.apply = health_apply;
	h->job.done = health_done;
	h->ev = (txw_event){.size = sizeof(h->ev),
			    .type = type,
			    .tenant = p->tenant,
			    .source = arena_str(&h->arena, str_of(p->in->name)),
			    .reason = arena_str(&h->arena, why)};
	engine_submit_internal(p->watch->engine, &h->job);
}

void asker_good(struct poller *p)
{
	if (!breaker_good(&p->breaker))
		return;
	series_set(p->m_up, 1);
	log_info("poller recovered", "instance", p->in->name);
	tell(p, TXW_EV_POLLER_RECOVERED, STR_LIT("the upstream answers again"));
}

void asker_bad(struct poller *p, txw_str why)
{
	struct log_num n;
	char text[512];
	snprintf(text, sizeof(text), "%.*s", STR_ARG(why));
	log_debug("poll failed", "instance", p->in->name, "why", text);
	if (!breaker_bad(&p->breaker, loop_now(p->watch->loop)))
		return;
	series_set(p->m_up, 0);
	log_warn("poller down", "instance", p->in->name, "why", text, "failures",
		 log_int(&n, p->breaker.failures));
	tell(p, TXW_EV_POLLER_DOWN, why);
}

void asker_pause(struct poller *p, int64_t after)
{
	txw_time until = loop_now(p->watch->loop) + after;
	if (until > p->paused_until)
		p->paused_until = until;
}
