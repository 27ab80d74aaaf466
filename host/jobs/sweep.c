/*
 * sweep.c: documents past their expires_at (stored answers, finished jobs) are
 * deleted, some at a time: at the start and each hour, and again at once while
 * there are more.
 */
#include <stdlib.h>

#include "base/log.h"
#include "jobs/inside.h"

#define EVERY   HOUR
#define AT_ONCE 1000

struct sweep {
	struct job job;
	struct timer timer;
	struct loop *loop;
	struct engine *engine;
	bool is_moving;
	bool is_draining;
	bool more;
};

static void begin(struct sweep *s);

static int32_t apply(struct job *job, struct unit *u, struct err *e)
{
	struct sweep *s = (struct sweep *)job;
	int32_t rc = UNIT_CALL(u, e, expire_docs, u->now, AT_ONCE);
	s->more = rc == AT_ONCE;
	return rc < 0 ? rc : 0;
}

static void on_timer(struct timer *timer)
{
	begin((struct sweep *)((char *)timer - offsetof(struct sweep, timer)));
}

static void done(struct job *job)
{
	struct sweep *s = (struct sweep *)job;
	s->is_moving = false;
	if (s->is_draining)
		return;
	if (job->rc < 0)
		log_warn("old documents cannot be deleted now", "why", job->err.text);
	if (job->rc >= 0 && s->more) {
		begin(s);
		return;
	}
	s->timer.fire = on_timer;
	timer_set(s->loop, &s->timer, loop_now(s->loop) + EVERY);
}

static void begin(struct sweep *s)
{
	if (s->is_moving || s->is_draining)
		return;
	s->is_moving = true;
	s->job = (struct job){.apply = apply, .done = done};
	s->job.item.weight = 1;
	engine_submit_internal(s->engine, &s->job);
}

struct sweep *sweep_open(struct loop *loop, struct engine *g)
{
	struct sweep *s = xcalloc(1, sizeof(*s));
	s->loop = loop;
	s->engine = g;
	begin(s);
	return s;
}

void sweep_drain(struct sweep *s)
{
	s->is_draining = true;
	timer_clear(s->loop, &s->timer);
}

void sweep_close(struct sweep *s)
{
	sweep_drain(s);
	free(s);
}
