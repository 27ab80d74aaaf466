/*
 * loop.h: the event loop's thread: tasks posted to it, timers on the site's
 * clock, and the walk of a virtual clock.
 *
 * Threads meet only here and in queues like it: a mutex, a list, one wake.
 */
#ifndef TXWATCH_BASE_LOOP_H
#define TXWATCH_BASE_LOOP_H

#include <stdbool.h>
#include <uv.h>

#include "base/clock.h"

struct loop;

/* Work for the loop's thread. Lives in its owner until run. */
struct task {
	struct task *next;
	void (*run)(struct task *task);
};

/* Fires once at `at`, on the loop's thread. Zero it before first use. */
struct timer {
	txw_time at;
	size_t place; /* in the heap, from 1; 0 = not set */
	void (*fire)(struct timer *timer);
};

struct loop *loop_open(struct clock *clock);
void loop_run(struct loop *l);  /* until loop_stop */
void loop_stop(struct loop *l); /* [any] */
/* At the end: runs what is posted, and what that posts. */
void loop_drain(struct loop *l);
void loop_close(struct loop *l);
uv_loop_t *loop_uv(struct loop *l);
struct clock *loop_clock(struct loop *l);
txw_time loop_now(struct loop *l); /* [any] */

void loop_post(struct loop *l, struct task *task); /* [any] */

/* Set again = move. A time in the past fires on the next turn. [loop] */
void timer_set(struct loop *l, struct timer *t, txw_time at);
void timer_clear(struct loop *l, struct timer *t);

/*
 * Counts what is under way outside the loop (an engine job, a request), so
 * that a virtual clock moves only when nothing is. [any]
 */
void loop_hold(struct loop *l);
void loop_release(struct loop *l);

/*
 * Walks a virtual clock to now + by, stopping at each timer on the way and
 * letting what it set off come to rest: until nothing is held, or, for peers
 * that never answer, nothing was released for `patience` real microseconds.
 * One walk at a time (TXW_E_BUSY). [loop]
 */
int32_t loop_advance(struct loop *l, int64_t by, int64_t patience, struct task *done);

#endif
