/* order.h: a query's order as SQL: its keys, and what comes after a row. */
#ifndef SQLITE_ORDER_H
#define SQLITE_ORDER_H

#include "filter_sql.h"
#include "txwatch/store.h"

/* 0, or which field has no order. */
int32_t order_check(const txw_tx_query *q, struct db *db, txw_error *err);
/* ", EXPRESSION AS o0, ...": the keys as columns beside the row's. */
void order_columns(struct sql_text *t, const txw_tx_query *q);
/* " ORDER BY o0 DESC, ..., key" */
void order_by(struct sql_text *t, const txw_tx_query *q);
/* " AND first key >= ?", or <=: nothing new, but what an index of the first
 * key can begin with; the row has a value for it. */
void order_seek(struct sql_text *t, const txw_tx_query *q);
/* " AND (...)": the rows that come after q->after_row. */
void order_after(struct sql_text *t, const txw_tx_query *q);
/* Has the row a value for the first key? */
bool order_has_value(const txw_tx_query *q, const txw_tx *row);

#endif
