/*
 * follow.h: the log as other hosts write it.
 *
 * Where several hosts share a store, what another one committed is found by a
 * look at the log's end: at once when the store hints at it, else within
 * FOLLOW_EVERY. A hint may be lost; the look is the truth. Stores that give no
 * hints have one host, and are not looked at.
 */
#ifndef TXWATCH_ENGINE_FOLLOW_H
#define TXWATCH_ENGINE_FOLLOW_H

#include "engine/engine.h"
#include "engine/readers.h"

/* A virtual clock walks from timer to timer: there only hints count. */
#define FOLLOW_EVERY SECOND

struct follow;

/* grown(ctx) is called when others have committed events; engine_last_seq
 * knows them then. [loop] */
struct follow *follow_open(struct engine *g, struct readers *r, void (*grown)(void *ctx),
			   void *ctx);
/* grown is called no more. Before the readers close. [loop] */
void follow_stop(struct follow *f);
/* When the loop has run what was posted. */
void follow_free(struct follow *f);

#endif
