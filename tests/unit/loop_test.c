/* loop_test.c: timers, tasks, and the walk of the virtual clock. */
#include "unit.h"

#include <pthread.h>

#include "base/loop.h"
#include "base/mem.h"

#define START (INT64_C(1790000000) * SECOND)

struct world {
	struct clock clock;
	struct loop *loop;
};

static void open_world(struct world *w)
{
	clock_virtual(&w->clock, START);
	w->loop = loop_open(&w->clock);
}

static void close_world(struct world *w)
{
	loop_close(w->loop);
}

/* ---- one walk, run to its end ---- */

struct end {
	struct task task;
	struct loop *loop;
	txw_time at;
};

static void on_end(struct task *task)
{
	struct end *e = (struct end *)task;
	e->at = loop_now(e->loop);
	loop_stop(e->loop);
}

static void walk(struct world *w, int64_t by, int64_t patience)
{
	struct end e = {.task = {.run = on_end}, .loop = w->loop};
	txw_time to = loop_now(w->loop) + by;
	assert_int_equal(loop_advance(w->loop, by, patience, &e.task), 0);
	assert_int_equal(loop_advance(w->loop, by, patience, &e.task), TXW_E_BUSY);
	loop_run(w->loop);
	assert_true(e.at == to);
	assert_true(loop_now(w->loop) == to);
	/* stop has been taken: a new loop for the next walk would hide what is
	 * left over, so the same one goes on. */
}

/* ---- timers that write down when they fired ---- */

struct mark {
	struct timer timer;
	struct world *w;
	txw_time want, at;
	int n;
};

static int n_fired;
static txw_time last_fired;

static void on_mark(struct timer *t)
{
	struct mark *m = (struct mark *)t;
	m->at = loop_now(m->w->loop);
	m->n++;
	assert_true(m->at >= last_fired);
	last_fired = m->at;
	n_fired++;
}

static void timers_fire_in_order_and_at_their_time(void **state)
{
	struct world w;
	enum { MANY = 20000 };
	struct mark *m = xcalloc(MANY, sizeof(*m));
	uint64_t x = 88172645463325252u;
	(void)state;
	open_world(&w);
	n_fired = 0;
	last_fired = 0;
	for (int i = 0; i < MANY; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		m[i].w = &w;
		m[i].timer.fire = on_mark;
		m[i].want = START + (int64_t)(x % (uint64_t)HOUR);
		timer_set(w.loop, &m[i].timer, START + (int64_t)(x >> 20) % HOUR);
	}
	for (int i = 0; i < MANY; i++) /* moved, earlier and later */
		timer_set(w.loop, &m[i].timer, m[i].want);
	for (int i = 0; i < MANY; i += 3)
		timer_clear(w.loop, &m[i].timer);
	for (int i = 0; i < MANY; i += 3)
		timer_clear(w.loop, &m[i].timer); /* twice does no harm */
	walk(&w, HOUR, SECOND);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(m[i].n, i % 3 ? 1 : 0);
		if (i % 3)
			assert_true(m[i].at == m[i].want);
		assert_int_equal(m[i].timer.place, 0);
	}
	free(m);
	close_world(&w);
}

static struct mark *victim;

static void on_clear_other(struct timer *t)
{
	on_mark(t);
	timer_clear(victim->w->loop, &victim->timer);
}

static void on_every_minute(struct timer *t)
{
	struct mark *m = (struct mark *)t;
	on_mark(t);
	if (m->n < 60)
		timer_set(m->w->loop, t, m->timer.at + MINUTE);
}

static void a_timer_may_clear_another_and_set_itself_again(void **state)
{
	struct world w;
	struct mark a = {.w = &w, .timer.fire = on_clear_other};
	struct mark b = {.w = &w, .timer.fire = on_mark};
	struct mark c = {.w = &w, .timer.fire = on_every_minute};
	(void)state;
	open_world(&w);
	last_fired = 0;
	victim = &b;
	timer_set(w.loop, &a.timer, START + 5);
	timer_set(w.loop, &b.timer, START + 6);
	timer_set(w.loop, &c.timer, START + MINUTE);
	walk(&w, 2 * HOUR, SECOND);
	assert_int_equal(a.n, 1);
	assert_int_equal(b.n, 0);
	assert_int_equal(c.n, 60);
	assert_true(c.at == START + HOUR);
	close_world(&w);
}

static void a_timer_at_the_walk_s_end_fires_and_one_after_it_does_not(void **state)
{
	struct world w;
	struct mark a = {.w = &w, .timer.fire = on_mark}, b = a;
	(void)state;
	open_world(&w);
	last_fired = 0;
	timer_set(w.loop, &a.timer, START + MINUTE);
	timer_set(w.loop, &b.timer, START + MINUTE + 1);
	walk(&w, MINUTE, SECOND);
	assert_int_equal(a.n, 1);
	assert_int_equal(b.n, 0);
	timer_clear(w.loop, &b.timer);
	close_world(&w);
}

/* ---- a virtual clock does not move by itself ---- */

static void on_stop_timer(struct timer *t)
{
	on_mark(t);
	loop_stop(((struct mark *)t)->w->loop);
}

static void a_past_timer_fires_without_a_walk(void **state)
{
	struct world w;
	struct mark a = {.w = &w, .timer.fire = on_stop_timer};
	(void)state;
	open_world(&w);
	last_fired = 0;
	timer_set(w.loop, &a.timer, START - MINUTE);
	loop_run(w.loop);
	assert_int_equal(a.n, 1);
	assert_true(loop_now(w.loop) == START);
	close_world(&w);
}

static void a_real_clock_s_timer_fires_when_it_is_due(void **state)
{
	struct world w;
	struct mark a = {.w = &w, .timer.fire = on_stop_timer};
	(void)state;
	clock_real(&w.clock);
	w.loop = loop_open(&w.clock);
	last_fired = 0;
	txw_time due = loop_now(w.loop) + 20 * MILLISECOND;
	timer_set(w.loop, &a.timer, due + DAY);
	timer_set(w.loop, &a.timer, due);
	loop_run(w.loop);
	assert_int_equal(a.n, 1);
	assert_true(a.at >= due);
	assert_true(a.at < due + 10 * SECOND);
	assert_int_equal(loop_advance(w.loop, 1, 1, NULL), TXW_E_UNSUPPORTED);
	close_world(&w);
}

/* ---- tasks ---- */

struct note {
	struct task task;
	struct world *w;
	int thread, n;
};

enum { THREADS = 4, EACH = 5000 };
static int next_of[THREADS];
static int n_notes;

static void on_note(struct task *task)
{
	struct note *n = (struct note *)task;
	assert_int_equal(n->n, next_of[n->thread]++);
	if (++n_notes == THREADS * EACH)
		loop_stop(n->w->loop);
}

static void *post_many(void *arg)
{
	struct note *notes = arg;
	for (int i = 0; i < EACH; i++)
		loop_post(notes[i].w->loop, &notes[i].task);
	return NULL;
}

static void each_thread_s_tasks_run_in_the_order_they_were_posted(void **state)
{
	struct world w;
	pthread_t t[THREADS];
	struct note *notes = xcalloc(THREADS * EACH, sizeof(*notes));
	(void)state;
	open_world(&w);
	n_notes = 0;
	memset(next_of, 0, sizeof(next_of));
	for (int i = 0; i < THREADS * EACH; i++)
		notes[i] = (struct note){{NULL, on_note}, &w, i / EACH, i % EACH};
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, post_many, notes + i * EACH), 0);
	loop_run(w.loop);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(n_notes, THREADS * EACH);
	free(notes);
	close_world(&w);
}

/* ---- work outside the loop ---- */

/* A timer that starts work elsewhere; the work's end sets the next timer. */
struct errand {
	struct timer timer;
	struct task back;
	struct world *w;
	pthread_t thread;
	int64_t takes; /* real microseconds */
	int left;      /* how often still */
	txw_time began[20], ended[20];
	int n;
};

static void on_errand_back(struct task *task)
{
	struct errand *e = (struct errand *)((char *)task - offsetof(struct errand, back));
	pthread_join(e->thread, NULL);
	e->ended[e->n++] = loop_now(e->w->loop);
	if (--e->left)
		timer_set(e->w->loop, &e->timer, loop_now(e->w->loop) + MINUTE);
}

static void *run_errand(void *arg)
{
	struct errand *e = arg;
	int64_t until = clock_ticks() + e->takes;
	while (clock_ticks() < until)
		sched_yield();
	/* Posted, then released: a walk must not slip between. */
	loop_post(e->w->loop, &e->back);
	loop_release(e->w->loop);
	return NULL;
}

static void on_errand(struct timer *t)
{
	struct errand *e = (struct errand *)t;
	e->began[e->n] = loop_now(e->w->loop);
	e->back.run = on_errand_back;
	loop_hold(e->w->loop);
	assert_int_equal(pthread_create(&e->thread, NULL, run_errand, e), 0);
}

static void a_walk_waits_for_work_that_is_under_way(void **state)
{
	struct world w;
	struct errand e = {.w = &w, .timer.fire = on_errand, .takes = 2000, .left = 20};
	(void)state;
	open_world(&w);
	timer_set(w.loop, &e.timer, START + MINUTE);
	walk(&w, DAY, 10 * SECOND);
	assert_int_equal(e.n, 20);
	for (int i = 0; i < 20; i++) {
		assert_true(e.began[i] == START + (i + 1) * MINUTE);
		assert_true(e.ended[i] == e.began[i]);
	}
	close_world(&w);
}

static void posting_and_releasing_at_once_never_lets_the_clock_slip(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		struct world w;
		struct errand e = {.w = &w, .timer.fire = on_errand, .takes = 0, .left = 20};
		open_world(&w);
		timer_set(w.loop, &e.timer, START + MINUTE);
		walk(&w, DAY, 10 * SECOND);
		for (int i = 0; i < 20; i++)
			assert_true(e.ended[i] == START + (i + 1) * MINUTE);
		close_world(&w);
	}
}

static void patience_ends_with_work_that_is_never_released(void **state)
{
	struct world w;
	struct mark a = {.w = &w, .timer.fire = on_mark}, b = a;
	(void)state;
	open_world(&w);
	last_fired = 0;
	loop_hold(w.loop);
	timer_set(w.loop, &a.timer, START + MINUTE);
	timer_set(w.loop, &b.timer, START + HOUR);
	int64_t start = clock_ticks();
	walk(&w, DAY, 20 * MILLISECOND);
	assert_true(clock_ticks() - start >= 20 * MILLISECOND);
	assert_true(a.at == START + MINUTE);
	assert_true(b.at == START + HOUR);
	loop_release(w.loop);
	close_world(&w);
}

/* Something hangs; at its deadline it is given up and an errand begins. */
struct deadline {
	struct timer timer;
	struct errand *next;
};

static void on_deadline(struct timer *t)
{
	struct deadline *d = (struct deadline *)t;
	loop_release(d->next->w->loop);
	on_errand(&d->next->timer);
}

static void work_begun_after_a_hang_is_waited_for(void **state)
{
	struct world w;
	struct errand e = {.w = &w, .takes = 30000, .left = 3};
	struct deadline d = {.timer.fire = on_deadline, .next = &e};
	(void)state;
	open_world(&w);
	e.timer.fire = on_errand;
	loop_hold(w.loop); /* never answers ... */
	timer_set(w.loop, &d.timer, START + 15 * SECOND);
	walk(&w, DAY, 100 * MILLISECOND);
	assert_int_equal(e.n, 3);
	for (int i = 0; i < 3; i++) {
		assert_true(e.began[i] == START + 15 * SECOND + i * MINUTE);
		assert_true(e.ended[i] == e.began[i]);
	}
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(timers_fire_in_order_and_at_their_time),
	    cmocka_unit_test(a_timer_may_clear_another_and_set_itself_again),
	    cmocka_unit_test(a_timer_at_the_walk_s_end_fires_and_one_after_it_does_not),
	    cmocka_unit_test(a_past_timer_fires_without_a_walk),
	    cmocka_unit_test(a_real_clock_s_timer_fires_when_it_is_due),
	    cmocka_unit_test(each_thread_s_tasks_run_in_the_order_they_were_posted),
	    cmocka_unit_test(a_walk_waits_for_work_that_is_under_way),
	    cmocka_unit_test(posting_and_releasing_at_once_never_lets_the_clock_slip),
	    cmocka_unit_test(patience_ends_with_work_that_is_never_released),
	    cmocka_unit_test(work_begun_after_a_hang_is_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
