/*
 * build.c: makes a flow from its config section and proves that it can work.
 *
 * Proven, each mistake with its line: every name resolves; every state can be
 * reached; an open state has a way out; a deadline has somewhere to go, and
 * following deadlines ends in an end state, so that a transaction whose time
 * is over never goes round in circles.
 *
 * Owned by whoever called flow_build; immutable afterwards.
 */
#include "flow/flow.h"

#include "base/decimal.h"
#include "base/mem.h"
#include "base/str.h"
#include "config/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define STATES_MAX     64
#define NAME_MAX_BYTES 64
#define NO_STATE       UINT32_MAX
#define MULTIPLIER_MAX 100000 /* 100.0, in thousandths */

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
static void problem(struct work *w, uint32_t i, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void problem(struct work *w, uint32_t i, int line, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (i == NO_STATE)
		conf_problem(w->report, line, "flow %s: %s", w->section->title, text);
	else
		conf_problem(w->report, line, "flow %s: state %s: %s", w->section->title,
			     w->at[i]->title, text);
}

static bool name_ok(const char *name)
{
	size_t n = strlen(name);
	if (n == 0 || n > NAME_MAX_BYTES)
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789_.-") == n;
}

static uint32_t outcome_of(txw_str text)
{
	static const struct {
		const char *name;
		uint32_t outcome;
	} rows[] = {
	    {"success", TXW_SUCCESS},
	    {"failure", TXW_FAILURE},
	    {"cancelled", TXW_OUT_CANCELLED},
	    {"expired", TXW_EXPIRED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (str_is(text, rows[i].name))
			return rows[i].outcome;
	return TXW_OPEN;
}

/* The index of a named state, or n_states after telling what was wrong. */
static uint32_t resolve(struct work *w, uint32_t whose, int line, const char *option, txw_str name)
{
	const struct flow *f = &w->b->flow;
	uint32_t i = flow_find(f, name);
	if (i < f->n_states)
		return i;
	const char *names[STATES_MAX];
	for (uint32_t k = 0; k < f->n_states; k++)
		names[k] = f->states[k].name.ptr;
	char word[NAME_MAX_BYTES + 1] = {0};
	memcpy(word, name.ptr ? name.ptr : "",
	       name.len < NAME_MAX_BYTES ? name.len : NAME_MAX_BYTES);
	const char *near = str_nearest(word, names, f->n_states);
	problem(w, whose, line, "`%s` names `%.*s`, and there is no such state%s%s%s", option,
		STR_ARG(name), near ? " (did you mean `" : "", near ? near : "", near ? "`?)" : "");
	return f->n_states;
}

/* "1.5" -> 1500. */
static bool milli(txw_str s, int64_t *out)
{
	if (!decimal_valid(s) || s.ptr[0] == '-')
		return false;
	int64_t v = 0;
	size_t digits = 0;
	bool point = false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '.') {
			point = true;
			continue;
		}
		if (point && ++digits > 3)
			return false;
		v = v * 10 + (s.ptr[i] - '0');
		if (v > MULTIPLIER_MAX)
			return false;
	}
	for (; digits < 3; digits++)
		v *= 10;
	*out = v;
	return v >= 1000 && v <= MULTIPLIER_MAX;
}

static void read_cadence(struct work *w, uint32_t i)
{
	const struct conf_section *s = w->at[i];
	struct flow_state *st = &w->b->states[i];
	struct cadence *c = &st->cadence;
	static const char *const names[] = {"every", "slow-to", "first-after", "multiplier"};
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		if (st->outcome != TXW_OPEN && conf_is_set(s, names[k]))
			conf_warning(
			    w->report, conf_line(s, names[k]),
			    "flow %s: state %s: `%s` has no effect, an end state is not polled",
			    w->section->title, s->title, names[k]);
	c->every = conf_number(s, "every");
	c->slow_to = conf_number(s, "slow-to");
	c->first_after = conf_number(s, "first-after");
	txw_str m = conf_text(s, "multiplier");
	if (m.len && !milli(m, &c->multiplier_milli))
		problem(w, i, conf_line(s, "multiplier"),
			"`multiplier` is `%.*s`; it takes 1 to 100 with at most three decimals, "
			"as in \"1.5\"",
			STR_ARG(m));
	if (c->every && c->slow_to && c->slow_to < c->every)
		problem(w, i, conf_line(s, "slow-to"), "`slow-to` is shorter than `every`");
}

/* Names, outcomes and times; nothing yet that refers to another state. */
static bool read_states(struct work *w)
{
	const struct conf_section *s = w->section;
	struct built *b = w->b;
	if (s->n_children == 0 || s->n_children > STATES_MAX) {
		problem(w, NO_STATE, s->line, "has %zu states; it takes 1 to %d", s->n_children,
			STATES_MAX);
		return false;
	}
	b->states = arena_alloc(&b->arena, s->n_children * sizeof *b->states);
	b->flow.states = b->states;
	for (size_t k = 0; k < s->n_children; k++) {
		const struct conf_section *c = &s->children[k];
		uint32_t twin = flow_find(&b->flow, str_of(c->title));
		if (twin < b->flow.n_states) {
			problem(w, NO_STATE, c->line,
				"state %s is declared twice, first in line %d", c->title,
				w->at[twin]->line);
			continue;
		}
		uint32_t i = b->flow.n_states++;
		w->at[i] = c;
		b->states[i].name = arena_str(&b->arena, str_of(c->title));
		b->states[i].outcome = outcome_of(conf_text(c, "outcome"));
		b->states[i].expires = conf_number(c, "expires");
		w->n_expired += b->states[i].outcome == TXW_EXPIRED;
		if (!name_ok(c->title))
			problem(w, NO_STATE, c->line,
				"state name `%s`: it takes 1 to %d letters, digits and . _ -",
				c->title, NAME_MAX_BYTES);
		read_cadence(w, i);
	}
	return true;
}

static void read_next(struct work *w, uint32_t i)
{
	const struct conf_section *s = w->at[i];
	struct flow_state *st = &w->b->states[i];
	int line = conf_line(s, "next");
	const txw_str *names = NULL;
	size_t n = conf_list(s, "next", &names);
	uint32_t *next = arena_alloc(&w->b->arena, (n + 1) * sizeof *next);
	uint64_t have = 0;
	for (size_t k = 0; k < n; k++) {
		uint32_t to = resolve(w, i, line, "next", names[k]);
		if (to == w->b->flow.n_states) {
			w->has_wrong_next |= UINT64_C(1) << i;
			continue;
		}
		if (to == i || (have >> to & 1)) {
			conf_warning(w->report, line, "flow %s: state %s: `next` names `%s` %s",
				     w->section->title, s->title, w->at[to]->title,
				     to == i ? "itself; staying is always allowed" : "twice");
			continue;
		}
		have |= UINT64_C(1) << to;
		next[st->n_next++] = to;
	}
	st->next = next;
}

/* Where a deadline leads when its state does not say. */
static void read_default_target(struct work *w)
{
	struct flow *f = &w->b->flow;
	const struct conf_section *s = w->section;
	txw_str name = conf_text(s, "expires-to");
	f->expired = f->n_states;
	if (name.len) {
		uint32_t to = resolve(w, NO_STATE, conf_line(s, "expires-to"), "expires-to", name);
		if (to < f->n_states && f->states[to].outcome == TXW_OPEN)
			problem(w, NO_STATE, conf_line(s, "expires-to"),
				"`expires-to` names `%.*s`, which is open: the flow's deadline "
				"needs a state with an outcome",
				STR_ARG(name));
		f->expired = to;
		return;
	}
	if (w->n_expired != 1)
		return;
	for (uint32_t i = 0; i < f->n_states; i++)
		if (f->states[i].outcome == TXW_EXPIRED)
			f->expired = i;
}

static void read_target(struct work *w, uint32_t i)
{
	const struct conf_section *s = w->at[i];
	struct flow *f = &w->b->flow;
	struct flow_state *st = &w->b->states[i];
	txw_str name = conf_text(s, "expires-to");
	int line = conf_is_set(s, "expires") ? conf_line(s, "expires") : s->line;
	st->expires_to = f->expired;
	if (st->outcome != TXW_OPEN) {
		st->expires_to = f->n_states;
		if (st->expires || name.len)
			problem(w, i, st->expires ? line : conf_line(s, "expires-to"),
				"`%s` in a state with an outcome: an end state has no deadline",
				st->expires ? "expires" : "expires-to");
		return;
	}
	if (name.len) {
		st->expires_to = resolve(w, i, conf_line(s, "expires-to"), "expires-to", name);
		if (st->expires_to == i)
			problem(w, i, conf_line(s, "expires-to"),
				"`expires-to` names the state itself");
		return;
	}
	if ((st->expires || f->ttl) && f->expired == f->n_states &&
	    !conf_text(w->section, "expires-to").len)
		problem(w, i, line, "has a deadline and nowhere to go then: %s; set `expires-to`",
			w->n_expired ? "several states have the outcome expired"
				     : "no state has the outcome expired");
}

static void prove_ways_out(struct work *w)
{
	const struct flow *f = &w->b->flow;
	for (uint32_t i = 0; i < f->n_states; i++) {
		const struct flow_state *st = &f->states[i];
		bool can_leave = st->n_next || st->expires || f->ttl;
		if (st->outcome == TXW_OPEN && !can_leave && !(w->has_wrong_next >> i & 1))
			problem(w, i, w->at[i]->line,
				"is open and can never be left: give it `next`, a deadline "
				"(`%s`) or an `outcome`",
				"expires");
	}
}

/* From every open state, deadline after deadline must end. */
static void prove_deadlines_end(struct work *w)
{
	const struct flow *f = &w->b->flow;
	uint64_t told = 0;
	for (uint32_t start = 0; start < f->n_states; start++) {
		uint64_t seen = 0;
		uint32_t i = start;
		while (i < f->n_states && f->states[i].outcome == TXW_OPEN && !(seen >> i & 1)) {
			seen |= UINT64_C(1) << i;
			i = f->states[i].expires_to;
		}
		bool circle = seen && i == start;
		if (circle && !(told & seen))
			problem(w, i, conf_line(w->at[i], "expires-to"),
				"`expires-to` leads back here: deadlines must end in a state "
				"with an outcome");
		if (circle)
			told |= seen;
	}
}

static void prove_reachable(struct work *w)
{
	const struct flow *f = &w->b->flow;
	uint32_t queue[STATES_MAX];
	uint32_t head = 0, tail = 0;
	uint64_t seen = UINT64_C(1) << f->initial;
	queue[tail++] = f->initial;
	while (head < tail) {
		const struct flow_state *st = &f->states[queue[head++]];
		for (uint32_t k = 0; k <= st->n_next; k++) {
			/* An API client may give any open transaction a deadline, so
			 * the expiry's way exists whether or not the flow has one. */
			uint32_t to = k < st->n_next ? st->next[k] : st->expires_to;
			if (to >= f->n_states || (seen >> to & 1))
				continue;
			seen |= UINT64_C(1) << to;
			queue[tail++] = to;
		}
	}
	for (uint32_t i = 0; i < f->n_states; i++)
		if (!(seen >> i & 1))
			problem(w, i, w->at[i]->line,
				"cannot be reached from the initial state `%s`",
				w->at[f->initial]->title);
}

static void read_initial(struct work *w)
{
	struct flow *f = &w->b->flow;
	int line = conf_line(w->section, "initial");
	f->initial = resolve(w, NO_STATE, line, "initial", conf_text(w->section, "initial"));
	if (f->initial < f->n_states && f->states[f->initial].outcome != TXW_OPEN)
		problem(w, NO_STATE, line,
			"`initial` names `%s`, which has an outcome: nothing would move",
			w->at[f->initial]->title);
}

static enum flow_illegal illegal_of(txw_str text)
{
	if (str_is(text, "refuse"))
		return ILLEGAL_REFUSE;
	return str_is(text, "flag") ? ILLEGAL_FLAG : ILLEGAL_RECORD;
}

struct flow *flow_build(const struct conf_section *section, struct conf_report *report)
{
	struct built *b = xcalloc(1, sizeof *b);
	struct work w = {.b = b, .section = section, .report = report};
	size_t errors = report->n_errors;

	b->flow.name = arena_str(&b->arena, str_of(section->title));
	b->flow.ttl = conf_number(section, "expires");
	b->flow.illegal = illegal_of(conf_text(section, "illegal"));
	if (!name_ok(section->title))
		conf_problem(report, section->line,
			     "flow name `%s`: it takes 1 to %d letters, digits and . _ -",
			     section->title, NAME_MAX_BYTES);
	if (!read_states(&w))
		goto refuse;
	read_initial(&w);
	read_default_target(&w);
	for (uint32_t i = 0; i < b->flow.n_states; i++) {
		read_next(&w, i);
		read_target(&w, i);
	}
	prove_ways_out(&w);
	/* The graph is worth walking only when its names resolve. */
	if (report->n_errors == errors)
		prove_deadlines_end(&w);
	if (report->n_errors == errors)
		prove_reachable(&w);
	if (report->n_errors == errors)
		return &b->flow;
refuse:
	flow_free(&b->flow);
	return NULL;
}

void flow_free(struct flow *flow)
{
	if (!flow)
		return;
	struct built *b = (struct built *)flow;
	arena_free(&b->arena);
	free(b);
}
