/* lane_test.c: deliveries to one target: order, limits, retries, pauses,
 * ends; on the real store and a virtual clock. */
#include "site_kit.h"

static const char *const HOOKS =
    "notifier.fake hooks { schedule = { 5s, 5m, 30m, 2h, 5h, 10h, 14h, 20h, 24h } jitter = 20 "
    "timeout = 15s concurrency = 4 }\n"
    "notifier.fake other { schedule = { 5s } jitter = 0 rate = \"2/s\" }\n"
    "notifier.fake rare { schedule = { 5s } jitter = 0 rate = \"10/h\" }\n";

static char site_text[8192];

static const char *config(void)
{
	snprintf(site_text, sizeof(site_text), "%s%s", KIT_FLOWS, HOOKS);
	return site_text;
}

static int setup(void **state)
{
	struct kit *k = xcalloc(1, sizeof(*k));
	kit_open(k, config());
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	kit_close(*state);
	free(*state);
	return 0;
}

static const char *subscribe(struct kit *k, const char *channel, const char *target,
			     const char *more)
{
	char json[512];
	snprintf(json, sizeof(json), "{\"channel\":\"%s\",\"target\":\"%s\",\"events\":[\"*\"]%s}",
		 channel, target, more);
	return kit_subscribe(k, json);
}

static void create(struct kit *k, const char *ref)
{
	assert_int_equal(kit_op(k, op_create("strict", ref, NULL))->result, OP_CREATED);
}

static void move(struct kit *k, const char *ref, const char *status)
{
	assert_int_equal(kit_op(k, op_status("strict", ref, status))->result, OP_CHANGED);
}

static size_t sent_to(const struct kit *k, const char *address)
{
	size_t n = 0;
	for (size_t i = 0; i < k->n_sent; i++)
		n += strcmp(k->sent[i].address, address) == 0;
	return n;
}

static int64_t misbehaved(const struct kit *k)
{
	return atomic_load(&k->notifiers[0]->misbehaved);
}

/* ---- retries ---- */

static void assert_schedule(const struct sent *s, size_t n)
{
	static const int64_t waits[] = {5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR,
					10 * HOUR,  14 * HOUR,  20 * HOUR,   24 * HOUR};
	assert_int_equal(n, 10);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(s[i].attempt, i + 1);
		assert_true(id_eq(s[i].id, s[0].id));
		assert_int_equal(s[i].seq, s[0].seq);
		if (i == 0)
			continue;
		int64_t wait = s[i].at - s[i - 1].at;
		if (wait < waits[i - 1] / 10 * 8 || wait > waits[i - 1] / 10 * 12)
			fail_msg("wait %zu is %lld s", i, (long long)(wait / SECOND));
	}
}

static void a_failing_target_is_tried_ten_times_and_then_it_is_dead(void **state)
{
	struct kit *k = *state;
	k->play['f'] = PLAY_RETRY;
	subscribe(k, "hooks", "fail", "");
	subscribe(k, "hooks", "watcher", "");
	create(k, "P1");
	kit_advance(k, 10 * DAY);
	struct sent mine[64];
	size_t n = 0;
	for (size_t i = 0; i < k->n_sent; i++)
		if (strcmp(k->sent[i].address, "fail") == 0)
			mine[n++] = k->sent[i];
	assert_schedule(mine, n);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DEAD), 1);
	assert_int_equal(kit_events(k, TXW_EV_DELIVERY_DEAD), 1);
	/* The other one is told of it; the dead one is not. */
	assert_int_equal(sent_to(k, "watcher"), 2);
	assert_int_equal(k->sent[k->n_sent - 1].type, TXW_EV_DELIVERY_DEAD);
}

static void the_schedule_goes_on_over_restarts(void **state)
{
	struct kit *k = *state;
	struct sent all[16];
	size_t n = 0;
	k->play['f'] = PLAY_RETRY;
	subscribe(k, "hooks", "fail", "");
	create(k, "P1");
	for (int i = 0; i < 40; i++) {
		kit_advance(k, i < 5 ? MINUTE : 3 * HOUR);
		for (size_t j = 0; j < k->n_sent; j++) {
			assert_true(n < COUNT(all));
			all[n++] = k->sent[j];
		}
		kit_reopen(k, config());
	}
	assert_schedule(all, n);
	kit_rest(k);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DEAD), 1);
}

static void a_target_s_own_wait_is_obeyed(void **state)
{
	struct kit *k = *state;
	k->play['f'] = PLAY_RETRY;
	k->after = 42 * MINUTE;
	subscribe(k, "hooks", "fail", "");
	create(k, "P1");
	kit_advance(k, HOUR);
	assert_int_equal(k->n_sent, 2);
	assert_int_equal(k->sent[1].at - k->sent[0].at, 42 * MINUTE);
}

static void a_send_that_returns_an_error_is_a_failure_to_retry(void **state)
{
	struct kit *k = *state;
	k->play['f'] = PLAY_ERROR;
	subscribe(k, "hooks", "fail", "");
	create(k, "P1");
	kit_advance(k, MINUTE);
	assert_int_equal(k->n_sent, 2);
	k->play['f'] = PLAY_OK;
	kit_advance(k, HOUR);
	assert_int_equal(k->n_sent, 3);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 1);
}

/* ---- ends ---- */

static void a_drop_is_dead_at_once_and_told(void **state)
{
	struct kit *k = *state;
	k->play['d'] = PLAY_DROP;
	subscribe(k, "hooks", "drop", "");
	create(k, "P1");
	kit_advance(k, 10 * DAY);
	assert_int_equal(k->n_sent, 1);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DEAD), 1);
	assert_int_equal(kit_events(k, TXW_EV_DELIVERY_DEAD), 1);
}

static void two_that_drop_everything_do_not_tell_each_other_for_ever(void **state)
{
	struct kit *k = *state;
	k->play['d'] = PLAY_DROP;
	subscribe(k, "hooks", "drop1", "");
	subscribe(k, "hooks", "drop2", "");
	create(k, "P1");
	kit_advance(k, DAY);
	assert_int_equal(k->n_sent, 4);
	assert_int_equal(kit_events(k, TXW_EV_DELIVERY_DEAD), 2);
}

static void one_that_is_gone_is_disabled_and_what_waits_is_parked(void **state)
{
	struct kit *k = *state;
	char id[64];
	snprintf(id, sizeof(id), "%s", subscribe(k, "hooks", "gone", ",\"concurrency\":1"));
	k->play['g'] = PLAY_HOLD;
	k->patience = 300 * MILLISECOND;
	for (int i = 0; i < 50; i++) {
		char ref[16];
		snprintf(ref, sizeof(ref), "P%d", i);
		create(k, ref);
	}
	for (int i = 0; i < 1000 && k->n_sent == 0; i++)
		kit_turn(k);
	assert_int_equal(k->n_sent, 1);
	assert_int_equal(kit_complete(k, k->sent[0].token, PLAY_GONE), TXW_OK);
	kit_rest(k);
	assert_int_equal(k->n_sent, 1);
	assert_int_equal(kit_deliveries(k, TXW_DLV_PARKED), 50);
	assert_int_equal(kit_events(k, TXW_EV_SUBSCRIPTION_DISABLED), 1);
	create(k, "later");
	kit_advance(k, DAY);
	assert_int_equal(k->n_sent, 1);
	assert_int_equal(kit_deliveries(k, TXW_DLV_PARKED), 51);
	k->play['g'] = PLAY_OK;
	kit_reopen(k, config()); /* it stays disabled */
	create(k, "even later");
	kit_advance(k, DAY);
	assert_int_equal(k->n_sent, 0);
	assert_int_equal(kit_deliveries(k, TXW_DLV_PARKED), 52);
	struct target *t = target_by_name(k->notify, STR_LIT("default"), str_of(id));
	assert_non_null(t);
	assert_true(atomic_load(&t->is_disabled));
}

static void one_that_fails_for_days_is_disabled(void **state)
{
	struct kit *k = *state;
	k->play['f'] = PLAY_RETRY;
	subscribe(k, "hooks", "fail", "");
	for (int i = 0; i < 6; i++) {
		char ref[16];
		snprintf(ref, sizeof(ref), "P%d", i);
		create(k, ref);
		kit_advance(k, DAY);
		if (kit_events(k, TXW_EV_SUBSCRIPTION_DISABLED) != (i < 5 ? 0 : 1))
			fail_msg("day %d", i);
	}
	assert_int_equal(kit_deliveries(k, TXW_DLV_PENDING), 0);
	assert_true(kit_deliveries(k, TXW_DLV_PARKED) > 0);
}

static void a_throttle_pauses_the_whole_target_and_no_other(void **state)
{
	struct kit *k = *state;
	subscribe(k, "hooks", "throttle", "");
	subscribe(k, "hooks", "fine", "");
	k->play['t'] = PLAY_THROTTLE;
	k->after = 120 * SECOND;
	create(k, "P1");
	kit_rest(k);
	assert_int_equal(sent_to(k, "throttle"), 1);
	k->play['t'] = PLAY_OK;
	for (int i = 0; i < 40; i++) {
		char ref[16];
		snprintf(ref, sizeof(ref), "Q%d", i);
		create(k, ref);
	}
	kit_advance(k, 120 * SECOND - 1);
	assert_int_equal(sent_to(k, "throttle"), 1);
	assert_int_equal(sent_to(k, "fine"), 41);
	kit_advance(k, 1);
	assert_int_equal(sent_to(k, "throttle"), 42);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 82);
}

static void a_pause_survives_a_restart(void **state)
{
	struct kit *k = *state;
	subscribe(k, "hooks", "throttle", "");
	k->play['t'] = PLAY_THROTTLE;
	k->after = HOUR;
	create(k, "P1");
	kit_rest(k);
	k->play['t'] = PLAY_OK;
	kit_reopen(k, config());
	create(k, "P2");
	kit_advance(k, HOUR - 1);
	assert_int_equal(k->n_sent, 0);
	kit_advance(k, 2);
	assert_int_equal(k->n_sent, 2);
}

/* ---- limits ---- */

static void no_more_than_its_concurrency_is_under_way(void **state)
{
	struct kit *k = *state;
	k->play['h'] = PLAY_HOLD;
	k->patience = 300 * MILLISECOND;
	subscribe(k, "hooks", "hold", "");
	for (int i = 0; i < 30; i++) {
		char ref[16];
		snprintf(ref, sizeof(ref), "P%d", i);
		create(k, ref);
	}
	kit_rest(k);
	assert_int_equal(k->in_hand, 4);
	for (size_t i = 0; i < 30; i++) {
		assert_true(i < k->n_sent);
		k->in_hand--;
		assert_int_equal(kit_complete(k, k->sent[i].token, PLAY_OK), TXW_OK);
		for (int j = 0; j < 1000 && k->n_sent <= i + 1 && i < 29; j++)
			kit_turn(k);
	}
	kit_rest(k);
	assert_int_equal(k->n_sent, 30);
	assert_int_equal(k->most_in_hand, 4);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 30);
}

static void a_rate_spreads_the_attempts(void **state)
{
	struct kit *k = *state;
	subscribe(k, "other", "rated", "");
	struct op ops[40];
	char refs[40][16];
	for (int i = 0; i < 40; i++) {
		snprintf(refs[i], sizeof(refs[i]), "P%d", i);
		ops[i] = op_create("strict", refs[i], NULL);
	}
	kit_batch(k, ops, 40, false);
	kit_advance(k, 9 * SECOND);
	assert_in_range(k->n_sent, 19, 21);
	kit_advance(k, HOUR);
	assert_int_equal(k->n_sent, 40);
	for (size_t i = 3; i < 40; i++)
		assert_true(k->sent[i].at - k->sent[i - 3].at >= SECOND);
}

static void a_slow_rate_outlasts_no_lease(void **state)
{
	struct kit *k = *state;
	struct op ops[60];
	char refs[60][16];
	subscribe(k, "rare", "slow", "");
	for (int i = 0; i < 60; i++) {
		snprintf(refs[i], sizeof(refs[i]), "P%d", i);
		ops[i] = op_create("strict", refs[i], NULL);
	}
	kit_batch(k, ops, 60, false);
	kit_advance(k, DAY);
	assert_int_equal(k->n_sent, 60);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 60);
}

static void one_that_never_answers_is_given_up_and_tried_again(void **state)
{
	struct kit *k = *state;
	k->play['h'] = PLAY_HOLD;
	k->patience = 300 * MILLISECOND;
	subscribe(k, "hooks", "hold", "");
	create(k, "P1");
	kit_advance(k, 10 * SECOND);
	assert_int_equal(k->n_cancelled, 0);
	kit_advance(k, 6 * SECOND);
	assert_int_equal(k->n_cancelled, 1);
	uint64_t late = k->sent[0].token;
	k->play['h'] = PLAY_OK;
	kit_advance(k, MINUTE);
	assert_int_equal(k->n_sent, 2);
	assert_in_range(k->sent[1].at, k->sent[0].at + 19 * SECOND, k->sent[0].at + 21 * SECOND);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 1);
	/* Its answer comes now: too late, counted, and nothing else. */
	assert_int_equal(kit_complete(k, late, PLAY_GONE), TXW_E_NOTFOUND);
	assert_int_equal(misbehaved(k), 1);
	assert_int_equal(kit_complete(k, late, PLAY_GONE), TXW_E_NOTFOUND);
	assert_int_equal(kit_complete(k, 0, PLAY_OK), TXW_E_NOTFOUND);
	assert_int_equal(misbehaved(k), 3);
	kit_rest(k);
	assert_int_equal(kit_events(k, TXW_EV_SUBSCRIPTION_DISABLED), 0);
}

static void a_second_completion_is_counted_and_ignored(void **state)
{
	struct kit *k = *state;
	k->play['h'] = PLAY_HOLD;
	k->patience = 300 * MILLISECOND;
	subscribe(k, "hooks", "hold", "");
	create(k, "P1");
	for (int i = 0; i < 1000 && k->n_sent == 0; i++)
		kit_turn(k);
	k->in_hand--;
	assert_int_equal(kit_complete(k, k->sent[0].token, PLAY_OK), TXW_OK);
	assert_int_equal(kit_complete(k, k->sent[0].token, PLAY_DROP), TXW_E_NOTFOUND);
	assert_int_equal(misbehaved(k), 1);
	kit_rest(k);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 1);
}

/* ---- order ---- */

static void an_ordered_target_gets_one_transaction_s_events_one_by_one(void **state)
{
	struct kit *k = *state;
	k->play['f'] = PLAY_RETRY;
	subscribe(k, "hooks", "fail", ",\"ordered\":true");
	create(k, "P1");
	move(k, "P1", "b");
	move(k, "P1", "c");
	create(k, "P2");
	kit_advance(k, 2 * SECOND);
	/* P1's first fails; its others wait; P2's does not wait for P1's. */
	assert_int_equal(k->n_sent, 2);
	assert_int_equal(kit_deliveries(k, TXW_DLV_BLOCKED), 2);
	k->play['f'] = PLAY_OK;
	kit_advance(k, MINUTE);
	assert_int_equal(kit_deliveries(k, TXW_DLV_BLOCKED), 0);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 4);
	int64_t next = 1;
	for (size_t i = 1; i < k->n_sent; i++)
		if (strcmp(k->sent[i].ref, "P1") == 0)
			assert_int_equal(k->sent[i].version, next++);
	assert_int_equal(next, 4);
}

static void a_dead_delivery_lets_the_next_one_go(void **state)
{
	struct kit *k = *state;
	k->play['d'] = PLAY_DROP;
	subscribe(k, "hooks", "drop", ",\"ordered\":true");
	create(k, "P1");
	move(k, "P1", "b");
	move(k, "P1", "a");
	kit_rest(k);
	assert_int_equal(k->n_sent, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(k->sent[i].version, i + 1);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DEAD), 3);
}

static void order_holds_over_a_flood_and_a_restart(void **state)
{
	struct kit *k = *state;
	enum { TXS = 20, MOVES = 60 };
	struct op ops[TXS * (MOVES + 1)];
	char refs[TXS][16];
	int64_t heard[TXS] = {0};
	size_t n = 0, total = 0;
	subscribe(k, "hooks", "orderly", ",\"ordered\":true");
	for (int m = 0; m <= MOVES; m++) {
		for (int i = 0; i < TXS; i++) {
			snprintf(refs[i], sizeof(refs[i]), "%d", i);
			ops[n++] = m ? op_status("strict", refs[i], m % 2 ? "b" : "a")
				     : op_create("strict", refs[i], NULL);
		}
	}
	kit_batch(k, ops, n, false);
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 30; i++)
			kit_turn(k);
		if (round == 3)
			kit_rest(k);
		size_t upto = k->n_sent;
		for (size_t i = 0; i < upto; i++) {
			int tx = (int)strtol(k->sent[i].ref, NULL, 10);
			/* A restart may repeat the last one, never skip. */
			assert_true(k->sent[i].version <= heard[tx] + 1);
			if (k->sent[i].version == heard[tx] + 1)
				heard[tx]++;
		}
		total += upto;
		if (round < 3)
			kit_reopen(k, config());
	}
	for (int i = 0; i < TXS; i++)
		assert_int_equal(heard[i], MOVES + 1);
	assert_true(total >= n);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), n);
	assert_int_equal(kit_deliveries(k, TXW_ANY_STATE), n);
}

/* ---- deletion ---- */

static void on_deleted(struct sub_request *r)
{
	*(bool *)r->ctx = true;
}

static void remove_sub(struct kit *k, const char *id)
{
	bool done = false;
	struct sub_request *r = xcalloc(1, sizeof(*r));
	r->notify = k->notify;
	r->what = SUB_DELETE;
	r->tenant = STR_LIT("default");
	r->id = arena_str(&r->arena, str_of(id));
	r->done = on_deleted;
	r->ctx = &done;
	assert_int_equal(sub_submit(r), TXW_PENDING);
	while (!done)
		kit_turn(k);
	assert_int_equal(r->job.rc, 0);
	sub_request_free(r);
}

static void a_deleted_subscription_holds_nothing_any_more(void **state)
{
	struct kit *k = *state;
	char id[64];
	k->play['h'] = PLAY_HOLD;
	k->patience = 300 * MILLISECOND;
	snprintf(id, sizeof(id), "%s", subscribe(k, "hooks", "hold", ""));
	struct op ops[100];
	char refs[100][16];
	for (int i = 0; i < 100; i++) {
		snprintf(refs[i], sizeof(refs[i]), "P%d", i);
		ops[i] = op_create("strict", refs[i], NULL);
	}
	kit_batch(k, ops, 100, false);
	for (int i = 0; i < 1000 && k->n_sent < 4; i++)
		kit_turn(k);
	remove_sub(k, id);
	kit_advance(k, DAY);
	assert_int_equal(k->n_sent, 4);
	assert_int_equal(k->notify->n_held, 0);
	assert_int_equal(k->notify->in_flight, 0);
	assert_int_equal(kit_deliveries(k, TXW_DLV_SUPPRESSED), 100);
	assert_int_equal(kit_events(k, TXW_EV_SUBSCRIPTION_DISABLED), 0);
	kit_reopen(k, config());
	kit_advance(k, DAY);
	assert_int_equal(k->n_sent, 0);
	assert_int_equal(kit_deliveries(k, TXW_DLV_SUPPRESSED), 100);
}

/* ---- the store's trouble ---- */

static void verdicts_that_cannot_be_saved_stop_the_lanes_until_they_can(void **state)
{
	struct kit *k = *state;
	k->play['h'] = PLAY_HOLD;
	k->patience = 300 * MILLISECOND;
	subscribe(k, "hooks", "hold", "");
	for (int i = 0; i < 8; i++) {
		char ref[16];
		snprintf(ref, sizeof(ref), "P%d", i);
		create(k, ref);
	}
	for (int i = 0; i < 1000 && k->n_sent < 4; i++)
		kit_turn(k);
	kit_rest(k);
	kit_fail_commits(TXW_E_FULL);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(kit_complete(k, k->sent[i].token, PLAY_OK), TXW_OK);
	kit_advance(k, 5 * SECOND);
	size_t begun = k->n_sent;
	kit_advance(k, 5 * SECOND);
	assert_int_equal(k->n_sent, begun);
	assert_true(k->notify->is_stuck);
	k->play['h'] = PLAY_OK;
	kit_fail_commits(0);
	kit_advance(k, HOUR);
	assert_false(k->notify->is_stuck);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 8);
	assert_int_equal(kit_deliveries(k, TXW_ANY_STATE), 8);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_failing_target_is_tried_ten_times_and_then_it_is_dead),
	    T(the_schedule_goes_on_over_restarts),
	    T(a_target_s_own_wait_is_obeyed),
	    T(a_send_that_returns_an_error_is_a_failure_to_retry),
	    T(a_drop_is_dead_at_once_and_told),
	    T(two_that_drop_everything_do_not_tell_each_other_for_ever),
	    T(one_that_is_gone_is_disabled_and_what_waits_is_parked),
	    T(one_that_fails_for_days_is_disabled),
	    T(a_throttle_pauses_the_whole_target_and_no_other),
	    T(a_pause_survives_a_restart),
	    T(no_more_than_its_concurrency_is_under_way),
	    T(a_rate_spreads_the_attempts),
	    T(a_slow_rate_outlasts_no_lease),
	    T(one_that_never_answers_is_given_up_and_tried_again),
	    T(a_second_completion_is_counted_and_ignored),
	    T(an_ordered_target_gets_one_transaction_s_events_one_by_one),
	    T(a_dead_delivery_lets_the_next_one_go),
	    T(order_holds_over_a_flood_and_a_restart),
	    T(a_deleted_subscription_holds_nothing_any_more),
	    T(verdicts_that_cannot_be_saved_stop_the_lanes_until_they_can),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
