/*
 * send.c: deliveries out, verdicts back.
 *
 * A delivery becomes one signed POST. Its `pending` is kept from send() to the
 * answer, so that cancel, which comes from any thread, finds the request. The
 * id of the event, not of the delivery, is the webhook's: it is the same on
 * every attempt and replay, and is what a receiver recognises a repeat by.
 *
 * Runs on the loop, except webhook_cancel.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "webhook.h"

#define SECOND    INT64_C(1000000)
#define REPLY_CAP 4096

/* ---- what is pending ---- */

static struct pending **bucket(struct webhook *w, uint64_t token)
{
	return &w->buckets[token % PENDING_BUCKETS];
}

static struct pending *pending_take(struct webhook *w)
{
	pthread_mutex_lock(&w->lock);
	struct pending *p = w->free;
	if (p)
		w->free = p->next;
	pthread_mutex_unlock(&w->lock);
	return p ? p : malloc(sizeof(*p));
}

static void pending_add(struct webhook *w, struct pending *p)
{
	struct pending **head = bucket(w, p->token);
	pthread_mutex_lock(&w->lock);
	p->next = *head;
	*head = p;
	pthread_mutex_unlock(&w->lock);
}

/* Out of its bucket, if it is in it, and free. */
static void pending_give(struct webhook *w, struct pending *p)
{
	pthread_mutex_lock(&w->lock);
	struct pending **at = bucket(w, p->token);
	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
	p->next = w->free;
	w->free = p;
	pthread_mutex_unlock(&w->lock);
}

static void free_list(struct pending *p)
{
	while (p) {
		struct pending *next = p->next;
		free(p);
		p = next;
	}
}

void webhook_forget(struct webhook *w)
{
	for (size_t i = 0; i < PENDING_BUCKETS; i++)
		free_list(w->buckets[i]);
	free_list(w->free);
}

/* While the request is being started it has no id yet: start() looks at
 * is_cancelled when it has. */
void webhook_cancel(void *instance, uint64_t token)
{
	struct webhook *w = instance;
	uint64_t http = 0;
	pthread_mutex_lock(&w->lock);
	for (struct pending *p = *bucket(w, token); p; p = p->next) {
		if (p->token == token) {
			p->is_cancelled = 1;
			http = p->http;
		}
	}
	pthread_mutex_unlock(&w->lock);
	if (http)
		w->http->cancel(w->self, http);
}

/* ---- the answer ---- */

static void complete_failed(struct webhook *w, uint64_t token, const char *what, txw_str why,
			    int64_t after)
{
	struct text reason = {0};
	text_z(&reason, what);
	text_utf8(&reason, why, 512);
	txw_verdict verdict = {
	    .size = sizeof(verdict),
	    .verdict = TXW_VERDICT_RETRY,
	    .after = after,
	    .reason = text_view(&reason),
	};
	w->notify->complete(w->self, token, &verdict);
	text_free(&reason);
}

static void on_answer(void *ctx, const txw_http_response *r)
{
	struct pending *p = ctx;
	struct webhook *w = p->webhook;
	struct judgement judged;
	struct text reason = {0}, reply = {0};

	answer_judge(r, w->clock->now(w->self), &judged);
	text_utf8(&reason, (txw_str){judged.reason, strlen(judged.reason)}, sizeof(judged.reason));
	text_utf8(&reply, r->body, REPLY_CAP);
	txw_verdict verdict = {
	    .size = sizeof(verdict),
	    .verdict = judged.verdict,
	    .after = judged.after,
	    .reason = text_view(&reason),
	    .status = r->status,
	    .peer = r->peer,
	    .response = text_view(&reply),
	    .took = r->took,
	    .connect_took = r->connect_took,
	    .tls_took = r->tls_took,
	    .first_byte_took = r->first_byte_took,
	};
	uint64_t token = p->token;
	pending_give(w, p);
	w->notify->complete(w->self, token, &verdict);
	text_free(&reason);
	text_free(&reply);
}

/* ---- the request ---- */

/* Fills id, body and signature; the three headers' values point into them. */
static int32_t prepare(struct webhook *w, const txw_delivery *d, struct settings *s, txw_time now)
{
	text_reset(&w->id);
	text_reset(&w->head);
	text_reset(&w->body);
	text_reset(&w->signature);
	text_typeid(&w->id, "evt", d->event->id);
	txw_str id = text_view(&w->id);
	body_print(&w->body, s->format, d->event, id, w->source);

	text_str(&w->head, id);
	text_z(&w->head, ".");
	text_int(&w->head, now / SECOND);
	text_z(&w->head, ".");
	int32_t rc = keys_sign(s->keys, s->n_keys, text_view(&w->head), text_view(&w->body),
			       &w->signature);
	if (rc < 0 || w->id.failed || w->head.failed || w->body.failed)
		return TXW_E_NOMEM;
	s->list[AT_ID].value = id;
	s->list[AT_TIMESTAMP].value = (txw_str){w->head.ptr + id.len + 1, w->head.len - id.len - 2};
	s->list[AT_SIGNATURE].value = text_view(&w->signature);
	/* Counted in by start() if the event has one. */
	s->list[s->n_headers] = (txw_http_header){{"traceparent", 11}, d->event->trace};
	return TXW_OK;
}

static int32_t start(struct webhook *w, const txw_delivery *d, const struct settings *s,
		     int64_t timeout, txw_error *err)
{
	const txw_http_request request = {
	    .size = sizeof(request),
	    .method = {"POST", 4},
	    .url = d->address,
	    .headers = s->list,
	    .n_headers = (uint32_t)(s->n_headers + (d->event->trace.len != 0)),
	    .body = text_view(&w->body),
	    .timeout = timeout,
	    .body_cap = w->response_kept,
	};
	struct pending *p = pending_take(w);
	if (!p)
		return TXW_E_NOMEM;
	uint64_t http = 0;
	*p = (struct pending){.webhook = w, .token = d->token};
	pending_add(w, p);
	int32_t rc = w->http->start(w->self, &request, on_answer, p, &http, err);
	if (rc != TXW_PENDING) {
		pending_give(w, p);
		return rc;
	}
	/* on_answer runs on this thread, later: p is still ours. */
	pthread_mutex_lock(&w->lock);
	p->http = http;
	int is_cancelled = p->is_cancelled;
	pthread_mutex_unlock(&w->lock);
	if (is_cancelled)
		w->http->cancel(w->self, http);
	return rc;
}

static void send_one(struct webhook *w, const txw_delivery *d)
{
	struct settings *s;
	txw_time now = w->clock->now(w->self);
	txw_error err = {.size = sizeof(err)};

	text_reset(&w->why);
	int32_t rc = cache_get(w->cache, &w->defaults, d->settings, &s, &w->why);
	if (rc < 0) {
		complete_failed(
		    w, d->token, "the target's settings: ",
		    rc == TXW_E_NOMEM ? (txw_str){"out of memory", 13} : text_view(&w->why), 0);
	} else if (s->n_keys == 0) {
		complete_failed(w, d->token, "no secret to sign with: give the target or ",
				(txw_str){"notifier.webhook one", 20}, 0);
	} else if (d->deadline <= now) {
		complete_failed(w, d->token, "the deadline had passed before it was sent",
				(txw_str){NULL, 0}, 0);
	} else if (prepare(w, d, s, now) < 0) {
		complete_failed(w, d->token, "out of memory", (txw_str){NULL, 0}, SECOND);
	} else {
		rc = start(w, d, s, d->deadline - now, &err);
		if (rc != TXW_PENDING)
			complete_failed(w, d->token, "not sent: ", err.text,
					rc == TXW_E_BUSY || rc == TXW_E_NOMEM ? SECOND : 0);
	}
}

int32_t webhook_send(void *instance, const txw_delivery *items, size_t stride, size_t n,
		     txw_error *err)
{
	struct webhook *w = instance;
	(void)err;
	for (size_t i = 0; i < n; i++)
		send_one(w, (const txw_delivery *)(const void *)((const char *)items + i * stride));
	return TXW_PENDING;
}
