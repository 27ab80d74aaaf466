/*
 * discover.c: pages of a list, read for transactions that are new.
 *
 * The cursor moves only with a page that was read, and the host saves both in
 * one commit. "Ask again at once" needs a cursor that moved, so an upstream
 * that hands out the same page for ever is asked once each time.
 */
#include "answer.h"
#include "item.h"
#include "poller.h"

#define SECOND  INT64_C(1000000)
#define TIMEOUT (60 * SECOND)

static void tell(struct request *r, const txw_discovery *page)
{
	struct asked *a = &r->asked[0];
	if (a->is_over)
		return;
	a->is_over = true;
	r->n_over++;
	r->poller->poll->discovered(r->poller->self, a->token, page);
}

void discover_fail(struct request *r, uint32_t result, int64_t after, txw_str text)
{
	txw_discovery page = {
	    .size = sizeof page,
	    .result = result,
	    .stride = sizeof(txw_observation),
	    .cursor = r->cursor,
	    .after = after,
	    .text = text,
	};
	tell(r, &page);
}

/* Tells in the log of items that were passed over. */
static void passed_over(struct poller *p, size_t n)
{
	struct text t = {0};
	if (!n || !p->log)
		return;
	text_z(&t, "items of a discovered page without a ref or a status were passed over: ");
	text_int(&t, (int64_t)n);
	p->log->write(p->self, TXW_LOG_WARN, text_view(&t));
	text_free(&t);
}

/* Where to go on, and whether at once. */
static void move_cursor(const struct settings *s, const json_t *root, const json_t *list,
			struct pool *pool, txw_discovery *page)
{
	txw_str cursor = {NULL, 0};
	size_t n = json_array_size(list);
	const json_t *at = pointer_find(&s->discover_next, root);
	if (s->discover_cursor.is_set && n)
		at = pointer_find(&s->discover_cursor, json_array_get(list, n - 1));
	const json_t *more = pointer_find(&s->discover_more, root);
	if (!item_text(at, pool, &cursor) || str_same(cursor, page->cursor))
		return;
	page->cursor = cursor;
	page->more = !more || json_is_true(more);
}

static void page_read(struct request *r, const json_t *root, const txw_http_response *response)
{
	struct poller *p = r->poller;
	const struct settings *s = &p->settings;
	const json_t *list = pointer_find(&s->discover_list, root);
	if (!list || !json_is_array(list)) {
		struct text why = {0};
		text_z(&why, "answered ");
		text_int(&why, response->status);
		text_z(&why, ", but there is no array at `");
		text_peer(&why, s->discover_list.source);
		text_z(&why, "`, where `discover-list` points");
		discover_fail(r, TXW_POLL_FAILED, 0, text_view(&why));
		text_free(&why);
		return;
	}
	struct pool pool = {0};
	size_t n = json_array_size(list);
	txw_observation *found = pool_alloc(&pool, (n + 1) * sizeof *found);
	if (!found) {
		discover_fail(r, TXW_POLL_FAILED, 0, LIT("no memory for a page"));
		return;
	}
	txw_discovery page = {
	    .size = sizeof page,
	    .result = TXW_POLL_SEEN,
	    .observations = found,
	    .stride = sizeof *found,
	    .cursor = r->cursor,
	};
	for (size_t i = 0; i < n; i++) {
		txw_observation *o = &found[page.n];
		if (item_read(s, json_array_get(list, i), true, &pool, o, NULL) && o->ref.len)
			page.n++;
	}
	passed_over(p, n - page.n);
	move_cursor(s, root, list, &pool, &page);
	tell(r, &page);
	pool_free(&pool);
}

void discover_answer(struct request *r, const txw_http_response *response)
{
	struct poller *p = r->poller;
	struct answer a;
	answer_judge(response, false, p->clock->now(p->self), &a);
	if (a.result == TXW_POLL_SEEN)
		page_read(r, a.root, response);
	else
		discover_fail(r, a.result, a.after, text_view(&a.text));
	answer_free(&a);
}

int32_t discover_page(void *instance, uint64_t token, txw_str cursor, txw_error *err)
{
	struct poller *p = instance;
	struct text url = {0};
	if (!p->settings.discovers)
		return txw_refuse(TXW_E_UNSUPPORTED, "this instance has no `discover`", err);
	template_write(&p->settings.discover, WRITE_PERCENT, &cursor, 1, &url);
	struct request *r = url.is_broken ? NULL : request_new_discovery(p, token, cursor);
	if (r && url_has_dots(text_view(&url)))
		request_refuse(r, LIT("the cursor would make the URL another one"));
	else if (r)
		request_send(r, text_view(&url), (txw_str){NULL, 0}, TIMEOUT);
	text_free(&url);
	return r ? TXW_PENDING : txw_refuse(TXW_E_NOMEM, "no memory for a request", err);
}
