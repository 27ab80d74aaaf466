/*
 * watch.h: asks when it is time, and expires what stayed silent.
 *
 * Claims what is due from the store in batches, pushing each transaction's
 * due time forward in the claiming unit; hands polls to pollers within their
 * limits; turns what they say into operations.
 */
#ifndef TXWATCH_WATCH_WATCH_H
#define TXWATCH_WATCH_WATCH_H

#include "base/buf.h"
#include "config/conf.h"
#include "engine/engine.h"
#include "engine/flows.h"
#include "engine/readers.h"

struct watch;

struct watch *watch_open(struct loop *loop, struct metrics *metrics, struct flows *flows);
/* A poller's section is complete: registers its instance with its flow's
 * entry. Mistakes go to the report. [load] */
void watch_add(struct watch *w, instance *poller, struct conf_report *report);
/* Reads saved cursors, claims what is due. */
void watch_start(struct watch *w, struct engine *g, struct readers *r);
void watch_drain(struct watch *w); /* starts nothing more [loop] */
size_t watch_in_flight(struct watch *w);
void watch_close(struct watch *w);

/* Extension "txw.poll/1". */
extern const txw_poll_ext WATCH_POLL_EXT;

/* GET /v1/pollers: appends a JSON array; one object an instance of the
 * tenant's. [loop] */
void watch_render(struct watch *w, txw_str tenant, struct buf *out);
/* Reasons why a poller is not healthy, for readiness; 0 = all well. */
size_t watch_down(struct watch *w);

#endif
