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
	int64_t warn_before; /* so long before a deadline; 0 = not told */
	uint32_t expires_to; /* a state's index */
	uint32_t n_next;
	const uint32_t *next; /* indexes of the states it may move to */
	struct cadence cadence;
};

enum flow_illegal { ILLEGAL_REFUSE, ILLEGAL_RECORD, ILLEGAL_FLAG };
/* What becomes of a status seen when the time was over already. */
enum flow_late { LATE_RECORD, LATE_REOPEN, LATE_REFUSE };

struct flow {
	txw_str name;
	uint32_t initial;
	uint32_t n_states;
	const struct flow_state *states;
	int64_t ttl;         /* after creation; 0 = never */
	uint32_t expired;    /* where an expiry goes by default; n_states = none */
	int64_t warn_before; /* states' default; 0 = not told */
	enum flow_illegal illegal;
	enum flow_late late;
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
	bool is_late;        /* what is seen comes after its deadline ended it */
};

/*
 * What the flow says when `row` (as stored) is seen in a status. Order of
 * judgement: unknown word; stale (an older source_version, or with none an
 * older source_at); same status; illegal; change. A word in row->anomaly was
 * told of before, so it is answered ILLEGAL or UNKNOWN, not ANOMALY.
 *
 * A move that a state's `next` does not list is illegal, and `illegal` says
 * what becomes of it; from a state that a deadline led to it is late, and
 * `late` does.
 */
void flow_decide(const struct flow *flow, const txw_tx *row, const struct seen *seen,
		 struct decision *out);

/* The event type of moving between two states; `to` alone at creation is
 * TXW_EV_CREATED. */
uint32_t flow_event_type(const struct flow *flow, uint32_t from, uint32_t to, bool by_deadline);

/* Did a deadline end it? Its state has the outcome expired, or it kept the
 * expires_at that ended it. */
bool flow_is_expired(const txw_tx *row);

/* When a transaction that entered `state` at `since` expires: the earlier of
 * the state's deadline, the flow's ttl since `created` (0 = it counts no
 * longer) and `absolute` (0 = none); 0 = never. End states never expire. */
txw_time flow_expires_at(const struct flow *flow, uint32_t state, txw_time created, txw_time since,
			 txw_time absolute);

/* The same of a row; a ttl that ended by `over` no longer counts (0: it
 * does). 0 where nothing says where an expiry would go. */
txw_time flow_deadline(const struct flow *flow, uint32_t state, const txw_tx *row, txw_time over);
/* What to give it as `over`: now, or 0 while its present deadline, passed
 * already, has not been acted upon. */
txw_time flow_over(const txw_tx *row, txw_time now);

/* Sets what a row's state says of it: status (borrowed of the flow), outcome,
 * status_since, finished_at, expires_at; the anomaly told of is forgotten. A
 * row that a deadline ends keeps it as its expires_at; one that leaves an end
 * loses an absolute deadline that has passed. */
void flow_enter(const struct flow *flow, uint32_t state, txw_tx *row, txw_time now,
		bool by_deadline);

/* Where a deadline leads from that state; n_states = nowhere. */
uint32_t flow_expiry_to(const struct flow *flow, uint32_t state);
/* When `expires_at` is to be warned of in that state (or one the flow does
 * not have); 0 = never. */
txw_time flow_warns_at(const struct flow *flow, uint32_t state, txw_time expires_at);

/*
 * Walks one transaction through the flow, from its creation, and says in
 * `out` what happens at each step. A step is a status to be seen, or "+2h":
 * so long nothing is. false: a step was refused, or is no step.
 */
bool flow_try(const struct flow *flow, const char *const *steps, size_t n, struct buf *out);

/* Appends the flow as a Graphviz digraph: dashed edges are deadlines. */
void flow_graph(const struct flow *flow, struct buf *out);

#endif
