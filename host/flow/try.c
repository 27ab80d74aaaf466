/*
 * try.c: one transaction's walk through a flow, told in words.
 *
 * Everything is decided by the functions that the engine asks, on a row that
 * no store has and a clock of its own.
 */
#include "flow/flow.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/row.h"
#include "base/str.h"

#define START DAY /* any time but 0, which means none */

struct walk {
	const struct flow *flow;
	struct buf *out;
	txw_tx row;
	txw_time now;
};

static uint32_t here(const struct walk *w)
{
	return flow_find(w->flow, w->row.status);
}

static void say_span(struct walk *w, int64_t d)
{
	char text[DURATION_TEXT_MAX];
	buf_str(w->out, (txw_str){text, duration_print(text, d)});
}

static void say_deadline(struct walk *w)
{
	const txw_tx *row = &w->row;
	if (row->outcome != TXW_OPEN || !row->expires_at)
		return;
	buf_text(w->out, "; expires in ");
	say_span(w, row->expires_at - w->now);
	buf_printf(w->out, " to \"%.*s\"",
		   STR_ARG(w->flow->states[flow_expiry_to(w->flow, here(w))].name));
	txw_time warns = flow_warns_at(w->flow, here(w), row->expires_at);
	if (!warns || row->warned == row->expires_at)
		return;
	buf_text(w->out, ", warned of in ");
	say_span(w, warns > w->now ? warns - w->now : 0);
}

static void say_allowed(struct walk *w)
{
	struct buf b = {0};
	flow_allowed_text(w->flow, here(w), &b);
	buf_printf(w->out, "; %s%.*s", b.len ? "allowed: " : "nothing follows it",
		   STR_ARG(buf_view(&b)));
	buf_free(&b);
}

static void begin(struct walk *w)
{
	w->now = START;
	w->row = (txw_tx){.size = sizeof(w->row), .created_at = w->now};
	flow_enter(w->flow, w->flow->initial, &w->row, w->now, false);
	w->row.version = 1;
	buf_printf(w->out, "created in \"%.*s\": %s", STR_ARG(w->row.status),
		   event_type_name(TXW_EV_CREATED));
	say_deadline(w);
	buf_char(w->out, '\n');
}

/* ---- time passes ---- */

static void expire(struct walk *w)
{
	uint32_t from = here(w), to = flow_expiry_to(w->flow, from);
	txw_str was = w->row.status;
	flow_enter(w->flow, to, &w->row, w->now, true);
	w->row.version++;
	buf_printf(w->out, "\"%.*s\" -> \"%.*s\": %s, its deadline passed", STR_ARG(was),
		   STR_ARG(w->row.status),
		   event_type_name(flow_event_type(w->flow, from, to, true)));
}

static void warn(struct walk *w)
{
	w->row.warned = w->row.expires_at;
	w->row.version++;
	buf_printf(w->out, "\"%.*s\": %s", STR_ARG(w->row.status),
		   event_type_name(TXW_EV_EXPIRING));
}

/* The next thing that time alone brings, not after `until`. */
static bool next_due(struct walk *w, txw_time until)
{
	const txw_tx *row = &w->row;
	if (row->outcome != TXW_OPEN || !row->expires_at)
		return false;
	txw_time warns = flow_warns_at(w->flow, here(w), row->expires_at);
	bool is_warning = warns && warns < row->expires_at && row->warned != row->expires_at;
	txw_time due = is_warning ? warns : row->expires_at;
	if (due > until)
		return false;
	w->now = due > w->now ? due : w->now;
	buf_text(w->out, "  after ");
	say_span(w, w->now - START);
	buf_text(w->out, ": ");
	if (is_warning)
		warn(w);
	else
		expire(w);
	say_deadline(w);
	buf_char(w->out, '\n');
	return true;
}

static bool wait(struct walk *w, const char *step)
{
	int64_t span;
	txw_time until;
	if (!duration_parse(str_of(step + 1), &span) ||
	    __builtin_add_overflow(w->now, span, &until)) {
		buf_printf(w->out, "%s: is no duration, as +30m or +2h\n", step);
		return false;
	}
	buf_printf(w->out, "%s:\n", step);
	while (next_due(w, until))
		;
	w->now = until;
	return true;
}

/* ---- a status is seen ---- */

static void move(struct walk *w, const struct decision *d)
{
	txw_str was = w->row.status;
	flow_enter(w->flow, d->to, &w->row, w->now, false);
	w->row.version++;
	buf_printf(w->out, "\"%.*s\" -> \"%.*s\": %s%s%s", STR_ARG(was), STR_ARG(w->row.status),
		   d->is_flagged ? event_type_name(TXW_EV_ANOMALY) : "",
		   d->is_flagged ? " (not in `next`), " : "", event_type_name(d->event_type));
	if (d->is_late)
		buf_text(w->out, ", late");
	say_deadline(w);
}

static bool refuse(struct walk *w, const struct decision *d, const char *step)
{
	bool is_known = d->to < w->flow->n_states;
	if (!is_known)
		buf_text(w->out, "refused: there is no such state (of a poller's word "
				 "transaction.anomaly tells)");
	else if (d->is_late)
		buf_printf(w->out, "refused: its deadline ended it in \"%.*s\"",
			   STR_ARG(w->row.status));
	else
		buf_printf(w->out, "refused: not allowed from \"%.*s\"", STR_ARG(w->row.status));
	if (d->answer == FLOW_ANOMALY && is_known) {
		buf_printf(w->out, ", %s tells", event_type_name(TXW_EV_ANOMALY));
		w->row.anomaly = str_of(step);
		w->row.version++;
	}
	say_allowed(w);
	return false;
}

static bool see(struct walk *w, const char *step)
{
	struct seen seen = {.status = str_of(step)};
	struct decision d;
	bool is_good = true;
	flow_decide(w->flow, &w->row, &seen, &d);
	buf_printf(w->out, "%s: ", step);
	if (d.answer == FLOW_CHANGE)
		move(w, &d);
	else if (d.answer == FLOW_SAME)
		buf_text(w->out, "unchanged, no event");
	else
		is_good = refuse(w, &d, step);
	buf_char(w->out, '\n');
	return is_good;
}

bool flow_try(const struct flow *flow, const char *const *steps, size_t n, struct buf *out)
{
	struct walk w = {.flow = flow, .out = out};
	bool is_good = true;
	begin(&w);
	for (size_t i = 0; i < n; i++)
		is_good &= steps[i][0] == '+' ? wait(&w, steps[i]) : see(&w, steps[i]);
	return is_good;
}
