/*
 * retention.c: see retention.h.
 *
 *   RESTING -> SWEEPING  each hour: every rule, one outcome after the other
 *   SWEEPING -> WAITING  between two steps, so that others get their turn, and
 *                        for longer while much waits for the writer
 *   WAITING -> SWEEPING
 *   SWEEPING -> RESTING  all rules are through
 *
 * A rule goes on where it ended in the hour before: what was looked at and kept
 * (held, not delivered yet, another flow's) is looked at again once a day.
 *
 * On the loop; the step runs in the engine.
 */
#include "jobs/retention.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/row.h"
#include "base/str.h"

#define EVERY     HOUR
#define PAUSE     (100 * MILLISECOND)
#define ANEW      DAY
#define BUSY      256 /* operations waiting: the step waits, too */
#define WAITS_MAX 50  /* ... but not for ever */
#define OUTCOMES  4

struct place {
	txw_time from;
	int64_t after;
};

struct rule {
	const char *name;
	txw_str tenant; /* empty: all */
	txw_str flow;   /* empty: all */
	bool outcomes[OUTCOMES + 1];
	int64_t keep;
	struct place places[OUTCOMES + 1]; /* by outcome */
	int64_t transactions;              /* of this sweep */
	int64_t events;
};

struct retention {
	struct job job;
	struct timer timer;
	struct loop *loop;
	struct engine *engine;
	struct rule *rules;
	size_t n;
	size_t at; /* the rule and outcome of the step */
	uint32_t outcome;
	txw_purged out;
	int waits;
	txw_time anew_at;
	bool is_moving;
	bool is_draining;
	struct series *m_transactions;
	struct series *m_events;
};

/* ---- the sections ---- */

static void read_rule(struct rule *rule, const struct conf_section *s, const struct flows *flows,
		      struct conf_report *report)
{
	const txw_str *words;
	size_t n = conf_list(s, "outcome", &words);
	rule->name = s->title;
	rule->tenant = conf_text(s, "tenant");
	rule->flow = conf_text(s, "flow");
	rule->keep = conf_number(s, "after");
	for (uint32_t o = TXW_SUCCESS; o <= TXW_EXPIRED; o++)
		rule->outcomes[o] = n == 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t o;
		if (outcome_parse(words[i], &o) && o <= OUTCOMES)
			rule->outcomes[o] = true;
	}
	if (rule->flow.len && !flows_find(flows, rule->flow))
		conf_problem(report, s->line, "retention %s: there is no flow \"%.*s\"", s->title,
			     STR_ARG(rule->flow));
}

struct retention *retention_open(const struct conf *conf, const struct flows *flows,
				 struct metrics *metrics, struct conf_report *report)
{
	struct retention *r = xcalloc(1, sizeof(*r));
	const struct conf_section *root = &conf->root;
	r->rules = xcalloc(root->n_children + 1, sizeof(*r->rules));
	for (size_t i = 0; i < root->n_children; i++)
		if (strcmp(root->children[i].keyword, "retention") == 0)
			read_rule(&r->rules[r->n++], &root->children[i], flows, report);
	r->m_transactions = metric_only(metric_define(
	    metrics, &(struct metric_row){.name = "txwatch_retention_transactions_total",
					  .help = "Transactions that retention purged",
					  .type = TXW_METRIC_COUNTER}));
	r->m_events = metric_only(
	    metric_define(metrics, &(struct metric_row){.name = "txwatch_retention_events_total",
							.help = "Events that retention purged",
							.type = TXW_METRIC_COUNTER}));
	return r;
}

/* ---- a step ---- */

static int32_t apply(struct job *job, struct unit *u, struct err *e)
{
	struct retention *r = (struct retention *)job;
	const struct rule *rule = &r->rules[r->at];
	txw_purge what = {.size = sizeof(what),
			  .limit = PURGE_STEP,
			  .tenant = rule->tenant,
			  .flow = rule->flow,
			  .outcome = r->outcome,
			  .finished_before = u->now - rule->keep,
			  .from = rule->places[r->outcome].from,
			  .after = rule->places[r->outcome].after};
	return purge_step(u, &what, &r->out, e);
}

static void done(struct job *job);

static void step(struct retention *r)
{
	r->is_moving = true;
	r->waits = 0;
	r->job = (struct job){.apply = apply, .done = done};
	r->job.item.weight = PURGE_STEP;
	engine_submit_internal(r->engine, &r->job);
}

static void on_timer(struct timer *timer)
{
	struct retention *r = (struct retention *)((char *)timer -
						   offsetof(struct retention, timer));
	if (engine_waiting(r->engine) > BUSY && r->waits++ < WAITS_MAX)
		timer_set(r->loop, &r->timer, loop_now(r->loop) + PAUSE);
	else
		step(r);
}

static void end_rule(struct rule *rule)
{
	if (rule->transactions)
		log_info("purged by retention", "retention", rule->name, "transactions",
			 LOG_INT(rule->transactions), "events", LOG_INT(rule->events));
	rule->transactions = 0;
	rule->events = 0;
}

/* The next outcome of the rule, or of the next rule; false: all are through. */
static bool go_on(struct retention *r)
{
	for (; r->at < r->n; r->at++, r->outcome = 0) {
		while (++r->outcome <= OUTCOMES)
			if (r->rules[r->at].outcomes[r->outcome])
				return true;
		end_rule(&r->rules[r->at]);
	}
	return false;
}

static void rest(struct retention *r)
{
	txw_time now = loop_now(r->loop);
	r->at = 0;
	r->outcome = 0;
	if (now >= r->anew_at) {
		for (size_t i = 0; i < r->n; i++)
			memset(r->rules[i].places, 0, sizeof(r->rules[i].places));
		r->anew_at = now + ANEW;
	}
	if (go_on(r))
		timer_set(r->loop, &r->timer, now + EVERY);
}

static void done(struct job *job)
{
	struct retention *r = (struct retention *)job;
	struct rule *rule = &r->rules[r->at];
	r->is_moving = false;
	if (r->is_draining)
		return;
	if (job->rc < 0) {
		log_warn("retention cannot purge now", "retention", rule->name, "why",
			 job->err.text);
		rest(r);
		return;
	}
	rule->transactions += r->out.transactions;
	rule->events += r->out.events;
	series_add(r->m_transactions, (double)r->out.transactions);
	series_add(r->m_events, (double)r->out.events);
	if (r->out.reached) {
		rule->places[r->outcome].from = r->out.reached;
		rule->places[r->outcome].after = r->out.reached_key;
	}
	if (r->out.more || go_on(r))
		timer_set(r->loop, &r->timer, loop_now(r->loop) + PAUSE);
	else
		rest(r);
}

/* ---- life ---- */

void retention_start(struct retention *r, struct loop *loop, struct engine *g)
{
	r->loop = loop;
	r->engine = g;
	r->timer.fire = on_timer;
	rest(r);
}

void retention_drain(struct retention *r)
{
	r->is_draining = true;
	if (r->loop)
		timer_clear(r->loop, &r->timer);
}

void retention_close(struct retention *r)
{
	if (!r)
		return;
	retention_drain(r);
	free(r->rules);
	free(r);
}
