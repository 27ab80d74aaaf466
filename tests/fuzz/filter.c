/* filter.c: a filter is refused with a column, or can be asked of any row; a
 * row is in a filter or in its negation, and never in both. */
#include "fuzz.h"

#include "base/clock.h"
#include "base/str.h"
#include "filter/filter.h"

#define NOW (INT64_C(1790000000) * SECOND)

static const txw_tx ROW = {
    .size = sizeof(ROW),
    .tenant = {"default", 7},
    .flow = {"payment", 7},
    .ref = {"order-1001", 10},
    .status = {"failed", 6},
    .owner = {"alice", 5},
    .amount = {"1250.00", 7},
    .currency = {"EUR", 3},
    .attributes = {"{\"country\":\"DE\",\"n\":7,\"deep\":{\"a\":[1,null,true,\"x\"]}}", 54},
    .reason = {"no funds", 8},
    .outcome = TXW_FAILURE,
    .version = 3,
    .created_at = NOW - HOUR,
    .updated_at = NOW - MINUTE,
    .status_since = NOW - MINUTE,
    .finished_at = NOW - MINUTE,
};

/* What is in the one is not in the other, unless its cost is too much. */
static void try_negation(struct arena *a, txw_str text, enum filter_scope scope, bool tx,
			 const txw_event *ev, bool event)
{
	struct err e = {0};
	const txw_filter *f = NULL;
	char *not = arena_alloc(a, text.len + 6);
	memcpy(not, "NOT (", 5);
	memcpy(not +5, text.ptr, text.len);
	not [text.len + 5] = ')';
	if (filter_parse(a, (txw_str){not, text.len + 6}, scope, NOW, &f, &e) < 0 || !f)
		return;
	MUST(filter_match_tx(f, &ROW) != tx);
	MUST(filter_match_event(f, ev) != event);
}

static void try_scope(txw_str text, enum filter_scope scope)
{
	struct arena a = {0};
	struct err e = {0};
	const txw_filter *f = NULL;
	txw_event ev = {.size = sizeof(ev),
			.seq = 17,
			.type = TXW_EV_FAILED,
			.at = NOW,
			.tenant = {"default", 7},
			.from = {"pending", 7},
			.to = {"failed", 6},
			.tx = &ROW};
	int32_t rc = filter_parse(&a, text, scope, NOW, &f, &e);
	if (rc < 0) {
		MUST(e.text[0]);
	} else if (f) {
		/* A plain bool each: the sanitizer sees to that. */
		bool tx = filter_match_tx(f, &ROW);
		bool event = filter_match_event(f, &ev);
		try_negation(&a, text, scope, tx, &ev, event);
		f = filter_and_equal(&a, f, TXW_FIELD_REF, ROW.ref);
		MUST(filter_match_tx(f, &ROW) == tx);
	}
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	txw_str text = {(const char *)data, size};
	try_scope(text, FILTER_TX);
	try_scope(text, FILTER_EVENT);
	return 0;
}
