/*
 * store_purge_test.c: the suite every store passes: what is purged, what is
 * kept, and what purged events leave.
 */
#include "store_kit.h"

#include <string.h>

static char digest[32], hash[32];

/* A transaction that finished at `at`, with three events; with evidence or
 * not. */
static txw_tx *finished(struct kit *k, const char *ref, txw_time at, bool with_evidence)
{
	txw_tx *tx = kit_tx(k, ref);
	tx->held = 0;
	for (int i = 0; i < 3; i++) {
		tx->outcome = i == 2 ? TXW_SUCCESS : TXW_OPEN;
		tx->finished_at = i == 2 ? at : 0;
		tx->version++;
		OK(k->v->save(k->self, &tx, 1, &k->err));
		txw_event *ev = kit_event(k, tx, "pending");
		ev->prev = tx->last_seq;
		ev->digest = with_evidence ? (txw_str){digest, 32} : STR_NONE;
		ev->hash = with_evidence ? (txw_str){hash, 32} : STR_NONE;
		ev->source_event_id = STR_NONE;
		OK(k->v->append(k->self, &ev, 1, &k->err));
		tx->last_seq = ev->seq;
	}
	return tx;
}

/* The log's newest event, which stays. */
static void end_log(struct kit *k)
{
	txw_tx *tx = kit_tx(k, "last");
	tx->outcome = TXW_OPEN;
	tx->finished_at = 0;
	kit_change(k, tx, "pending");
}

static txw_purge before(txw_time t)
{
	return (txw_purge){.size = sizeof(txw_purge), .limit = 100, .finished_before = t};
}

static txw_purged purge(struct kit *k, txw_purge what)
{
	txw_purged out = {.size = sizeof(out)};
	BEGIN();
	OK(k->v->purge(k->self, &what, &out, &k->err));
	COMMIT();
	return out;
}

static bool is_there(struct kit *k, const txw_tx *tx)
{
	txw_tx_name name = {.size = sizeof(name), .id = tx->id};
	bag_empty(k);
	return k->v->read_tx(k->reader, &name, bag_tx, k, &k->err) >= 0;
}

static size_t events(struct kit *k)
{
	txw_event_query q = {.size = sizeof(q), .limit = 1000};
	bag_empty(k);
	OK(k->v->list_events(k->reader, &q, bag_event, k, &k->err));
	return k->n;
}

static size_t digests(struct kit *k, int64_t after, uint32_t limit)
{
	bag_empty(k);
	OK(k->v->list_digests(k->reader, after, limit, bag_event, k, &k->err));
	return k->n;
}

static void only_what_finished_before_goes_with_its_events(void **state)
{
	struct kit *k = *state;
	BEGIN();
	txw_tx *a = finished(k, "A", KIT_NOW, false);
	txw_tx *b = finished(k, "B", KIT_NOW + SEC, false);
	end_log(k);
	COMMIT();
	txw_purged out = purge(k, before(KIT_NOW + SEC));
	assert_int_equal(out.transactions, 1);
	assert_int_equal(out.events, 3);
	assert_int_equal(out.last_seq, 3);
	assert_int_equal(out.more, 0);
	assert_false(is_there(k, a));
	assert_true(is_there(k, b));
	assert_int_equal(events(k), 4);
	assert_int_equal(digests(k, 0, 10), 0);
	/* The name is free again, and the log goes on where it was. */
	txw_tx *again = kit_tx(k, "A");
	kit_commit_change(k, again, "pending");
	assert_int_equal(again->last_seq, 8);
}

static void what_is_held_or_open_or_of_another_kind_stays(void **state)
{
	struct kit *k = *state;
	BEGIN();
	txw_tx *held = finished(k, "held", KIT_NOW, false);
	held->held = 1;
	OK(k->v->save(k->self, &held, 1, &k->err));
	txw_tx *failed = finished(k, "failed", KIT_NOW, false);
	failed->outcome = TXW_FAILURE;
	OK(k->v->save(k->self, &failed, 1, &k->err));
	txw_tx *good = finished(k, "good", KIT_NOW, false);
	txw_tx *newest = finished(k, "newest", KIT_NOW, false);
	COMMIT();
	txw_purge what = before(KIT_NOW + SEC);
	what.tenant = STR_LIT("nobody");
	assert_int_equal(purge(k, what).transactions, 0);
	what.tenant = good->tenant;
	what.flow = STR_LIT("other");
	assert_int_equal(purge(k, what).transactions, 0);
	what.flow = good->flow;
	what.outcome = TXW_EXPIRED;
	assert_int_equal(purge(k, what).transactions, 0);
	what.outcome = TXW_SUCCESS;
	what.max_seq = good->last_seq - 1;
	assert_int_equal(purge(k, what).transactions, 0);
	what.max_seq = 0;
	what.dry_run = 1;
	assert_int_equal(purge(k, what).transactions, 1);
	assert_true(is_there(k, good));
	what.dry_run = 0;
	assert_int_equal(purge(k, what).transactions, 1);
	assert_false(is_there(k, good));
	assert_true(is_there(k, held));
	assert_true(is_there(k, failed));
	assert_true(is_there(k, newest));
	what.outcome = TXW_OPEN;
	assert_int_equal(purge(k, what).transactions, 1);
	assert_false(is_there(k, failed));
}

static void a_delivery_that_is_not_settled_keeps_it(void **state)
{
	static const uint32_t keeps[] = {TXW_DLV_PENDING, TXW_DLV_BLOCKED, TXW_DLV_PARKED,
					 TXW_DLV_SENDING};
	static const uint32_t settled[] = {TXW_DLV_DELIVERED, TXW_DLV_DEAD, TXW_DLV_SUPPRESSED};
	struct kit *k = *state;
	txw_target target = {
	    .size = sizeof(target), .tenant = STR_LIT("default"), .name = STR_LIT("sub_1")};
	BEGIN();
	OK(k->v->put_target(k->self, &target, &k->err));
	txw_tx *tx = finished(k, "A", KIT_NOW, false);
	end_log(k);
	txw_delivery_row row = {.size = sizeof(row),
				.target = target.key,
				.seq = 2,
				.tx = tx->key,
				.tenant = STR_LIT("default"),
				.due_at = KIT_NOW,
				.created_at = KIT_NOW},
			 *one = &row;
	OK(k->v->put_deliveries(k->self, &one, 1, &k->err));
	COMMIT();
	for (size_t i = 0; i < sizeof(keeps) / sizeof(keeps[0]); i++) {
		row.state = keeps[i];
		BEGIN();
		OK(k->v->settle(k->self, (const txw_delivery_row *const *)&one, 1, NULL, 0,
				&k->err));
		COMMIT();
		assert_int_equal(purge(k, before(KIT_NOW + SEC)).transactions, 0);
	}
	txw_attempt attempt = {.size = sizeof(attempt), .n = 1, .delivery = row.key};
	const txw_attempt *tried = &attempt;
	row.state = settled[0];
	BEGIN();
	OK(k->v->settle(k->self, (const txw_delivery_row *const *)&one, 1, &tried, 1, &k->err));
	COMMIT();
	assert_int_equal(purge(k, before(KIT_NOW + SEC)).transactions, 1);
	txw_delivery_query q = {.size = sizeof(q), .limit = 10, .state = TXW_ANY_STATE};
	bag_empty(k);
	OK(k->v->list_deliveries(k->reader, &q, 0, bag_delivery, k, &k->err));
	assert_int_equal(k->n, 0);
	OK(k->v->list_attempts(k->reader, row.key, bag_attempt, k, &k->err));
	assert_int_equal(k->n, 0);
}

static void an_event_with_a_digest_leaves_it(void **state)
{
	struct kit *k = *state;
	memset(digest, 7, sizeof(digest));
	memset(hash, 0, sizeof(hash)); /* zeroes, too, are a value */
	BEGIN();
	finished(k, "A", KIT_NOW, true);
	end_log(k);
	COMMIT();
	assert_int_equal(purge(k, before(KIT_NOW + SEC)).transactions, 1);
	assert_int_equal(events(k), 1);
	assert_int_equal(digests(k, 0, 10), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(k->events[i]->seq, i + 1);
		assert_int_equal(k->events[i]->digest.len, 32);
		assert_memory_equal(k->events[i]->digest.ptr, digest, 32);
		assert_memory_equal(k->events[i]->hash.ptr, hash, 32);
	}
	assert_int_equal(digests(k, 1, 1), 1);
	assert_int_equal(k->events[0]->seq, 2);
}

static int32_t count_gone(void *ctx, const txw_tx *row)
{
	assert_true(row->id.hi || row->id.lo);
	++*(int *)ctx;
	return 1;
}

static void it_goes_on_where_the_call_before_ended(void **state)
{
	struct kit *k = *state;
	int gone = 0;
	BEGIN();
	for (int i = 0; i < 10; i++) {
		txw_tx *tx = finished(k, kit_printf(k, "T%d", i).ptr, KIT_NOW + i / 5, false);
		tx->held = i % 2 == 0;
		OK(k->v->save(k->self, &tx, 1, &k->err));
	}
	end_log(k);
	COMMIT();
	txw_purge what = before(KIT_NOW + SEC);
	what.limit = 2;
	what.gone = count_gone;
	what.ctx = &gone;
	int64_t total = 0;
	for (int calls = 0; calls < 10; calls++) {
		txw_purged out = purge(k, what);
		total += out.transactions;
		if (!out.more)
			break;
		what.from = out.reached;
		what.after = out.reached_key;
	}
	assert_int_equal(total, 5);
	assert_int_equal(gone, 5);
	/* What was held is found from the start only. */
	assert_int_equal(purge(k, what).transactions, 0);
}

static void a_purge_that_is_rolled_back_has_not_been(void **state)
{
	struct kit *k = *state;
	txw_purge what = before(KIT_NOW + SEC);
	txw_purged out = {.size = sizeof(out)};
	BEGIN();
	txw_tx *a = finished(k, "A", KIT_NOW, true);
	end_log(k);
	COMMIT();
	BEGIN();
	OK(k->v->purge(k->self, &what, &out, &k->err));
	assert_int_equal(out.transactions, 1);
	ROLLBACK();
	assert_true(is_there(k, a));
	assert_int_equal(events(k), 4);
	assert_int_equal(digests(k, 0, 10), 0);
	kit_reopen(k);
	assert_int_equal(purge(k, what).transactions, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(only_what_finished_before_goes_with_its_events),
	    TEST(what_is_held_or_open_or_of_another_kind_stays),
	    TEST(a_delivery_that_is_not_settled_keeps_it),
	    TEST(an_event_with_a_digest_leaves_it),
	    TEST(it_goes_on_where_the_call_before_ended),
	    TEST(a_purge_that_is_rolled_back_has_not_been),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
