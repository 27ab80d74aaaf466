/*
 * loop.c: the loop's thread: posted tasks, timers, the virtual walk.
 *
 * A walk of the virtual clock:
 *   RESTING -> WALKING   loop_advance()
 *   WALKING -> WALKING   walk_step(): at rest, so move to the next timer
 *   WALKING -> RESTING   walk_step(): nothing more before the end
 * "At rest" is: no task posted, and nothing held, or nothing but what already
 * proved to hang (`hung`), or no release for the walk's patience.
 */
#include "base/loop.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

#define FIRE_LIMIT ((size_t)10000) /* timers in one turn, so that sockets get theirs */

struct walk {
	struct task *done; /* NULL: no walk */
	txw_time end;
	int64_t patience;
	int64_t since; /* ticks of the last step */
	/* What was held all through one patience. A release ends the proof: it
	 * may have been one of these, and what is held now be newer. */
	int hung;
	uint64_t hung_at; /* n_released then */
};

struct loop {
	uv_loop_t uv;
	uv_async_t wake;
	uv_timer_t alarm;  /* the next timer, real clock */
	uv_timer_t settle; /* the walk's patience */
	struct clock *clock;

	pthread_mutex_t lock; /* guards first, last */
	struct task *first;
	struct task **last;

	struct timer **heap; /* [1..n], earliest first */
	size_t n;
	size_t cap;
	bool is_due; /* the first should fire next turn */

	_Atomic int held;
	_Atomic int64_t released; /* ticks */
	_Atomic uint64_t n_released;
	_Atomic bool stopping;
	struct walk walk;
};

/* ---- the timers' heap ---- */

static void heap_put(struct loop *l, size_t i, struct timer *t)
{
	l->heap[i] = t;
	t->place = i;
}

static void heap_up(struct loop *l, size_t i)
{
	struct timer *t = l->heap[i];
	for (; i > 1 && l->heap[i / 2]->at > t->at; i /= 2)
		heap_put(l, i, l->heap[i / 2]);
	heap_put(l, i, t);
}

static void heap_down(struct loop *l, size_t i)
{
	struct timer *t = l->heap[i];
	for (;;) {
		size_t child = i * 2;
		if (child > l->n)
			break;
		if (child < l->n && l->heap[child + 1]->at < l->heap[child]->at)
			child++;
		if (l->heap[child]->at >= t->at)
			break;
		heap_put(l, i, l->heap[child]);
		i = child;
	}
	heap_put(l, i, t);
}

static void heap_remove(struct loop *l, struct timer *t)
{
	size_t i = t->place;
	struct timer *last = l->heap[l->n--];
	t->place = 0;
	if (last == t)
		return;
	heap_put(l, i, last);
	heap_up(l, i);
	heap_down(l, last->place);
}

static void on_alarm(uv_timer_t *alarm);

static void arm(struct loop *l)
{
	if (l->n == 0) {
		uv_timer_stop(&l->alarm);
		return;
	}
	int64_t left = l->heap[1]->at - clock_now(l->clock);
	if (left <= 0) {
		/* Next turn, by the wake: libuv would run a timer of 0 ms again
		 * and again before it looks at a socket. */
		l->is_due = true;
		uv_async_send(&l->wake);
		return;
	}
	if (l->clock->is_virtual) {
		uv_timer_stop(&l->alarm); /* only a walk brings it nearer */
		return;
	}
	/* libuv counts from the turn's start: take the present. */
	uv_update_time(&l->uv);
	uv_timer_start(&l->alarm, on_alarm, (uint64_t)(left + 999) / 1000, 0);
}

void timer_set(struct loop *l, struct timer *t, txw_time at)
{
	if (t->place) {
		t->at = at;
		heap_up(l, t->place);
		heap_down(l, t->place);
	} else {
		if (l->n + 1 >= l->cap) {
			l->cap = l->cap ? l->cap * 2 : 64;
			l->heap = xrealloc(l->heap, l->cap * sizeof(struct timer *));
		}
		t->at = at;
		heap_put(l, ++l->n, t);
		heap_up(l, l->n);
	}
	if (t->place == 1)
		arm(l);
}

void timer_clear(struct loop *l, struct timer *t)
{
	if (t->place)
		heap_remove(l, t);
}

static void fire_due(struct loop *l)
{
	txw_time now = clock_now(l->clock);
	/* Those set anew for now are the next turn's. */
	size_t most = l->n < FIRE_LIMIT ? l->n : FIRE_LIMIT;
	l->is_due = false;
	for (size_t i = 0; i < most && l->n && l->heap[1]->at <= now; i++) {
		struct timer *t = l->heap[1];
		heap_remove(l, t);
		t->fire(t);
	}
	arm(l);
}

static void on_alarm(uv_timer_t *alarm)
{
	fire_due(alarm->data);
}

/* ---- tasks ---- */

static struct task *take_tasks(struct loop *l)
{
	pthread_mutex_lock(&l->lock);
	struct task *t = l->first;
	l->first = NULL;
	l->last = &l->first;
	pthread_mutex_unlock(&l->lock);
	return t;
}

static bool has_tasks(struct loop *l)
{
	pthread_mutex_lock(&l->lock);
	bool some = l->first != NULL;
	pthread_mutex_unlock(&l->lock);
	return some;
}

static void walk_step(struct loop *l);

static void on_wake(uv_async_t *wake)
{
	struct loop *l = wake->data;
	for (struct task *t = take_tasks(l); t;) {
		struct task *next = t->next; /* t may be gone after run */
		t->run(t);
		t = next;
	}
	if (l->is_due)
		fire_due(l);
	if (l->walk.done)
		walk_step(l);
	if (atomic_load(&l->stopping))
		uv_stop(&l->uv);
}

void loop_post(struct loop *l, struct task *task)
{
	pthread_mutex_lock(&l->lock);
	bool was_empty = l->first == NULL;
	task->next = NULL;
	*l->last = task;
	l->last = &task->next;
	pthread_mutex_unlock(&l->lock);
	if (was_empty)
		uv_async_send(&l->wake);
}

/* ---- the virtual walk ---- */

void loop_hold(struct loop *l)
{
	atomic_fetch_add(&l->held, 1);
}

void loop_release(struct loop *l)
{
	if (l->clock->is_virtual)
		atomic_store(&l->released, clock_ticks());
	atomic_fetch_add(&l->n_released, 1);
	int before = atomic_fetch_sub(&l->held, 1);
	assert(before > 0);
	(void)before;
	if (l->clock->is_virtual)
		uv_async_send(&l->wake);
}

static void on_settle(uv_timer_t *settle)
{
	struct loop *l = settle->data;
	if (l->walk.done)
		walk_step(l);
}

static bool walk_at_rest(struct loop *l)
{
	struct walk *w = &l->walk;
	/* In this order: who posts a task and then releases is seen. */
	uint64_t n_released = atomic_load(&l->n_released);
	int held = atomic_load(&l->held);
	if (has_tasks(l))
		return false;
	if (held == 0 || (held == w->hung && n_released == w->hung_at))
		return true;
	int64_t quiet_since = atomic_load(&l->released);
	if (quiet_since < w->since)
		quiet_since = w->since;
	int64_t left = quiet_since + w->patience - clock_ticks();
	if (left > 0) {
		uv_update_time(&l->uv);
		uv_timer_start(&l->settle, on_settle, (uint64_t)(left + 999) / 1000, 0);
		return false;
	}
	w->hung = held;
	w->hung_at = n_released;
	return true;
}

static void walk_step(struct loop *l)
{
	struct walk *w = &l->walk;
	if (!walk_at_rest(l))
		return;
	if (l->n && l->heap[1]->at <= w->end) {
		clock_set(l->clock, l->heap[1]->at);
		w->since = clock_ticks();
		fire_due(l);
		uv_async_send(&l->wake); /* look again when that is done */
		return;
	}
	clock_set(l->clock, w->end);
	struct task *done = w->done;
	w->done = NULL;
	uv_timer_stop(&l->settle);
	done->run(done);
}

int32_t loop_advance(struct loop *l, int64_t by, int64_t patience, struct task *done)
{
	if (l->walk.done)
		return TXW_E_BUSY;
	if (!l->clock->is_virtual)
		return TXW_E_UNSUPPORTED;
	l->walk = (struct walk){
	    .done = done,
	    .end = clock_now(l->clock) + by,
	    .patience = patience,
	    .since = clock_ticks(),
	};
	uv_async_send(&l->wake);
	return 0;
}

/* ---- life ---- */

struct loop *loop_open(struct clock *clock)
{
	struct loop *l = xcalloc(1, sizeof(*l));
	l->clock = clock;
	l->last = &l->first;
	pthread_mutex_init(&l->lock, NULL);
	if (uv_loop_init(&l->uv) < 0 || uv_async_init(&l->uv, &l->wake, on_wake) < 0 ||
	    uv_timer_init(&l->uv, &l->alarm) < 0 || uv_timer_init(&l->uv, &l->settle) < 0)
		abort(); /* no descriptors at start: nothing can work */
	l->wake.data = l->alarm.data = l->settle.data = l;
	return l;
}

void loop_run(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
	atomic_store(&l->stopping, true);
	uv_async_send(&l->wake);
}

void loop_drain(struct loop *l)
{
	do
		uv_run(&l->uv, UV_RUN_NOWAIT);
	while (has_tasks(l));
}

void loop_close(struct loop *l)
{
	uv_close((uv_handle_t *)&l->wake, NULL);
	uv_close((uv_handle_t *)&l->alarm, NULL);
	uv_close((uv_handle_t *)&l->settle, NULL);
	while (uv_run(&l->uv, UV_RUN_NOWAIT) != 0)
		;
	uv_loop_close(&l->uv);
	pthread_mutex_destroy(&l->lock);
	free(l->heap);
	free(l);
}

uv_loop_t *loop_uv(struct loop *l)
{
	return &l->uv;
}

struct clock *loop_clock(struct loop *l)
{
	return l->clock;
}

txw_time loop_now(struct loop *l)
{
	return clock_now(l->clock);
}
