/*
 * purge.h: finished transactions go, a bounded step at a time, and how far back
 * a tenant's log is whole is kept for its readers.
 */
#ifndef TXWATCH_ENGINE_PURGE_H
#define TXWATCH_ENGINE_PURGE_H

#include "engine/engine.h"
#include "engine/readers.h"

#define PURGE_STEP 50 /* transactions */

struct purged;

/* One step in the unit: deletes what->limit transactions at most, takes them
 * out of the counts, and notes what the log lacks from then on. Of what,
 * max_seq, gone and ctx are set here: nothing goes that was not routed yet.
 * TXW_E_UNSUPPORTED: the store cannot. [writer] */
int32_t purge_step(struct unit *u, const txw_purge *what, txw_purged *out, struct err *e);

struct purged *purged_new(void);
void purged_free(struct purged *p);
/* Reads what was noted before. [load] */
int32_t purged_load(struct engine *g, struct readers *r, struct err *e);
/* Of the tenant's log events up to this one are missing, those after it are
 * not; 0: none. [any] */
int64_t purged_to(struct engine *g, txw_str tenant);

#endif
