/* walk.c: see walk.h. */
#include "api/walk.h"

#include "engine/readers.h"
#include "filter/filter.h"

#define SCAN  1000 /* rows looked at in one query */
#define SCANS 20   /* ... and such queries in one read */

struct reading {
	struct walk *walk;
	uint32_t limit;
	uint32_t n;    /* emitted */
	uint32_t seen; /* of the query */
	txw_emit_tx emit;
	void *ctx;
};

static int32_t take(void *ctx, const txw_tx *row)
{
	struct reading *r = ctx;
	struct walk *w = r->walk;
	if (w->end && row->key > w->end) {
		w->is_over = true;
		return 1;
	}
	r->seen++;
	w->last = row->key;
	if (!w->scans || filter_match_tx(w->filter, row)) {
		r->n++;
		(void)r->emit(r->ctx, row);
	}
	return r->n == r->limit;
}

static int32_t query(struct reading *r, const txw_store *store, void *reader, struct err *e)
{
	struct walk *w = r->walk;
	txw_tx_query q = {.size = sizeof(q),
			  .limit = w->scans ? SCAN : r->limit,
			  .tenant = w->tenant,
			  .filter = w->scans ? NULL : w->filter,
			  .after = w->last,
			  .ascending = !w->descending};
	r->seen = 0;
	int32_t rc = READ_CALL(store, e, list_tx, reader, &q, take, r);
	if (rc >= 0 && r->n < r->limit && r->seen < q.limit)
		w->is_over = true;
	return rc;
}

int32_t walk_read(struct walk *w, const txw_store *store, void *reader, uint32_t limit,
		  txw_emit_tx emit, void *ctx, struct err *e)
{
	struct reading r = {.walk = w, .limit = limit, .emit = emit, .ctx = ctx};
	int32_t rc = query(&r, store, reader, e);
	if (rc == TXW_E_TIMEOUT && !w->scans) {
		w->scans = true;
		rc = 0;
	}
	for (int i = 0; rc >= 0 && w->scans && i < SCANS && r.n < limit && !w->is_over; i++)
		rc = query(&r, store, reader, e);
	return rc;
}
