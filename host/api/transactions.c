/* transactions.c: one transaction: make, read, change. */
#include "api/handlers.h"
#include "api/tx_query.h"
#include "api/write.h"
#include "base/id.h"

bool call_tx_id(struct call *c, size_t param, txw_id *out)
{
	if (id_parse(c->param[param], "tx", out) && !id_is_none(*out))
		return true;
	call_problem(c, PROBLEM_NOT_FOUND, "there is no such transaction");
	return false;
}

/* ---- writing ---- */

static bool take_body(struct write *w, const struct input_row *rows, size_t n)
{
	struct op *op = &w->batch->ops[0];
	txw_time now = loop_now(w->call->api->site->loop);
	w->json = input_parse(&w->in, http_body(w->call->request));
	if (w->json && input_read(&w->in, w->json, rows, n, op, &op->set) &&
	    members_check(&w->in, now, op))
		return true;
	write_wrong(w);
	return false;
}

void do_tx_create(struct call *c)
{
	struct write *w = write_new(c, 1, render_one);
	w->batch->ops[0].kind = OP_CREATE;
	if (take_body(w, CREATE_ROWS, CREATE_ROWS_N))
		write_submit(w);
}

/* An operation on the transaction of the path; NULL: answered. */
static struct write *write_existing(struct call *c, enum op_kind kind)
{
	txw_id id;
	int64_t if_version = 0;
	if (!call_tx_id(c, 0, &id) || !call_if_match(c, &if_version))
		return NULL;
	struct write *w = write_new(c, 1, render_one);
	w->batch->ops[0].kind = kind;
	w->batch->ops[0].name.id = id;
	w->batch->ops[0].if_version = if_version;
	return w;
}

void do_tx_status(struct call *c)
{
	bool is_dry = false;
	if (!query_bool(c, "dry_run", &is_dry))
		return;
	struct write *w = write_existing(c, OP_STATUS);
	if (!w)
		return;
	w->is_dry = is_dry;
	w->batch->ops[0].dry_run = is_dry;
	if (take_body(w, STATUS_ROWS, STATUS_ROWS_N))
		write_submit(w);
}

void do_tx_update(struct call *c)
{
	struct write *w = write_existing(c, OP_UPDATE);
	if (w && take_body(w, UPDATE_ROWS, UPDATE_ROWS_N) && write_may(w))
		write_submit(w);
}

static void set(struct call *c, uint32_t flag, uint32_t paused)
{
	struct write *w = write_existing(c, OP_UPDATE);
	if (!w)
		return;
	w->batch->ops[0].set = flag;
	w->batch->ops[0].paused = paused;
	write_submit(w);
}

void do_tx_poll(struct call *c)
{
	set(c, OP_SET_POLL_NOW, 0);
}

void do_tx_pause(struct call *c)
{
	set(c, OP_SET_PAUSED, 1);
}

void do_tx_resume(struct call *c)
{
	set(c, OP_SET_PAUSED, 0);
}

/* ---- reading one ---- */

struct tx_read {
	struct call *call;
	struct answer answer;
	bool is_found;
	uint64_t moment; /* for the cache */
};

static int32_t take_tx(void *ctx, const txw_tx *row)
{
	struct tx_read *r = ctx;
	if (!str_eq(row->tenant, r->call->tenant))
		return 1;
	r->is_found = true;
	etag_print(r->answer.etag, row->version);
	if (call_unchanged(r->call, r->answer.etag)) {
		r->answer.status = 304;
		return 1;
	}
	r->answer.status = 200;
	buf_reserve(&r->answer.body, 768);
	json_tx(&r->answer.body, row);
	rowcache_put(r->call->api->rows, r->moment, row, buf_view(&r->answer.body));
	return 1;
}

/* On the loop: a point read costs less than a trip to another thread. */
static void read_one(struct call *c, const txw_tx_name *name)
{
	struct readers *readers = c->api->site->readers;
	struct tx_read r = {.call = c, .moment = rowcache_moment(c->api->rows)};
	struct err e = {0};
	int32_t rc = READ_CALL(readers_store(readers), &e, read_tx, readers_mine(readers), name,
			       take_tx, &r);
	if (rc < 0 || !r.is_found)
		call_failed(c, rc < 0 ? rc : TXW_E_NOTFOUND, &e, "transaction");
	else
		call_answer(c, &r.answer);
}

static bool answer_from_cache(struct call *c, txw_id id)
{
	struct answer a = {.status = 200};
	int64_t version;
	if (!rowcache_get(c->api->rows, id, c->tenant, &version, &a.body))
		return false;
	etag_print(a.etag, version);
	if (call_unchanged(c, a.etag)) {
		a.status = 304;
		buf_free(&a.body);
	}
	call_answer(c, &a);
	return true;
}

/* With fields or expand it is read by a reader's thread. */
static bool is_shown_otherwise(struct call *c, const txw_tx_name *name)
{
	struct tx_show show;
	if (!tx_show_parse(c, &show))
		return true;
	if (tx_show_is_plain(&show))
		return false;
	tx_show_one(c, name, &show);
	return true;
}

void do_tx_get(struct call *c)
{
	txw_tx_name name = {.size = sizeof(name), .tenant = c->tenant};
	if (!call_tx_id(c, 0, &name.id) || tx_at(c, &name))
		return;
	if (!is_shown_otherwise(c, &name) && !answer_from_cache(c, name.id))
		read_one(c, &name);
}

void do_tx_by_ref(struct call *c)
{
	txw_tx_name name = {
	    .size = sizeof(name),
	    .tenant = c->tenant,
	    .flow = c->param[0],
	    .ref = c->param[1],
	};
	if (!tx_at(c, &name) && !is_shown_otherwise(c, &name))
		read_one(c, &name);
}
