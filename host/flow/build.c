/*
 * build.c: makes a flow from its config section: names resolve, times fit
 * together, each mistake is told with its line. prove.c then proves that the
 * whole can work.
 *
 * Owned by whoever called flow_build; immutable afterwards.
 */
#include "flow/private.h"

#include "base/decimal.h"
#include "base/str.h"
#include "config/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_MAX_BYTES 64
#define MULTIPLIER_MAX 100000 /* 100.0, in thousandths */

void flow_problem(struct work *w, uint32_t i, int line, const char *fmt, ...)
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

void flow_doubt(struct work *w, uint32_t i, int line, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	conf_warning(w->report, line, "flow %s: state %s: %s", w->section->title, w->at[i]->title,
		     text);
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
	flow_problem(w, whose, line, "`%s` names `%.*s`, and there is no such state%s%s%s", option,
		     STR_ARG(name), near ? " (did you mean `" : "", near ? near : "",
		     near ? "`?)" : "");
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
		flow_problem(
		    w, i, conf_line(s, "multiplier"),
		    "`multiplier` is `%.*s`; it takes 1 to 100 with at most three decimals, "
		    "as in \"1.5\"",
		    STR_ARG(m));
	if (c->every && c->slow_to && c->slow_to < c->every)
		flow_problem(w, i, conf_line(s, "slow-to"), "`slow-to` is shorter than `every`");
}

/* Names, outcomes and times; nothing yet that refers to another state. */
static bool read_states(struct work *w)
{
	const struct conf_section *s = w->section;
	struct built *b = w->b;
	if (s->n_children == 0 || s->n_children > STATES_MAX) {
		flow_problem(w, NO_STATE, s->line, "has %zu states; it takes 1 to %d",
			     s->n_children, STATES_MAX);
		return false;
	}
	b->states = arena_alloc(&b->arena, s->n_children * sizeof *b->states);
	b->flow.states = b->states;
	for (size_t k = 0; k < s->n_children; k++) {
		const struct conf_section *c = &s->children[k];
		uint32_t twin = flow_find(&b->flow, str_of(c->title));
		if (twin < b->flow.n_states) {
			flow_problem(w, NO_STATE, c->line,
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
			flow_problem(w, NO_STATE, c->line,
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
			flow_problem(
			    w, NO_STATE, conf_line(s, "expires-to"),
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
			flow_problem(
			    w, i, st->expires ? line : conf_line(s, "expires-to"),
			    "`%s` in a state with an outcome: an end state has no deadline",
			    st->expires ? "expires" : "expires-to");
		return;
	}
	if (name.len) {
		st->expires_to = resolve(w, i, conf_line(s, "expires-to"), "expires-to", name);
		if (st->expires_to == i)
			flow_problem(w, i, conf_line(s, "expires-to"),
				     "`expires-to` names the state itself");
		return;
	}
	if ((st->expires || f->ttl) && f->expired == f->n_states &&
	    !conf_text(w->section, "expires-to").len)
		flow_problem(w, i, line,
			     "has a deadline and nowhere to go then: %s; set `expires-to`",
			     w->n_expired ? "several states have the outcome expired"
					  : "no state has the outcome expired");
}

/* How long before its deadline it is told. */
static void read_warning(struct work *w, uint32_t i)
{
	const struct conf_section *s = w->at[i];
	struct flow_state *st = &w->b->states[i];
	bool is_own = conf_is_set(s, "warn-before");
	int line = conf_line(s, is_own ? "warn-before" : "expires");
	st->warn_before = is_own ? conf_number(s, "warn-before") : w->b->flow.warn_before;
	if (st->outcome != TXW_OPEN) {
		st->warn_before = 0;
		if (is_own)
			flow_problem(
			    w, i, line,
			    "`warn-before` in a state with an outcome: an end state has no "
			    "deadline");
		return;
	}
	if (!st->expires || st->warn_before < st->expires)
		return;
	if (is_own)
		flow_problem(w, i, line,
			     "`warn-before` is not shorter than `expires`: it would warn at once");
	else
		flow_doubt(w, i, line,
			   "`expires` is not longer than the flow's `warn-before`: it will warn at "
			   "once; give the state a `warn-before` of its own (0: none)");
}

static void read_initial(struct work *w)
{
	struct flow *f = &w->b->flow;
	int line = conf_line(w->section, "initial");
	f->initial = resolve(w, NO_STATE, line, "initial", conf_text(w->section, "initial"));
	if (f->initial < f->n_states && f->states[f->initial].outcome != TXW_OPEN)
		flow_problem(w, NO_STATE, line,
			     "`initial` names `%s`, which has an outcome: nothing would move",
			     w->at[f->initial]->title);
}

static enum flow_illegal illegal_of(txw_str text)
{
	if (str_is(text, "refuse"))
		return ILLEGAL_REFUSE;
	return str_is(text, "flag") ? ILLEGAL_FLAG : ILLEGAL_RECORD;
}

static enum flow_late late_of(txw_str text)
{
	if (str_is(text, "reopen"))
		return LATE_REOPEN;
	return str_is(text, "refuse") ? LATE_REFUSE : LATE_RECORD;
}

/* What the flow says as a whole, but for names of states. */
static void read_flow(struct work *w)
{
	const struct conf_section *s = w->section;
	struct flow *f = &w->b->flow;
	f->name = arena_str(&w->b->arena, str_of(s->title));
	f->ttl = conf_number(s, "expires");
	f->warn_before = conf_number(s, "warn-before");
	f->illegal = illegal_of(conf_text(s, "illegal"));
	f->late = late_of(conf_text(s, "late"));
	if (!name_ok(s->title))
		conf_problem(w->report, s->line,
			     "flow name `%s`: it takes 1 to %d letters, digits and . _ -", s->title,
			     NAME_MAX_BYTES);
	if (f->ttl && f->warn_before >= f->ttl)
		flow_problem(w, NO_STATE, conf_line(s, "warn-before"),
			     "`warn-before` is not shorter than `expires`: it would warn at once");
}

struct flow *flow_build(const struct conf_section *section, struct conf_report *report)
{
	struct built *b = xcalloc(1, sizeof *b);
	struct work w = {.b = b, .section = section, .report = report};
	size_t errors = report->n_errors;

	read_flow(&w);
	if (!read_states(&w))
		goto refuse;
	read_initial(&w);
	read_default_target(&w);
	for (uint32_t i = 0; i < b->flow.n_states; i++) {
		read_next(&w, i);
		read_target(&w, i);
		read_warning(&w, i);
	}
	prove_ways_out(&w);
	/* The graph is worth walking only when its names resolve. */
	if (report->n_errors == errors)
		prove_graph(&w);
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
