/* queue_test.c: limits, waits, and many threads at once. */
#include "unit.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/queue.h"

struct thing {
	struct qitem item;
	int value;
};

static int value_of(const struct qitem *item)
{
	return ((const struct thing *)item)->value;
}

static void items_come_out_in_the_order_they_went_in(void **state)
{
	struct queue q;
	struct thing t[100];
	(void)state;
	queue_init(&q, 1000);
	assert_null(queue_take(&q, 10, false));
	for (int i = 0; i < 100; i++) {
		t[i] = (struct thing){.item.weight = 1, .value = i};
		assert_true(queue_put(&q, &t[i].item, false));
	}
	assert_int_equal(queue_weight(&q), 100);
	int next = 0;
	struct qitem *list;
	while ((list = queue_take(&q, 7, false)))
		for (int n = 0; list; list = list->next, n++) {
			assert_int_equal(value_of(list), next++);
			assert_in_range(n, 0, 6);
		}
	assert_int_equal(next, 100);
	assert_int_equal(queue_weight(&q), 0);
	/* The tail was set right. */
	assert_true(queue_put(&q, &t[0].item, false));
	assert_ptr_equal(queue_take(&q, 1, true), &t[0].item);
	queue_destroy(&q);
}

static void a_full_queue_refuses_but_what_is_forced(void **state)
{
	struct queue q;
	struct thing t[5] = {
	    {{NULL, 6}, 0}, {{NULL, 4}, 1}, {{NULL, 1}, 2}, {{NULL, 1}, 3}, {{NULL, 50}, 4}};
	(void)state;
	queue_init(&q, 10);
	assert_true(queue_put(&q, &t[0].item, false));
	assert_true(queue_put(&q, &t[1].item, false));
	assert_false(queue_put(&q, &t[2].item, false));
	assert_true(queue_put(&q, &t[3].item, true));
	assert_int_equal(queue_weight(&q), 11);
	struct qitem *list = queue_take(&q, 100, false);
	assert_ptr_equal(list, &t[0].item);
	/* One heavier than the limit, or than the taker's, still gets through. */
	assert_true(queue_put(&q, &t[4].item, false));
	assert_ptr_equal(queue_take(&q, 3, false), &t[4].item);
	queue_destroy(&q);
}

static void a_closed_queue_is_drained_and_takes_no_more(void **state)
{
	struct queue q;
	struct thing a = {{NULL, 1}, 1}, b = {{NULL, 1}, 2};
	(void)state;
	queue_init(&q, 10);
	assert_true(queue_put(&q, &a.item, false));
	assert_false(queue_is_closed(&q));
	queue_close(&q);
	assert_true(queue_is_closed(&q));
	assert_false(queue_put(&q, &b.item, false));
	assert_false(queue_put(&q, &b.item, true));
	assert_ptr_equal(queue_take(&q, 10, true), &a.item);
	assert_null(queue_take(&q, 10, true)); /* does not wait */
	assert_null(queue_take_within(&q, 10, HOUR));
	queue_destroy(&q);
}

static void a_taker_waits_only_so_long(void **state)
{
	struct queue q;
	struct thing a = {{NULL, 1}, 1};
	static const int64_t waits[] = {0, -5, -5000000, 1, 1500};
	(void)state;
	queue_init(&q, 10);
	for (size_t i = 0; i < COUNT(waits); i++) {
		int64_t start = clock_ticks();
		assert_null(queue_take_within(&q, 10, waits[i]));
		assert_true(clock_ticks() - start >= waits[i]);
	}
	assert_true(queue_put(&q, &a.item, false));
	assert_ptr_equal(queue_take_within(&q, 10, HOUR), &a.item);
	queue_destroy(&q);
}

enum { PUTTERS = 4, TAKERS = 3, EACH = 20000 };

struct crowd {
	struct queue q;
	struct thing *things;
	_Atomic int next;
	_Atomic int taken;
	_Atomic int64_t sum;
};

static void *put_many(void *arg)
{
	struct crowd *c = arg;
	int i;
	while ((i = atomic_fetch_add(&c->next, 1)) < PUTTERS * EACH) {
		c->things[i] = (struct thing){.item.weight = 1, .value = i};
		while (!queue_put(&c->q, &c->things[i].item, false))
			sched_yield();
	}
	return NULL;
}

static void *take_many(void *arg)
{
	struct crowd *c = arg;
	struct qitem *list;
	while ((list = queue_take(&c->q, 3, true)))
		while (list) {
			struct qitem *next = list->next;
			atomic_fetch_add(&c->taken, 1);
			atomic_fetch_add(&c->sum, value_of(list));
			list = next;
		}
	return NULL;
}

static void nothing_is_lost_or_doubled_between_many_threads(void **state)
{
	static struct crowd c;
	pthread_t putters[PUTTERS], takers[TAKERS];
	(void)state;
	queue_init(&c.q, 64);
	c.things = calloc(PUTTERS * EACH, sizeof(*c.things));
	for (int i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_create(&takers[i], NULL, take_many, &c), 0);
	for (int i = 0; i < PUTTERS; i++)
		assert_int_equal(pthread_create(&putters[i], NULL, put_many, &c), 0);
	for (int i = 0; i < PUTTERS; i++)
		pthread_join(putters[i], NULL);
	queue_close(&c.q);
	for (int i = 0; i < TAKERS; i++)
		pthread_join(takers[i], NULL);
	assert_int_equal(c.taken, PUTTERS * EACH);
	assert_int_equal(c.sum, (int64_t)PUTTERS * EACH * (PUTTERS * EACH - 1) / 2);
	free(c.things);
	queue_destroy(&c.q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(items_come_out_in_the_order_they_went_in),
	    cmocka_unit_test(a_full_queue_refuses_but_what_is_forced),
	    cmocka_unit_test(a_closed_queue_is_drained_and_takes_no_more),
	    cmocka_unit_test(a_taker_waits_only_so_long),
	    cmocka_unit_test(nothing_is_lost_or_doubled_between_many_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
