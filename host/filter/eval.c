/*
 * eval.c: a filter asked about a row or an event in memory.
 *
 * A field without a value makes every comparison false, != too. Attributes
 * are parsed at most once for each question, and only when a test on them is
 * reached.
 */
#include "filter/parts.h"

#include <stdio.h>

#include "base/decimal.h"
#include "base/id.h"
#include "base/row.h"
#include "base/str.h"

/* What is asked about. */
struct subject {
	const txw_tx *tx; /* NULL: an event of no transaction */
	const txw_event *event;
	struct attributes *attributes;
	bool is_parsed;
};

static bool test_text(const txw_filter *f, txw_str have)
{
	return have.len && match_text(f->op, have, f->text);
}

/* now: the event's time, for a rule's relative times. */
static bool test_time(const txw_filter *f, txw_time have, txw_time now)
{
	txw_time want = f->time;
	if (!have)
		return false;
	if (f->relative && __builtin_add_overflow(now, f->time, &want))
		want = f->time < 0 ? INT64_MIN : INT64_MAX;
	return f->op == TXW_F_HAS || match_order(f->op, (have > want) - (have < want));
}

static bool test_decimal(const txw_filter *f, txw_str have)
{
	if (!have.len || !decimal_valid(have))
		return false;
	return f->op == TXW_F_HAS || match_order(f->op, decimal_cmp(have, f->text));
}

static bool test_int(const txw_filter *f, int64_t have)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%lld", (long long)have);
	return have && test_decimal(f, (txw_str){text, (size_t)n});
}

static bool test_id(const txw_filter *f, txw_id have)
{
	char text[ID_TEXT_MAX];
	if (id_is_none(have))
		return false;
	size_t n = id_print(text, "tx", have);
	return test_text(f, (txw_str){text, n});
}

static bool test_attribute(const txw_filter *f, struct subject *s)
{
	if (!s->is_parsed) {
		s->is_parsed = true;
		s->attributes = attributes_parse(s->tx->attributes);
	}
	return s->attributes && attributes_match(s->attributes, f);
}

static bool test_tx(const txw_filter *f, struct subject *s)
{
	const txw_tx *tx = s->tx;
	txw_time now = s->event ? s->event->at : 0;
	switch (f->field) {
	case TXW_FIELD_ID:
		return test_id(f, tx->id);
	case TXW_FIELD_FLOW:
		return test_text(f, tx->flow);
	case TXW_FIELD_REF:
		return test_text(f, tx->ref);
	case TXW_FIELD_STATUS:
		return test_text(f, tx->status);
	case TXW_FIELD_OUTCOME:
		return test_text(f, str_of(outcome_name(tx->outcome)));
	case TXW_FIELD_OWNER:
		return test_text(f, tx->owner);
	case TXW_FIELD_AMOUNT:
		return test_decimal(f, tx->amount);
	case TXW_FIELD_CURRENCY:
		return test_text(f, tx->currency);
	case TXW_FIELD_REASON:
		return test_text(f, tx->reason);
	case TXW_FIELD_CODE:
		return test_text(f, tx->code);
	case TXW_FIELD_VERSION:
		return test_int(f, tx->version);
	case TXW_FIELD_CREATED_AT:
		return test_time(f, tx->created_at, now);
	case TXW_FIELD_UPDATED_AT:
		return test_time(f, tx->updated_at, now);
	case TXW_FIELD_STATUS_SINCE:
		return test_time(f, tx->status_since, now);
	case TXW_FIELD_EXPIRES_AT:
		return test_time(f, tx->expires_at, now);
	case TXW_FIELD_FINISHED_AT:
		return test_time(f, tx->finished_at, now);
	case TXW_FIELD_ATTRIBUTES:
		return test_attribute(f, s);
	default:
		return false;
	}
}

static bool test_event(const txw_filter *f, const txw_event *ev)
{
	switch (f->field) {
	case TXW_FIELD_TYPE:
		return test_text(f, str_of(event_type_name(ev->type)));
	case TXW_FIELD_FROM:
		return test_text(f, ev->from);
	case TXW_FIELD_TO:
		return test_text(f, ev->to);
	case TXW_FIELD_SOURCE:
		return test_text(f, ev->source);
	case TXW_FIELD_ACTOR:
		return test_text(f, ev->actor);
	case TXW_FIELD_AT:
		return test_time(f, ev->at, ev->at);
	case TXW_FIELD_SEQ:
		return test_int(f, ev->seq);
	/* Events of no transaction have a reason and a code of their own. */
	case TXW_FIELD_REASON:
		return test_text(f, ev->reason);
	case TXW_FIELD_CODE:
		return test_text(f, ev->code);
	default:
		return false;
	}
}

static bool test(const txw_filter *f, struct subject *s)
{
	if (s->event && (f->field >= TXW_FIELD_TYPE || !s->tx))
		return test_event(f, s->event);
	return s->tx && test_tx(f, s);
}

static bool holds(const txw_filter *f, struct subject *s)
{
	bool want = f->kind != TXW_F_AND; /* what ends the search early */
	switch (f->kind) {
	case TXW_F_TEST:
		return test(f, s);
	case TXW_F_NOT:
		return !holds(f->children[0], s);
	default:
		for (uint32_t i = 0; i < f->n_children; i++)
			if (holds(f->children[i], s) == want)
				return want;
		return !want;
	}
}

static bool ask(const txw_filter *f, struct subject *s)
{
	bool answer = !f || holds(f, s);
	attributes_free(s->attributes);
	return answer;
}

bool filter_match_tx(const txw_filter *f, const txw_tx *tx)
{
	struct subject s = {.tx = tx};
	return ask(f, &s);
}

bool filter_match_event(const txw_filter *f, const txw_event *ev)
{
	struct subject s = {.tx = ev->tx, .event = ev};
	return ask(f, &s);
}
