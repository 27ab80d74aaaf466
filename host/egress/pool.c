/*
 * pool.c: one thread, its curl_multi and the connections it keeps.
 *
 * A kept connection was vetted by the policy it was opened under, so requests
 * of another policy must never find it: each distinct policy has a pool of its
 * own, made with its first request. Equal policies share.
 *
 * The thread's round: take what is new and what is to stop, let libcurl work,
 * collect what is over, hand it to the loop in one go, sleep if nothing is
 * new. `is_asleep` is set under the lock together with the look into the
 * inbox, so a starter wakes the thread exactly when it would not look again.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "egress/transfer.h"

/* Connections kept, idle ones included; the rest are closed after use. */
#define KEPT_CONNECTIONS 1024L
#define NAP_MS           60000 /* libcurl's own timers shorten it */

bool pool_submit(struct pool *p, struct transfer *t)
{
	t->next = NULL;
	*p->inbox_last = t;
	p->inbox_last = &t->next;
	bool was_asleep = p->is_asleep;
	p->is_asleep = false;
	return was_asleep;
}

bool pool_stop(struct pool *p, struct transfer *t, int32_t code)
{
	if (p->n_stops == p->cap_stops) {
		p->cap_stops = p->cap_stops ? p->cap_stops * 2 : 64;
		p->stops = xrealloc(p->stops, p->cap_stops * sizeof(*p->stops));
	}
	p->stops[p->n_stops++] = (struct stop){t, t->id, code};
	bool was_asleep = p->is_asleep;
	p->is_asleep = false;
	return was_asleep;
}

void pool_wake(struct pool *p)
{
	curl_multi_wakeup(p->multi);
}

/* ---- the thread ---- */

static void begin_all(struct pool *p, struct transfer *t)
{
	while (t) {
		struct transfer *next = t->next;
		if (!transfer_begin(t, p->multi))
			transfer_finish(t, p->multi, CURLE_OUT_OF_MEMORY);
		t = next;
	}
}

static void stop_all(struct pool *p)
{
	for (size_t i = 0; i < p->n_taken; i++) {
		struct stop *s = &p->taken[i];
		if (atomic_load(&s->transfer->active) == s->id)
			transfer_stop(s->transfer, p->multi, s->code);
	}
	p->n_taken = 0;
}

/* false: the egress is closing. */
static bool take(struct pool *p)
{
	pthread_mutex_lock(&p->egress->lock);
	struct transfer *inbox = p->inbox;
	p->inbox = NULL;
	p->inbox_last = &p->inbox;
	struct stop *stops = p->stops;
	size_t cap = p->cap_stops;
	p->n_taken = p->n_stops;
	p->stops = p->taken;
	p->cap_stops = p->cap_taken;
	p->n_stops = 0;
	p->taken = stops;
	p->cap_taken = cap;
	bool is_closing = p->egress->is_closing;
	pthread_mutex_unlock(&p->egress->lock);

	begin_all(p, inbox);
	stop_all(p);
	return !is_closing;
}

/* What is cut and still open has peers with more to say: not waited for. */
static void end_cut(struct pool *p)
{
	while (p->cut) {
		struct transfer *t = p->cut;
		p->cut = t->cut_next;
		if (atomic_load(&t->active))
			transfer_finish(t, p->multi, CURLE_WRITE_ERROR);
	}
}

static void collect(struct pool *p)
{
	CURLMsg *msg;
	int left;
	while ((msg = curl_multi_info_read(p->multi, &left))) {
		struct transfer *t = NULL;
		if (msg->msg != CURLMSG_DONE)
			continue;
		CURLcode code = msg->data.result; /* msg dies with the handle */
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
		transfer_finish(t, p->multi, code);
	}
	end_cut(p);
	egress_publish(p);
}

static bool may_sleep(struct pool *p)
{
	pthread_mutex_lock(&p->egress->lock);
	p->is_asleep = !p->inbox && p->n_stops == 0 && !p->egress->is_closing;
	bool is_asleep = p->is_asleep;
	pthread_mutex_unlock(&p->egress->lock);
	return is_asleep;
}

/* The lock is not needed for slots: nothing starts any more. */
static void cancel_all(struct pool *p)
{
	struct egress *e = p->egress;
	for (size_t i = 0; i < e->n_slots; i++) {
		struct transfer *t = e->slots[i];
		if (t->pool == p && atomic_load(&t->active))
			transfer_stop(t, p->multi, TXW_E_CANCELLED);
	}
	egress_publish(p);
}

static void *pool_main(void *arg)
{
	struct pool *p = arg;
	int running;
	while (take(p)) {
		curl_multi_perform(p->multi, &running);
		collect(p);
		if (may_sleep(p))
			curl_multi_poll(p->multi, NULL, 0, NAP_MS, NULL);
	}
	cancel_all(p);
	return NULL;
}

/* ---- life ---- */

/* Signals are main's; SIGPIPE, which TLS may raise, is nobody's. */
static int start_thread(struct pool *p)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&p->thread, NULL, pool_main, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		pthread_setname_np(p->thread, "egress");
	return rc;
}

struct pool *pool_open(struct egress *e, const struct egress_policy *policy)
{
	struct pool *p = xcalloc(1, sizeof(*p));
	p->egress = e;
	p->inbox_last = &p->inbox;
	p->over_last = &p->over;
	p->multi = curl_multi_init();
	if (!p->multi)
		goto free_pool;
	curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
	p->policy = policy_copy(policy);
	if (start_thread(p) != 0)
		goto free_policy;
	return p;

free_policy:
	free(p->policy);
	curl_multi_cleanup(p->multi);
free_pool:
	free(p);
	return NULL;
}

void pool_close(struct pool *p)
{
	pool_wake(p);
	pthread_join(p->thread, NULL);
	curl_multi_cleanup(p->multi);
	free(p->policy);
	free(p->stops);
	free(p->taken);
	free(p);
}
