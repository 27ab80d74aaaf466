/*
 * breaker.h: stops asking an upstream that only fails (M. Nygard, "Release
 * It!": circuit breaker). Pure; times are the caller's.
 *
 *   CLOSED    -> OPEN       breaker_bad(): `limit` failures in a row
 *   OPEN      -> HALF_OPEN  breaker_may(): the pause is over, one probe
 *   HALF_OPEN -> CLOSED     breaker_good()
 *   HALF_OPEN -> OPEN       breaker_bad()
 */
#ifndef TXWATCH_WATCH_BREAKER_H
#define TXWATCH_WATCH_BREAKER_H

#include <stdbool.h>

#include "txwatch/abi.h"

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker {
	int64_t limit;
	int64_t pause;
	enum breaker_state state;
	int64_t failures; /* in a row */
	txw_time until;   /* OPEN: the pause's end */
	bool is_probing;  /* HALF_OPEN: the probe is under way */
};

/* May one start now? In HALF_OPEN only the probe may: say breaker_began. */
bool breaker_may(struct breaker *b, txw_time now);
void breaker_began(struct breaker *b);
/* true: it has just closed. */
bool breaker_good(struct breaker *b);
/* true: it has just opened for the first time since it was closed. */
bool breaker_bad(struct breaker *b, txw_time now);

#endif
