/* when.h: the ways upstreams write a time. */
#ifndef POLLER_HTTP_WHEN_H
#define POLLER_HTTP_WHEN_H

#include <stdbool.h>

#include "txwatch/abi.h"

/* RFC 3339 with any offset, or digits: see when_number. */
bool when_text(txw_str s, txw_time *out);
/* Unix time: seconds below 10^11 (the year 5138), then milliseconds, from
 * 10^14 microseconds, from 10^17 nanoseconds. */
bool when_number(double v, txw_time *out);
/* An HTTP-date in any of its three forms (RFC 9110 section 5.6.7). */
bool when_http_date(txw_str s, txw_time now, txw_time *out);
/* Retry-After: microseconds from now, 0 = unsaid or over; at most 30 days. */
int64_t when_retry(txw_str header, txw_time now);

#endif
