/*
 * follow.c: see follow.h.
 *
 *   IDLE    -> LOOKING   a hint, or it is time: a read job
 *   LOOKING -> IDLE      the log's end was reached
 *   LOOKING -> LOOKING   a hint came meanwhile, or there is more to read
 *
 * A hint comes on a thread of the store's: it sets a flag and posts a task.
 * All else runs on the loop, but `look`.
 */
#include "engine/follow.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"

#define ROWS 1000

struct follow {
	struct engine *engine;
	struct readers *readers;
	struct loop *loop;
	void (*grown)(void *ctx);
	void *ctx;
	_Atomic bool is_told; /* the task is posted */
	struct task task;
	struct timer timer;
	struct read_job job;
	bool is_looking;
	bool is_wanted; /* look again */
	bool is_stopped;
	/* The read job's while it runs. */
	int64_t seen;
	uint32_t n;
};

static int32_t take(void *ctx, const txw_event *ev)
{
	struct follow *f = ctx;
	f->seen = ev->seq;
	f->n++;
	return 0;
}

static int32_t look(struct read_job *job, const txw_store *store, void *reader, struct err *e)
{
	struct follow *f = (struct follow *)((char *)job - offsetof(struct follow, job));
	txw_event_query query = {.size = sizeof(query), .limit = ROWS, .after = f->seen};
	f->n = 0;
	return READ_CALL(store, e, list_events, reader, &query, take, f);
}

static void start(struct follow *f);

static void looked(struct read_job *job)
{
	struct follow *f = (struct follow *)((char *)job - offsetof(struct follow, job));
	f->is_looking = false;
	if (f->is_stopped)
		return;
	if (job->rc < 0)
		log_debug("the log's end cannot be read", "why", job->err.text);
	else if (engine_note_seq(f->engine, f->seen))
		f->grown(f->ctx);
	if (job->rc >= 0 && (f->is_wanted || f->n == ROWS))
		start(f);
}

static void start(struct follow *f)
{
	f->is_wanted = f->is_looking;
	if (f->is_looking)
		return;
	f->seen = engine_last_seq(f->engine);
	f->is_looking = readers_submit(f->readers, &f->job) == TXW_PENDING;
}

static void again(struct follow *f)
{
	if (!loop_clock(f->loop)->is_virtual)
		timer_set(f->loop, &f->timer, loop_now(f->loop) + FOLLOW_EVERY);
}

static void on_time(struct timer *timer)
{
	struct follow *f = (struct follow *)((char *)timer - offsetof(struct follow, timer));
	start(f);
	again(f);
}

static void on_told(struct task *task)
{
	struct follow *f = (struct follow *)((char *)task - offsetof(struct follow, task));
	atomic_store(&f->is_told, false);
	if (!f->is_stopped)
		start(f);
}

/* [any] */
static void on_hint(void *ctx)
{
	struct follow *f = ctx;
	if (!atomic_exchange(&f->is_told, true))
		loop_post(f->loop, &f->task);
}

/* hint NULL: no more. */
static void hear(struct follow *f, void (*hint)(void *ctx))
{
	instance *store = engine_store(f->engine);
	struct err e = {0};
	txw_error from = ERR_ABI_INIT;
	int32_t rc = store->role->v.store.listen(store->self, hint, f, &from);
	if (err_from_plugin(&e, rc, &from) < 0)
		log_warn("no hints of what other hosts commit: they are found by polling", "why",
			 e.text);
}

struct follow *follow_open(struct engine *g, struct readers *r, void (*grown)(void *ctx), void *ctx)
{
	struct follow *f = xcalloc(1, sizeof(*f));
	*f = (struct follow){.engine = g,
			     .readers = r,
			     .loop = engine_loop(g),
			     .grown = grown,
			     .ctx = ctx,
			     .task = {.run = on_told},
			     .timer = {.fire = on_time},
			     .job = {.run = look, .done = looked}};
	if (!engine_store(g)->role->v.store.listen) {
		f->is_stopped = true;
		return f;
	}
	hear(f, on_hint);
	again(f);
	return f;
}

void follow_stop(struct follow *f)
{
	if (!f || f->is_stopped)
		return;
	f->is_stopped = true;
	hear(f, NULL); /* joins its thread: no hint comes any more */
	timer_clear(f->loop, &f->timer);
}

void follow_free(struct follow *f)
{
	free(f);
}
