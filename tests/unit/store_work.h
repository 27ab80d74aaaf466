/*
 * store_work.h: a unit that uses every call that writes, to be broken at each
 * of its statements: a cut connection, a failing disk. The n-th one begins
 * where n - 1 have ended, so what is there tells how many were committed.
 */
#ifndef STORE_WORK_H
#define STORE_WORK_H

#include "store_kit.h"

struct work {
	txw_target target;
	int64_t done; /* units that were acknowledged */
};

/* A target to deliver to, in a unit of its own. */
void work_open(struct kit *k, struct work *w);
/* In an open unit: TXW_OK, or the first call's error. */
int32_t work_unit(struct kit *k, struct work *w);
/* A unit of its own: TXW_OK, and it is counted; or the first call's error (its words
 * in k->text), and it is rolled back. */
int32_t work_try(struct kit *k, struct work *w);
/* Is there what w->done units wrote, and nothing else? ask: the one number an
 * SQL text answers. (What the purged events left is asked for by the caller:
 * the stores' tables for that differ.) */
void work_expect(struct kit *k, const struct work *w, int64_t (*ask)(struct kit *k, const char *));

#endif
