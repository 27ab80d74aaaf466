/*
 * walk.h: all transactions of a tenant that a filter holds for, by key, a
 * bounded read at a time. [reader]
 *
 * The store is asked with the filter. Where it finds too little within its
 * read deadline (few rows of many, and no index), the rows are looked through
 * page by page and the filter is asked here, so that a walk always goes on.
 */
#ifndef TXWATCH_API_WALK_H
#define TXWATCH_API_WALK_H

#include <stdbool.h>

#include "base/err.h"
#include "txwatch/store.h"

struct walk {
	txw_str tenant;
	const txw_filter *filter; /* NULL = all */
	bool descending;          /* newest first */
	int64_t end;              /* ascending: no key above it; 0 = none */
	int64_t last;             /* the key where it goes on; 0 = the start */
	bool is_over;
	bool scans; /* the store is not asked with the filter any more */
};

/* Emits at most limit rows; emit may not stop it. Sets last and is_over. */
int32_t walk_read(struct walk *w, const txw_store *store, void *reader, uint32_t limit,
		  txw_emit_tx emit, void *ctx, struct err *e);

#endif
