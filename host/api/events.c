/*
 * events.c: the log after a seq, and long polls that wait for more.
 *
 *   READING -> answered   rows came, or nobody waits
 *   READING -> WAITING    nothing came, and there is time left
 *   WAITING -> DIRTY      the log grew
 *   DIRTY   -> READING    at most READS_MAX at once, in their order
 *   WAITING -> answered   its time is over, or the host drains
 *
 * A wait is linked into its list but for READING. On the loop, except that
 * pages are filled by readers and the tail is told by the engine.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/handlers.h"
#include "engine/purge.h"
#include "filter/filter.h"

#define READS_MAX 8
#define WAITS_MAX 512
#define WAIT_MAX  60 /* seconds */
#define ROWS_READ 1000

enum wait_state { WAIT_READING, WAIT_WAITING, WAIT_DIRTY };

struct event_wait {
	struct page page; /* first: the reader hands it back */
	struct timer timer;
	enum wait_state state;
	bool is_waiting_read; /* counted among the reads of those who wait */
	bool is_over;
	bool is_gone;   /* the answer is that events were purged */
	bool has_place; /* one of WAITS_MAX */
	txw_event_query query;
	const txw_filter *filter;
	bool with_content;
	bool with_gaps;
	int64_t after; /* as it was asked for */
	uint32_t limit;
	txw_time until;  /* 0: does not wait */
	int64_t scanned; /* nothing up to here is for it */
	uint32_t n;
	uint32_t in_call;
	int64_t last;
	struct event_wait *next;
	struct event_wait *prev;
};

struct event_waits {
	struct api *api;
	struct event_wait *first;
	struct event_wait *last;
	size_t n;
	size_t places;
	size_t reads;
	_Atomic bool is_told; /* the task is posted */
	_Atomic size_t watched;
	/* The newest seq a page had: another host's may be read before
	 * engine_last_seq knows it. */
	_Atomic int64_t shown;
	struct task task;
};

/* ---- the list ---- */

static void link_in(struct event_waits *w, struct event_wait *e)
{
	e->next = NULL;
	e->prev = w->last;
	*(w->last ? &w->last->next : &w->first) = e;
	w->last = e;
	w->n++;
	atomic_store(&w->watched, w->n);
}

static void link_out(struct event_waits *w, struct event_wait *e)
{
	*(e->prev ? &e->prev->next : &w->first) = e->next;
	*(e->next ? &e->next->prev : &w->last) = e->prev;
	w->n--;
	atomic_store(&w->watched, w->n);
}

/* ---- reading: [reader] ---- */

static void note_shown(struct event_waits *w, int64_t seq)
{
	int64_t known = atomic_load(&w->shown);
	while (seq > known && !atomic_compare_exchange_weak(&w->shown, &known, seq))
		;
}

static int32_t take_event(void *ctx, const txw_event *ev)
{
	struct event_wait *e = ctx;
	e->in_call++;
	e->last = ev->seq;
	if (!str_eq(ev->tenant, e->query.tenant) || !filter_match_event(e->filter, ev))
		return 0;
	if (e->with_content)
		json_event_content(&e->page.answer.body, ev);
	else if (ev->json.len)
		json_raw(&e->page.answer.body, ev->json);
	else
		json_event(&e->page.answer.body, ev);
	return ++e->n == e->limit ? 1 : 0;
}

/* Events that the page would have had, or the one before it, were purged. */
static bool is_purged(struct event_wait *e, struct answer *a)
{
	const struct call *c = e->page.call;
	int64_t to = purged_to(c->api->site->engine, e->query.tenant);
	char text[200];
	if (e->with_gaps || e->after >= to)
		return false;
	snprintf(text, sizeof(text),
		 "events after seq %" PRId64 " were purged: from %" PRId64
		 " on the log is whole; gaps=true reads what there is",
		 e->after, to + 1);
	answer_problem_open(a, c, PROBLEM_GONE, text);
	json_m_int(&a->body, "oldest", to + 1);
	json_close(&a->body, '}');
	return true;
}

static void close_page(struct event_wait *e, bool is_full)
{
	struct buf *b = &e->page.answer.body;
	const txw_store_info *info = engine_info(e->page.call->api->site->engine);
	json_close(b, ']');
	json_key(b, "next");
	if (is_full) {
		e->page.answer.next = arena_printf(e->page.call->arena, "%" PRId64, e->scanned);
		json_str(b, str_of(e->page.answer.next));
	} else {
		json_none(b);
	}
	json_m_int(b, "last_seq", e->scanned);
	json_key(b, "epoch");
	buf_printf(b, "\"%016" PRIx64 "\"", info->epoch);
	json_close(b, '}');
}

static int32_t fill(struct page *page, const txw_store *store, void *reader, struct err *err)
{
	struct event_wait *e = (struct event_wait *)page;
	/* Asked before the snapshot: all up to it is seen by the read. */
	int64_t known = engine_last_seq(page->call->api->site->engine);
	e->n = 0;
	list_open(&page->answer);
	do {
		e->in_call = 0;
		e->query.after = e->scanned;
		int32_t rc = READ_CALL(store, err, list_events, reader, &e->query, take_event, e);
		if (rc < 0)
			return rc;
		if (e->in_call)
			e->scanned = e->last;
	} while (e->n < e->limit && e->in_call == e->query.limit);
	if (e->n < e->limit && known > e->scanned)
		e->scanned = known;
	if (is_purged(e, &page->answer)) {
		e->is_gone = true;
		return 0;
	}
	e->after = e->scanned;
	note_shown(page->call->api->waits, e->scanned);
	close_page(e, e->n == e->limit);
	return 0;
}

/* ---- waiting ---- */

static void pump(struct event_waits *w);

/* It may wait, or waits: it has a place from its first read to its answer. */
static void take_place(struct event_wait *e)
{
	e->page.call->api->waits->places++;
	e->has_place = true;
}

static void leave_place(struct event_wait *e)
{
	if (e->has_place)
		e->page.call->api->waits->places--;
	e->has_place = false;
}

static void finish(struct event_wait *e)
{
	struct call *c = e->page.call;
	leave_place(e);
	timer_clear(c->api->site->loop, &e->timer);
	call_answer(c, &e->page.answer);
}

static void on_time(struct timer *timer)
{
	struct event_wait *e = (struct event_wait *)((char *)timer -
						     offsetof(struct event_wait, timer));
	if (e->state == WAIT_READING) { /* its read answers it */
		e->is_over = true;
		return;
	}
	link_out(e->page.call->api->waits, e);
	finish(e);
}

static void read_ended(struct event_wait *e)
{
	if (!e->is_waiting_read)
		return;
	e->is_waiting_read = false;
	e->page.call->api->waits->reads--;
}

static void dropped(struct page *page)
{
	struct event_wait *e = (struct event_wait *)page;
	timer_clear(page->call->api->site->loop, &e->timer);
	leave_place(e);
	read_ended(e);
}

static bool then(struct page *page)
{
	struct event_wait *e = (struct event_wait *)page;
	struct api *api = page->call->api;
	struct event_waits *w = api->waits;
	read_ended(e);
	if (e->until && !auth_is_good(api->auth, page->call->token, loop_now(api->site->loop))) {
		answer_problem(&page->answer, page->call, PROBLEM_UNAUTHENTICATED,
			       "the token has ended");
		e->is_over = true;
	}
	if (e->n || e->until == 0 || e->is_over || e->is_gone || api->is_draining) {
		timer_clear(api->site->loop, &e->timer);
		leave_place(e);
		pump(w);
		return true;
	}
	link_in(w, e);
	/* After the link: who commits now tells the task, who did before is
	 * seen here. */
	e->state = engine_last_seq(api->site->engine) > e->scanned ? WAIT_DIRTY : WAIT_WAITING;
	pump(w);
	return false;
}

static void pump(struct event_waits *w)
{
	struct event_wait *next;
	for (struct event_wait *e = w->first; e && w->reads < READS_MAX; e = next) {
		next = e->next;
		if (e->state != WAIT_DIRTY)
			continue;
		link_out(w, e);
		e->state = WAIT_READING;
		e->is_waiting_read = true;
		w->reads++;
		page_submit(&e->page);
	}
}

static void on_grown(struct task *task)
{
	struct event_waits *w = (struct event_waits *)((char *)task -
						       offsetof(struct event_waits, task));
	atomic_store(&w->is_told, false);
	for (struct event_wait *e = w->first; e; e = e->next)
		e->state = WAIT_DIRTY;
	pump(w);
}

void waits_wake(struct event_waits *w)
{
	if (atomic_load(&w->watched) == 0 || atomic_exchange(&w->is_told, true))
		return;
	loop_post(w->api->site->loop, &w->task);
}

static void on_tail(void *ctx, txw_event *const *events, size_t n)
{
	(void)events;
	if (n)
		waits_wake(ctx);
}

struct event_waits *waits_open(struct api *api)
{
	struct event_waits *w = xcalloc(1, sizeof(*w));
	w->api = api;
	w->task.run = on_grown;
	engine_on_tail(api->site->engine, on_tail, w);
	return w;
}

void waits_drain(struct event_waits *w)
{
	while (w->first) {
		struct event_wait *e = w->first;
		link_out(w, e);
		finish(e);
	}
}

void waits_close(struct event_waits *w)
{
	free(w);
}

/* ---- GET /v1/events ---- */

static void answer_gone(struct call *c, int64_t after, int64_t last)
{
	struct answer a = {0};
	char text[160];
	const txw_store_info *info = engine_info(c->api->site->engine);
	snprintf(text, sizeof(text),
		 "the log ends at seq %" PRId64 ", before %" PRId64 ": begin anew", last, after);
	answer_problem_open(&a, c, PROBLEM_GONE, text);
	json_m_int(&a.body, "last_seq", last);
	json_key(&a.body, "epoch");
	buf_printf(&a.body, "\"%016" PRIx64 "\"", info->epoch);
	json_close(&a.body, '}');
	call_answer(c, &a);
}

static bool take_filter(struct call *c, struct event_wait *e)
{
	struct err err = {0};
	txw_str text = http_query(c->request, "filter", NULL);
	if (filter_parse(c->arena, text, FILTER_EVENT, loop_now(c->api->site->loop), &e->filter,
			 &err) >= 0)
		return true;
	call_problem(c, PROBLEM_BAD_FILTER, "%s", err.text);
	return false;
}

static bool take_wait(struct call *c, struct event_wait *e)
{
	txw_str text = http_query(c->request, "wait", NULL);
	int64_t wait = 0;
	if (text.len == 0)
		return true;
	if (str_int(text, &wait))
		wait = wait >= 0 && wait <= WAIT_MAX ? wait * SECOND : -1;
	else if (!duration_parse(text, &wait))
		wait = -1;
	if (wait < 0 || wait > WAIT_MAX * SECOND) {
		call_problem(c, PROBLEM_INVALID, "wait must be a duration of at most 60s");
		return false;
	}
	if (wait && c->api->waits->places >= WAITS_MAX) {
		call_problem(c, PROBLEM_BUSY, "%d long polls are waiting already", WAITS_MAX);
		return false;
	}
	e->until = wait ? loop_now(c->api->site->loop) + wait : 0;
	return true;
}

void do_events(struct call *c)
{
	struct event_wait *e = arena_alloc(c->arena, sizeof(*e));
	int64_t limit = 50, after = 0, last = engine_last_seq(c->api->site->engine);
	int64_t shown = atomic_load(&c->api->waits->shown);
	e->page.call = c;
	e->page.fill = fill;
	e->page.then = then;
	e->page.dropped = dropped;
	e->timer.fire = on_time;
	/* `next` of a page works as either. */
	if (!query_int(c, "after", 0, INT64_MAX, &after) ||
	    !query_int(c, "cursor", 0, INT64_MAX, &after) ||
	    !query_int(c, "limit", 1, 1000, &limit) ||
	    !query_bool(c, "content", &e->with_content) || !query_bool(c, "gaps", &e->with_gaps))
		return;
	if (!take_filter(c, e) || !take_wait(c, e))
		return;
	last = last > shown ? last : shown;
	if (after > last) {
		answer_gone(c, after, last);
		return;
	}
	e->limit = (uint32_t)limit;
	e->scanned = after;
	e->after = after;
	e->query = (txw_event_query){
	    .size = sizeof(e->query),
	    .limit = e->filter ? ROWS_READ : (uint32_t)limit,
	    .tenant = c->tenant,
	    .filter = e->filter,
	};
	if (e->until) {
		take_place(e);
		timer_set(c->api->site->loop, &e->timer, e->until);
	}
	page_submit(&e->page);
}
