/*
 * watch.c: pollers' options, start, stop, and what is shown of them.
 */
#include "watch/watch.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/decimal.h"
#include "base/str.h"
#include "watch/private.h"

const txw_poll_ext WATCH_POLL_EXT = {
    .size = sizeof(txw_poll_ext),
    .complete = answer_complete,
    .discovered = discover_complete,
};

static void on_claim(struct timer *timer)
{
	claim_now((struct watch *)((char *)timer - offsetof(struct watch, claim_at)));
}

static const struct metric_row POLLS = {
    .name = "txwatch_polls_total",
    .help = "Polls by result: seen, not_found, failed, throttled",
    .type = TXW_METRIC_COUNTER,
    .labels = {"instance", "result"},
};
static const struct metric_row OBSERVATIONS = {
    .name = "txwatch_observations_total",
    .help = "Observations that said something new, by what came of them",
    .type = TXW_METRIC_COUNTER,
    .labels = {"instance", "result"},
};

struct watch *watch_open(struct loop *loop, struct metrics *metrics, struct flows *flows)
{
	struct watch *w = xcalloc(1, sizeof(*w));
	w->loop = loop;
	w->metrics = metrics;
	w->flows = flows;
	w->tokens = tokens_open();
	w->claim_at.fire = on_claim;
	atomic_store(&w->next_due, INT64_MAX);
	w->m_polls = metric_define(metrics, &POLLS);
	w->m_observations = metric_define(metrics, &OBSERVATIONS);
	return w;
}

/* ---- options ---- */

static struct series *own_series(struct poller *p, const struct metric_row *row)
{
	return metric_series(metric_define(p->watch->metrics, row), (const char *[]){p->in->name});
}

static void define_metrics(struct poller *p)
{
	static const char *const label = "instance";
	struct metric_row row = {.labels = {label}};
	row.name = "txwatch_poll_seconds";
	row.help = "Time of a call to the upstream";
	row.unit = "seconds";
	row.type = TXW_METRIC_HISTOGRAM;
	row.bounds = METRIC_SECONDS;
	row.n_bounds = METRIC_SECONDS_N;
	p->m_seconds = own_series(p, &row);
	row.name = "txwatch_poll_lag_seconds";
	row.help = "How long after it was due a poll was claimed";
	p->m_lag = own_series(p, &row);
	row = (struct metric_row){.labels = {label}, .type = TXW_METRIC_GAUGE};
	row.name = "txwatch_poller_up";
	row.help = "1 while the upstream answers, 0 while the breaker is open";
	p->m_up = own_series(p, &row);
	series_set(p->m_up, 1);
	row.name = "txwatch_polls_waiting";
	row.help = "Claimed polls that wait for the lane's limits";
	p->m_waiting = own_series(p, &row);
	row.type = TXW_METRIC_COUNTER;
	row.name = "txwatch_discovered_total";
	row.help = "Transactions found by discovery";
	p->m_found = own_series(p, &row);
}

static void read_map(struct poller *p, struct conf_report *report)
{
	const struct conf_section *s = p->in->section;
	const txw_str *texts;
	size_t n = conf_list(s, "map", &texts);
	p->map = xcalloc(n, sizeof(*p->map));
	for (size_t i = 0; i < n; i++) {
		const char *eq = memrchr(texts[i].ptr, '=', texts[i].len);
		if (!eq) {
			conf_problem(report, conf_line(s, "map"),
				     "%s %s: map: \"%.*s\" is not THEIRS=ours", s->keyword,
				     s->title, STR_ARG(texts[i]));
			continue;
		}
		struct map_row *row = &p->map[p->n_map++];
		row->theirs = (txw_str){texts[i].ptr, (size_t)(eq - texts[i].ptr)};
		row->ours = (txw_str){eq + 1, texts[i].len - row->theirs.len - 1};
		if (flow_find(p->entry->flow, row->ours) == p->entry->flow->n_states)
			conf_problem(report, conf_line(s, "map"),
				     "%s %s: map: flow %.*s has no state \"%.*s\"", s->keyword,
				     s->title, STR_ARG(p->flow), STR_ARG(row->ours));
	}
}

static bool read_milli(txw_str text, int64_t *out)
{
	if (!decimal_valid(text) || text.ptr[0] == '-' || text.len > 8)
		return false;
	char z[16];
	snprintf(z, sizeof(z), "%.*s", STR_ARG(text));
	*out = (int64_t)(strtod(z, NULL) * 1000 + 0.5);
	return *out >= 1000 && *out <= 100000;
}

static void read_cadence(struct poller *p, struct conf_report *report)
{
	const struct conf_section *s = p->in->section;
	struct cadence *c = &p->entry->cadence;
	c->every = conf_number(s, "every");
	c->slow_to = conf_is_set(s, "slow-to") ? conf_number(s, "slow-to") : 0;
	c->first_after = conf_number(s, "first-after");
	if (!read_milli(conf_text(s, "multiplier"), &c->multiplier_milli))
		conf_problem(report, conf_line(s, "multiplier"),
			     "%s %s: multiplier: \"%.*s\" is not a number from 1 to 100",
			     s->keyword, s->title, STR_ARG(conf_text(s, "multiplier")));
	if (c->slow_to && c->slow_to < c->every)
		conf_problem(report, conf_line(s, "slow-to"),
			     "%s %s: slow-to is shorter than every", s->keyword, s->title);
	p->entry->jitter_milli = conf_number(s, "jitter") * 10;
	p->entry->timeout = p->timeout;
	p->entry->is_polled = true;
	p->entry->tenant = p->tenant;
}

static void read_options(struct poller *p, struct conf_report *report)
{
	const struct conf_section *s = p->in->section;
	p->concurrency = (size_t)conf_number(s, "concurrency");
	p->timeout = conf_number(s, "timeout");
	p->not_found_grace = conf_number(s, "not-found-grace");
	p->not_found = conf_text(s, "not-found");
	p->unknown_is_told = str_is(conf_text(s, "unknown"), "hold");
	p->breaker.limit = conf_number(s, "breaker-failures");
	p->breaker.pause = conf_number(s, "breaker-pause");
	if (p->not_found.len && flow_find(p->entry->flow, p->not_found) == p->entry->flow->n_states)
		conf_problem(report, conf_line(s, "not-found"),
			     "%s %s: not-found: flow %.*s has no state \"%.*s\"", s->keyword,
			     s->title, STR_ARG(p->flow), STR_ARG(p->not_found));
	if (!rate_parse(conf_text(s, "rate"), &p->rate))
		conf_problem(report, conf_line(s, "rate"),
			     "%s %s: rate: \"%.*s\" is not a number per s, m or h, as 50/s",
			     s->keyword, s->title, STR_ARG(conf_text(s, "rate")));
	read_map(p, report);
	read_cadence(p, report);
}

static void no_flow(struct watch *w, const struct conf_section *s, txw_str flow,
		    struct conf_report *report)
{
	const char *names[64];
	size_t n = 0;
	for (; n < w->flows->n && n < 64; n++)
		names[n] = w->flows->entries[n].flow->name.ptr;
	const char *near = str_nearest(flow.ptr ? flow.ptr : "", names, n);
	conf_problem(report, conf_line(s, "flow"), "%s %s: flow: there is no flow \"%.*s\"%s%s%s",
		     s->keyword, s->title, STR_ARG(flow), near ? "; did you mean \"" : "",
		     near ? near : "", near ? "\"?" : "");
}

void watch_add(struct watch *w, instance *in, struct conf_report *report)
{
	const struct conf_section *s = in->section;
	const txw_poller *v = &in->role->v.poller;
	txw_str flow = conf_text(s, "flow");
	struct flow_entry *entry = flows_find(w->flows, flow);
	if (!entry) {
		no_flow(w, s, flow, report);
		return;
	}
	if (entry->is_polled) {
		conf_problem(report, s->line, "%s %s: flow %.*s has a poller already", s->keyword,
			     s->title, STR_ARG(flow));
		return;
	}
	struct poller *p = xcalloc(1, sizeof(*p));
	p->watch = w;
	p->in = in;
	p->entry = entry;
	p->flow = flow;
	p->tenant = conf_text(s, "tenant");
	p->last = &p->first;
	p->batch = v->batch ? v->batch(in->self) : v->max_batch;
	if (p->batch == 0)
		p->batch = 1;
	p->discover_every = v->discover && v->discover_every ? v->discover_every(in->self) : 0;
	in->owner = p;
	read_options(p, report);
	define_metrics(p);
	p->next = w->pollers;
	w->pollers = p;
}

/* ---- start and stop ---- */

static int32_t on_cursor(void *ctx, const txw_doc *doc)
{
	struct watch *w = ctx;
	json_t *body = json_loadb(doc->body.ptr, doc->body.len, 0, NULL);
	const char *cursor = json_string_value(json_object_get(body, "cursor"));
	for (struct poller *p = w->pollers; p && cursor; p = p->next)
		if (str_is(doc->id, p->in->name) && !p->cursor)
			p->cursor = xstrdup(cursor);
	json_decref(body);
	return 0;
}

void watch_start(struct watch *w, struct engine *g, struct readers *r)
{
	w->engine = g;
	engine_on_due(g, claim_on_due, w);
	struct err e = {0};
	/* Before anything runs: the loop's own reader, and few documents. */
	READ_CALL(readers_store(r), &e, list_docs, readers_mine(r), STR_LIT("discovery"), STR_NONE,
		  STR_NONE, 1000, on_cursor, w);
	for (struct poller *p = w->pollers; p; p = p->next)
		discover_start(p);
	/* What came due while nobody watched is caught up at once. */
	timer_set(w->loop, &w->claim_at, loop_now(w->loop));
}

void watch_drain(struct watch *w)
{
	w->is_draining = true;
	timer_clear(w->loop, &w->claim_at);
	for (struct poller *p = w->pollers; p; p = p->next) {
		discover_stop(p);
		timer_clear(w->loop, &p->again);
		asker_pump(p);
	}
}

size_t watch_in_flight(struct watch *w)
{
	size_t n = w->is_claiming;
	for (struct poller *p = w->pollers; p; p = p->next)
		n += p->n_calls;
	return n;
}

void watch_close(struct watch *w)
{
	while (w->pollers) {
		struct poller *p = w->pollers;
		w->pollers = p->next;
		timer_clear(w->loop, &p->discover_deadline);
		free(p->cursor);
		free(p->map);
		free(p);
	}
	timer_clear(w->loop, &w->claim_at);
	tokens_close(w->tokens);
	free(w);
}

/* ---- what is shown ---- */

static const char *state_name(const struct poller *p, txw_time now)
{
	static const char *const names[] = {
	    [BREAKER_CLOSED] = "up", [BREAKER_OPEN] = "down", [BREAKER_HALF_OPEN] = "probing"};
	if (p->breaker.state == BREAKER_CLOSED && p->paused_until > now)
		return "paused";
	return names[p->breaker.state];
}

void watch_render(struct watch *w, txw_str tenant, struct buf *out)
{
	txw_time now = loop_now(w->loop);
	json_open(out, '[');
	for (struct poller *p = w->pollers; p; p = p->next) {
		if (!str_eq(p->tenant, tenant))
			continue;
		json_open(out, '{');
		json_m_text(out, "instance", p->in->name);
		json_m_text(out, "plugin", p->in->role->full_name);
		json_m_str(out, "flow", p->flow);
		json_m_text(out, "state", state_name(p, now));
		txw_time until = asker_blocked_until(p);
		json_m_time(out, "until", until > now ? until : 0);
		json_m_int(out, "failures", p->breaker.failures);
		json_m_int(out, "in_flight", (int64_t)p->n_calls);
		json_m_int(out, "waiting", (int64_t)p->n_waiting);
		if (p->discover_every)
			json_m_text(out, "cursor", p->cursor);
		json_close(out, '}');
	}
	json_close(out, ']');
}

size_t watch_down(struct watch *w)
{
	size_t n = 0;
	for (struct poller *p = w->pollers; p; p = p->next)
		n += p->breaker.state != BREAKER_CLOSED;
	return n;
}
