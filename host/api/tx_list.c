/* tx_list.c: pages of transactions, narrowed by parameters and a filter. */
#include "api/handlers.h"
#include "filter/filter.h"

struct tx_page {
	struct page page;
	struct list list;
	txw_tx_query query;
	uint32_t n;
	int64_t last;
};

/* Parameters that are a comparison of a field. */
static const struct {
	const char *name;
	uint32_t field;
} NARROWING[] = {
    {"flow", TXW_FIELD_FLOW},   {"status", TXW_FIELD_STATUS}, {"outcome", TXW_FIELD_OUTCOME},
    {"owner", TXW_FIELD_OWNER}, {"ref", TXW_FIELD_REF},
};

static bool take_filter(struct call *c, txw_tx_query *q)
{
	struct err e = {0};
	txw_str text = http_query(c->request, "filter", NULL);
	uint32_t outcome;
	if (filter_parse(c->arena, text, FILTER_TX, loop_now(c->api->site->loop), &q->filter, &e) <
	    0) {
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
		q->filter = filter_and_equal(c->arena, q->filter, NARROWING[i].field, value);
	}
	return true;
}

static int32_t take_row(void *ctx, const txw_tx *row)
{
	struct tx_page *p = ctx;
	p->n++;
	p->last = row->key;
	json_tx(&p->page.answer.body, row);
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
	if (p->n < p->query.limit)
		return 0;
	beyond.after = p->last;
	beyond.limit = 1;
	return READ_CALL(store, e, list_tx, reader, &beyond, count_row, more);
}

static int32_t fill(struct page *page, const txw_store *store, void *reader, struct err *e)
{
	struct tx_page *p = (struct tx_page *)page;
	bool more = false;
	list_open(&page->answer);
	int32_t rc = READ_CALL(store, e, list_tx, reader, &p->query, take_row, p);
	if (rc < 0 || (rc = look_beyond(p, store, reader, &more, e)) < 0)
		return rc;
	struct position next = {0, (uint64_t)p->last};
	list_end(page->call->api, &p->list, &page->answer, more ? &next : NULL);
	return 0;
}

void do_tx_list(struct call *c)
{
	struct tx_page *p = arena_alloc(c->arena, sizeof(*p));
	p->page.call = c;
	p->page.fill = fill;
	if (!list_begin(c, &p->list, false))
		return;
	p->query = (txw_tx_query){
	    .size = sizeof(p->query),
	    .limit = p->list.limit,
	    .tenant = c->tenant,
	    .after = (int64_t)p->list.after.lo,
	    .ascending = p->list.ascending,
	};
	if (take_filter(c, &p->query))
		page_submit(&p->page);
}
