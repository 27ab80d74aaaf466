/*
 * batch.c: many operations in one request and one commit.
 *
 * A long body is parsed on a reader's thread: it would hold up the loop.
 */
#include <stdio.h>

#include "api/handlers.h"
#include "api/write.h"

#define OPS_MAX       10000
#define PARSE_AT_ONCE ((size_t)16 * 1024)

struct parsing {
	struct read_job job;
	struct write *write;
	txw_str body;
	txw_time now;
	bool is_good;
};

/* ---- the body: [loop] or [reader] ---- */

struct batch_head {
	uint32_t atomic;
	txw_str show; /* "return" */
};
const struct input_row BATCH_ROWS[] = {
    {"operations", INPUT_SKIP, INPUT_REQUIRED, 0, 0, 0},
    {"atomic", INPUT_BOOL, 0, offsetof(struct batch_head, atomic), 0, 0},
    {"return", INPUT_LINE, 0, offsetof(struct batch_head, show), 16, 0},
};
const size_t BATCH_ROWS_N = sizeof(BATCH_ROWS) / sizeof(BATCH_ROWS[0]);

static bool read_head(struct write *w)
{
	struct batch_head head = {0};
	if (!input_read(&w->in, w->json, BATCH_ROWS, BATCH_ROWS_N, &head, NULL))
		return false;
	w->batch->atomic = head.atomic;
	w->shows_whole = str_is(head.show, "transaction");
	if (head.show.len && !w->shows_whole && !str_is(head.show, "summary"))
		return input_wrong(&w->in, "return", "must be \"summary\" or \"transaction\"");
	return true;
}

static bool read_ops(struct write *w, txw_time now)
{
	const json_t *list = json_object_get(w->json, "operations");
	size_t n = json_array_size(list);
	if (!json_is_array(list) || n == 0 || n > OPS_MAX)
		return input_wrong(&w->in, "operations", "must be a list of 1 to %d operations",
				   OPS_MAX);
	write_ops(w, n);
	for (size_t i = 0; i < n; i++) {
		if (members_batch_op(&w->in, json_array_get(list, i), now, &w->batch->ops[i]))
			continue;
		const char *member = w->in.mistake.member;
		w->in.mistake.member = arena_printf(w->in.arena, "operations[%zu].%s", i, member);
		return false;
	}
	return true;
}

static bool read_batch(struct write *w, txw_str body, txw_time now)
{
	w->json = input_parse(&w->in, body);
	return w->json && read_head(w) && read_ops(w, now);
}

/* ---- the way ---- */

static void go_on(struct write *w, bool is_good)
{
	if (!is_good)
		write_wrong(w);
	else if (write_may(w))
		write_submit(w);
}

static int32_t parse(struct read_job *job, const txw_store *store, void *reader, struct err *e)
{
	struct parsing *p = (struct parsing *)job;
	(void)store;
	(void)reader;
	(void)e;
	p->is_good = read_batch(p->write, p->body, p->now);
	return 0;
}

static void parsed(struct read_job *job)
{
	struct parsing *p = (struct parsing *)job;
	go_on(p->write, p->is_good);
}

void do_tx_batch(struct call *c)
{
	txw_str body = http_body(c->request);
	txw_time now = loop_now(c->api->site->loop);
	struct write *w = write_new(c, 0, render_batch);
	if (body.len <= PARSE_AT_ONCE) {
		go_on(w, read_batch(w, body, now));
		return;
	}
	struct parsing *p = arena_alloc(c->arena, sizeof(*p));
	*p = (struct parsing){
	    .job = {.run = parse, .done = parsed}, .write = w, .body = body, .now = now};
	int32_t rc = readers_submit(c->api->site->readers, &p->job);
	if (rc >= 0)
		return;
	write_free(w);
	call_failed(c, rc, &p->job.err, NULL);
}
