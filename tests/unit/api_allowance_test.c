/* api_allowance_test.c: what a token has left, on times of the test's own. */
#include "unit.h"

#include <stdio.h>

#include "api/allowance.h"
#include "base/clock.h"
#include "base/str.h"

#define NOW (INT64_C(1790000000) * SECOND)
#define ME  STR_LIT("default"), STR_LIT("me")

static void a_period_s_worth_at_once_and_then_the_wait_is_told(void **state)
{
	(void)state;
	struct allowances *a = allowances_open(STR_LIT("600/m"));
	struct allowance one;
	for (int i = 0; i < 600; i++) {
		allowance_take(a, ME, NOW, &one);
		assert_int_equal(one.wait, 0);
		assert_int_equal(one.left, 599 - i);
	}
	assert_int_equal(one.reset, 60);
	allowance_take(a, ME, NOW, &one);
	assert_int_equal(one.wait, 1); /* 100 ms, in whole seconds */
	assert_int_equal(one.left, 0);
	allowance_take(a, ME, NOW + 100 * MILLISECOND, &one);
	assert_int_equal(one.wait, 0);
	allowance_take(a, ME, NOW + 100 * MILLISECOND, &one);
	assert_int_equal(one.wait, 1);
	/* A period of rest later it is full again. */
	allowance_take(a, ME, NOW + 2 * MINUTE, &one);
	assert_int_equal(one.left, 599);
	assert_int_equal(one.reset, 1);
	allowances_close(a);
}

static void one_of_an_hour_waits_for_it(void **state)
{
	(void)state;
	struct allowances *a = allowances_open(STR_LIT("1/h"));
	struct allowance one;
	allowance_take(a, ME, NOW, &one);
	assert_int_equal(one.wait, 0);
	assert_int_equal(one.left, 0);
	allowance_take(a, ME, NOW + MINUTE, &one);
	assert_int_equal(one.wait, 59 * 60);
	allowance_take(a, ME, NOW + HOUR, &one);
	assert_int_equal(one.wait, 0);
	allowances_close(a);
}

static void tokens_and_tenants_have_buckets_of_their_own(void **state)
{
	(void)state;
	struct allowances *a = allowances_open(STR_LIT("1/s"));
	struct allowance one;
	allowance_take(a, ME, NOW, &one);
	assert_int_equal(one.wait, 0);
	allowance_take(a, ME, NOW, &one);
	assert_int_equal(one.wait, 1);
	allowance_take(a, STR_LIT("default"), STR_LIT("you"), NOW, &one);
	assert_int_equal(one.wait, 0);
	allowance_take(a, STR_LIT("other"), STR_LIT("me"), NOW, &one);
	assert_int_equal(one.wait, 0);
	allowances_close(a);
}

static void more_tokens_than_places_lock_nobody_out(void **state)
{
	(void)state;
	struct allowances *a = allowances_open(STR_LIT("1/s"));
	struct allowance one;
	for (int i = 0; i < 20000; i++) {
		char name[32];
		snprintf(name, sizeof(name), "token-%d", i);
		allowance_take(a, STR_LIT("default"), str_of(name), NOW + i, &one);
		assert_int_equal(one.wait, 0);
	}
	allowances_close(a);
}

static void what_is_no_rate_makes_none(void **state)
{
	(void)state;
	assert_null(allowances_open(STR_LIT("")));
	assert_null(allowances_open(STR_LIT("fast")));
	assert_null(allowances_open(STR_LIT("0/s")));
	allowances_close(NULL);
}

static void the_fields_are_structured(void **state)
{
	(void)state;
	char text[ALLOWANCE_TEXT_MAX];
	struct allowances *a = allowances_open(STR_LIT("100/m"));
	struct allowance one;
	allowance_policy(a, text);
	assert_string_equal(text, "\"token\";q=100;w=60");
	allowance_take(a, ME, NOW, &one);
	allowance_print(&one, text);
	assert_string_equal(text, "\"token\";r=99;t=1");
	allowances_close(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_period_s_worth_at_once_and_then_the_wait_is_told),
	    cmocka_unit_test(one_of_an_hour_waits_for_it),
	    cmocka_unit_test(tokens_and_tenants_have_buckets_of_their_own),
	    cmocka_unit_test(more_tokens_than_places_lock_nobody_out),
	    cmocka_unit_test(what_is_no_rate_makes_none),
	    cmocka_unit_test(the_fields_are_structured),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
