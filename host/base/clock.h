/*
 * clock.h: the one source of time, real or virtual; times as text.
 *
 * A virtual clock stands still until loop_advance() moves it.
 */
#ifndef TXWATCH_BASE_CLOCK_H
#define TXWATCH_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "txwatch/abi.h"

#define MILLISECOND INT64_C(1000)
#define SECOND      INT64_C(1000000)
#define MINUTE      (60 * SECOND)
#define HOUR        (60 * MINUTE)
#define DAY         (24 * HOUR)

struct clock {
	bool is_virtual;
	_Atomic int64_t now; /* of a virtual clock */
};

void clock_real(struct clock *c);
void clock_virtual(struct clock *c, txw_time start);
txw_time clock_now(const struct clock *c);    /* [any] */
void clock_set(struct clock *c, txw_time to); /* virtual; never backwards */

/* Real monotonic microseconds: for measuring how long things took. */
int64_t clock_ticks(void);

/* RFC 3339 with microseconds where there are some, always "Z":
 * "2026-01-31T23:59:59.25Z". out holds TIME_TEXT_MAX bytes. */
#define TIME_TEXT_MAX 40
size_t time_print(char *out, txw_time t);
/* RFC 3339, any offset. false: not one, or in UTC not in the years 0 to 9999. */
bool time_parse(txw_str s, txw_time *out);

/* "250ms", "5s", "30m", "2h", "7d", "1h30m"; a bare 0 is allowed. */
bool duration_parse(txw_str s, int64_t *out);
/* The shortest text duration_parse reads back: "90s" -> "1m30s". */
#define DURATION_TEXT_MAX 48
size_t duration_print(char *out, int64_t d);

#endif
