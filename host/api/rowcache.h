/*
 * rowcache.h: transactions as the API shows them, kept from the last time
 * somebody asked.
 *
 * An entry is dropped when a unit that wrote its row has committed, before
 * anybody is told of that commit: whoever was answered a change never reads
 * the row as it was before. Bounded in bytes; the oldest go first.
 */
#ifndef TXWATCH_API_ROWCACHE_H
#define TXWATCH_API_ROWCACHE_H

#include <stdbool.h>

#include "base/buf.h"
#include "txwatch/event.h"

#define ROWCACHE_BYTES ((size_t)16 << 20)

struct rowcache;

struct rowcache *rowcache_open(void);
void rowcache_close(struct rowcache *c);

/* Adds the row's JSON to out and sets its version, if it is kept and of that
 * tenant. [loop] */
bool rowcache_get(struct rowcache *c, txw_id id, txw_str tenant, int64_t *version, struct buf *out);
/* Before the row is read: what rowcache_put wants to know. [loop] */
uint64_t rowcache_moment(struct rowcache *c);
/* Keeps it, unless a commit came since the moment. [loop] */
void rowcache_put(struct rowcache *c, uint64_t moment, const txw_tx *row, txw_str json);
/* An engine_rows: those rows were written. [writer] */
void rowcache_forget(void *c, const txw_id *ids, size_t n);
/* Another host wrote, nobody knows what. [any] */
void rowcache_forget_all(struct rowcache *c);

#endif
