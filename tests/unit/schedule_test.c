/* schedule_test.c: when a transaction is looked at next. */
#include "unit.h"

#include "base/clock.h"
#include "base/str.h"
#include "engine/schedule.h"

#define NOW (INT64_C(1790000000) * SECOND)

static const struct flow_state STATES[] = {
    {.name = STR_LIT("pending"), .expires = HOUR, .expires_to = 3},
    {.name = STR_LIT("slow"),
     .expires_to = 3,
     .cadence = {.every = MINUTE,
		 .slow_to = 10 * MINUTE,
		 .first_after = 7 * SECOND,
		 .multiplier_milli = 2000}},
    {.name = STR_LIT("done"), .outcome = TXW_SUCCESS, .expires_to = 3},
    {.name = STR_LIT("late"), .outcome = TXW_EXPIRED, .expires_to = 3},
};
static struct flow FLOW = {
    .name = STR_LIT("f"), .n_states = 4, .states = STATES, .expired = 3, .ttl = DAY};

static struct flow_entry entry(int64_t every, int64_t slow_to, int64_t multiplier)
{
	return (struct flow_entry){
	    .flow = &FLOW,
	    .is_polled = true,
	    .cadence = {.every = every, .slow_to = slow_to, .multiplier_milli = multiplier},
	};
}

static txw_tx row(const char *status, int64_t polls)
{
	return (txw_tx){.size = sizeof(txw_tx),
			.id = {1, (uint64_t)polls * 7919},
			.status = str_of(status),
			.polls = polls,
			.version = 1,
			.created_at = NOW,
			.status_since = NOW};
}

static int64_t interval(const struct flow_entry *e, const char *status, int64_t polls)
{
	txw_tx tx = row(status, polls);
	return schedule_interval(e, &tx);
}

static void intervals_grow_by_the_multiplier_up_to_the_cap(void **state)
{
	struct flow_entry e = entry(5 * SECOND, MINUTE, 1500);
	(void)state;
	assert_int_equal(interval(&e, "pending", 0), 5 * SECOND);
	assert_int_equal(interval(&e, "pending", 1), 7500 * MILLISECOND);
	assert_int_equal(interval(&e, "pending", 2), 11250 * MILLISECOND);
	int64_t last = 0;
	for (int64_t n = 0; n < 100; n++) {
		int64_t v = interval(&e, "pending", n);
		assert_true(v >= last && v <= MINUTE);
		last = v;
	}
	assert_int_equal(last, MINUTE);
	assert_int_equal(interval(&e, "pending", INT64_MAX), MINUTE);
}

static void without_a_cap_or_growth_the_interval_stays(void **state)
{
	struct flow_entry e = entry(5 * SECOND, 0, 1500);
	(void)state;
	assert_int_equal(interval(&e, "pending", 50), 5 * SECOND);
	e = entry(5 * SECOND, MINUTE, 1000);
	assert_int_equal(interval(&e, "pending", INT64_MAX), 5 * SECOND);
	e = entry(5 * SECOND, MINUTE, 0);
	assert_int_equal(interval(&e, "pending", 50), 5 * SECOND);
	e = entry(5 * SECOND, SECOND, 1500); /* a cap below the start */
	assert_int_equal(interval(&e, "pending", 50), 5 * SECOND);
}

static void a_state_s_own_cadence_wins(void **state)
{
	struct flow_entry e = entry(5 * SECOND, 5 * MINUTE, 1500);
	(void)state;
	assert_int_equal(interval(&e, "slow", 0), MINUTE);
	assert_int_equal(interval(&e, "slow", 1), 2 * MINUTE);
	assert_int_equal(interval(&e, "slow", 20), 10 * MINUTE);
	/* A state that the flow no longer has: the poller's. */
	assert_int_equal(interval(&e, "gone", 0), 5 * SECOND);
	e.is_polled = false;
	assert_int_equal(interval(&e, "slow", 0), 0);
}

static void the_first_look_comes_after_first_after(void **state)
{
	struct flow_entry e = entry(5 * SECOND, 0, 1500);
	txw_tx tx = row("slow", 0);
	(void)state;
	schedule_next(&e, &tx, NOW, 1);
	assert_int_equal(tx.next_poll_at, NOW + 7 * SECOND);
	assert_int_equal(tx.due_at, NOW + 7 * SECOND);
	tx = row("pending", 0);
	schedule_next(&e, &tx, NOW, 1);
	assert_int_equal(tx.next_poll_at, NOW);
}

static void jitter_stays_within_its_bounds_and_uses_them(void **state)
{
	struct flow_entry e = entry(100 * SECOND, 0, 1000);
	int64_t least = INT64_MAX, most = 0;
	(void)state;
	e.jitter_milli = 100;
	for (int64_t n = 0; n < 5000; n++) {
		txw_tx tx = row("pending", n);
		schedule_next(&e, &tx, NOW, 0);
		int64_t wait = tx.next_poll_at - NOW;
		assert_in_range(wait, 90 * SECOND, 110 * SECOND);
		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
		txw_tx same = row("pending", n);
		schedule_next(&e, &same, NOW, 0);
		assert_int_equal(same.next_poll_at, tx.next_poll_at);
	}
	assert_true(least < 91 * SECOND);
	assert_true(most > 109 * SECOND);
}

static void what_is_paused_finished_or_not_polled_is_not_looked_at(void **state)
{
	struct flow_entry e = entry(5 * SECOND, 0, 1500);
	txw_tx tx = row("pending", 0);
	(void)state;
	tx.paused = 1;
	tx.expires_at = NOW + HOUR;
	schedule_next(&e, &tx, NOW, 0);
	assert_int_equal(tx.next_poll_at, 0);
	assert_int_equal(tx.due_at, 0);
	tx = row("done", 0);
	tx.outcome = TXW_SUCCESS;
	tx.expires_at = NOW + HOUR;
	schedule_next(&e, &tx, NOW, 0);
	assert_int_equal(tx.next_poll_at, 0);
	assert_int_equal(tx.due_at, 0);
	e.is_polled = false;
	tx = row("pending", 0);
	schedule_next(&e, &tx, NOW, 0);
	assert_int_equal(tx.due_at, 0);
	tx.expires_at = NOW + HOUR; /* but its deadline is kept */
	schedule_next(&e, &tx, NOW, 0);
	assert_int_equal(tx.due_at, NOW + HOUR);
}

static void due_is_the_earlier_of_poll_and_deadline(void **state)
{
	struct flow_entry e = entry(0, 0, 0);
	txw_tx tx = row("pending", 0);
	(void)state;
	tx.next_poll_at = NOW + 5;
	tx.expires_at = NOW + 6;
	schedule_due(&e, &tx);
	assert_int_equal(tx.due_at, NOW + 5);
	tx.expires_at = NOW + 4;
	schedule_due(&e, &tx);
	assert_int_equal(tx.due_at, NOW + 4);
	tx.next_poll_at = 0;
	schedule_due(&e, &tx);
	assert_int_equal(tx.due_at, NOW + 4);
	tx.expires_at = 0;
	schedule_due(&e, &tx);
	assert_int_equal(tx.due_at, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(intervals_grow_by_the_multiplier_up_to_the_cap),
	    cmocka_unit_test(without_a_cap_or_growth_the_interval_stays),
	    cmocka_unit_test(a_state_s_own_cadence_wins),
	    cmocka_unit_test(the_first_look_comes_after_first_after),
	    cmocka_unit_test(jitter_stays_within_its_bounds_and_uses_them),
	    cmocka_unit_test(what_is_paused_finished_or_not_polled_is_not_looked_at),
	    cmocka_unit_test(due_is_the_earlier_of_poll_and_deadline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
