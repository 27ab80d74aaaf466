/* private.h: what the building and the proving of a flow share. Private to
 * flow/. */
#ifndef TXWATCH_FLOW_PRIVATE_H
#define TXWATCH_FLOW_PRIVATE_H

#include "base/mem.h"
#include "flow/flow.h"

#define STATES_MAX 64
#define NO_STATE   UINT32_MAX

/* A flow and what its pointers lie in. */
struct built {
	struct flow flow; /* first: flow_free gets its address */
	struct arena arena;
	struct flow_state *states; /* the same as flow.states, to be filled */
};

/* What the steps of one flow_build share. */
struct work {
	struct built *b;
	const struct conf_section *section;
	const struct conf_section *at[STATES_MAX]; /* each state's section */
	uint64_t has_wrong_next;                   /* bit per state: told of already */
	uint32_t n_expired;                        /* states whose outcome is expired */
	struct conf_report *report;
};

/* Tells a mistake of the flow, or of its state i (NO_STATE: the flow's own). */
void flow_problem(struct work *w, uint32_t i, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same of what is allowed, but hardly meant: a warning. */
void flow_doubt(struct work *w, uint32_t i, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- prove.c ---- */
/* Every open state can be left. */
void prove_ways_out(struct work *w);
/* These walk the graph, whose names must have been resolved: deadline after
 * deadline ends; every state can be reached; from every state an end can. */
void prove_graph(struct work *w);

#endif
