/*
 * answer.c: what a poller said, turned into operations.
 *
 * An answer that says what is known already costs no write: the claim has set
 * the next poll.
 */
#include "watch/private.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/row.h"
#include "base/str.h"

#define MAX_PAUSE DAY

/* A result brought from the plugin's thread. */
struct answered {
	struct task task;
	struct watch *watch;
	struct look *look;
	struct arena arena;
	txw_poll_result result;
	txw_observation seen;
};

/* ---- counters ---- */

void answer_count(struct poller *p, const char *result)
{
	series_add(metric_series(p->watch->m_polls, (const char *[]){p->in->name, result}), 1);
}

static void count_op(struct poller *p, const struct op *op)
{
	series_add(metric_series(p->watch->m_observations,
				 (const char *[]){p->in->name, op_result_name(op->result)}),
		   1);
}

/* ---- operations ---- */

struct outcome {
	struct batch batch; /* first: is the job */
	struct poller *poller;
	struct look *look;
};

static void log_op(struct poller *p, const struct op *op)
{
	if (op->result != OP_REFUSED && op->result != OP_INVALID && op->result != OP_STALE)
		return;
	char ref[128];
	const txw_tx *tx = op->after;
	snprintf(ref, sizeof(ref), "%.*s", tx ? (int)tx->ref.len : 0, tx ? tx->ref.ptr : "");
	log_info("observation not applied", "instance", p->in->name, "ref", ref, "result",
		 op_result_name(op->result), "why", op->why);
}

static void outcome_done(struct batch *b)
{
	struct outcome *o = (struct outcome *)b;
	for (size_t i = 0; i < b->n && b->job.rc >= 0; i++) {
		if (b->ops[i].kind == OP_STATUS) {
			count_op(o->poller, &b->ops[i]);
			log_op(o->poller, &b->ops[i]);
		}
	}
	asker_answered(o->look);
	batch_free(b);
}

static struct outcome *outcome_new(struct look *look)
{
	struct outcome *o = xcalloc(1, sizeof(*o));
	o->poller = look->poller;
	o->look = look;
	o->batch.internal = true;
	o->batch.done = outcome_done;
	o->batch.ops = xcalloc(2, sizeof(struct op));
	return o;
}

static struct op *outcome_add(struct outcome *o, enum op_kind kind, txw_str source)
{
	struct op *op = &o->batch.ops[o->batch.n++];
	op->kind = kind;
	op->name.key = o->look->tx->key;
	op->source = source;
	return op;
}

static void outcome_submit(struct outcome *o)
{
	if (o->batch.n == 0) {
		asker_answered(o->look);
		batch_free(&o->batch);
		return;
	}
	batch_submit(o->poller->watch->engine, &o->batch);
}

txw_str answer_map(const struct poller *p, txw_str theirs)
{
	for (size_t i = 0; i < p->n_map; i++)
		if (str_eq(p->map[i].theirs, theirs))
			return p->map[i].ours;
	return theirs;
}

static txw_str bounded(struct arena *a, txw_str s, size_t max)
{
	if (s.len > max) {
		s.len = max;
		while (s.len && !str_utf8(s))
			s.len--;
	}
	return arena_str(a, s);
}

txw_str answer_json(struct arena *a, txw_str json, bool is_object)
{
	/* jansson reads over a NUL behind a number. */
	if (json.len == 0 || json.len > DETAIL_MAX || memchr(json.ptr, '\0', json.len))
		return STR_NONE;
	json_t *value = json_loadb(json.ptr, json.len, JSON_DECODE_ANY, NULL);
	bool good = value && (!is_object || json_is_object(value));
	json_decref(value);
	return good ? arena_str(a, json) : STR_NONE;
}

/* ---- consecutive failures of one transaction ---- */

struct failures_job {
	struct job job;
	int64_t key;
	bool failed; /* else: reset */
};

static int32_t failures_apply(struct job *job, struct unit *u, struct err *e)
{
	struct failures_job *f = (struct failures_job *)job;
	txw_tx_name name = {.size = sizeof(name), .key = f->key};
	const txw_tx *stored = NULL;
	int32_t rc = UNIT_CALL(u, e, load, &name, sizeof(name), 1, &stored);
	if (rc < 0 || !stored)
		return rc;
	txw_tx row = *stored;
	row.poll_failures = f->failed ? row.poll_failures + 1 : 0;
	const txw_tx *one = &row;
	unit_note_row(u, row.id);
	return UNIT_CALL(u, e, reschedule, &one, 1);
}

static void failures_done(struct job *job)
{
	free(job);
}

static void note_failures(struct poller *p, const struct look *look, bool failed)
{
	if (!failed && look->tx->poll_failures == 0)
		return;
	struct failures_job *f = xcalloc(1, sizeof(*f));
	f->job.apply = failures_apply;
	f->job.done = failures_done;
	f->key = look->tx->key;
	f->failed = failed;
	engine_submit_internal(p->watch->engine, &f->job);
}

/* ---- the kinds of answers ---- */

/* A last look that brought no end: its deadline counts now. */
static void add_expiry(struct outcome *o, txw_str reason)
{
	if (o->look->is_last)
		outcome_add(o, OP_EXPIRE, STR_LIT("watch"))->reason = arena_str(&o->batch.arena,
										reason);
}

void answer_failed(struct look *look, txw_str why)
{
	struct outcome *o = outcome_new(look);
	if (look->call) { /* else it was never asked */
		answer_count(o->poller, "failed");
		note_failures(o->poller, look, true);
	}
	if (look->is_last) {
		add_expiry(o, str_of(arena_printf(&o->batch.arena,
						  "its deadline passed; the last look failed: %.*s",
						  STR_ARG(why))));
	}
	outcome_submit(o);
}

static void answer_seen(struct poller *p, struct look *look, const txw_observation *seen)
{
	const txw_tx *tx = look->tx;
	struct outcome *o = outcome_new(look);
	struct arena *a = &o->batch.arena;
	txw_str ours = answer_map(p, seen->status);
	answer_count(p, "seen");
	note_failures(p, look, false);
	asker_good(p);
	if (!str_eq(ours, tx->status)) {
		struct op *op = outcome_add(o, OP_STATUS, str_of(p->in->name));
		op->status = arena_str(a, ours);
		op->reason = bounded(a, seen->reason, 1024);
		op->code = bounded(a, seen->code, 256);
		op->detail = answer_json(a, seen->detail, false);
		op->source_event_id = bounded(a, seen->source_event_id, 256);
		op->source_version = bounded(a, seen->source_version, 256);
		op->source_at = seen->source_at;
		op->unknown_is_anomaly = p->unknown_is_told;
		op->asked_of = tx;
	}
	add_expiry(o, STR_NONE);
	outcome_submit(o);
}

static void answer_not_found(struct poller *p, struct look *look)
{
	struct outcome *o = outcome_new(look);
	answer_count(p, "not_found");
	note_failures(p, look, false);
	asker_good(p); /* it answers: it only does not know this one */
	bool young = loop_now(p->watch->loop) - look->tx->created_at < p->not_found_grace;
	if (!young) {
		struct op *op = outcome_add(o, OP_STATUS, str_of(p->in->name));
		op->status = p->not_found.len ? p->not_found : STR_LIT("not-found");
		op->reason = STR_LIT("the upstream does not know it");
		op->unknown_is_anomaly = 1;
		op->asked_of = look->tx;
	}
	add_expiry(o, STR_NONE);
	outcome_submit(o);
}

static void answer_throttled(struct poller *p, struct look *look, const txw_poll_result *r)
{
	int64_t after = r->after > 0 ? r->after : p->breaker.pause;
	/* Without a time it is as good as a failure: enough of them open the
	 * breaker, whose pause then rules. */
	if (r->after <= 0)
		asker_bad(p, r->text);
	asker_pause(p, after < MAX_PAUSE ? after : MAX_PAUSE);
	struct outcome *o = outcome_new(look);
	answer_count(p, "throttled");
	add_expiry(o,
		   STR_LIT("its deadline passed; for a last look the upstream asked for a pause"));
	outcome_submit(o);
}

static void on_answer(struct task *task)
{
	struct answered *a = (struct answered *)task;
	struct poller *p = a->look->poller;
	switch (a->result.result) {
	case TXW_POLL_SEEN:
		answer_seen(p, a->look, &a->seen);
		break;
	case TXW_POLL_NOT_FOUND:
		answer_not_found(p, a->look);
		break;
	case TXW_POLL_THROTTLED:
		answer_throttled(p, a->look, &a->result);
		break;
	default:
		asker_bad(p, a->result.text);
		answer_failed(a->look, a->result.text);
	}
	arena_free(&a->arena);
	free(a);
}

/* A plugin's answer is checked before it is believed. */
static void check_answer(struct answered *a)
{
	if (a->result.result != TXW_POLL_SEEN)
		return;
	const char *wrong = NULL;
	if (!a->result.observation || a->seen.status.len == 0)
		wrong = "the poller said it saw a status but gave none";
	else if (a->seen.status.len > 256 || !str_utf8(a->seen.status))
		wrong = "the status is not UTF-8 text of at most 256 bytes";
	if (wrong) {
		a->result.result = TXW_POLL_FAILED;
		a->result.text = str_of(wrong);
	}
}

static void copy_observation(struct answered *a, const txw_observation *seen)
{
	size_t n = seen->size < sizeof(a->seen) ? seen->size : sizeof(a->seen);
	memcpy(&a->seen, seen, n);
	txw_str *texts[] = {&a->seen.status,          &a->seen.reason,         &a->seen.code,
			    &a->seen.source_event_id, &a->seen.source_version, &a->seen.detail};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = arena_str(&a->arena, *texts[i]);
}

int32_t answer_complete(instance *self, uint64_t token, const txw_poll_result *r)
{
	struct watch *w = self->services->watch;
	struct look *look = tokens_take(w->tokens, token);
	if (!look) {
		atomic_fetch_add(&self->misbehaved, 1);
		return TXW_E_NOTFOUND;
	}
	struct answered *a = xcalloc(1, sizeof(*a));
	a->watch = w;
	a->look = look;
	memcpy(&a->result, r, r->size < sizeof(a->result) ? r->size : sizeof(a->result));
	if (a->result.observation)
		copy_observation(a, a->result.observation);
	a->result.text = arena_str(&a->arena, a->result.text);
	check_answer(a);
	a->task.run = on_answer;
	loop_post(w->loop, &a->task);
	return TXW_OK;
}
