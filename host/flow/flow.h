/*
 * flow.h: a declared state machine, and what it says to an observation.
 *
 * Pure: no clock, no store, no I/O. A flow is immutable once built.
 */
#ifndef TXWATCH_FLOW_FLOW_H
#define TXWATCH_FLOW_FLOW_H

#include <stdbool.h>

#include "txwatch/event.h"

struct conf_section;
struct conf_report;
struct buf;

/* How often an open transaction in a state is polled; 0 = as the poller
 * says. Microseconds. */
struct cadence {
	int64_t every;
	int64_t slow_to;
	int64_t first_after;
	int64_t multiplier_milli; /* 1500 = 1.5 */
};

struct flow_state {
	txw_str name;
	uint32_t outcome;    /* TXW_OPEN ... */
	int64_t expires;     /* after so long in this state; 0 = never */
	uint32_t expires_to; /* a state's index */
	uint32_t n_next;
	const uint32_t *next; /* indexes of the states it may move to */
	struct cadence cadence;
};

enum flow_illegal { ILLEGAL_REFUSE, ILLEGAL_RECORD, ILLEGAL_FLAG };

struct flow {
	txw_str name;
	uint32_t initial;
	uint32_t n_states;
	const struct flow_state *states;
	int64_t ttl;      /* after creation; 0 = never */
	uint32_t expired; /* where an expiry goes by default; n_states = none */
	enum flow_illegal illegal;
};

/* Builds from a `flow` section; every mistake goes to the report with its
 * line. NULL if there was one. */
struct flow *flow_build(const struct conf_section *section, struct conf_report *report);
void flow_free(struct flow *flow);

/* The state's index, or n_states. */
uint32_t flow_find(const struct flow *flow, txw_str name);
bool flow_allows(const struct flow *flow, uint32_t from, uint32_t to);
/* Writes the names of what may follow: `"settled", "failed"`. */
void flow_allowed_text(const struct flow *flow, uint32_t from, struct buf *out);

enum flow_answer {
	FLOW_CHANGE,  /* to another status, or the first */
	FLOW_SAME,    /* nothing new */
	FLOW_STALE,   /* older than what is known: ignored */
	FLOW_ILLEGAL, /* not allowed from here, and not applied */
	FLOW_ANOMALY, /* as ILLEGAL or UNKNOWN, and an event must tell it */
	FLOW_UNKNOWN, /* no state of that name, and no event */
};

/* What somebody says about a transaction, in the flow's words. */
struct seen {
	txw_str status;
	txw_str source_version;
	txw_time source_at;
};

struct decision {
	enum flow_answer answer;
	uint32_t to;         /* CHANGE, SAME: the state's index */
	uint32_t event_type; /* CHANGE, ANOMALY: TXW_EV_ */
	bool is_flagged;     /* CHANGE against the flow's rules, applied all the
	                        * same because illegal = "flag" */
};

/*
 * What the flow says when `row` (as stored) is seen in a status. Order of
 * judgement: unknown word; stale (an older source_version, or with none an
 * older source_at); same status; illegal; change. A word in row->anomaly was
 * told of before, so it is answered ILLEGAL or UNKNOWN, not ANOMALY.
 */
void flow_decide(const struct flow *flow, const txw_tx *row, const struct seen *seen,
		 struct decision *out);

/* The event type of moving between two states; `to` alone at creation is
 * TXW_EV_CREATED. */
uint32_t flow_event_type(const struct flow *flow, uint32_t from, uint32_t to, bool by_deadline);

/* When a transaction that entered `state` at `since` expires: the earlier of
 * the state's deadline, the flow's ttl since `created` and `absolute` (0 =
 * none); 0 = never. End states never expire. */
txw_time flow_expires_at(const struct flow *flow, uint32_t state, txw_time created, txw_time since,
			 txw_time absolute);

/* Appends the flow as a Graphviz digraph: dashed edges are deadlines. */
void flow_graph(const struct flow *flow, struct buf *out);

#endif
