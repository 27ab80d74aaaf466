/*
 * counts.h: what a unit adds to the store's rollups, kept together until it
 * commits: a batch of 10 000 changes moves a handful of counts.
 *
 * The kinds are those of txwatch/store.h. They are exact because they are
 * part of the unit: what is undone never counted, and a unit that is made
 * again begins with none.
 */
#ifndef TXWATCH_ENGINE_COUNTS_H
#define TXWATCH_ENGINE_COUNTS_H

#include "base/err.h"
#include "txwatch/event.h"

struct unit;
struct count; /* one of them; counts.c */

struct counts {
	struct count *rows;
	uint32_t *slots; /* hash: place in rows + 1, or 0 */
	size_t n;
	size_t cap; /* of rows; slots has twice as many */
};

/* `by` transactions more are in that status and outcome, of row's tenant and
 * flow. [writer] */
void counts_now(struct unit *u, const txw_tx *row, txw_str status, uint32_t outcome, int64_t by);
void counts_event(struct unit *u, const txw_event *ev);

/* The engine's: before the unit, before its commit, at the end. */
void counts_reset(struct counts *c);
int32_t counts_save(struct unit *u, struct err *e);
void counts_free(struct counts *c);

#endif
