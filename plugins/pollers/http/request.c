/*
 * request.c: requests under way, their cancelling and their end.
 *
 *   NEW       -> UNDER WAY  request_send()    the host took it
 *   NEW       -> freed      request_send()    the host refused it: answered
 *   UNDER WAY -> freed      on_done()         the answer came
 *   UNDER WAY -> UNWANTED   request_cancel()  every token of it is cancelled
 *   UNWANTED  -> freed      on_done()         nobody is told
 *   any       -> freed      requests_drop()   the instance ends; the host
 *                                             calls no done after that
 *
 * cancel() may come on any thread, so the list and the marks on it are behind
 * the poller's lock. No host function is called with the lock held.
 */
#include <stdlib.h>

#include "poller.h"

static struct request *make(struct poller *p, size_t n, size_t n_bytes)
{
	struct request *r = calloc(1, sizeof *r + n * sizeof(struct asked) + n_bytes);
	if (!r)
		return NULL;
	r->poller = p;
	r->users = 2;
	r->n = n;
	r->asked = (struct asked *)(r + 1);
	return r;
}

static void enlist(struct request *r)
{
	struct poller *p = r->poller;
	pthread_mutex_lock(&p->lock);
	r->next = p->requests;
	r->link = &p->requests;
	if (r->next)
		r->next->link = &r->next;
	p->requests = r;
	pthread_mutex_unlock(&p->lock);
}

static void unlist(struct request *r)
{
	if (!r->link)
		return;
	*r->link = r->next;
	if (r->next)
		r->next->link = r->link;
	r->link = NULL;
}

int ref_cmp(txw_str a, txw_str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static int by_ref(const void *a, const void *b)
{
	return ref_cmp(((const struct asked *)a)->ref, ((const struct asked *)b)->ref);
}

struct request *request_new(struct poller *p, const txw_poll_item *items, size_t stride, size_t n)
{
	size_t n_bytes = 0;
	for (size_t i = 0; i < n; i++)
		n_bytes += ((const txw_poll_item *)((const char *)items + i * stride))->tx->ref.len;
	struct request *r = make(p, n, n_bytes);
	if (!r)
		return NULL;
	char *bytes = (char *)(r->asked + n);
	for (size_t i = 0; i < n; i++) {
		const txw_poll_item *item = (const void *)((const char *)items + i * stride);
		txw_str ref = item->tx->ref;
		if (ref.len)
			memcpy(bytes, ref.ptr, ref.len);
		r->asked[i] = (struct asked){item->token, {bytes, ref.len}, false};
		bytes += ref.len;
	}
	if (n > 1)
		qsort(r->asked, n, sizeof *r->asked, by_ref);
	enlist(r);
	return r;
}

struct request *request_new_discovery(struct poller *p, uint64_t token, txw_str cursor)
{
	struct request *r = make(p, 1, cursor.len);
	if (!r)
		return NULL;
	char *bytes = (char *)(r->asked + 1);
	if (cursor.len)
		memcpy(bytes, cursor.ptr, cursor.len);
	r->is_discovery = true;
	r->asked[0].token = token;
	r->cursor = (txw_str){cursor.len ? bytes : NULL, cursor.len};
	enlist(r);
	return r;
}

static void leave(struct request *r)
{
	struct poller *p = r->poller;
	pthread_mutex_lock(&p->lock);
	bool is_last = --r->users == 0;
	pthread_mutex_unlock(&p->lock);
	if (is_last)
		free(r);
}

/* From here on no cancel() finds it, so its marks are the caller's alone. */
static void take_off(struct request *r)
{
	pthread_mutex_lock(&r->poller->lock);
	unlist(r);
	pthread_mutex_unlock(&r->poller->lock);
}

static void on_done(void *ctx, const txw_http_response *response)
{
	struct request *r = ctx;
	take_off(r);
	if (r->n_over == r->n)
		; /* nobody waits any more */
	else if (r->is_discovery)
		discover_answer(r, response);
	else
		poll_answer(r, response);
	leave(r);
}

void request_refuse(struct request *r, txw_str text)
{
	take_off(r);
	if (r->is_discovery)
		discover_fail(r, TXW_POLL_FAILED, 0, text);
	else
		poll_fail(r, TXW_POLL_FAILED, NULL, 0, text);
	free(r);
}

static void refused(struct request *r, int32_t rc, txw_str text)
{
	struct text why = {0};
	text_z(&why, rc == TXW_E_DENIED ? "the address is refused: " : "not asked: ");
	text_str(&why, text.len ? text : LIT("the host took no request"));
	request_refuse(r, text_view(&why));
	text_free(&why);
}

void request_send(struct request *r, txw_str url, txw_str body, int64_t timeout)
{
	struct poller *p = r->poller;
	const struct settings *s = &p->settings;
	txw_http_request q = {
	    .size = sizeof q,
	    .method = r->is_discovery ? LIT("GET") : s->method,
	    .url = url,
	    .headers = s->headers,
	    .n_headers = body.len ? s->n_headers : s->n_get_headers,
	    .body = body,
	    .timeout = timeout,
	    .body_cap = s->body_cap,
	    .stop_at_cap = 1,
	};
	txw_error why = {.size = sizeof why};
	uint64_t id = 0;
	int32_t rc = p->http->start(p->self, &q, on_done, r, &id, &why);
	if (rc < 0) {
		refused(r, rc, why.text);
		return;
	}
	pthread_mutex_lock(&p->lock);
	r->id = id;
	r->has_id = true;
	bool is_unwanted = r->link && r->n_over == r->n;
	pthread_mutex_unlock(&p->lock);
	if (is_unwanted)
		p->http->cancel(p->self, id);
	leave(r);
}

void request_cancel(struct poller *p, uint64_t token)
{
	bool found = false, is_unwanted = false;
	uint64_t id = 0;
	pthread_mutex_lock(&p->lock);
	for (struct request *r = p->requests; r && !found; r = r->next)
		for (size_t i = 0; i < r->n && !found; i++) {
			if (r->asked[i].token != token || r->asked[i].is_over)
				continue;
			found = r->asked[i].is_over = true;
			is_unwanted = ++r->n_over == r->n && r->has_id;
			id = r->id;
		}
	pthread_mutex_unlock(&p->lock);
	if (is_unwanted)
		p->http->cancel(p->self, id);
}

void requests_drop(struct poller *p)
{
	while (p->requests) {
		struct request *r = p->requests;
		unlist(r);
		free(r);
	}
}
