/*
 * history.c: one transaction's events, oldest first.
 *
 * The store walks a transaction's chain from its newest event backwards. So
 * the page is found in two walks: one that only notes the seqs down to the
 * cursor's, one that reads the events wanted, from their newest.
 */
#include <stdlib.h>

#include "api/handlers.h"
#include "base/id.h"

#define WALK 1000 /* events a call */

struct history_page {
	struct page page;
	struct list list;
	txw_id id;
	bool with_content;
	int64_t key;   /* 0: no such transaction of the tenant */
	int64_t *seqs; /* newest first */
	size_t n;
	size_t cap;
	size_t in_call;
	bool at_cursor;
	struct buf *rows; /* rendered, newest first */
	size_t n_rows;
};

static int32_t take_tx(void *ctx, const txw_tx *row)
{
	struct history_page *p = ctx;
	if (str_eq(row->tenant, p->page.call->tenant))
		p->key = row->key;
	return 1;
}

static int32_t take_seq(void *ctx, const txw_event *ev)
{
	struct history_page *p = ctx;
	p->in_call++;
	/* What is at or before the cursor was shown. */
	if (p->list.after.lo && ev->seq <= (int64_t)p->list.after.lo) {
		p->at_cursor = true;
		return 1;
	}
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 64;
		p->seqs = xrealloc(p->seqs, p->cap * sizeof(int64_t));
	}
	p->seqs[p->n++] = ev->seq;
	return 0;
}

static int32_t render(void *ctx, const txw_event *ev)
{
	struct history_page *p = ctx;
	struct buf *b = &p->rows[p->n_rows++];
	if (p->with_content)
		json_event_content(b, ev);
	else
		json_event(b, ev);
	return 0;
}

static int32_t note_seqs(struct history_page *p, const txw_store *store, void *reader,
			 struct err *e)
{
	int64_t before = 0;
	do {
		p->in_call = 0;
		int32_t rc = READ_CALL(store, e, history, reader, p->key, before, WALK, take_seq,
				       p);
		if (rc < 0)
			return rc;
		before = p->n ? p->seqs[p->n - 1] : 0;
	} while (p->in_call == WALK && !p->at_cursor);
	return 0;
}

static int32_t fill_page(struct history_page *p, const txw_store *store, void *reader,
			 struct err *e)
{
	struct answer *a = &p->page.answer;
	size_t shown = p->n < p->list.limit ? p->n : p->list.limit;
	list_open(a);
	if (shown) {
		/* The oldest `shown` of the noted ones; all newer are left out. */
		int64_t before = shown < p->n ? p->seqs[p->n - shown - 1] : 0;
		p->rows = xcalloc(shown, sizeof(struct buf));
		int32_t rc = READ_CALL(store, e, history, reader, p->key, before, (uint32_t)shown,
				       render, p);
		if (rc < 0)
			return rc;
	}
	for (size_t i = p->n_rows; i-- > 0;)
		json_raw(&a->body, buf_view(&p->rows[i]));
	struct position next = {0, shown ? (uint64_t)p->seqs[p->n - shown] : 0};
	list_end(p->page.call->api, &p->list, a, shown < p->n ? &next : NULL);
	return 0;
}

static int32_t fill(struct page *page, const txw_store *store, void *reader, struct err *e)
{
	struct history_page *p = (struct history_page *)page;
	txw_tx_name name = {.size = sizeof(name), .id = p->id};
	int32_t rc = READ_CALL(store, e, read_tx, reader, &name, take_tx, p);
	if (rc >= 0 && !p->key)
		rc = TXW_E_NOTFOUND;
	if (rc >= 0)
		rc = note_seqs(p, store, reader, e);
	if (rc >= 0)
		rc = fill_page(p, store, reader, e);
	for (size_t i = 0; i < p->n_rows; i++)
		buf_free(&p->rows[i]);
	free(p->rows);
	free(p->seqs);
	return rc;
}

void do_tx_history(struct call *c)
{
	struct history_page *p = arena_alloc(c->arena, sizeof(*p));
	p->page.call = c;
	p->page.fill = fill;
	p->page.what = "transaction";
	if (call_tx_id(c, 0, &p->id) && query_bool(c, "content", &p->with_content) &&
	    list_begin(c, &p->list, true))
		page_submit(&p->page);
}
