/* breaker_test.c: the states of the breaker, one by one. */
#include "unit.h"

#include "base/clock.h"
#include "watch/breaker.h"

#define NOW (INT64_C(1790000000) * SECOND)

static struct breaker down(void)
{
	struct breaker b = {.limit = 3, .pause = 30 * SECOND};
	for (int i = 0; i < 3; i++) {
		assert_true(breaker_may(&b, NOW));
		breaker_began(&b);
		assert_int_equal(breaker_bad(&b, NOW), i == 2);
	}
	return b;
}

static void failures_in_a_row_open_it_and_a_success_between_does_not_let_them_add_up(void **state)
{
	struct breaker b = {.limit = 3, .pause = 30 * SECOND};
	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_false(breaker_bad(&b, NOW));
		assert_false(breaker_bad(&b, NOW));
		assert_false(breaker_good(&b));
		assert_true(breaker_may(&b, NOW));
	}
	b = down();
	assert_int_equal(b.state, BREAKER_OPEN);
	assert_false(breaker_may(&b, NOW));
}

static void it_stays_open_for_its_pause(void **state)
{
	struct breaker b = down();
	(void)state;
	assert_false(breaker_may(&b, NOW + 30 * SECOND - 1));
	assert_int_equal(b.state, BREAKER_OPEN);
	assert_true(breaker_may(&b, NOW + 30 * SECOND));
	assert_int_equal(b.state, BREAKER_HALF_OPEN);
}

static void half_open_lets_one_probe_through(void **state)
{
	struct breaker b = down();
	(void)state;
	assert_true(breaker_may(&b, NOW + MINUTE));
	assert_true(breaker_may(&b, NOW + MINUTE)); /* asking is not beginning */
	breaker_began(&b);
	assert_false(breaker_may(&b, NOW + MINUTE));
	assert_false(breaker_may(&b, NOW + DAY));
}

static void a_good_probe_closes_it_and_says_so_once(void **state)
{
	struct breaker b = down();
	(void)state;
	assert_true(breaker_may(&b, NOW + MINUTE));
	breaker_began(&b);
	assert_true(breaker_good(&b));
	assert_false(breaker_good(&b));
	assert_true(breaker_may(&b, NOW + MINUTE));
	assert_int_equal(b.failures, 0);
	assert_false(breaker_bad(&b, NOW + MINUTE)); /* counts from the start */
}

static void a_bad_probe_opens_it_again_without_a_second_alarm(void **state)
{
	struct breaker b = down();
	(void)state;
	assert_true(breaker_may(&b, NOW + MINUTE));
	breaker_began(&b);
	assert_false(breaker_bad(&b, NOW + 2 * MINUTE));
	assert_false(breaker_may(&b, NOW + 2 * MINUTE + 30 * SECOND - 1));
	assert_true(breaker_may(&b, NOW + 2 * MINUTE + 30 * SECOND));
	breaker_began(&b);
	assert_true(breaker_good(&b));
}

static void late_failures_do_not_prolong_the_pause(void **state)
{
	struct breaker b = down();
	(void)state;
	assert_false(breaker_bad(&b, NOW + 29 * SECOND));
	assert_true(breaker_may(&b, NOW + 30 * SECOND));
}

static void a_late_success_while_open_closes_it(void **state)
{
	struct breaker b = down();
	(void)state;
	assert_true(breaker_good(&b));
	assert_true(breaker_may(&b, NOW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		failures_in_a_row_open_it_and_a_success_between_does_not_let_them_add_up),
	    cmocka_unit_test(it_stays_open_for_its_pause),
	    cmocka_unit_test(half_open_lets_one_probe_through),
	    cmocka_unit_test(a_good_probe_closes_it_and_says_so_once),
	    cmocka_unit_test(a_bad_probe_opens_it_again_without_a_second_alarm),
	    cmocka_unit_test(late_failures_do_not_prolong_the_pause),
	    cmocka_unit_test(a_late_success_while_open_closes_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
