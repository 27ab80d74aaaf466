/*
 * discover.c: new transactions from an upstream's list.
 *
 * A page's transactions and the cursor behind them are saved in one unit, so
 * a crash neither loses nor repeats one. One page is under way at a time.
 */
#include "watch/private.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/decimal.h"
#include "base/log.h"
#include "base/str.h"

#define PAGE_DEADLINE MINUTE
#define PAGE_MAX      10000 /* transactions */
#define CURSOR_MAX    4096

/* A page brought from the plugin's thread, then the operations of it. */
struct page {
	struct batch batch; /* first: is the job */
	struct task task;
	struct poller *poller;
	uint32_t result;
	uint32_t more;
	int64_t after;
	txw_str text;
	txw_str cursor;
};

static void again(struct poller *p, int64_t after)
{
	if (!p->watch->is_draining)
		timer_set(p->watch->loop, &p->discover_at, loop_now(p->watch->loop) + after);
}

/* ---- saving ---- */

static int32_t save_cursor(struct batch *b, struct unit *u, struct err *e)
{
	struct page *page = (struct page *)b;
	char *body = NULL;
	json_t *doc = json_pack("{s:s%}", "cursor", page->cursor.ptr ? page->cursor.ptr : "",
				page->cursor.len);
	if (doc)
		body = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	if (!body)
		return err_set(e, TXW_E_INVALID, "the discovery's cursor is not UTF-8 text");
	txw_doc row = {
	    .size = sizeof(row),
	    .kind = STR_LIT("discovery"),
	    .id = str_of(page->poller->in->name),
	    .body = str_of(body),
	    .version = 1,
	    .created_at = u->now,
	    .updated_at = u->now,
	};
	int32_t rc = UNIT_CALL(u, e, put_doc, &row);
	free(body);
	return rc;
}

static void log_lost(struct poller *p, const struct op *op)
{
	char ref[128];
	snprintf(ref, sizeof(ref), "%.*s", STR_ARG(op->name.ref));
	log_warn("discovered transaction not applied", "instance", p->in->name, "ref", ref,
		 "result", op_result_name(op->result), "why", op->why);
}

static void page_saved(struct batch *b)
{
	struct page *page = (struct page *)b;
	struct poller *p = page->poller;
	if (b->job.rc < 0) {
		log_warn("discovery not saved", "instance", p->in->name, "why", b->job.err.text);
		again(p, p->discover_every);
		batch_free(b);
		return;
	}
	for (size_t i = 0; i < b->n; i++) {
		if (b->ops[i].result == OP_CREATED)
			series_add(p->m_found, 1);
		else if (b->ops[i].result == OP_INVALID)
			log_lost(p, &b->ops[i]);
	}
	free(p->cursor);
	p->cursor = str_dup(page->cursor);
	again(p, page->more ? 0 : p->discover_every);
	batch_free(b);
}

/* ---- the answer ---- */

static void page_failed(struct page *page)
{
	struct poller *p = page->poller;
	if (page->result == TXW_POLL_THROTTLED)
		asker_pause(p, page->after);
	else
		asker_bad(p, page->text);
	answer_count(p, "discovery_failed");
	again(p, page->after > p->discover_every ? page->after : p->discover_every);
	batch_free(&page->batch);
}

static void on_page(struct task *task)
{
	struct page *page = (struct page *)((char *)task - offsetof(struct page, task));
	struct poller *p = page->poller;
	timer_clear(p->watch->loop, &p->discover_deadline);
	loop_release(p->watch->loop);
	if (page->result != TXW_POLL_SEEN) {
		page_failed(page);
		return;
	}
	asker_good(p);
	for (size_t i = 0; i < page->batch.n; i++) {
		struct op *op = &page->batch.ops[i];
		op->status = answer_map(p, op->status);
	}
	page->batch.internal = true;
	page->batch.finish = save_cursor;
	page->batch.done = page_saved;
	batch_submit(p->watch->engine, &page->batch);
}

static void copy_op(struct page *page, struct op *op, const txw_observation *in)
{
	txw_observation seen = {0};
	struct arena *a = &page->batch.arena;
	memcpy(&seen, in, in->size < sizeof(seen) ? in->size : sizeof(seen));
	*op = (struct op){
	    .kind = OP_DISCOVER,
	    .name = {.tenant = page->poller->tenant,
		     .flow = page->poller->flow,
		     .ref = arena_str(a, seen.ref)},
	    .status = arena_str(a, seen.status),
	    .reason = arena_str(a, seen.reason),
	    .code = arena_str(a, seen.code),
	    .detail = answer_json(a, seen.detail, false),
	    .source = arena_str(a, str_of(page->poller->in->name)),
	    .source_event_id = arena_str(a, seen.source_event_id),
	    .source_version = arena_str(a, seen.source_version),
	    .source_at = seen.source_at,
	    .owner = arena_str(a, seen.owner),
	    .amount = decimal_valid(seen.amount) ? arena_str(a, seen.amount) : STR_NONE,
	    .currency = arena_str(a, seen.currency),
	    .attributes = answer_json(a, seen.attributes, true),
	    .expires_at = seen.expires_at,
	    .unknown_is_anomaly = page->poller->unknown_is_told,
	    .asked_at = page->poller->discover_asked,
	};
}

static void copy_page(struct page *page, const txw_discovery *d)
{
	struct arena *a = &page->batch.arena;
	page->result = d->result;
	page->more = d->more;
	page->after = d->after;
	page->text = arena_str(a, d->text);
	page->cursor = arena_str(a, d->cursor);
	if (d->result != TXW_POLL_SEEN)
		return;
	if (d->n > PAGE_MAX || d->cursor.len > CURSOR_MAX) {
		page->result = TXW_POLL_FAILED;
		page->text = STR_LIT("a discovery's page is over the limit");
		return;
	}
	page->batch.ops = xcalloc(d->n, sizeof(struct op));
	for (size_t i = 0; i < d->n; i++) {
		const char *at = (const char *)d->observations + i * d->stride;
		const txw_observation *in = (const txw_observation *)at;
		/* Without a name there is nothing to watch. */
		if (in->ref.len == 0 || in->ref.len > 256 || !str_utf8(in->ref))
			continue;
		copy_op(page, &page->batch.ops[page->batch.n++], in);
	}
}

int32_t discover_complete(instance *self, uint64_t token, const txw_discovery *d)
{
	struct watch *w = self->services->watch;
	struct poller *p = tokens_take(w->tokens, token);
	if (!p) {
		atomic_fetch_add(&self->misbehaved, 1);
		return TXW_E_NOTFOUND;
	}
	struct page *page = xcalloc(1, sizeof(*page));
	page->poller = p;
	copy_page(page, d);
	page->task.run = on_page;
	loop_post(w->loop, &page->task);
	return TXW_OK;
}

/* ---- asking ---- */

static void fail_page(struct poller *p, txw_str why)
{
	txw_discovery d = {.size = sizeof(d), .result = TXW_POLL_FAILED, .text = why};
	if (discover_complete(p->in, p->discover_token, &d) < 0)
		/* It was answered meanwhile: that was no misbehaviour. */
		atomic_fetch_sub(&p->in->misbehaved, 1);
}

static void on_discover_deadline(struct timer *timer)
{
	struct poller *p = (struct poller *)((char *)timer -
					     offsetof(struct poller, discover_deadline));
	const txw_poller *v = &p->in->role->v.poller;
	if (v->cancel)
		v->cancel(p->in->self, p->discover_token);
	fail_page(p, STR_LIT("no answer to the discovery within 1m"));
}

static void discover_run(struct task *task)
{
	struct poller *p = (struct poller *)((char *)task - offsetof(struct poller, discover_task));
	txw_error from = ERR_ABI_INIT;
	struct err e = {0};
	int32_t rc = p->in->role->v.poller.discover(p->in->self, p->discover_token,
						    str_of(p->cursor), &from);
	if (rc < 0) {
		err_from_plugin(&e, rc, &from);
		fail_page(p, str_of(e.text));
	}
}

static void on_discover(struct timer *timer)
{
	struct poller *p = (struct poller *)((char *)timer - offsetof(struct poller, discover_at));
	struct watch *w = p->watch;
	txw_time now = loop_now(w->loop);
	txw_time blocked = asker_blocked_until(p);
	if (w->is_draining)
		return;
	if (blocked > now) {
		timer_set(w->loop, &p->discover_at, blocked);
		return;
	}
	p->discover_token = tokens_issue(w->tokens, p);
	p->discover_asked = now;
	p->discover_deadline.fire = on_discover_deadline;
	timer_set(w->loop, &p->discover_deadline, now + PAGE_DEADLINE);
	p->discover_task.run = discover_run;
	loop_hold(w->loop);
	instance_run(p->in, &p->discover_task);
}

void discover_start(struct poller *p)
{
	if (p->discover_every <= 0)
		return;
	p->discover_at.fire = on_discover;
	timer_set(p->watch->loop, &p->discover_at, loop_now(p->watch->loop));
}

void discover_stop(struct poller *p)
{
	timer_clear(p->watch->loop, &p->discover_at);
}
