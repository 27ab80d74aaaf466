/*
 * poll.c: asking about transactions, one a request or many.
 *
 * With {{refs}} an item of the answer's list is matched to what was asked by
 * its ref; a ref that the list does not have is not found. A ref goes into a
 * URL percent-encoded, so it can be no more than one segment or one value;
 * "." and "..", which URL libraries walk, are not asked about at all.
 */
#include "answer.h"
#include "item.h"
#include "poller.h"

#define SECOND           INT64_C(1000000)
#define TIMEOUT_FALLBACK (60 * SECOND) /* of a host that names no deadline */

static void tell(struct request *r, struct asked *a, const txw_poll_result *result)
{
	const txw_poll_ext *ext = r->poller->poll;
	if (a->is_over)
		return;
	a->is_over = true;
	r->n_over++;
	ext->complete(r->poller->self, a->token, result);
}

static txw_poll_result blank(const txw_http_response *response, uint32_t result)
{
	return (txw_poll_result){
	    .size = sizeof(txw_poll_result),
	    .result = result,
	    .took = response ? response->took : 0,
	    .http_status = response ? response->status : 0,
	};
}

void poll_fail(struct request *r, uint32_t result, const txw_http_response *response, int64_t after,
	       txw_str text)
{
	txw_poll_result out = blank(response, result);
	out.after = after;
	out.text = text;
	for (size_t i = 0; i < r->n; i++)
		tell(r, &r->asked[i], &out);
}

static void tell_item(struct request *r, struct asked *a, const json_t *item,
		      const txw_http_response *response)
{
	struct pool pool = {0};
	struct text why = {0};
	txw_observation seen;
	txw_poll_result out = blank(response, TXW_POLL_SEEN);
	if (item_read(&r->poller->settings, item, false, &pool, &seen, &why)) {
		out.observation = &seen;
	} else {
		struct text all = {0};
		text_z(&all, "answered ");
		text_int(&all, response->status);
		text_z(&all, ", but ");
		text_str(&all, text_view(&why));
		text_free(&why);
		why = all;
		out.result = TXW_POLL_FAILED;
		out.text = text_view(&why);
	}
	tell(r, a, &out);
	text_free(&why);
	pool_free(&pool);
}

/* The first of those asked whose ref is not below it; n: none. */
static size_t lower(const struct request *r, txw_str ref)
{
	size_t from = 0, to = r->n;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (ref_cmp(r->asked[middle].ref, ref) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static void answer_many(struct request *r, const json_t *root, const txw_http_response *response)
{
	const struct settings *s = &r->poller->settings;
	const json_t *list = pointer_find(&s->list, root);
	if (!list || !json_is_array(list)) {
		struct text why = {0};
		text_z(&why, "answered ");
		text_int(&why, response->status);
		text_z(&why, ", but there is no array at `");
		text_peer(&why, s->list.source);
		text_z(&why, "`, where `list` points");
		poll_fail(r, TXW_POLL_FAILED, response, 0, text_view(&why));
		text_free(&why);
		return;
	}
	struct pool pool = {0};
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		txw_str ref;
		if (!item_text(pointer_find(&s->ref, item), &pool, &ref))
			continue;
		for (size_t k = lower(r, ref); k < r->n && str_same(r->asked[k].ref, ref); k++)
			tell_item(r, &r->asked[k], item, response);
	}
	pool_free(&pool);
	poll_fail(r, TXW_POLL_NOT_FOUND, response, 0, (txw_str){NULL, 0});
}

void poll_answer(struct request *r, const txw_http_response *response)
{
	struct poller *p = r->poller;
	struct answer a;
	bool is_one = p->settings.batch == 0;
	answer_judge(response, is_one, p->clock->now(p->self), &a);
	if (a.result != TXW_POLL_SEEN)
		poll_fail(r, a.result, response, a.after, text_view(&a.text));
	else if (is_one)
		tell_item(r, &r->asked[0], a.root, response);
	else
		answer_many(r, a.root, response);
	answer_free(&a);
}

static int64_t time_left(struct poller *p, const txw_poll_item *item)
{
	const size_t with_deadline = offsetof(txw_poll_item, deadline) + sizeof item->deadline;
	if (item->size < with_deadline || !item->deadline)
		return TIMEOUT_FALLBACK;
	int64_t left = item->deadline - p->clock->now(p->self);
	return left > 0 ? left : 1;
}

static int32_t ask(struct poller *p, const txw_poll_item *items, size_t stride, size_t n)
{
	const struct settings *s = &p->settings;
	txw_str refs[BATCH_MAX];
	struct text url = {0}, body = {0};
	for (size_t i = 0; i < n; i++)
		refs[i] = ((const txw_poll_item *)((const char *)items + i * stride))->tx->ref;
	struct request *r = request_new(p, items, stride, n);
	int64_t timeout = time_left(p, items);
	template_write(&s->url, WRITE_PERCENT, refs, n, &url);
	template_write(&s->body, s->body_writing, refs, n, &body);
	bool ok = r && !url.is_broken && !body.is_broken;
	if (ok && (refs[0].len == 0 || url_has_dots(text_view(&url))))
		request_refuse(r, LIT("such a ref cannot be asked about: it would name another "
				      "resource"));
	else if (ok)
		request_send(r, text_view(&url), text_view(&body), timeout);
	else if (r)
		request_refuse(r, LIT("no memory for a request"));
	text_free(&url);
	text_free(&body);
	return r ? TXW_PENDING : TXW_E_NOMEM;
}

int32_t poll_items(void *instance, const txw_poll_item *items, size_t stride, size_t n,
		   txw_error *err)
{
	struct poller *p = instance;
	size_t each = p->settings.batch ? p->settings.batch : 1;
	for (size_t i = 0; i < n; i += each) {
		const txw_poll_item *from = (const void *)((const char *)items + i * stride);
		if (ask(p, from, stride, n - i < each ? n - i : each) < 0)
			return txw_refuse(TXW_E_NOMEM, "no memory for a request", err);
	}
	return TXW_PENDING;
}
