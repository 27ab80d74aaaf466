/*
 * purge.c: POST /v1/transactions:purge: finished transactions of the tenant go,
 * as a job of the kind "purge".
 *
 * cursor:   {"from":TIME,"after":KEY}
 * progress: {"transactions":N,"events":N}; of a dry run what would go
 */
#include <stdlib.h>

#include "api/bulk.h"
#include "api/handlers.h"
#include "api/write.h"
#include "base/row.h"
#include "engine/audit.h"
#include "engine/purge.h"
#include "jobs/jobs.h"

struct purging {
	txw_str flow;
	txw_str outcome;
	txw_time finished_before;
	uint32_t dry_run;
	uint32_t outcome_number; /* TXW_OPEN: any */
	struct arena arena;
	struct input in;
};

#define AT(field) offsetof(struct purging, field)
const struct input_row PURGE_ROWS[] = {
    {"flow", INPUT_LINE, INPUT_NULLABLE, AT(flow), 128, 0},
    {"outcome", INPUT_LINE, INPUT_NULLABLE, AT(outcome), 16, 0},
    {"finished_before", INPUT_TIME, INPUT_REQUIRED, AT(finished_before), 0, 0},
    {"dry_run", INPUT_BOOL, 0, AT(dry_run), 0, 0},
};
const size_t PURGE_ROWS_N = sizeof(PURGE_ROWS) / sizeof(PURGE_ROWS[0]);

/* Texts are borrowed from the params. */
static bool read_params(struct purging *p, const json_t *params, txw_time now)
{
	p->in.arena = &p->arena;
	if (!input_read(&p->in, params, PURGE_ROWS, PURGE_ROWS_N, p, NULL))
		return false;
	if (p->outcome.len &&
	    (!outcome_parse(p->outcome, &p->outcome_number) || p->outcome_number == TXW_OPEN))
		return input_wrong(&p->in, "outcome",
				   "must be success, failure, cancelled or expired");
	if (p->finished_before > now)
		return input_wrong(&p->in, "finished_before", "must not be in the future");
	return true;
}

static void purging_free(struct purging *p)
{
	input_end(&p->in);
	arena_free(&p->arena);
	free(p);
}

void do_tx_purge(struct call *c)
{
	struct input in = {.arena = c->arena};
	json_t *params = input_parse(&in, http_body(c->request));
	if (!params) {
		call_wrong(c, &in.mistake);
		return;
	}
	struct purging *p = xcalloc(1, sizeof(*p));
	if (read_params(p, params, loop_now(c->api->site->loop))) {
		call_begin_job(c, "purge", params);
		params = NULL;
	} else {
		call_wrong(c, &p->in.mistake);
	}
	purging_free(p);
	json_decref(params);
}

/* ---- the kind ---- */

static int32_t purge_open(struct work *w, struct err *e)
{
	struct purging *p = xcalloc(1, sizeof(*p));
	if (read_params(p, w->params, INT64_MAX)) {
		w->own = p;
		w->weight = PURGE_STEP;
		return 0;
	}
	err_set(e, TXW_E_INVALID, "%s: %s", p->in.mistake.member, p->in.mistake.text);
	purging_free(p);
	return TXW_E_INVALID;
}

static void purge_close(struct work *w)
{
	purging_free(w->own);
}

static int64_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void add(json_t *object, const char *key, int64_t by)
{
	json_object_set_new(object, key, json_integer(number(object, key) + by));
}

/* Once, in the commit of the first step. */
static int32_t audit_purge(const struct work *w, struct unit *u, struct err *e)
{
	char *params = json_dumps(w->params, JSON_COMPACT);
	const struct audit row = {.tenant = w->tenant,
				  .actor = w->actor,
				  .action = "transaction.purge",
				  .object = str_of(w->id),
				  .detail = params ? str_of(params) : STR_NONE};
	int32_t rc = audit_add(u, &row, e);
	free(params);
	return rc;
}

static int32_t purge_work(struct work *w, struct unit *u, struct err *e)
{
	const struct purging *p = w->own;
	txw_purge what = {.size = sizeof(what),
			  .limit = PURGE_STEP,
			  .tenant = w->tenant,
			  .flow = p->flow,
			  .outcome = p->outcome_number,
			  .dry_run = p->dry_run,
			  .finished_before = p->finished_before,
			  .from = number(w->cursor, "from"),
			  .after = number(w->cursor, "after")};
	txw_purged out;
	int32_t rc = purge_step(u, &what, &out, e);
	if (rc >= 0 && json_object_size(w->cursor) == 0)
		rc = audit_purge(w, u, e);
	if (rc < 0)
		return rc;
	add(w->next_progress, "transactions", out.transactions);
	add(w->next_progress, "events", out.events);
	json_object_set_new(w->next_cursor, "from", json_integer(out.reached));
	json_object_set_new(w->next_cursor, "after", json_integer(out.reached_key));
	return out.more ? WORK_MORE : WORK_OVER;
}

const struct work_kind PURGE_KIND = {
    .name = "purge",
    .is_admin = true,
    .open = purge_open,
    .step = purge_work,
    .close = purge_close,
};
