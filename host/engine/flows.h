/* flows.h: the site's flows by name, with what polls them. */
#ifndef TXWATCH_ENGINE_FLOWS_H
#define TXWATCH_ENGINE_FLOWS_H

#include "flow/flow.h"

/* What the site's poller of a flow wants; filled from poller sections. */
struct flow_entry {
	struct flow *flow;
	struct redact *redact; /* NULL: everything is kept */
	bool is_polled;
	txw_str tenant;         /* whose transactions the poller watches */
	struct cadence cadence; /* the poller's defaults */
	int64_t jitter_milli;   /* 100 = +-10 % */
	int64_t timeout;        /* of one poll, for the lease */
};

struct flows {
	size_t n;
	struct flow_entry *entries;
};

/* Is that transaction of the flow polled? */
bool flows_polls(const struct flow_entry *entry, const txw_tx *tx);
struct flow_entry *flows_find(const struct flows *f, txw_str name);

#endif
