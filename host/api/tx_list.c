/*
 * tx_list.c: pages of transactions: narrowed by parameters, a filter and a
 * text, in an order.
 *
 * A page is one snapshot. The cursor holds the last row's key and, with an
 * order, its values in that order as they were: rows that do not change
 * meanwhile are shown once, whatever is inserted; one whose order changes may
 * be met again, or not at all.
 */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/tx_query.h"
#include "filter/filter.h"

struct tx_page {
	struct page page;
	struct list list;
	struct tx_show show;
	struct tx_counts counts;
	struct order_by order;
	txw_tx_query query;
	txw_tx after; /* the cursor's */
	uint32_t n;
	int64_t last;
	struct buf more; /* the last row's place in the order */
	/* With `expand`: the rows until what hangs on them is read. */
	struct {
		int64_t key;
		struct buf json;
	} rows[EXPAND_ROWS_MAX];
};

/* Parameters that are a comparison of a field. */
static const struct {
	const char *name;
	uint32_t field;
} NARROWING[] = {
    {"flow", TXW_FIELD_FLOW},   {"status", TXW_FIELD_STATUS}, {"outcome", TXW_FIELD_OUTCOME},
    {"owner", TXW_FIELD_OWNER}, {"ref", TXW_FIELD_REF},
};

bool tx_filter(struct call *c, struct arena *arena, const txw_filter **out)
{
	struct err e = {0};
	txw_str text = http_query(c->request, "filter", NULL);
	uint32_t outcome;
	if (filter_parse(arena, text, FILTER_TX, loop_now(c->api->site->loop), out, &e) < 0) {
		call_problem(c, PROBLEM_BAD_FILTER, "%s", e.text);
		return false;
	}
	for (size_t i = 0; i < sizeof(NARROWING) / sizeof(NARROWING[0]); i++) {
		size_t n = 0;
		txw_str value = http_query(c->request, NARROWING[i].name, &n);
		if (n == 0)
			continue;
		if (NARROWING[i].field == TXW_FIELD_OUTCOME && !outcome_parse(value, &outcome)) {
			call_problem(
			    c, PROBLEM_INVALID,
			    "outcome must be open, success, failure, cancelled or expired");
			return false;
		}
		*out = filter_and_equal(arena, *out, NARROWING[i].field, value);
	}
	return true;
}

static bool take_text(struct call *c, txw_tx_query *q)
{
	size_t n = 0;
	q->text = http_query(c->request, "q", &n);
	if (n == 0)
		return true;
	if (q->text.len && q->text.len <= Q_MAX && str_utf8(q->text))
		return true;
	call_problem(c, PROBLEM_INVALID, "q is a text of 1 to %d bytes", Q_MAX);
	return false;
}

static bool take_order(struct call *c, struct tx_page *p)
{
	struct err e = {0};
	size_t n = 0, n_order = 0;
	txw_str text = http_query(c->request, "order_by", &n);
	http_query(c->request, "order", &n_order);
	p->query.ascending = p->list.ascending;
	p->query.after = (int64_t)p->list.after.lo;
	if (n == 0)
		return true;
	if (n_order) {
		call_problem(c, PROBLEM_INVALID,
			     "order and order_by are not given together: order=asc is "
			     "order_by=created_at");
		return false;
	}
	if (!order_by_parse(text, &p->order, &e)) {
		call_problem(c, PROBLEM_INVALID, "%s", e.text);
		return false;
	}
	p->query.ascending = p->order.ascending;
	p->query.n_order = p->order.n;
	p->query.order = p->order.keys;
	if (!p->query.after)
		return true;
	p->after = (txw_tx){.size = sizeof(p->after), .key = p->query.after};
	if (order_by_load(&p->order, p->list.more, &p->after)) {
		p->query.after_row = &p->after;
		return true;
	}
	call_problem(c, PROBLEM_BAD_CURSOR, NULL);
	return false;
}

static int32_t take_row(void *ctx, const txw_tx *row)
{
	struct tx_page *p = ctx;
	p->last = row->key;
	if (p->order.n) {
		p->more.len = 0;
		order_by_save(&p->order, row, &p->more);
	}
	if (p->show.expand) {
		p->rows[p->n].key = row->key;
		tx_show_row(&p->show, row, &p->rows[p->n].json);
	} else {
		tx_show_row(&p->show, row, &p->page.answer.body);
	}
	p->n++;
	return 0;
}

static int32_t count_row(void *ctx, const txw_tx *row)
{
	(void)row;
	*(bool *)ctx = true;
	return 1;
}

/* Is there one after the page's last? */
static int32_t look_beyond(struct tx_page *p, const txw_store *store, void *reader, bool *more,
			   struct err *e)
{
	txw_tx_query beyond = p->query;
	txw_tx last = {.size = sizeof(last), .key = p->last};
	if (p->n < p->query.limit)
		return 0;
	beyond.after = p->last;
	beyond.limit = 1;
	if (p->order.n && order_by_load(&p->order, buf_view(&p->more), &last))
		beyond.after_row = &last;
	int32_t rc = READ_CALL(store, e, list_tx, reader, &beyond, count_row, more);
	if (rc != TXW_E_TIMEOUT)
		return rc;
	*more = true; /* the next page will tell */
	return 0;
}

/* A search that takes too long ends the page where it is, if it found any. */
static int32_t read_rows(struct tx_page *p, const txw_store *store, void *reader, bool *more,
			 struct err *e)
{
	int32_t rc = READ_CALL(store, e, list_tx, reader, &p->query, take_row, p);
	if (rc == TXW_E_TIMEOUT && p->n) {
		*more = true;
		return 0;
	}
	return rc < 0 ? rc : look_beyond(p, store, reader, more, e);
}

static int32_t expand_rows(struct tx_page *p, const txw_store *store, void *reader, struct err *e)
{
	int32_t rc = 0;
	for (uint32_t i = 0; p->show.expand && i < p->n && rc >= 0; i++) {
		struct buf *json = &p->rows[i].json;
		rc = tx_show_expand(&p->show, p->page.call, store, reader, p->rows[i].key, json, e);
		json_raw(&p->page.answer.body, buf_view(json));
	}
	return rc;
}

static bool is_too_broad(struct tx_page *p, const txw_store *store, void *reader, int32_t *rc,
			 struct err *e)
{
	bool exceeds = false;
	*rc = 0;
	if (order_by_is_indexed(&p->order))
		return false;
	*rc = tx_counts_exceed(&p->query, store, reader, ORDER_ROWS_MAX, &exceeds, e);
	if (*rc < 0 || !exceeds)
		return false;
	answer_problem(&p->page.answer, p->page.call, PROBLEM_TOO_BROAD,
		       "in this order at most %d transactions can be shown, and there are more: "
		       "narrow the query, or order by created_at, ref or finished_at alone",
		       ORDER_ROWS_MAX);
	return true;
}

static int32_t fill_page(struct tx_page *p, const txw_store *store, void *reader, struct err *e)
{
	struct answer *a = &p->page.answer;
	bool more = false;
	int32_t rc;
	if (is_too_broad(p, store, reader, &rc, e) || rc < 0)
		return rc;
	list_open(a);
	if ((rc = read_rows(p, store, reader, &more, e)) < 0 ||
	    (rc = expand_rows(p, store, reader, e)) < 0)
		return rc;
	struct position next = {0, (uint64_t)p->last};
	list_end_more(p->page.call->api, &p->list, a, more ? &next : NULL, buf_view(&p->more));
	a->body.len--; /* the object's brace: it may get more members */
	rc = tx_counts_add(&p->counts, p->page.call, &p->query, store, reader, a, e);
	if (rc >= 0 && !a->is_problem)
		json_close(&a->body, '}');
	return rc;
}

static int32_t fill(struct page *page, const txw_store *store, void *reader, struct err *e)
{
	struct tx_page *p = (struct tx_page *)page;
	int32_t rc = 0;
	if (store->snapshot)
		rc = READ_CALL(store, e, snapshot, reader, 1);
	if (rc >= 0) {
		rc = fill_page(p, store, reader, e);
		struct err ignored;
		if (store->snapshot)
			READ_CALL(store, &ignored, snapshot, reader, 0);
	}
	if (rc == TXW_E_TIMEOUT) {
		answer_problem(&page->answer, page->call, PROBLEM_TOO_BROAD,
			       "the search took too long: narrow it by flow, status, outcome, "
			       "owner, ref or a time");
		rc = 0;
	}
	for (uint32_t i = 0; p->show.expand && i < p->n; i++)
		buf_free(&p->rows[i].json);
	buf_free(&p->more);
	return rc;
}

void do_tx_list(struct call *c)
{
	struct tx_page *p = arena_alloc(c->arena, sizeof(*p));
	p->page.call = c;
	p->page.fill = fill;
	if (!list_begin(c, &p->list, false))
		return;
	p->query = (txw_tx_query){
	    .size = sizeof(p->query), .limit = p->list.limit, .tenant = c->tenant};
	if (!tx_filter(c, c->arena, &p->query.filter) || !take_text(c, &p->query) ||
	    !take_order(c, p) || !tx_show_parse(c, &p->show) || !tx_counts_parse(c, &p->counts))
		return;
	if (p->show.expand && p->list.limit > EXPAND_ROWS_MAX) {
		call_problem(c, PROBLEM_INVALID, "with expand, limit is at most %d",
			     EXPAND_ROWS_MAX);
		return;
	}
	page_submit(&p->page);
}
