/*
 * trace.h: W3C Trace Context: the caller's trace goes on here, or one begins.
 */
#ifndef TXWATCH_HTTP_TRACE_H
#define TXWATCH_HTTP_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "txwatch/abi.h"

#define TRACE_TEXT_MAX 56 /* "00-", 32 digits, "-", 16, "-", 2, 0 */

/* Their traceparent with `span` in place of the caller's, or, if theirs is
 * none, a new trace: false. bits: random enough. Pure. */
bool trace_continue(char out[TRACE_TEXT_MAX], txw_str theirs, const uint64_t bits[2],
		    uint64_t span);

#endif
