/*
 * order_by.h: the parameter order_by (AIP-132): "amount desc, created_at".
 *
 * created_at is the order of creation, which is that of the rows' keys; as the
 * last key it is what breaks ties anyway. Pure.
 */
#ifndef TXWATCH_API_ORDER_BY_H
#define TXWATCH_API_ORDER_BY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "txwatch/store.h"

#define ORDER_KEYS_MAX 4

struct order_by {
	uint32_t n;         /* 0: by creation alone */
	uint32_t ascending; /* what breaks ties */
	txw_order keys[ORDER_KEYS_MAX];
};

/* false and e->text if it cannot be. */
bool order_by_parse(txw_str text, struct order_by *out, struct err *e);
/* Does an index of every store give it, however many rows there are? */
bool order_by_is_indexed(const struct order_by *o);

/* The values of a row's keys as bytes, for a cursor, and back into a row;
 * false: these are not such bytes. Texts are borrowed from the bytes. */
void order_by_save(const struct order_by *o, const txw_tx *row, struct buf *out);
bool order_by_load(const struct order_by *o, txw_str bytes, txw_tx *row);

#endif
