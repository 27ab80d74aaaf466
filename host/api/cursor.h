/*
 * cursor.h: opaque places in a list.
 *
 * A cursor is a position and a MAC over it and the query it belongs to, so
 * that one of another query, or an altered one, is told from a good one. The
 * key comes from the store's site and epoch: cursors survive a restart, and a
 * restored backup ends them.
 */
#ifndef TXWATCH_API_CURSOR_H
#define TXWATCH_API_CURSOR_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/mem.h"

/* A place that needs more than two numbers has more bytes behind them. */
struct position {
	uint64_t hi;
	uint64_t lo;
};

#define CURSOR_TEXT_MAX 48   /* without more */
#define CURSOR_LONG_MAX 6000 /* no target is longer */

struct cursor_key;

struct cursor_key *cursor_key_make(uint32_t site, uint64_t epoch);
void cursor_key_free(struct cursor_key *k);
size_t cursor_print(const struct cursor_key *k, txw_str bound, const struct position *at,
		    char out[CURSOR_TEXT_MAX]);
/* With more; appends to out. */
void cursor_print_more(const struct cursor_key *k, txw_str bound, const struct position *at,
		       txw_str more, struct buf *out);
/* The same of either; *more is in the arena. */
bool cursor_parse_more(const struct cursor_key *k, txw_str bound, txw_str text, struct arena *a,
		       struct position *out, txw_str *more);
/* false: not made by this site for this query. */
bool cursor_parse(const struct cursor_key *k, txw_str bound, txw_str text, struct position *out);

#endif
