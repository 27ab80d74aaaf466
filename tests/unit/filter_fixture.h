/* filter_fixture.h: one transaction and one event that filters are asked about. */
#ifndef FILTER_FIXTURE_H
#define FILTER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/str.h"
#include "filter/filter.h"

#define NOW (INT64_C(1767225600) * SECOND) /* 2026-01-01T00:00:00Z */

static txw_tx sample(void)
{
	return (txw_tx){
	    .size = sizeof(txw_tx),
	    .outcome = TXW_FAILURE,
	    .id = {UINT64_C(0x019b76da80007000), UINT64_C(0x8000000000000001)},
	    .tenant = STR_LIT("default"),
	    .flow = STR_LIT("payment"),
	    .ref = STR_LIT("PAY-2026/17"),
	    .status = STR_LIT("failed"),
	    .amount = STR_LIT("1250.00"),
	    .currency = STR_LIT("EUR"),
	    .attributes = STR_LIT("{\"country\":\"DE\",\"n\":7,\"price\":12.5,\"vip\":true,"
				  "\"off\":false,\"gone\":null,\"empty\":\"\",\"list\":[1],"
				  "\"money\":\"19.90\",\"a\":{\"b\":{\"c d\":\"deep\"}}}"),
	    .reason = STR_LIT("Insufficient Funds"),
	    .code = STR_LIT("51"),
	    .version = 3,
	    .created_at = NOW - DAY,
	    .updated_at = NOW - HOUR,
	    .status_since = NOW - HOUR,
	    .finished_at = NOW - HOUR,
	};
}

static bool parses(const char *text, enum filter_scope scope, bool *matches, char *why, size_t cap)
{
	struct arena a = {0};
	struct err e = {0};
	const txw_filter *f = NULL;
	txw_tx tx = sample();
	txw_event ev = {
	    .size = sizeof ev,
	    .type = TXW_EV_FAILED,
	    .seq = 41,
	    .at = NOW - HOUR,
	    .from = STR_LIT("pending"),
	    .to = STR_LIT("failed"),
	    .source = STR_LIT("bank"),
	    .tx = &tx,
	};
	bool ok = filter_parse(&a, str_of(text), scope, NOW, &f, &e) == 0;
	if (ok)
		*matches = scope == FILTER_TX ? filter_match_tx(f, &tx)
					      : filter_match_event(f, &ev);
	else
		snprintf(why, cap, "%s", e.text);
	arena_free(&a);
	return ok;
}

static inline void asks(const char *text, enum filter_scope scope, bool want)
{
	char why[1024];
	bool got = false;
	if (!parses(text, scope, &got, why, sizeof why))
		fail_msg("%s: %s", text, why);
	if (got != want)
		fail_msg("%s: expected %s", text, want ? "a match" : "no match");
}

#define YES(text) asks((text), FILTER_TX, true)
#define NO(text)  asks((text), FILTER_TX, false)

static inline void refuses_in(const char *text, enum filter_scope scope, const char *words)
{
	char why[1024];
	bool got;
	if (parses(text, scope, &got, why, sizeof why))
		fail_msg("`%s` was accepted", text);
	if (!strstr(why, words))
		fail_msg("`%s`: expected \"%s\", got \"%s\"", text, words, why);
}

#define REFUSED(text, words) refuses_in((text), FILTER_TX, (words))

#endif
