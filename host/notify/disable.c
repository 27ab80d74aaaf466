/*
 * disable.c: a subscription that wants no more, or failed for too long.
 *
 * What waits is parked, not dropped; its document says why, and an event
 * tells its owner by another way.
 */
#include "base/log.h"
#include "base/str.h"
#include "notify/private.h"

#include <stdio.h>
#include <stdlib.h>

struct disable {
	struct job job;
	struct target *target;
	const char *reason;
	bool told; /* the first unit is durable */
	int32_t moved;
	struct timer again;
};

struct doc_copy {
	json_t *body;
	int64_t version;
	txw_time created_at;
};

static int32_t on_doc(void *ctx, const txw_doc *doc)
{
	struct doc_copy *c = ctx;
	c->body = json_loadb(doc->body.ptr, doc->body.len, 0, NULL);
	c->version = doc->version;
	c->created_at = doc->created_at;
	return 0;
}

static int32_t mark_document(struct disable *d, struct unit *u, struct err *e)
{
	struct target *t = d->target;
	struct doc_copy c = {0};
	int32_t rc = UNIT_CALL(u, e, get_doc, STR_LIT("subscription"), t->tenant, t->name, on_doc,
			       &c);
	if (rc == TXW_E_NOTFOUND)
		return 0; /* deleted meanwhile */
	if (rc < 0 || !c.body)
		return rc;
	json_object_set_new(c.body, "enabled", json_false());
	json_object_set_new(c.body, "disabled_reason", json_string(d->reason));
	char *text = json_dumps(c.body, JSON_COMPACT);
	json_decref(c.body);
	txw_doc row = {
	    .size = sizeof(row),
	    .kind = STR_LIT("subscription"),
	    .tenant = t->tenant,
	    .id = t->name,
	    .body = str_of(text),
	    .version = c.version + 1,
	    .created_at = c.created_at,
	    .updated_at = u->now,
	};
	rc = UNIT_CALL(u, e, put_doc, &row);
	free(text);
	return rc;
}

static int32_t tell(struct disable *d, struct unit *u, struct err *e)
{
	struct target *t = d->target;
	txw_event ev = {
	    .size = sizeof(ev),
	    .type = TXW_EV_SUBSCRIPTION_DISABLED,
	    .at = u->now,
	    .tenant = t->tenant,
	    .to = t->name,
	    .source = t->name,
	    .reason = str_of(d->reason),
	};
	return unit_append(u, &ev, NULL, e);
}

static int32_t park(struct disable *d, struct unit *u, struct err *e)
{
	int32_t a = UNIT_CALL(u, e, move, d->target->key, TXW_DLV_PENDING, TXW_DLV_PARKED, 0,
			      MOVE_LIMIT);
	if (a < 0)
		return a;
	int32_t b = UNIT_CALL(u, e, move, d->target->key, TXW_DLV_BLOCKED, TXW_DLV_PARKED, 0,
			      MOVE_LIMIT);
	if (b < 0)
		return b;
	d->moved = a + b;
	return 0;
}

static void on_commit(void *ctx)
{
	/* A PATCH may have enabled it in between; the document says no. */
	atomic_store(&((struct disable *)ctx)->target->is_disabled, true);
}

static int32_t disable_apply(struct job *job, struct unit *u, struct err *e)
{
	struct disable *d = (struct disable *)job;
	int32_t rc = 0;
	if (!d->told) {
		txw_target row;
		target_row(d->target, &row);
		row.disabled = 1;
		row.reason = str_of(d->reason);
		rc = UNIT_CALL(u, e, put_target, &row);
		if (rc >= 0)
			rc = mark_document(d, u, e);
		if (rc >= 0)
			rc = tell(d, u, e);
		if (rc >= 0)
			unit_on_commit(u, on_commit, d);
	}
	return rc < 0 ? rc : park(d, u, e);
}

static void resubmit(struct timer *timer)
{
	struct disable *d = (struct disable *)((char *)timer - offsetof(struct disable, again));
	engine_submit_internal(d->target->notify->engine, &d->job);
}

static void disable_done(struct job *job)
{
	struct disable *d = (struct disable *)job;
	struct target *t = d->target;
	if (job->rc < 0 && job->rc != TXW_E_CANCELLED) {
		d->again.fire = resubmit;
		timer_set(t->notify->loop, &d->again, loop_now(t->notify->loop) + SECOND);
		return;
	}
	d->told = true;
	if (job->rc >= 0 && d->moved >= (int32_t)MOVE_LIMIT) {
		engine_submit_internal(t->notify->engine, &d->job);
		return;
	}
	atomic_fetch_sub(&t->held, 1);
	if (t->is_deleted)
		target_remove(t);
	free(d);
}

void target_disable(struct target *t, const char *reason)
{
	if (atomic_exchange(&t->is_disabled, true))
		return;
	char name[128];
	snprintf(name, sizeof(name), "%.*s", STR_ARG(t->name));
	log_warn("subscription disabled", "subscription", name, "why", reason);
	struct disable *d = xcalloc(1, sizeof(*d));
	d->job.apply = disable_apply;
	d->job.done = disable_done;
	d->target = t;
	d->reason = reason;
	atomic_fetch_add(&t->held, 1); /* the target outlives this */
	settle_flush(t->notify);       /* what failed before is parked too */
	engine_submit_internal(t->notify->engine, &d->job);
	lane_pump(t); /* gives back what waits */
}
