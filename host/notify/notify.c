/*
 * notify.c: channels and routes from the config, start, stop.
 */
#include "notify/notify.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "filter/filter.h"
#include "notify/private.h"

const txw_notify_ext NOTIFY_EXT = {.size = sizeof(txw_notify_ext), .complete = lane_complete};

static void collect(void *ctx)
{
	struct notify *n = ctx;
	series_set(n->m_held, (double)n->n_held);
	if (n->engine)
		series_set(n->m_outbox, (double)(engine_last_seq(n->engine) -
						 atomic_load(&n->router.shown_cursor)));
}

struct notify *notify_open(struct loop *loop, struct metrics *m)
{
	struct notify *n = xcalloc(1, sizeof(*n));
	n->loop = loop;
	n->metrics = m;
	n->tokens = tokens_open();
	n->hungry_last = &n->hungry;
	router_init(&n->router, n);
	n->m_deliveries = metric_define(
	    m, &(struct metric_row){.name = "txwatch_delivery_attempts_total",
				    .help = "Attempts by result: ok, failed; and deliveries dead",
				    .type = TXW_METRIC_COUNTER,
				    .labels = {"instance", "result"}});
	n->m_attempt_seconds = metric_define(
	    m, &(struct metric_row){.name = "txwatch_delivery_attempt_seconds",
				    .help = "Time of an attempt",
				    .unit = "seconds",
				    .type = TXW_METRIC_HISTOGRAM,
				    .labels = {"instance"},
				    .bounds = METRIC_SECONDS,
				    .n_bounds = METRIC_SECONDS_N});
	n->m_held = metric_only(
	    metric_define(m, &(struct metric_row){.name = "txwatch_deliveries_held",
						  .help = "Deliveries in this host's hands",
						  .type = TXW_METRIC_GAUGE}));
	n->m_outbox = metric_only(
	    metric_define(m, &(struct metric_row){.name = "txwatch_outbox_events",
						  .help = "Events committed and not yet routed",
						  .type = TXW_METRIC_GAUGE}));
	metrics_on_collect(m, collect, n);
	return n;
}

/* ---- config ---- */

static void read_schedule(struct channel *c, const struct conf_section *s,
			  struct conf_report *report)
{
	const txw_str *texts;
	size_t n = conf_list(s, "schedule", &texts);
	if (n > SCHEDULE_MAX)
		conf_problem(report, conf_line(s, "schedule"), "%s %s: schedule: at most %d waits",
			     s->keyword, s->title, SCHEDULE_MAX);
	for (size_t i = 0; i < n && i < SCHEDULE_MAX; i++) {
		/* A list's items are checked by nobody before. */
		if (!duration_parse(texts[i], &c->schedule[c->n_schedule++]))
			conf_problem(report, conf_line(s, "schedule"),
				     "%s %s: schedule: \"%.*s\" is not a duration, as 5s or 2h",
				     s->keyword, s->title, STR_ARG(texts[i]));
	}
}

void notify_add(struct notify *n, instance *in, struct conf_report *report)
{
	const struct conf_section *s = in->section;
	struct channel *c = xcalloc(1, sizeof(*c));
	struct rate rate;
	c->in = in;
	c->concurrency = (size_t)conf_number(s, "concurrency");
	c->rate = conf_text(s, "rate");
	c->timeout = conf_number(s, "timeout");
	c->jitter_milli = conf_number(s, "jitter") * 10;
	c->disable_after = conf_number(s, "disable-after");
	if (!rate_parse(c->rate, &rate))
		conf_problem(report, conf_line(s, "rate"),
			     "%s %s: rate: \"%.*s\" is not a number per s, m or h, as 50/s",
			     s->keyword, s->title, STR_ARG(c->rate));
	read_schedule(c, s, report);
	c->m_ok = metric_series(n->m_deliveries, (const char *[]){in->name, "ok"});
	c->m_failed = metric_series(n->m_deliveries, (const char *[]){in->name, "failed"});
	c->m_dead = metric_series(n->m_deliveries, (const char *[]){in->name, "dead"});
	c->m_seconds = metric_series(n->m_attempt_seconds, (const char *[]){in->name});
	in->owner = c;
	c->next = n->channels;
	n->channels = c;
}

static struct channel *find_channel(struct notify *n, const struct conf_section *s, txw_str to,
				    txw_str *address, struct conf_report *report)
{
	const char *colon = to.len ? memchr(to.ptr, ':', to.len) : NULL;
	txw_str name = {to.ptr, colon ? (size_t)(colon - to.ptr) : to.len};
	struct channel *c = channel_find(n, name);
	const char *names[64];
	size_t k = 0;
	for (struct channel *i = n->channels; i && k < 64; i = i->next)
		names[k++] = i->in->name;
	if (!c) {
		char word[128];
		snprintf(word, sizeof(word), "%.*s", STR_ARG(name));
		const char *near = str_nearest(word, names, k);
		conf_problem(report, conf_line(s, "to"),
			     "route %s: to: there is no notifier \"%s\"%s%s%s", s->title, word,
			     near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
		return NULL;
	}
	if (!colon || colon + 1 == to.ptr + to.len) {
		conf_problem(report, conf_line(s, "to"),
			     "route %s: to: \"%.*s\" has no address: INSTANCE:ADDRESS", s->title,
			     STR_ARG(to));
		return NULL;
	}
	*address = (txw_str){colon + 1, to.len - name.len - 1};
	return c;
}

static struct target *route_target(struct notify *n, struct channel *c, txw_str tenant, txw_str to,
				   txw_str address)
{
	/* Two routes to one address share its lane. */
	for (struct rule *r = n->routes; r; r = r->next)
		if (str_eq(r->target->name, to) && str_eq(r->target->tenant, tenant))
			return r->target;
	struct target *t = target_new(n, tenant, to);
	t->channel = c;
	t->address = address_new(c, address, STR_NONE);
	target_limit(t, 0, STR_NONE);
	return t;
}

static void add_one(struct notify *n, const struct conf_section *s, txw_str to,
		    struct conf_report *report)
{
	txw_str address;
	struct err e = {0};
	struct channel *c = find_channel(n, s, to, &address, report);
	if (!c)
		return;
	const txw_notifier *v = &c->in->role->v.notifier;
	txw_error from = ERR_ABI_INIT;
	if (v->check &&
	    err_from_plugin(&e, v->check(c->in->self, address, STR_NONE, &from), &from) < 0) {
		conf_problem(report, conf_line(s, "to"), "route %s: to: %s", s->title, e.text);
		return;
	}
	struct rule *rule = xcalloc(1, sizeof(*rule));
	rule->tenant = arena_str(&rule->arena, conf_text(s, "tenant"));
	rule->types = UINT64_MAX;
	rule->is_ordered = conf_flag(s, "ordered");
	if (filter_parse(&rule->arena, conf_text(s, "when"), FILTER_EVENT, FILTER_EACH_EVENT,
			 &rule->filter, &e) < 0) {
		conf_problem(report, conf_line(s, "when"), "route %s: when: %s", s->title, e.text);
		rule_free(rule);
		return;
	}
	rule->target = route_target(n, c, rule->tenant, to, address);
	rule->next = n->routes;
	n->routes = rule;
}

void notify_add_route(struct notify *n, const struct conf_section *s, struct conf_report *report)
{
	const txw_str *to;
	size_t k = conf_list(s, "to", &to);
	for (size_t i = 0; i < k; i++)
		add_one(n, s, to[i], report);
}

/* ---- start: [load] ---- */

struct loading {
	struct notify *n;
	struct err *e;
};

static int32_t on_subscription(void *ctx, const txw_doc *doc)
{
	struct loading *l = ctx;
	struct notify *n = l->n;
	struct sub sub;
	struct err e = {0};
	char id[64];
	snprintf(id, sizeof(id), "%.*s", STR_ARG(doc->id));
	json_t *body = json_loadb(doc->body.ptr, doc->body.len, 0, NULL);
	if (!body || sub_read(n, doc->tenant, body, &sub, &e) < 0) {
		/* Its notifier left the config, say: it is kept, and rests. */
		log_warn("subscription cannot be used", "subscription", id, "why",
			 body ? e.text : "its document is damaged");
		json_decref(body);
		return 0;
	}
	struct target *t = target_new(n, doc->tenant, doc->id);
	t->is_subscription = true;
	atomic_store(&t->is_disabled, !sub.is_enabled);
	sub_apply(t, n, &sub);
	struct rule *rule = sub_rule(t, &sub, &e);
	if (rule) {
		rule->next = n->routes;
		n->routes = rule;
	}
	free(sub.settings);
	json_decref(body);
	return 0;
}

static int32_t load_subscriptions(struct notify *n, struct err *e)
{
	struct loading l = {n, e};
	/* Before anything runs; a page at a time would need a cursor kept in
	 * the row, and the rows are all kept in memory anyway. */
	return READ_CALL(readers_store(n->readers), e, list_docs, readers_mine(n->readers),
			 STR_LIT("subscription"), STR_NONE, STR_NONE, UINT32_MAX, on_subscription,
			 &l);
}

static int32_t on_target(void *ctx, const txw_target *row, txw_time first_due)
{
	(void)first_due;
	struct notify *n = ctx;
	struct target *t = NULL;
	for (struct rule *r = n->routes; r && !t; r = r->next)
		if (str_eq(r->target->name, row->name) && str_eq(r->target->tenant, row->tenant))
			t = r->target;
	if (!t || t->key)
		return 0;
	t->key = row->key;
	t->paused_until = row->paused_until;
	t->failing_since = row->failing_since;
	t->failures = row->failures;
	return 0;
}

/* The first unit: targets that are new get their key, leases of a host that
 * died end, and the router finds its place in the log. */
static int32_t introduce(struct target *t, struct unit *u, struct err *e)
{
	txw_target row;
	target_row(t, &row);
	int32_t rc = UNIT_CALL(u, e, put_target, &row);
	t->key = row.key;
	if (rc < 0 || t->is_subscription)
		return rc;
	/* A route that is new to the config hears of what comes, not of what
	 * was: from where on is kept, for a crash before the first event. */
	char body[64];
	snprintf(body, sizeof(body), "{\"from_seq\":%lld}", (long long)u->info.last_seq);
	t->from_seq = u->info.last_seq;
	txw_doc doc = {
	    .size = sizeof(doc),
	    .kind = STR_LIT("route"),
	    .tenant = t->tenant,
	    .id = t->name,
	    .body = str_of(body),
	    .version = 1,
	    .created_at = u->now,
	    .updated_at = u->now,
	};
	return UNIT_CALL(u, e, put_doc, &doc);
}

static int32_t first_unit(void *ctx, struct unit *u, struct err *e)
{
	struct notify *n = ctx;
	int32_t rc = UNIT_CALL(u, e, release, u->now);
	for (struct rule *r = n->routes; r && rc >= 0; r = r->next) {
		if (r->target->key == 0)
			rc = introduce(r->target, u, e);
		if (!r->target->is_subscription)
			r->from_seq = r->target->from_seq;
	}
	return rc < 0 ? rc : router_load(&n->router, u, e);
}

static int32_t on_route(void *ctx, const txw_doc *doc)
{
	struct notify *n = ctx;
	json_t *body = json_loadb(doc->body.ptr, doc->body.len, 0, NULL);
	int64_t from = json_integer_value(json_object_get(body, "from_seq"));
	for (struct rule *r = n->routes; r; r = r->next)
		if (str_eq(r->target->name, doc->id) && str_eq(r->target->tenant, doc->tenant))
			r->target->from_seq = from;
	json_decref(body);
	return 0;
}

static int32_t on_due(void *ctx, const txw_target *row, txw_time first_due)
{
	struct notify *n = ctx;
	struct target *t;
	HASH_FIND(by_key, n->by_key, &row->key, sizeof(row->key), t);
	if (t && first_due)
		lane_due(t, first_due);
	return 0;
}

static void take_rules(struct notify *n)
{
	while (n->routes) {
		struct rule *rule = n->routes;
		struct target *known;
		n->routes = rule->next;
		HASH_FIND(by_key, n->by_key, &rule->target->key, sizeof(int64_t), known);
		if (!known)
			target_add(n, rule->target);
		router_put(&n->router, rule);
	}
}

int32_t notify_start(struct notify *n, struct engine *g, struct readers *r, struct err *e)
{
	n->engine = g;
	n->readers = r;
	const txw_store *v = readers_store(r);
	int32_t rc = load_subscriptions(n, e);
	if (rc < 0 || (rc = READ_CALL(v, e, list_targets, readers_mine(r), on_target, n)) < 0 ||
	    (rc = READ_CALL(v, e, list_docs, readers_mine(r), STR_LIT("route"), STR_NONE, STR_NONE,
			    UINT32_MAX, on_route, n)) < 0 ||
	    (rc = engine_first(g, first_unit, n, e)) < 0)
		return rc;
	take_rules(n);
	engine_on_tail(g, router_tail, &n->router);
	engine_on_unit(g, router_step, router_committed, &n->router);
	if (n->router.has_gap)
		engine_nudge(g);
	return READ_CALL(v, e, list_targets, readers_mine(r), on_due, n);
}

size_t notify_in_flight(struct notify *n)
{
	return n->in_flight + (n->settling ? 1 : 0);
}

void notify_drain(struct notify *n)
{
	n->is_draining = true;
}

int64_t notify_target_key(struct notify *n, txw_str tenant, txw_str name)
{
	struct target *t = target_by_name(n, tenant, name);
	return t ? t->key : 0;
}

static int32_t last_unit(void *ctx, struct unit *u, struct err *e)
{
	return router_save(ctx, u, e);
}

void notify_stop(struct notify *n)
{
	struct err e;
	/* A cursor that is behind costs a second look at the next start. */
	if (n->engine && n->router.cursor != n->router.saved &&
	    engine_first(n->engine, last_unit, &n->router, &e) < 0)
		log_warn("the router's place in the log is not saved", "why", e.text);
	router_stop(&n->router);
}

/* Of a site that never started: its targets have no key of the store's, but
 * must be told apart to be freed. */
static void name_unborn(struct notify *n)
{
	int64_t unborn = 0;
	for (struct rule *r = n->routes; r; r = r->next)
		if (r->target->key == 0)
			r->target->key = --unborn;
}

void notify_close(struct notify *n)
{
	n->is_draining = true;
	name_unborn(n);
	take_rules(n);
	timer_clear(n->loop, &n->flush_at);
	settle_abandon(n);
	router_close(&n->router);
	struct target *t, *next;
	HASH_ITER(by_key, n->by_key, t, next)
	{
		while (t->first) {
			struct parcel *p = t->first;
			t->first = p->next;
			parcel_free(p);
		}
		atomic_store(&t->held, 0);
		target_remove(t);
	}
	while (n->channels) {
		struct channel *c = n->channels;
		n->channels = c->next;
		free(c);
	}
	tokens_close(n->tokens);
	free(n);
}
