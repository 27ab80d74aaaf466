/* deliveries.c: what was sent where, and what came of it. */
#include <stdlib.h>

#include "api/handlers.h"
#include "base/id.h"

struct dlv_page {
	struct page page;
	struct list list;
	txw_delivery_query query;
	txw_id tx;     /* narrowed to; none = any */
	txw_id id;     /* GET one */
	bool is_empty; /* nothing can match */
	bool is_found;
	uint32_t site;
	uint32_t n;
	int64_t last;
};

static int32_t take_tx(void *ctx, const txw_tx *row)
{
	struct dlv_page *p = ctx;
	if (str_eq(row->tenant, p->page.call->tenant))
		p->query.tx = row->key;
	return 1;
}

static int32_t take_row(void *ctx, const txw_delivery_row *row, const txw_target *target,
			const txw_event *event)
{
	struct dlv_page *p = ctx;
	struct buf *b = &p->page.answer.body;
	if (p->n == p->list.limit) /* one more than is shown */
		return 1;
	p->n++;
	p->last = row->key;
	delivery_render(b, p->site, row, target, event);
	return 0;
}

static int32_t count_row(void *ctx, const txw_delivery_row *row, const txw_target *target,
			 const txw_event *event)
{
	(void)row;
	(void)target;
	(void)event;
	*(bool *)ctx = true;
	return 1;
}

static int32_t find_tx(struct dlv_page *p, const txw_store *store, void *reader, struct err *e)
{
	txw_tx_name name = {.size = sizeof(name), .id = p->tx};
	if (id_is_none(p->tx))
		return 0;
	int32_t rc = READ_CALL(store, e, read_tx, reader, &name, take_tx, p);
	if (rc == TXW_E_NOTFOUND)
		rc = 0;
	p->is_empty = p->is_empty || p->query.tx == 0;
	return rc;
}

static int32_t read_rows(struct dlv_page *p, const txw_store *store, void *reader, bool *more,
			 struct err *e)
{
	int32_t rc = READ_CALL(store, e, list_deliveries, reader, &p->query, 1, take_row, p);
	if (rc < 0 || p->n < p->query.limit)
		return rc;
	txw_delivery_query beyond = p->query;
	beyond.after = p->last;
	beyond.limit = 1;
	return READ_CALL(store, e, list_deliveries, reader, &beyond, 0, count_row, more);
}

static int32_t fill_list(struct page *page, const txw_store *store, void *reader, struct err *e)
{
	struct dlv_page *p = (struct dlv_page *)page;
	bool more = false;
	int32_t rc = find_tx(p, store, reader, e);
	if (rc < 0)
		return rc;
	list_open(&page->answer);
	if (!p->is_empty && (rc = read_rows(p, store, reader, &more, e)) < 0)
		return rc;
	struct position next = {0, (uint64_t)p->last};
	list_end(page->call->api, &p->list, &page->answer, more ? &next : NULL);
	return 0;
}

static int32_t take_one(void *ctx, const txw_delivery_row *row, const txw_target *target,
			const txw_event *event)
{
	struct dlv_page *p = ctx;
	if (row->created_at / MILLISECOND != id_millis(p->id))
		return 1;
	p->is_found = true;
	delivery_render(&p->page.answer.body, p->site, row, target, event);
	return 1;
}

static int32_t take_attempt(void *ctx, const txw_attempt *row)
{
	struct dlv_page *p = ctx;
	attempt_render(&p->page.answer.body, row);
	return 0;
}

static int32_t fill_one(struct page *page, const txw_store *store, void *reader, struct err *e)
{
	struct dlv_page *p = (struct dlv_page *)page;
	struct buf *b = &page->answer.body;
	int32_t rc = READ_CALL(store, e, list_deliveries, reader, &p->query, 1, take_one, p);
	if (rc < 0)
		return rc;
	if (!p->is_found)
		return TXW_E_NOTFOUND;
	b->len--; /* the object's brace: it gets one more member */
	json_key(b, "attempts");
	json_open(b, '[');
	rc = READ_CALL(store, e, list_attempts, reader, p->query.key, take_attempt, p);
	json_close(b, ']');
	json_close(b, '}');
	return rc;
}

/* ---- parameters ---- */

static bool take_state(struct call *c, struct dlv_page *p)
{
	size_t n = 0;
	txw_str state = http_query(c->request, "state", &n);
	if (n == 0 || delivery_state_parse(state, &p->query.state))
		return true;
	call_problem(c, PROBLEM_INVALID, "there is no delivery state \"%.*s\"", STR_ARG(state));
	return false;
}

static bool take_target(struct call *c, struct dlv_page *p)
{
	static const char *const names[] = {"subscription", "target"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = 0;
		txw_str name = http_query(c->request, names[i], &n);
		if (n == 0)
			continue;
		int64_t key = notify_target_key(c->api->site->notify, c->tenant, name);
		if (key == 0 || (p->query.target && p->query.target != key))
			p->is_empty = true;
		p->query.target = key;
	}
	return true;
}

static bool take_transaction(struct call *c, struct dlv_page *p)
{
	size_t n = 0;
	txw_str id = http_query(c->request, "transaction", &n);
	if (n == 0 || (id_parse(id, "tx", &p->tx) && !id_is_none(p->tx)))
		return true;
	call_problem(c, PROBLEM_INVALID, "transaction must be an id, \"tx_...\"");
	return false;
}

static struct dlv_page *page_new(struct call *c)
{
	struct dlv_page *p = arena_alloc(c->arena, sizeof(*p));
	p->page.call = c;
	p->site = engine_info(c->api->site->engine)->site;
	p->query = (txw_delivery_query){
	    .size = sizeof(p->query), .tenant = c->tenant, .state = TXW_ANY_STATE, .limit = 1};
	return p;
}

void do_dlv_list(struct call *c)
{
	struct dlv_page *p = page_new(c);
	p->page.fill = fill_list;
	if (!list_begin(c, &p->list, false) || !take_state(c, p) || !take_target(c, p) ||
	    !take_transaction(c, p))
		return;
	p->query.limit = p->list.limit;
	p->query.after = (int64_t)p->list.after.lo;
	page_submit(&p->page);
}

/* The page of the path's delivery; NULL: answered. */
static struct dlv_page *page_of_one(struct call *c)
{
	struct dlv_page *p = page_new(c);
	p->page.fill = fill_one;
	p->page.what = "delivery";
	if (id_parse(c->param[0], "dlv", &p->id) && id_to_key(p->id, p->site, &p->query.key) &&
	    p->query.key > 0)
		return p;
	call_problem(c, PROBLEM_NOT_FOUND, "there is no such delivery");
	return NULL;
}

void do_dlv_get(struct call *c)
{
	struct dlv_page *p = page_of_one(c);
	if (p)
		page_submit(&p->page);
}

/* ---- retry ---- */

static void retried(struct retry_request *r)
{
	struct dlv_page *p = r->ctx;
	struct err e = r->job.err;
	int32_t rc = r->job.rc;
	arena_free(&r->arena);
	free(r);
	if (rc < 0)
		call_failed(p->page.call, rc, &e, "delivery");
	else
		page_submit(&p->page); /* as it stands now */
}

void do_dlv_retry(struct call *c)
{
	struct dlv_page *p = page_of_one(c);
	if (!p)
		return;
	struct retry_request *r = xcalloc(1, sizeof(*r));
	r->notify = c->api->site->notify;
	r->tenant = arena_str(&r->arena, c->tenant);
	r->key = p->query.key;
	r->done = retried;
	r->ctx = p;
	int32_t rc = retry_submit(r);
	if (rc >= 0)
		return;
	struct err e = r->job.err;
	arena_free(&r->arena);
	free(r);
	call_failed(c, rc, &e, "delivery");
}
