/*
 * retention.h: finished transactions older than the site keeps them are purged
 * in the background: the sections `retention NAME { ... }`.
 */
#ifndef TXWATCH_JOBS_RETENTION_H
#define TXWATCH_JOBS_RETENTION_H

#include "config/conf.h"
#include "engine/flows.h"
#include "engine/purge.h"
#include "measure/metrics.h"

struct retention;

/* Reads the sections; mistakes go to the report. */
struct retention *retention_open(const struct conf *conf, const struct flows *flows,
				 struct metrics *metrics, struct conf_report *report);
void retention_start(struct retention *r, struct loop *loop, struct engine *g); /* [loop] */
void retention_drain(struct retention *r);
void retention_close(struct retention *r);

#endif
