/*
 * filter.h: the one filter language (AIP-160 style): parse, evaluate.
 *
 *   flow = payment AND (status = failed OR amount >= 1000)
 *   AND attributes.country = "DE" AND NOT owner:*
 *
 * The tree is the ABI's (txwatch/filter.h), so that stores can turn it into
 * their own query language. Pure; a parsed filter is immutable. [any]
 */
#ifndef TXWATCH_FILTER_FILTER_H
#define TXWATCH_FILTER_FILTER_H

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "txwatch/event.h"
#include "txwatch/filter.h"

#define FILTER_TEXT_MAX  4096 /* bytes */
#define FILTER_NODES_MAX 256
#define FILTER_DEPTH_MAX 32
#define FILTER_HAS_MAX   256  /* bytes looked for by ':' */
#define FILTER_COST_MAX  1024 /* a test costs 1, with ':' 4, on an attribute 8 */

/* In place of now, for rules: relative times count from each event's time. */
#define FILTER_EACH_EVENT INT64_MIN

/* What the filter will be asked about. */
enum filter_scope { FILTER_TX, FILTER_EVENT };

/* What may be asked about; those of events only have their scope. */
struct filter_field {
	const char *name;
	const char *help;
	uint32_t number; /* TXW_FIELD_ */
	uint32_t kind;   /* TXW_F_TEXT ... */
	enum filter_scope scope;
};
extern const struct filter_field FILTER_FIELDS[];
extern const size_t FILTER_FIELDS_N;

/* Parses into the arena. An empty text gives *out = NULL, which matches all.
 * Errors name the column, from 1, and what was expected there. `now` is for
 * relative times (updated_at < -2h): that of the query, or FILTER_EACH_EVENT,
 * whose tree is for filter_match_event alone. */
int32_t filter_parse(struct arena *a, txw_str text, enum filter_scope scope, txw_time now,
		     const txw_filter **out, struct err *e);

/* A conjunction of filter (may be NULL) and field = text. */
const txw_filter *filter_and_equal(struct arena *a, const txw_filter *filter, uint32_t field,
				   txw_str text);

bool filter_match_tx(const txw_filter *f, const txw_tx *tx);
bool filter_match_event(const txw_filter *f, const txw_event *ev);

#endif
