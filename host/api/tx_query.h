/*
 * tx_query.h: what is asked of transactions: a filter, a text, an order; how
 * many there are, by what; and what is shown of each.
 */
#ifndef TXWATCH_API_TX_QUERY_H
#define TXWATCH_API_TX_QUERY_H

#include "api/fields.h"
#include "api/inside.h"
#include "api/order_by.h"

#define Q_MAX           256   /* characters of q */
#define COUNT_MAX       10000 /* rows counted where nothing has counted them */
#define FACET_ROWS_MAX  100000
#define ORDER_ROWS_MAX  10000 /* rows sorted where no index does */
#define EXPAND_ROWS_MAX 100   /* rows of a page with `expand` */
#define EXPAND_MAX      20    /* events, deliveries shown with a row */

#define EXPAND_HISTORY    1u
#define EXPAND_DELIVERIES 2u

/* What of a row is shown. */
struct tx_show {
	struct fields fields;
	uint32_t expand; /* EXPAND_ flags */
};

/* ---- tx_show.c ---- */

/* From fields= and expand=; false: answered. */
bool tx_show_parse(struct call *c, struct tx_show *s);
bool tx_show_is_plain(const struct tx_show *s);
/* The row's JSON, with what was asked of it. */
void tx_show_row(const struct tx_show *s, const txw_tx *row, struct buf *out);
/* Puts what hangs on the row into its object, which is the end of out. */
int32_t tx_show_expand(const struct tx_show *s, const struct call *c, const txw_store *store,
		       void *reader, int64_t key, struct buf *out, struct err *e);
/* GET of one, where it is not shown plainly. */
void tx_show_one(struct call *c, const txw_tx_name *name, const struct tx_show *s);

/* ---- tx_count.c ---- */

struct tx_counts {
	bool wants_total;
	uint32_t fields[3]; /* facets: FLOW, STATUS, OUTCOME */
	size_t n_fields;
};

/* From count= and facets=; false: answered. */
bool tx_counts_parse(struct call *c, struct tx_counts *k);
/* The members "total" and "facets", in the answer's object. An error of the
 * query's own is a->is_problem. */
int32_t tx_counts_add(const struct tx_counts *k, const struct call *c, const txw_tx_query *q,
		      const txw_store *store, void *reader, struct answer *a, struct err *e);
/* Do more rows hold than limit? */
int32_t tx_counts_exceed(const txw_tx_query *q, const txw_store *store, void *reader, int64_t limit,
			 bool *out, struct err *e);

#endif
