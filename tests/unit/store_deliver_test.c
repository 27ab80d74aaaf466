/*
 * store_deliver_test.c: the suite every store passes: targets, deliveries,
 * claims and attempts.
 */
#include "store_kit.h"

#include <string.h>

/* A target, and a transaction with three events. */
struct scene {
	txw_target target;
	txw_tx *tx;
	txw_delivery_row rows[8];
	size_t n;
};

static struct scene begin_scene(struct kit *k)
{
	struct scene s = {.target = {.size = sizeof(txw_target),
				     .tenant = STR_LIT("default"),
				     .name = STR_LIT("sub_1")},
			  .tx = kit_tx(k, "A")};
	BEGIN();
	OK(k->v->put_target(k->self, &s.target, &k->err));
	for (int i = 0; i < 3; i++)
		kit_change(k, s.tx, "x");
	return s;
}

static int64_t deliver(struct kit *k, struct scene *s, int64_t seq, uint32_t state, txw_time due,
		       uint32_t ordered)
{
	txw_delivery_row *row = &s->rows[s->n++];
	*row = (txw_delivery_row){.size = sizeof(*row),
				  .state = state,
				  .target = s->target.key,
				  .seq = seq,
				  .tx = s->tx->key,
				  .tenant = STR_LIT("default"),
				  .ordered = ordered,
				  .due_at = due,
				  .created_at = KIT_NOW};
	OK(k->v->put_deliveries(k->self, &row, 1, &k->err));
	assert_true(row->key > 0);
	return row->key;
}

static void claim(struct kit *k, struct scene *s, txw_time now, txw_time until, uint32_t limit)
{
	bag_empty(k);
	OK(k->v->claim(k->self, s->target.key, now, until, limit, bag_delivery, k, &k->err));
}

static txw_time target_due(struct kit *k, struct scene *s)
{
	txw_time due;
	OK(k->v->target_due(k->self, s->target.key, &due, &k->err));
	return due;
}

static size_t list(struct kit *k, txw_delivery_query q, uint32_t with_event)
{
	q.size = sizeof(q);
	q.limit = q.limit ? q.limit : 100;
	bag_empty(k);
	OK(k->v->list_deliveries(k->reader, &q, with_event, bag_delivery, k, &k->err));
	return k->n;
}

static void a_target_is_kept_and_its_name_is_unique_in_its_tenant(void **state)
{
	struct kit *k = *state;
	txw_target a = {.size = sizeof(a), .tenant = STR_LIT("t"), .name = STR_LIT("mail:a@b")};
	BEGIN();
	OK(k->v->put_target(k->self, &a, &k->err));
	a.disabled = 1;
	a.reason = STR_LIT("gone");
	a.paused_until = KIT_NOW;
	a.failing_since = KIT_NOW - 1;
	a.failures = 4;
	OK(k->v->put_target(k->self, &a, &k->err));
	txw_target other = {.size = sizeof(a), .tenant = STR_LIT("u"), .name = a.name};
	OK(k->v->put_target(k->self, &other, &k->err));
	COMMIT();
	bag_empty(k);
	OK(k->v->list_targets(k->reader, bag_target, k, &k->err));
	assert_int_equal(2, k->n);
	const txw_target *t = &k->targets[0];
	assert_int_equal(a.key, t->key);
	assert_str(t->tenant, "t");
	assert_str(t->name, "mail:a@b");
	assert_str(t->reason, "gone");
	assert_int_equal(1, t->disabled);
	assert_int_equal(KIT_NOW, t->paused_until);
	assert_int_equal(KIT_NOW - 1, t->failing_since);
	assert_int_equal(4, t->failures);
	assert_int_equal(0, k->first_due[0]);
	BEGIN();
	txw_target twin = {.size = sizeof(a), .tenant = STR_LIT("t"), .name = a.name};
	REFUSED(TXW_E_EXISTS, k->v->put_target(k->self, &twin, &k->err));
	assert_non_null(strstr(k->text, "mail:a@b"));
	ROLLBACK();
	BEGIN();
	twin.key = 99;
	REFUSED(TXW_E_NOTFOUND, k->v->put_target(k->self, &twin, &k->err));
	ROLLBACK();
}

static void a_claim_takes_what_is_due_and_leases_it(void **state)
{
	struct kit *k = *state;
	struct scene s = begin_scene(k);
	int64_t late = deliver(k, &s, 1, TXW_DLV_PENDING, KIT_NOW + 2, 0);
	int64_t early = deliver(k, &s, 2, TXW_DLV_PENDING, KIT_NOW + 1, 0);
	deliver(k, &s, 3, TXW_DLV_PENDING, KIT_NOW + 50, 0); /* not yet */
	COMMIT();
	BEGIN();
	assert_int_equal(KIT_NOW + 1, target_due(k, &s));
	claim(k, &s, KIT_NOW + 10, KIT_NOW + 100, 10);
	assert_int_equal(2, k->n);
	assert_int_equal(early, k->deliveries[0].key);
	assert_int_equal(late, k->deliveries[1].key);
	assert_int_equal(2, k->events[0]->seq);
	assert_int_equal(s.tx->key, k->events[0]->tx->key);
	assert_str(k->events[0]->tx->ref, "A");
	assert_str(k->targets[0].name, "sub_1");
	claim(k, &s, KIT_NOW + 10, KIT_NOW + 100, 10);
	assert_int_equal(0, k->n);
	assert_int_equal(KIT_NOW + 50, target_due(k, &s));
	COMMIT();
	assert_int_equal(2, list(k, (txw_delivery_query){.state = TXW_DLV_SENDING}, 0));
	assert_int_equal(KIT_NOW + 100, k->deliveries[0].due_at);
	BEGIN(); /* the lease is over */
	claim(k, &s, KIT_NOW + 100, KIT_NOW + 200, 2);
	assert_int_equal(2, k->n);
	assert_int_equal(early, k->deliveries[0].key);
	ROLLBACK();
	BEGIN(); /* and a rolled back claim is none */
	claim(k, &s, KIT_NOW + 100, KIT_NOW + 200, 10);
	assert_int_equal(3, k->n);
	COMMIT();
}

static void a_claim_of_another_target_takes_nothing(void **state)
{
	struct kit *k = *state;
	struct scene s = begin_scene(k);
	txw_target other = {.size = sizeof(other), .tenant = STR_LIT("t"), .name = STR_LIT("o")};
	OK(k->v->put_target(k->self, &other, &k->err));
	deliver(k, &s, 1, TXW_DLV_PENDING, KIT_NOW, 0);
	bag_empty(k);
	OK(k->v->claim(k->self, other.key, KIT_NOW, KIT_NOW, 5, bag_delivery, k, &k->err));
	assert_int_equal(0, k->n);
	REFUSED(TXW_E_NOTFOUND,
		k->v->claim(k->self, 99, KIT_NOW, KIT_NOW, 5, bag_delivery, k, &k->err));
	ROLLBACK();
}

static void a_restart_releases_what_was_being_sent(void **state)
{
	struct kit *k = *state;
	struct scene s = begin_scene(k);
	deliver(k, &s, 1, TXW_DLV_PENDING, KIT_NOW, 0);
	deliver(k, &s, 2, TXW_DLV_DELIVERED, 0, 0);
	deliver(k, &s, 3, TXW_DLV_PENDING, KIT_NOW + 900, 0);
	claim(k, &s, KIT_NOW, KIT_NOW + 500, 5);
	COMMIT();
	kit_reopen(k);
	BEGIN();
	OK(k->v->release(k->self, KIT_NOW + 7, &k->err));
	assert_int_equal(KIT_NOW + 7, target_due(k, &s));
	COMMIT();
	assert_int_equal(0, list(k, (txw_delivery_query){.state = TXW_DLV_SENDING}, 0));
	assert_int_equal(2, list(k, (txw_delivery_query){.state = TXW_DLV_PENDING}, 0));
	assert_int_equal(KIT_NOW + 900, k->deliveries[0].due_at);
	bag_empty(k);
	OK(k->v->list_targets(k->reader, bag_target, k, &k->err));
	assert_int_equal(KIT_NOW + 7, k->first_due[0]);
}

static void an_ordered_target_gets_one_after_the_other(void **state)
{
	struct kit *k = *state;
	struct scene s = begin_scene(k);
	int64_t key = s.tx->key, to = s.target.key;
	assert_int_equal(0, OK(k->v->waiting(k->self, to, key, &k->err)));
	deliver(k, &s, 1, TXW_DLV_PENDING, KIT_NOW, 1);
	assert_int_equal(1, OK(k->v->waiting(k->self, to, key, &k->err)));
	assert_int_equal(0, OK(k->v->waiting(k->self, to, key + 1, &k->err)));
	int64_t second = deliver(k, &s, 2, TXW_DLV_BLOCKED, 0, 1);
	int64_t third = deliver(k, &s, 3, TXW_DLV_BLOCKED, 0, 1);
	claim(k, &s, KIT_NOW, KIT_NOW + 9, 10);
	assert_int_equal(1, k->n);
	assert_int_equal(1, OK(k->v->waiting(k->self, to, key, &k->err)));
	txw_delivery_row done = k->deliveries[0];
	done.state = TXW_DLV_DELIVERED;
	const txw_delivery_row *row = &done;
	OK(k->v->settle(k->self, &row, 1, NULL, 0, &k->err));
	assert_int_equal(1, OK(k->v->unblock(k->self, to, key, KIT_NOW, &k->err)));
	claim(k, &s, KIT_NOW, KIT_NOW + 9, 10);
	assert_int_equal(1, k->n);
	assert_int_equal(second, k->deliveries[0].key);
	assert_int_equal(1, OK(k->v->unblock(k->self, to, key, KIT_NOW, &k->err)));
	assert_int_equal(0, OK(k->v->unblock(k->self, to, key, KIT_NOW, &k->err)));
	claim(k, &s, KIT_NOW, KIT_NOW + 9, 10);
	assert_int_equal(third, k->deliveries[0].key);
	COMMIT();
}

static void a_verdict_and_its_attempt_are_kept(void **state)
{
	struct kit *k = *state;
	struct scene s = begin_scene(k);
	int64_t key = deliver(k, &s, 1, TXW_DLV_PENDING, KIT_NOW, 0);
	txw_delivery_row after = s.rows[0];
	after.attempts = 2;
	after.due_at = KIT_NOW + 300;
	after.updated_at = KIT_NOW + 5;
	after.status = 503;
	after.reason = STR_LIT("busy");
	txw_attempt a = {.size = sizeof(a),
			 .n = 1,
			 .delivery = key,
			 .at = KIT_NOW + 1,
			 .verdict = TXW_VERDICT_RETRY,
			 .status = 503,
			 .took = 4,
			 .connect_took = 1,
			 .tls_took = 2,
			 .first_byte_took = 3,
			 .peer = STR_LIT("127.0.0.1:80"),
			 .reason = STR_LIT("busy"),
			 .response = STR_LIT("later")};
	txw_attempt b = a;
	b.n = 2;
	const txw_delivery_row *row = &after;
	const txw_attempt *attempts[] = {&a, &b};
	OK(k->v->settle(k->self, &row, 1, attempts, 2, &k->err));
	COMMIT();
	assert_int_equal(1, list(k, (txw_delivery_query){.state = TXW_ANY_STATE, .key = key}, 1));
	const txw_delivery_row *d = &k->deliveries[0];
	assert_int_equal(2, d->attempts);
	assert_int_equal(KIT_NOW + 300, d->due_at);
	assert_int_equal(KIT_NOW + 5, d->updated_at);
	assert_int_equal(KIT_NOW, d->created_at);
	assert_int_equal(503, d->status);
	assert_str(d->reason, "busy");
	assert_str(d->tenant, "default");
	assert_int_equal(1, k->events[0]->seq);
	bag_empty(k);
	OK(k->v->list_attempts(k->reader, key, bag_attempt, k, &k->err));
	assert_int_equal(2, k->n);
	const txw_attempt *got = &k->attempts[0];
	assert_int_equal(1, got->n);
	assert_int_equal(key, got->delivery);
	assert_int_equal(KIT_NOW + 1, got->at);
	assert_int_equal(TXW_VERDICT_RETRY, got->verdict);
	assert_int_equal(503, got->status);
	assert_int_equal(4, got->took);
	assert_int_equal(1, got->connect_took);
	assert_int_equal(2, got->tls_took);
	assert_int_equal(3, got->first_byte_took);
	assert_str(got->peer, "127.0.0.1:80");
	assert_str(got->reason, "busy");
	assert_str(got->response, "later");
	BEGIN();
	after.key = 99;
	REFUSED(TXW_E_NOTFOUND, k->v->settle(k->self, &row, 1, NULL, 0, &k->err));
	ROLLBACK();
}

static void what_is_sent_again_keeps_its_transactions_order(void **state)
{
	struct kit *k = *state;
	struct scene s = begin_scene(k);
	int64_t to = s.target.key;
	int64_t first = deliver(k, &s, 1, TXW_DLV_PARKED, 0, 1);
	int64_t second = deliver(k, &s, 2, TXW_DLV_PARKED, 0, 1);
	int64_t third = deliver(k, &s, 3, TXW_DLV_DEAD, 0, 1);
	COMMIT();
	BEGIN();
	assert_int_equal(1, OK(k->v->resend(k->self, to, third, KIT_NOW, &k->err)));
	assert_int_equal(
	    2, OK(k->v->move(k->self, to, TXW_DLV_PARKED, TXW_DLV_PENDING, KIT_NOW, 9, &k->err)));
	COMMIT();
	assert_int_equal(1, list(k, (txw_delivery_query){.state = TXW_DLV_PENDING}, 0));
	assert_int_equal(first, k->deliveries[0].key);
	assert_int_equal(2, list(k, (txw_delivery_query){.state = TXW_DLV_BLOCKED}, 0));
	assert_int_equal(second, k->deliveries[1].key);
	BEGIN(); /* one that waits for its turn, or is under way, stays as it is */
	assert_int_equal(0, OK(k->v->resend(k->self, to, second, KIT_NOW, &k->err)));
	claim(k, &s, KIT_NOW, KIT_NOW + 100, 9);
	assert_int_equal(1, k->n);
	assert_int_equal(0, OK(k->v->resend(k->self, to, first, KIT_NOW, &k->err)));
	assert_int_equal(0, OK(k->v->resend(k->self, to + 1, third, KIT_NOW, &k->err)));
	ROLLBACK();
}

static void deliveries_move_oldest_first_from_state_to_state(void **state)
{
	struct kit *k = *state;
	struct scene s = begin_scene(k);
	int64_t to = s.target.key;
	int64_t first = deliver(k, &s, 1, TXW_DLV_PENDING, KIT_NOW + 9, 1);
	int64_t second = deliver(k, &s, 2, TXW_DLV_PENDING, KIT_NOW, 1);
	int64_t third = deliver(k, &s, 3, TXW_DLV_PENDING, KIT_NOW, 1);
	uint32_t from = TXW_DLV_PENDING;
	static const uint32_t ROUND[] = {TXW_DLV_PARKED,  TXW_DLV_BLOCKED,    TXW_DLV_DEAD,
					 TXW_DLV_SENDING, TXW_DLV_SUPPRESSED, TXW_DLV_DELIVERED};
	COMMIT();
	for (size_t i = 0; i < sizeof(ROUND) / sizeof(ROUND[0]); i++) {
		txw_time due = KIT_NOW + (txw_time)i + 1;
		BEGIN();
		assert_int_equal(2, OK(k->v->move(k->self, to, from, ROUND[i], due, 2, &k->err)));
		COMMIT();
		assert_int_equal(2, list(k, (txw_delivery_query){.state = ROUND[i]}, 0));
		assert_int_equal(second, k->deliveries[0].key);
		assert_int_equal(first, k->deliveries[1].key);
		assert_int_equal(due, k->deliveries[0].due_at);
		BEGIN();
		assert_int_equal(1, OK(k->v->move(k->self, to, from, ROUND[i], due, 2, &k->err)));
		assert_int_equal(0, OK(k->v->move(k->self, to, from, ROUND[i], due, 2, &k->err)));
		COMMIT();
		from = ROUND[i];
	}
	assert_true(third > second);
	BEGIN();
	REFUSED(TXW_E_INVALID, k->v->move(k->self, to, 77, 0, 0, 2, &k->err));
	ROLLBACK();
}

static void deliveries_are_listed_by_what_is_asked(void **state)
{
	struct kit *k = *state;
	struct scene s = begin_scene(k);
	txw_tx *other = kit_tx(k, "B");
	txw_target second = {.size = sizeof(second), .tenant = STR_LIT("t"), .name = STR_LIT("o")};
	OK(k->v->put_target(k->self, &second, &k->err));
	kit_change(k, other, "x"); /* seq 4 */
	int64_t a = deliver(k, &s, 1, TXW_DLV_PENDING, KIT_NOW, 0);
	int64_t b = deliver(k, &s, 3, TXW_DLV_DEAD, 0, 0);
	struct scene elsewhere = {.target = second, .tx = other};
	elsewhere.target.key = second.key;
	int64_t c = deliver(k, &elsewhere, 4, TXW_DLV_DEAD, 0, 0);
	/* A replay: an older event in a younger delivery. */
	int64_t d = deliver(k, &s, 1, TXW_DLV_DEAD, 0, 0);
	COMMIT();
	const struct {
		txw_delivery_query q;
		size_t n;
		int64_t newest;
	} CASES[] = {
	    {{.state = TXW_ANY_STATE}, 4, d},
	    {{.state = TXW_DLV_DEAD}, 3, d},
	    {{.state = TXW_ANY_STATE, .target = second.key}, 1, c},
	    {{.state = TXW_DLV_DEAD, .target = s.target.key}, 2, d},
	    {{.state = TXW_ANY_STATE, .tx = s.tx->key}, 3, d},
	    {{.state = TXW_DLV_DEAD, .tx = s.tx->key, .after = d}, 1, b},
	    {{.state = TXW_ANY_STATE, .tx = s.tx->key, .target = second.key}, 0, 0},
	    {{.state = TXW_ANY_STATE, .tx = other->key}, 1, c},
	    {{.state = TXW_ANY_STATE, .key = a}, 1, a},
	    {{.state = TXW_ANY_STATE, .after = c}, 2, b},
	    {{.state = TXW_ANY_STATE, .limit = 1}, 1, d},
	    {{.state = TXW_ANY_STATE, .tenant = STR_LIT("default")}, 4, d},
	    {{.state = TXW_ANY_STATE, .tenant = STR_LIT("nobody")}, 0, 0},
	};
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		assert_int_equal(CASES[i].n, list(k, CASES[i].q, 0));
		if (k->n)
			assert_int_equal(CASES[i].newest, k->deliveries[0].key);
		if (k->n)
			assert_null(k->events[0]);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_target_is_kept_and_its_name_is_unique_in_its_tenant),
	    CASE(a_claim_takes_what_is_due_and_leases_it),
	    CASE(a_claim_of_another_target_takes_nothing),
	    CASE(a_restart_releases_what_was_being_sent),
	    CASE(an_ordered_target_gets_one_after_the_other),
	    CASE(a_verdict_and_its_attempt_are_kept),
	    CASE(what_is_sent_again_keeps_its_transactions_order),
	    CASE(deliveries_move_oldest_first_from_state_to_state),
	    CASE(deliveries_are_listed_by_what_is_asked),
	};
	return cmocka_run_group_tests_name("store deliveries", tests, NULL, NULL);
}
