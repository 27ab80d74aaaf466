/*
 * tx_at.c: a transaction as it was: the row that its newest event at or before
 * the time carries.
 *
 * Of events with equal times the newest counts, as it did then. A poll that
 * saw nothing new makes no event, so next_poll_at is that of the event.
 */
#include "api/handlers.h"
#include "api/tx_query.h"
#include "api/write.h"
#include "base/clock.h"
#include "base/id.h"

#define WALK 200 /* events a call */

struct tx_at {
	struct page page;
	struct tx_show show;
	txw_tx_name name;
	txw_time at;
	int64_t key; /* 0: no such transaction of the tenant */
	txw_time created_at;
	int64_t oldest; /* the seq last looked at */
	int64_t before; /* the one before it, by its word; 0: it is the first */
	uint32_t in_call;
	bool is_found;
};

static int32_t take_tx(void *ctx, const txw_tx *row)
{
	struct tx_at *p = ctx;
	if (str_eq(row->tenant, p->page.call->tenant)) {
		p->key = row->key;
		p->created_at = row->created_at;
	}
	return 1;
}

static int32_t take_event(void *ctx, const txw_event *ev)
{
	struct tx_at *p = ctx;
	p->in_call++;
	p->oldest = ev->seq;
	p->before = ev->prev;
	if (ev->at > p->at)
		return 0;
	p->is_found = true;
	tx_show_row(&p->show, ev->tx, &p->page.answer.body);
	etag_print(p->page.answer.etag, ev->tx->version);
	return 1;
}

/* The history ends before that time: it was not there yet, or its first
 * events are no longer kept. */
static void say_why(struct tx_at *p)
{
	char then[TIME_TEXT_MAX], created[TIME_TEXT_MAX];
	time_print(then, p->at);
	time_print(created, p->created_at);
	if (p->before == 0 && p->oldest)
		answer_problem(&p->page.answer, p->page.call, PROBLEM_NOT_FOUND,
			       "at %s it was not there yet: it was created at %s", then, created);
	else
		answer_problem(&p->page.answer, p->page.call, PROBLEM_GONE,
			       "its history at %s is no longer kept", then);
}

static int32_t fill(struct page *page, const txw_store *store, void *reader, struct err *e)
{
	struct tx_at *p = (struct tx_at *)page;
	int32_t rc = READ_CALL(store, e, read_tx, reader, &p->name, take_tx, p);
	if (rc >= 0 && !p->key)
		rc = TXW_E_NOTFOUND;
	if (rc < 0)
		return rc;
	do {
		p->in_call = 0;
		rc = READ_CALL(store, e, history, reader, p->key, p->oldest, WALK, take_event, p);
		if (rc < 0)
			return rc;
	} while (!p->is_found && p->in_call == WALK);
	if (!p->is_found)
		say_why(p);
	return 0;
}

bool tx_at(struct call *c, const txw_tx_name *name)
{
	size_t n = 0;
	txw_time at;
	txw_str text = http_query(c->request, "at", &n);
	if (n == 0)
		return false;
	if (!time_parse(text, &at)) {
		call_problem(c, PROBLEM_INVALID,
			     "at must be a time such as \"2026-01-31T23:59:59Z\"");
		return true;
	}
	struct tx_at *p = arena_alloc(c->arena, sizeof(*p));
	if (!tx_show_parse(c, &p->show))
		return true;
	if (p->show.expand) {
		call_problem(c, PROBLEM_INVALID, "at and expand are not given together");
		return true;
	}
	p->page.call = c;
	p->page.fill = fill;
	p->page.what = "transaction";
	p->name = *name;
	p->at = at;
	page_submit(&p->page);
	return true;
}
