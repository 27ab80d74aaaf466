/* item.h: what a JSON item says of one transaction. */
#ifndef POLLER_HTTP_ITEM_H
#define POLLER_HTTP_ITEM_H

#include "settings.h"
#include "txwatch/poller.h"

#define DETAIL_MAX     8192
#define ATTRIBUTES_MAX 65536

/*
 * A string, number or boolean as text; false: nothing of that kind, or a
 * number too large to be exact. A string is the item's own; the rest is in
 * the pool. Numbers with a fraction are written with as few digits as read
 * back the same.
 */
bool item_text(const json_t *v, struct pool *pool, txw_str *out);

/* Fills out; its texts live as long as item and pool. false: no status was
 * found, and why, if wanted, says what was there instead. */
bool item_read(const struct settings *s, const json_t *item, bool is_discovery, struct pool *pool,
	       txw_observation *out, struct text *why);

#endif
