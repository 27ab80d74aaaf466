/*
 * rate.h: at most so many a second: a token bucket that holds a second's
 * worth (one at least). Pure; times are the caller's.
 */
#ifndef TXWATCH_BASE_RATE_H
#define TXWATCH_BASE_RATE_H

#include <stdbool.h>

#include "txwatch/abi.h"

struct rate {
	int64_t gap;   /* microseconds between two; 0 = no limit */
	int64_t burst; /* microseconds of credit */
	txw_time next; /* when the bucket would be full by its own pace */
};

/* "50/s", "600/m", "1000/h"; empty = no limit. false: not a rate. */
bool rate_parse(txw_str text, struct rate *out);
/* 0: take one, now. Else: when to ask again. */
txw_time rate_take(struct rate *r, txw_time now);

#endif
