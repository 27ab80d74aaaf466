/*
 * subscription.c: what a subscription says, checked and read.
 *
 * Its document's body is what the API shows, with the notifier's own settings
 * (secrets, headers, format) in `settings`.
 */
#include "base/row.h"
#include "base/str.h"
#include "filter/filter.h"
#include "notify/private.h"

#include <stdlib.h>

#define EVENTS_MAX      32
#define CONCURRENCY_MAX 256

bool types_match(txw_str pattern, uint64_t *types)
{
	bool star = pattern.len && pattern.ptr[pattern.len - 1] == '*';
	txw_str head = {pattern.ptr, pattern.len - (star ? 1 : 0)};
	uint64_t found = 0;
	for (uint32_t i = 0; i < TXW_EV_MAX; i++) {
		txw_str name = str_of(event_type_name(i));
		if (str_is(name, "unknown"))
			continue;
		if (star ? str_starts(name, head) : str_eq(name, pattern))
			found |= UINT64_C(1) << i;
	}
	*types |= found;
	return found != 0;
}

static txw_str text_of(const json_t *body, const char *key)
{
	const json_t *v = json_object_get(body, key);
	return json_is_string(v) ? (txw_str){json_string_value(v), json_string_length(v)}
				 : STR_NONE;
}

static int32_t read_events(const json_t *body, uint64_t *types, struct err *e)
{
	const json_t *events = json_object_get(body, "events");
	size_t i;
	json_t *v;
	if (json_array_size(events) == 0 || json_array_size(events) > EVENTS_MAX)
		return err_set(e, TXW_E_INVALID, "events: a list of 1 to %d event types is needed",
			       EVENTS_MAX);
	json_array_foreach(events, i, v)
	{
		txw_str pattern = {json_string_value(v), json_string_length(v)};
		if (!json_is_string(v) || !types_match(pattern, types))
			return err_set(e, TXW_E_INVALID,
				       "events: \"%.*s\" names no event type; "
				       "as \"transaction.failed\", \"transaction.*\" or \"*\"",
				       STR_ARG(pattern));
	}
	return 0;
}

static int32_t read_limits(const json_t *body, struct sub *out, struct err *e)
{
	const json_t *c = json_object_get(body, "concurrency");
	struct rate rate;
	if (c && (!json_is_integer(c) || json_integer_value(c) < 1 ||
		  json_integer_value(c) > CONCURRENCY_MAX))
		return err_set(e, TXW_E_INVALID, "concurrency: a number from 1 to %d is needed",
			       CONCURRENCY_MAX);
	out->concurrency = c ? (size_t)json_integer_value(c) : 0;
	out->rate = text_of(body, "rate");
	if (!rate_parse(out->rate, &rate))
		return err_set(e, TXW_E_INVALID,
			       "rate: \"%.*s\" is not a number per s, m or h, as \"50/s\"",
			       STR_ARG(out->rate));
	return 0;
}

static int32_t check_filter(txw_str text, struct err *e)
{
	struct arena a = {0};
	const txw_filter *f;
	int32_t rc = filter_parse(&a, text, FILTER_EVENT, FILTER_EACH_EVENT, &f, e);
	arena_free(&a);
	return rc < 0 ? err_prefix(e, "filter: ") : 0;
}

static int32_t check_target(struct notify *n, const struct sub *sub, struct err *e)
{
	struct channel *c = channel_find(n, sub->channel);
	if (!c)
		return err_set(e, TXW_E_INVALID, "channel: there is no notifier \"%.*s\"",
			       STR_ARG(sub->channel));
	if (sub->target.len == 0 || sub->target.len > 2048)
		return err_set(e, TXW_E_INVALID, "target: a text of 1 to 2048 bytes is needed");
	const txw_notifier *v = &c->in->role->v.notifier;
	if (!v->check)
		return 0;
	txw_error from = ERR_ABI_INIT;
	return err_from_plugin(e, v->check(c->in->self, sub->target, str_of(sub->settings), &from),
			       &from);
}

int32_t sub_read(struct notify *n, txw_str tenant, const json_t *body, struct sub *out,
		 struct err *e)
{
	const json_t *settings = json_object_get(body, "settings");
	*out = (struct sub){
	    .tenant = tenant,
	    .channel = text_of(body, "channel"),
	    .target = text_of(body, "target"),
	    .filter = text_of(body, "filter"),
	    .is_ordered = json_is_true(json_object_get(body, "ordered")),
	    .is_enabled = !json_is_false(json_object_get(body, "enabled")),
	    .from_seq = json_integer_value(json_object_get(body, "from_seq")),
	};
	out->settings = settings ? json_dumps(settings, JSON_COMPACT) : xstrdup("{}");
	int32_t rc;
	if ((rc = read_events(body, &out->types, e)) < 0 || (rc = read_limits(body, out, e)) < 0 ||
	    (rc = check_filter(out->filter, e)) < 0 || (rc = check_target(n, out, e)) < 0) {
		free(out->settings);
		out->settings = NULL;
	}
	return rc;
}

struct rule *sub_rule(struct target *t, const struct sub *sub, struct err *e)
{
	struct rule *rule = xcalloc(1, sizeof(*rule));
	rule->target = t;
	rule->tenant = arena_str(&rule->arena, sub->tenant);
	rule->types = sub->types;
	rule->from_seq = sub->from_seq;
	rule->is_ordered = sub->is_ordered;
	if (filter_parse(&rule->arena, sub->filter, FILTER_EVENT, FILTER_EACH_EVENT, &rule->filter,
			 e) < 0) {
		rule_free(rule);
		return NULL;
	}
	return rule;
}

void sub_apply(struct target *t, struct notify *n, const struct sub *sub)
{
	t->channel = channel_find(n, sub->channel);
	address_unref(t->address);
	t->address = address_new(t->channel, sub->target, str_of(sub->settings));
	target_limit(t, sub->concurrency, sub->rate);
}
