/*
 * plan.h: where a search of transactions reads.
 *
 *   whole     in the order of the keys, through all rows: the filter leaves
 *             out no flow, status, outcome or tenant as such; or it names a
 *             transaction or an owner, which SQLite finds by itself
 *   by arms   of each flow the open ones and of each end status the finished
 *             ones that the filter can hold for, and no others; each arm is a
 *             stretch of an index in the order of the keys
 */
#ifndef SQLITE_PLAN_H
#define SQLITE_PLAN_H

#include "store.h"

#define ARMS_MAX 32

struct arm {
	int64_t tenant; /* names */
	int64_t flow;
	int64_t fin; /* a status; 0: the open ones */
};

struct plan {
	bool is_whole;
	bool is_named; /* ... because the filter names a row or an owner */
	size_t n;
	struct arm arms[ARMS_MAX];
	int64_t expected; /* rows that it will find, by the counts; -1 = unknown */
};

enum part { PART_ALL, PART_OPEN, PART_FINISHED };

/* For a call that has begun to read; names are loaded. */
int32_t plan_make(struct reader *r, const txw_tx_query *q, enum part part, struct plan *out,
		  txw_error *err);

#endif
