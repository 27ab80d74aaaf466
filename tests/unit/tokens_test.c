/* tokens_test.c: single-use numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>

#include "plugin/tokens.h"

#define MANY 10000

static void a_token_gives_its_thing_back(void **state)
{
	struct tokens *t = tokens_open();
	int thing;

	(void)state;
	uint64_t token = tokens_issue(t, &thing);
	assert_true(token != 0);
	assert_int_equal(tokens_pending(t), 1);
	assert_ptr_equal(tokens_take(t, token), &thing);
	assert_int_equal(tokens_pending(t), 0);
	tokens_close(t);
}

static void a_second_completion_finds_nothing(void **state)
{
	struct tokens *t = tokens_open();
	int thing;

	(void)state;
	uint64_t token = tokens_issue(t, &thing);
	tokens_take(t, token);
	assert_null(tokens_take(t, token));
	assert_int_equal(tokens_pending(t), 0);
	tokens_close(t);
}

static void a_late_completion_does_not_hit_who_has_the_slot_now(void **state)
{
	struct tokens *t = tokens_open();
	int first, second;

	(void)state;
	uint64_t late = tokens_issue(t, &first);
	tokens_take(t, late);
	uint64_t now = tokens_issue(t, &second);
	assert_int_equal((uint32_t)late, (uint32_t)now); /* the slot is used again */
	assert_null(tokens_take(t, late));
	assert_ptr_equal(tokens_take(t, now), &second);
	tokens_close(t);
}

static void numbers_never_given_out_name_nothing(void **state)
{
	struct tokens *t = tokens_open();
	int thing;

	(void)state;
	assert_null(tokens_take(t, 0));
	assert_null(tokens_take(t, UINT64_MAX));
	uint64_t token = tokens_issue(t, &thing);
	assert_null(tokens_take(t, token + 1));                   /* another slot */
	assert_null(tokens_take(t, token + (UINT64_C(1) << 32))); /* another generation */
	assert_ptr_equal(tokens_take(t, token), &thing);
	tokens_close(t);
}

static void many_are_told_apart(void **state)
{
	static int things[MANY];
	static uint64_t token[MANY];
	struct tokens *t = tokens_open();

	(void)state;
	for (int i = 0; i < MANY; i++)
		token[i] = tokens_issue(t, &things[i]);
	assert_int_equal(tokens_pending(t), MANY);
	for (int i = MANY; i-- > 0;)
		assert_ptr_equal(tokens_take(t, token[i]), &things[i]);
	tokens_close(t);
}

struct racer {
	struct tokens *t;
	const uint64_t *token;
	size_t won;
};

static void *take_all(void *arg)
{
	struct racer *r = arg;

	for (int i = 0; i < MANY; i++)
		r->won += tokens_take(r->t, r->token[i]) != NULL;
	return NULL;
}

static void of_two_threads_that_complete_one_wins_each(void **state)
{
	static uint64_t token[MANY];
	struct tokens *t = tokens_open();
	struct racer a = {t, token, 0}, b = {t, token, 0};
	pthread_t thread;

	(void)state;
	for (int i = 0; i < MANY; i++)
		token[i] = tokens_issue(t, t);
	assert_int_equal(pthread_create(&thread, NULL, take_all, &a), 0);
	take_all(&b);
	pthread_join(thread, NULL);
	assert_int_equal(a.won + b.won, MANY);
	assert_int_equal(tokens_pending(t), 0);
	tokens_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_token_gives_its_thing_back),
	    cmocka_unit_test(a_second_completion_finds_nothing),
	    cmocka_unit_test(a_late_completion_does_not_hit_who_has_the_slot_now),
	    cmocka_unit_test(numbers_never_given_out_name_nothing),
	    cmocka_unit_test(many_are_told_apart),
	    cmocka_unit_test(of_two_threads_that_complete_one_wins_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
