/*
 * prove.c: proves that a flow can work, before anything moves in it.
 *
 * Proven, each mistake with its line and what to add: an open state has a way
 * out; following deadlines ends in an end state, so that a transaction whose
 * time is over never goes round in circles; every state can be reached. That
 * no end can be reached from a state is doubted, not refused: a flow may be
 * meant to go on for ever.
 */
#include "flow/private.h"

#include "base/clock.h"
#include "base/str.h"
#include "config/conf.h"

#define BIT(i) (UINT64_C(1) << (i))

void prove_ways_out(struct work *w)
{
	const struct flow *f = &w->b->flow;
	for (uint32_t i = 0; i < f->n_states; i++) {
		const struct flow_state *st = &f->states[i];
		bool can_leave = st->n_next || st->expires || f->ttl;
		if (st->outcome == TXW_OPEN && !can_leave && !(w->has_wrong_next & BIT(i)))
			flow_problem(w, i, w->at[i]->line,
				     "is open and can never be left: give it `next`, a deadline "
				     "(`expires`) or an `outcome`");
	}
}

/* "`a` -> `b` -> `a`", the way that deadlines lead from a state to itself. */
static const char *circle_text(struct work *w, uint32_t start)
{
	const struct flow *f = &w->b->flow;
	struct arena *a = &w->report->arena;
	const char *text = arena_printf(a, "`%s`", w->at[start]->title);
	uint32_t i = start;
	do {
		i = f->states[i].expires_to;
		text = arena_printf(a, "%s -> `%s`", text, w->at[i]->title);
	} while (i != start);
	return text;
}

/* From every open state, deadline after deadline must end. */
static void prove_deadlines_end(struct work *w)
{
	const struct flow *f = &w->b->flow;
	uint64_t told = 0;
	for (uint32_t start = 0; start < f->n_states; start++) {
		uint64_t seen = 0;
		uint32_t i = start;
		while (i < f->n_states && f->states[i].outcome == TXW_OPEN && !(seen & BIT(i))) {
			seen |= BIT(i);
			i = f->states[i].expires_to;
		}
		bool is_circle = seen && i == start;
		if (is_circle && !(told & seen))
			flow_problem(w, i, conf_line(w->at[i], "expires-to"),
				     "`expires-to` leads back here (%s): deadlines must end in a "
				     "state with an outcome, so let one of them lead there",
				     circle_text(w, i));
		if (is_circle)
			told |= seen;
	}
}

/* The states one move or expiry away. An API client may give any open
 * transaction a deadline, so the expiry's way exists whether or not the flow
 * has one. */
static uint64_t neighbours(const struct flow *f, uint32_t i)
{
	const struct flow_state *st = &f->states[i];
	uint64_t to = st->expires_to < f->n_states ? BIT(st->expires_to) : 0;
	for (uint32_t k = 0; k < st->n_next; k++)
		to |= BIT(st->next[k]);
	return to;
}

/* Beyond the states in `stops` the walk does not go. */
static uint64_t reached_from(const struct flow *f, uint32_t start, uint64_t stops)
{
	uint64_t seen = BIT(start), before = 0;
	while (seen != before) {
		before = seen;
		for (uint32_t i = 0; i < f->n_states; i++)
			if (before & ~stops & BIT(i))
				seen |= neighbours(f, i);
	}
	return seen;
}

static uint64_t ends_of(const struct flow *f)
{
	uint64_t ends = 0;
	for (uint32_t i = 0; i < f->n_states; i++)
		if (f->states[i].outcome != TXW_OPEN)
			ends |= BIT(i);
	return ends;
}

static void prove_reachable(struct work *w)
{
	const struct flow *f = &w->b->flow;
	uint64_t seen = reached_from(f, f->initial, 0);
	for (uint32_t i = 0; i < f->n_states; i++)
		if (!(seen & BIT(i)))
			flow_problem(w, i, w->at[i]->line,
				     "cannot be reached from the initial state `%s`: name it in "
				     "the `next` or `expires-to` of a state that can, or remove it",
				     w->at[f->initial]->title);
}

static void doubt_endless(struct work *w)
{
	const struct flow *f = &w->b->flow;
	uint64_t ends = ends_of(f);
	uint32_t first = f->n_states, n = 0;
	for (uint32_t i = f->n_states; i-- > 0;) {
		if (reached_from(f, i, 0) & ends)
			continue;
		first = i;
		n++;
	}
	if (n)
		flow_doubt(w, first, w->at[first]->line,
			   "no state with an outcome can be reached from here%s: what comes here "
			   "is watched for ever",
			   n > 1 ? ", nor from others" : "");
}

/* What is only reopened has left the flow's own deadline behind. */
static void doubt_times(struct work *w)
{
	const struct flow *f = &w->b->flow;
	uint64_t at_first = reached_from(f, f->initial, ends_of(f));
	for (uint32_t i = 0; i < f->n_states; i++) {
		if (!f->ttl || f->states[i].expires < f->ttl || !(at_first & BIT(i)))
			continue;
		char ttl[DURATION_TEXT_MAX];
		size_t n = duration_print(ttl, f->ttl);
		flow_doubt(w, i, conf_line(w->at[i], "expires"),
			   "`expires` is not shorter than the flow's own (%.*s after the "
			   "creation), which comes first",
			   (int)n, ttl);
	}
}

void prove_graph(struct work *w)
{
	size_t errors = w->report->n_errors;
	prove_deadlines_end(w);
	if (w->report->n_errors == errors)
		prove_reachable(w);
	if (w->report->n_errors > errors)
		return;
	doubt_endless(w);
	doubt_times(w);
}
