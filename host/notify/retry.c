/* retry.c: sends one delivery again, now. */
#include "base/str.h"
#include "notify/private.h"

#include <stdlib.h>

/* What the reader saw may have changed since: the unit looks again, so one
 * that is on its way by now is left alone. */
static int32_t retry_apply(struct job *job, struct unit *u, struct err *e)
{
	struct retry_request *r = (struct retry_request *)job;
	int32_t rc = UNIT_CALL(u, e, resend, r->row.target, r->row.key, u->now);
	job->rc = 0;
	if (rc == 0)
		job->rc = err_set(&job->err, TXW_E_EXISTS,
				  "the delivery is under way: it is sent without being asked");
	return rc < 0 ? rc : 0;
}

static void retry_done(struct job *job)
{
	struct retry_request *r = (struct retry_request *)job;
	struct notify *n = r->notify;
	struct target *t;
	HASH_FIND(by_key, n->by_key, &r->row.target, sizeof(r->row.target), t);
	if (job->rc >= 0 && t)
		lane_due(t, loop_now(n->loop));
	r->done(r);
}

static int32_t on_row(void *ctx, const txw_delivery_row *row, const txw_target *target,
		      const txw_event *event)
{
	struct retry_request *r = ctx;
	(void)target;
	(void)event;
	if (!str_eq(row->tenant, r->tenant))
		return 1;
	r->row = *row;
	r->row.tenant = r->tenant;
	r->row.reason = arena_str(&r->arena, row->reason);
	r->found = true;
	return 1;
}

int32_t retry_submit(struct retry_request *r)
{
	struct notify *n = r->notify;
	txw_delivery_query q = {
	    .size = sizeof(q), .limit = 1, .state = TXW_ANY_STATE, .key = r->key};
	int32_t rc = READ_CALL(readers_store(n->readers), &r->job.err, list_deliveries,
			       readers_mine(n->readers), &q, 0, on_row, r);
	if (rc < 0)
		return r->job.rc = rc;
	if (!r->found)
		return r->job.rc = err_set(&r->job.err, TXW_E_NOTFOUND,
					   "there is no such delivery");
	if (r->row.state == TXW_DLV_SENDING || r->row.state == TXW_DLV_BLOCKED)
		return r->job.rc = err_set(
			   &r->job.err, TXW_E_EXISTS,
			   "the delivery is %s: it is sent without being asked",
			   r->row.state == TXW_DLV_SENDING ? "under way" : "waiting for its turn");
	r->job.apply = retry_apply;
	r->job.done = retry_done;
	return engine_submit(n->engine, &r->job);
}
