/*
 * store_test.c: the suite every store passes: units, transactions, the log,
 * what is due, documents and marks. Deliveries, filters and what is one
 * store's alone have files of their own.
 */
#include "store_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static txw_tx_name by_key(int64_t key)
{
	return (txw_tx_name){.size = sizeof(txw_tx_name), .key = key};
}

static txw_tx_name by_ref(const char *tenant, const char *flow, const char *ref)
{
	return (txw_tx_name){.size = sizeof(txw_tx_name),
			     .tenant = str_of(tenant),
			     .flow = str_of(flow),
			     .ref = str_of(ref)};
}

static const txw_tx *read_one(struct kit *k, txw_tx_name name)
{
	bag_empty(k);
	int32_t rc = k->v->read_tx(k->reader, &name, bag_tx, k, &k->err);
	if (rc == TXW_E_NOTFOUND)
		return NULL;
	OK(rc);
	assert_int_equal(1, k->n);
	return k->txs[0];
}

static int64_t last_seq(struct kit *k)
{
	txw_store_info info = {.size = sizeof(info)};
	OK(k->v->info(k->self, &info, &k->err));
	return info.last_seq;
}

/* ---- units ---- */

static void what_was_committed_is_there_after_opening_again(void **state)
{
	struct kit *k = *state;
	txw_store_info before = {.size = sizeof(before)}, after = {.size = sizeof(after)};
	txw_tx *tx = kit_tx(k, "R1");
	kit_commit_change(k, tx, "pending");
	OK(k->v->info(k->self, &before, &k->err));
	assert_true(before.site < UINT32_C(1) << 30);
	assert_true(before.epoch != 0);
	kit_reopen(k);
	OK(k->v->info(k->self, &after, &k->err));
	assert_int_equal(before.site, after.site);
	assert_int_equal(before.epoch, after.epoch);
	assert_int_equal(1, after.last_seq);
	assert_int_equal(KIT_NOW, after.last_at);
	assert_true(after.location.len > 0);
	assert_same_tx(tx, read_one(k, by_key(tx->key)));
}

static void every_field_of_a_row_and_an_event_comes_back(void **state)
{
	struct kit *k = *state;
	txw_tx *tx = kit_tx(k, "R1");
	BEGIN();
	txw_event *ev = kit_change(k, tx, "authorized");
	tx->finished_at = KIT_NOW + 9 * SEC;
	tx->updated_at = KIT_NOW + 9 * SEC;
	tx->outcome = TXW_FAILURE;
	tx->due_at = 0;
	txw_event *end = kit_change(k, tx, "failed");
	COMMIT();
	assert_same_tx(tx, read_one(k, by_key(tx->key)));
	bag_empty(k);
	txw_event_query all = {.size = sizeof(all), .limit = 10};
	OK(k->v->list_events(k->reader, &all, bag_event, k, &k->err));
	assert_int_equal(2, k->n);
	assert_same_event(ev, k->events[0]);
	assert_same_event(end, k->events[1]);
}

static void a_row_may_have_none_of_what_is_optional(void **state)
{
	struct kit *k = *state;
	txw_tx bare = {.size = sizeof(bare),
		       .id = {1, 2},
		       .tenant = STR_LIT("t"),
		       .flow = STR_LIT("f"),
		       .ref = STR_LIT("r"),
		       .status = STR_LIT("s"),
		       .version = 1,
		       .created_at = 1,
		       .updated_at = 1};
	txw_tx *row = &bare;
	BEGIN();
	OK(k->v->save(k->self, &row, 1, &k->err));
	COMMIT();
	assert_same_tx(row, read_one(k, by_key(row->key)));
}

static void a_rollback_leaves_no_trace(void **state)
{
	struct kit *k = *state;
	txw_tx *kept = kit_tx(k, "kept"), *gone = kit_tx(k, "gone");
	kit_commit_change(k, kept, "pending");
	txw_tx before = *kept;
	BEGIN();
	gone->tenant = STR_LIT("new-tenant");
	kit_change(k, kept, "never-heard-of");
	kit_change(k, gone, "pending");
	txw_doc doc = {.size = sizeof(doc), .kind = STR_LIT("a"), .id = STR_LIT("1"), .version = 1};
	OK(k->v->put_doc(k->self, &doc, &k->err));
	OK(k->v->put_mark(k->self, STR_LIT("m"), 7, &k->err));
	ROLLBACK();
	assert_int_equal(1, last_seq(k));
	assert_same_tx(&before, read_one(k, by_key(kept->key)));
	assert_null(read_one(k, by_ref("new-tenant", "payment", "gone")));
	/* The words of the undone unit are given out anew. */
	BEGIN();
	*kept = before;
	assert_int_equal(2, kit_change(k, kept, "settled")->seq);
	int64_t mark = 1;
	OK(k->v->get_mark(k->self, STR_LIT("m"), &mark, &k->err));
	assert_int_equal(0, mark);
	COMMIT();
	kit_reopen(k);
	assert_str(read_one(k, by_key(kept->key))->status, "settled");
}

static void readers_see_committed_states_only(void **state)
{
	struct kit *k = *state;
	txw_tx *tx = kit_tx(k, "R1");
	BEGIN();
	kit_change(k, tx, "pending");
	assert_null(read_one(k, by_key(tx->key)));
	COMMIT();
	assert_non_null(read_one(k, by_key(tx->key)));
}

static void a_held_snapshot_sees_nothing_of_what_comes(void **state)
{
	struct kit *k = *state;
	txw_tx_query all = {.size = sizeof(all), .limit = 10};
	kit_commit_change(k, kit_tx(k, "A"), "pending");
	OK(k->v->snapshot(k->reader, 1, &k->err));
	kit_commit_change(k, kit_tx(k, "B"), "pending");
	for (int i = 0; i < 2; i++) {
		bag_empty(k);
		OK(k->v->list_tx(k->reader, &all, bag_tx, k, &k->err));
		assert_int_equal(1, k->n);
	}
	OK(k->v->snapshot(k->reader, 0, &k->err));
	bag_empty(k);
	OK(k->v->list_tx(k->reader, &all, bag_tx, k, &k->err));
	assert_int_equal(2, k->n);
}

static void a_unit_is_told_the_newest_seq(void **state)
{
	struct kit *k = *state;
	int64_t last = -1;
	REFUSED(TXW_E_INVALID, k->v->sequence(k->self, &last, &k->err));
	BEGIN();
	OK(k->v->sequence(k->self, &last, &k->err));
	assert_int_equal(0, last);
	COMMIT();
	kit_commit_change(k, kit_tx(k, "A"), "pending");
	BEGIN();
	OK(k->v->sequence(k->self, &last, &k->err));
	assert_int_equal(1, last);
	COMMIT();
}

static void writing_without_a_unit_is_refused(void **state)
{
	struct kit *k = *state;
	txw_tx *tx = kit_tx(k, "R1");
	REFUSED(TXW_E_INVALID, k->v->save(k->self, &tx, 1, &k->err));
	BEGIN();
	REFUSED(TXW_E_INVALID, k->v->begin(k->self, &k->err));
	ROLLBACK();
	ROLLBACK(); /* harmless */
}

/* ---- load and save ---- */

static void a_transaction_is_loaded_by_id_by_key_and_by_reference(void **state)
{
	struct kit *k = *state;
	txw_tx *a = kit_tx(k, "A"), *b = kit_tx(k, "B"), *other = kit_tx(k, "A");
	other->tenant = STR_LIT("other");
	const txw_tx *out[6];
	BEGIN();
	kit_change(k, a, "pending");
	kit_change(k, b, "pending");
	kit_change(k, other, "pending");
	txw_tx_name names[6] = {
	    {.size = sizeof(txw_tx_name), .id = b->id},
	    by_key(a->key),
	    by_ref("other", "payment", "A"),
	    by_ref("default", "payment", "C"),
	    by_ref("nobody", "payment", "A"),
	    {.size = sizeof(txw_tx_name), .id = {9, 9}},
	};
	OK(k->v->load(k->self, names, sizeof(names[0]), 6, out, &k->err));
	assert_same_tx(b, out[0]);
	assert_same_tx(a, out[1]);
	assert_same_tx(other, out[2]);
	for (int i = 3; i < 6; i++)
		assert_null(out[i]);
	COMMIT();
}

static void a_loaded_row_stays_as_it_was_while_its_unit_lasts(void **state)
{
	struct kit *k = *state;
	txw_tx *tx = kit_tx(k, "A");
	kit_commit_change(k, tx, "pending");
	txw_tx_name name = by_key(tx->key);
	const txw_tx *first, *second;
	BEGIN();
	OK(k->v->load(k->self, &name, sizeof(name), 1, &first, &k->err));
	tx->owner = STR_LIT("grace");
	tx->due_at = 0;
	kit_change(k, tx, "settled");
	OK(k->v->load(k->self, &name, sizeof(name), 1, &second, &k->err));
	assert_str(first->status, "pending");
	assert_str(first->owner, "ada");
	assert_same_tx(tx, second);
	COMMIT();
}

static void a_taken_name_is_refused_and_told(void **state)
{
	struct kit *k = *state;
	txw_tx *a = kit_tx(k, "A");
	kit_commit_change(k, a, "pending");
	txw_tx *same_ref = kit_tx(k, "A"), *same_id = kit_tx(k, "B");
	same_id->id = a->id;
	BEGIN();
	REFUSED(TXW_E_EXISTS, k->v->save(k->self, &same_ref, 1, &k->err));
	assert_non_null(strstr(k->text, "ref A"));
	ROLLBACK();
	BEGIN();
	REFUSED(TXW_E_EXISTS, k->v->save(k->self, &same_id, 1, &k->err));
	assert_non_null(strstr(k->text, "id"));
	ROLLBACK();
	BEGIN();
	same_id->key = 999;
	REFUSED(TXW_E_NOTFOUND, k->v->save(k->self, &same_id, 1, &k->err));
	ROLLBACK();
}

/* ---- the log ---- */

static void seq_has_no_gaps_over_units_rollbacks_and_restarts(void **state)
{
	struct kit *k = *state;
	txw_tx *tx = kit_tx(k, "A");
	int64_t want = 0;
	for (int round = 0; round < 6; round++) {
		txw_tx before = *tx;
		BEGIN();
		for (int i = 0; i < 3; i++)
			assert_int_equal(want + i + 1, kit_change(k, tx, i % 2 ? "a" : "b")->seq);
		if (round % 3 == 1) {
			ROLLBACK();
			*tx = before;
		} else {
			COMMIT();
			want += 3;
		}
		if (round == 3)
			kit_reopen(k);
		assert_int_equal(want, last_seq(k));
	}
}

static void a_predicted_seq_is_checked(void **state)
{
	struct kit *k = *state;
	txw_tx *tx = kit_tx(k, "A");
	BEGIN();
	tx->version = 1;
	tx->last_seq = 1;
	OK(k->v->save(k->self, &tx, 1, &k->err));
	txw_event *ev = kit_event(k, tx, "");
	ev->seq = 1;
	OK(k->v->append(k->self, &ev, 1, &k->err));
	txw_event *wrong = kit_event(k, tx, "");
	wrong->seq = 3;
	REFUSED(TXW_E_INVALID, k->v->append(k->self, &wrong, 1, &k->err));
	ROLLBACK();
	assert_int_equal(0, last_seq(k));
}

static void append_sets_the_newest_event_of_its_transaction(void **state)
{
	struct kit *k = *state;
	txw_tx *tx = kit_tx(k, "A");
	BEGIN();
	tx->version = 1;
	OK(k->v->save(k->self, &tx, 1, &k->err));
	txw_event *ev = kit_event(k, tx, "");
	OK(k->v->append(k->self, &ev, 1, &k->err));
	COMMIT();
	assert_int_equal(1, ev->seq);
	assert_int_equal(1, read_one(k, by_key(tx->key))->last_seq);
}

static void an_event_of_an_unsaved_transaction_is_refused(void **state)
{
	struct kit *k = *state;
	txw_event *ev = kit_event(k, kit_tx(k, "A"), "");
	BEGIN();
	REFUSED(TXW_E_INVALID, k->v->append(k->self, &ev, 1, &k->err));
	ROLLBACK();
}

static void an_event_may_have_no_transaction(void **state)
{
	struct kit *k = *state;
	txw_event *ev = kit_event(k, kit_tx(k, "A"), "");
	ev->tx = NULL;
	ev->type = TXW_EV_TEST;
	ev->from = ev->to = STR_NONE;
	BEGIN();
	OK(k->v->append(k->self, &ev, 1, &k->err));
	COMMIT();
	bag_empty(k);
	txw_event_query q = {.size = sizeof(q), .limit = 10, .tenant = STR_LIT("default")};
	OK(k->v->list_events(k->reader, &q, bag_event, k, &k->err));
	assert_int_equal(1, k->n);
	assert_same_event(ev, k->events[0]);
}

static void a_history_goes_backwards_and_has_only_its_own(void **state)
{
	struct kit *k = *state;
	txw_tx *a = kit_tx(k, "A"), *b = kit_tx(k, "B");
	BEGIN();
	for (int i = 0; i < 10; i++) {
		kit_change(k, a, i % 2 ? "x" : "y");
		kit_change(k, b, i % 2 ? "x" : "y");
	}
	COMMIT();
	bag_empty(k);
	OK(k->v->history(k->reader, a->key, 0, 100, bag_event, k, &k->err));
	assert_int_equal(10, k->n);
	for (size_t i = 0; i < k->n; i++) {
		assert_int_equal(19 - 2 * (int)i, k->events[i]->seq);
		assert_int_equal(10 - (int)i, k->events[i]->tx->version);
		assert_int_equal(a->key, k->events[i]->tx->key);
	}
	bag_empty(k);
	OK(k->v->history(k->reader, a->key, 15, 2, bag_event, k, &k->err));
	assert_int_equal(2, k->n);
	assert_int_equal(13, k->events[0]->seq);
	assert_int_equal(11, k->events[1]->seq);
	bag_empty(k);
	OK(k->v->history(k->reader, a->key, 14, 1, bag_event, k, &k->err));
	assert_int_equal(13, k->events[0]->seq); /* 14 is the other one's */
	bag_empty(k);
	OK(k->v->history(k->reader, a->key, 1, 5, bag_event, k, &k->err));
	OK(k->v->history(k->reader, 999, 0, 5, bag_event, k, &k->err));
	assert_int_equal(0, k->n);
}

static void events_are_paged_by_seq_and_by_tenant(void **state)
{
	struct kit *k = *state;
	txw_tx *a = kit_tx(k, "A"), *b = kit_tx(k, "B");
	b->tenant = STR_LIT("other");
	BEGIN();
	for (int i = 0; i < 5; i++) {
		kit_change(k, a, "x");
		kit_change(k, b, "x");
	}
	COMMIT();
	txw_event_query q = {.size = sizeof(q), .limit = 3, .after = 4};
	bag_empty(k);
	OK(k->v->list_events(k->reader, &q, bag_event, k, &k->err));
	assert_int_equal(3, k->n);
	assert_int_equal(5, k->events[0]->seq);
	assert_int_equal(7, k->events[2]->seq);
	q = (txw_event_query){
	    .size = sizeof(q), .limit = 10, .tenant = STR_LIT("other"), .after = 4};
	bag_empty(k);
	OK(k->v->list_events(k->reader, &q, bag_event, k, &k->err));
	assert_int_equal(3, k->n);
	assert_int_equal(6, k->events[0]->seq);
	q.tenant = STR_LIT("nobody");
	bag_empty(k);
	OK(k->v->list_events(k->reader, &q, bag_event, k, &k->err));
	assert_int_equal(0, k->n);
}

static void a_message_is_seen_once_per_transaction(void **state)
{
	struct kit *k = *state;
	txw_tx *a = kit_tx(k, "A"), *b = kit_tx(k, "B");
	BEGIN();
	kit_change(k, a, "x");
	kit_change(k, b, "x");
	txw_event *ev = kit_event(k, a, "x");
	ev->source_event_id = STR_LIT("msg-1");
	assert_int_equal(0, OK(k->v->seen(k->self, a->key, STR_LIT("msg-1"), &k->err)));
	OK(k->v->append(k->self, &ev, 1, &k->err));
	assert_int_equal(1, OK(k->v->seen(k->self, a->key, STR_LIT("msg-1"), &k->err)));
	assert_int_equal(0, OK(k->v->seen(k->self, b->key, STR_LIT("msg-1"), &k->err)));
	assert_int_equal(0, OK(k->v->seen(k->self, a->key, STR_LIT("msg-2"), &k->err)));
	COMMIT();
	txw_event *again = kit_event(k, a, "x");
	again->source_event_id = STR_LIT("msg-1");
	BEGIN();
	REFUSED(TXW_E_EXISTS, k->v->append(k->self, &again, 1, &k->err));
	assert_non_null(strstr(k->text, "msg-1"));
	ROLLBACK();
}

/* ---- what is due ---- */

static void what_is_due_comes_earliest_first_and_moves_when_rescheduled(void **state)
{
	struct kit *k = *state;
	static const int64_t AT[] = {30, 10, 0, 20, 40};
	txw_tx *txs[5];
	txw_time next;
	BEGIN();
	for (int i = 0; i < 5; i++) {
		txs[i] = kit_tx(k, (const char *[]){"a", "b", "c", "d", "e"}[i]);
		txs[i]->due_at = AT[i] ? KIT_NOW + AT[i] * SEC : 0;
		kit_change(k, txs[i], "pending");
	}
	COMMIT();
	BEGIN();
	bag_empty(k);
	OK(k->v->due(k->self, KIT_NOW + 30 * SEC, 10, bag_tx, k, &k->err));
	assert_int_equal(3, k->n);
	assert_str(k->txs[0]->ref, "b");
	assert_str(k->txs[1]->ref, "d");
	assert_str(k->txs[2]->ref, "a");
	OK(k->v->next_due(k->self, &next, &k->err));
	assert_int_equal(KIT_NOW + 10 * SEC, next);
	txw_tx moved = *k->txs[0];
	moved.due_at = KIT_NOW + 35 * SEC;
	moved.next_poll_at = KIT_NOW + 36 * SEC;
	moved.polls = 11;
	moved.poll_failures = 0;
	moved.status = STR_LIT("not written");
	const txw_tx *one = &moved;
	OK(k->v->reschedule(k->self, &one, 1, &k->err));
	bag_empty(k);
	OK(k->v->due(k->self, KIT_NOW + 60 * SEC, 2, bag_tx, k, &k->err));
	assert_int_equal(2, k->n);
	assert_str(k->txs[0]->ref, "d");
	COMMIT();
	const txw_tx *row = read_one(k, by_key(moved.key));
	assert_str(row->status, "pending");
	assert_int_equal(moved.due_at, row->due_at);
	assert_int_equal(moved.next_poll_at, row->next_poll_at);
	assert_int_equal(11, row->polls);
	assert_int_equal(0, row->poll_failures);
}

static void a_save_after_a_reschedule_of_the_same_unit_holds(void **state)
{
	struct kit *k = *state;
	txw_tx *tx = kit_tx(k, "A");
	const txw_tx *loaded;
	txw_time next;
	kit_commit_change(k, tx, "pending");
	txw_tx_name name = by_key(tx->key);
	BEGIN();
	OK(k->v->load(k->self, &name, sizeof(name), 1, &loaded, &k->err));
	txw_tx moved = *loaded;
	moved.due_at = KIT_NOW + 99 * SEC;
	const txw_tx *one = &moved;
	OK(k->v->reschedule(k->self, &one, 1, &k->err));
	kit_change(k, tx, "settled"); /* with the due_at that was loaded */
	COMMIT();
	assert_int_equal(tx->due_at, read_one(k, by_key(tx->key))->due_at);
	BEGIN();
	OK(k->v->next_due(k->self, &next, &k->err));
	assert_int_equal(tx->due_at, next);
	COMMIT();
}

static void nothing_is_due_in_an_empty_store(void **state)
{
	struct kit *k = *state;
	txw_time next = 5;
	BEGIN();
	OK(k->v->next_due(k->self, &next, &k->err));
	assert_int_equal(0, next);
	bag_empty(k);
	OK(k->v->due(k->self, KIT_NOW, 10, bag_tx, k, &k->err));
	assert_int_equal(0, k->n);
	COMMIT();
}

/* ---- documents and marks ---- */

static void put_doc(struct kit *k, const char *tenant, const char *id, txw_time expires)
{
	txw_doc doc = {.size = sizeof(doc),
		       .kind = STR_LIT("subscription"),
		       .tenant = str_of(tenant),
		       .id = str_of(id),
		       .body = STR_LIT("{\"a\":1}"),
		       .version = 3,
		       .created_at = KIT_NOW,
		       .updated_at = KIT_NOW + 1,
		       .expires_at = expires};
	OK(k->v->put_doc(k->self, &doc, &k->err));
}

static int32_t get_doc(struct kit *k, const char *tenant, const char *id)
{
	bag_empty(k);
	return k->v->get_doc(k->self, STR_LIT("subscription"), str_of(tenant), str_of(id), bag_doc,
			     k, &k->err);
}

static void documents_are_put_replaced_listed_and_deleted(void **state)
{
	struct kit *k = *state;
	BEGIN();
	put_doc(k, "t", "b", 0);
	put_doc(k, "t", "a", 0);
	put_doc(k, "u", "a", 0);
	put_doc(k, "", "c", 0);
	put_doc(k, "t", "b", KIT_NOW); /* replaced */
	OK(get_doc(k, "t", "b"));
	assert_int_equal(1, k->n);
	assert_str(k->docs[0].body, "{\"a\":1}");
	assert_int_equal(3, k->docs[0].version);
	assert_int_equal(KIT_NOW, k->docs[0].created_at);
	assert_int_equal(KIT_NOW + 1, k->docs[0].updated_at);
	assert_int_equal(KIT_NOW, k->docs[0].expires_at);
	REFUSED(TXW_E_NOTFOUND, get_doc(k, "u", "b"));
	COMMIT();
	bag_empty(k);
	OK(k->v->list_docs(k->reader, STR_LIT("subscription"), STR_LIT("t"), STR_NONE, 10, bag_doc,
			   k, &k->err));
	assert_int_equal(2, k->n);
	assert_str(k->docs[0].id, "a");
	bag_empty(k);
	OK(k->v->list_docs(k->reader, STR_LIT("subscription"), STR_NONE, STR_NONE, 1, bag_doc, k,
			   &k->err));
	assert_int_equal(2, k->n); /* both tenants' "a": a page ends between ids */
	bag_empty(k);
	OK(k->v->list_docs(k->reader, STR_LIT("subscription"), STR_NONE, STR_LIT("a"), 10, bag_doc,
			   k, &k->err));
	assert_int_equal(2, k->n);
	assert_str(k->docs[1].id, "c");
	bag_empty(k);
	OK(k->v->scan_docs(k->reader, STR_LIT("subscription"), STR_LIT("t"), STR_NONE, 1, 1,
			   bag_doc, k, &k->err));
	assert_int_equal(1, k->n);
	assert_str(k->docs[0].id, "b");
	bag_empty(k);
	OK(k->v->scan_docs(k->reader, STR_LIT("subscription"), STR_LIT("t"), STR_LIT("b"), 1, 10,
			   bag_doc, k, &k->err));
	assert_int_equal(1, k->n);
	assert_str(k->docs[0].id, "a");
	bag_empty(k);
	OK(k->v->scan_docs(k->reader, STR_LIT("subscription"), STR_NONE, STR_NONE, 1, 2, bag_doc, k,
			   &k->err));
	assert_int_equal(2, k->n);
	assert_str(k->docs[0].id, "c");
	assert_str(k->docs[1].id, "b");
	BEGIN();
	assert_int_equal(1, OK(k->v->delete_doc(k->self, STR_LIT("subscription"), STR_LIT("t"),
						STR_LIT("b"), &k->err)));
	assert_int_equal(0, OK(k->v->delete_doc(k->self, STR_LIT("subscription"), STR_LIT("t"),
						STR_LIT("b"), &k->err)));
	REFUSED(TXW_E_NOTFOUND, get_doc(k, "t", "b"));
	COMMIT();
}

static void documents_expire_oldest_first_and_not_before(void **state)
{
	struct kit *k = *state;
	BEGIN();
	put_doc(k, "t", "never", 0);
	put_doc(k, "t", "later", KIT_NOW + 10);
	put_doc(k, "t", "now", KIT_NOW);
	put_doc(k, "t", "before", KIT_NOW - 10);
	assert_int_equal(1, OK(k->v->expire_docs(k->self, KIT_NOW, 1, &k->err)));
	REFUSED(TXW_E_NOTFOUND, get_doc(k, "t", "before"));
	OK(get_doc(k, "t", "now"));
	assert_int_equal(1, OK(k->v->expire_docs(k->self, KIT_NOW, 10, &k->err)));
	assert_int_equal(0, OK(k->v->expire_docs(k->self, KIT_NOW, 10, &k->err)));
	OK(get_doc(k, "t", "later"));
	OK(get_doc(k, "t", "never"));
	COMMIT();
}

static void a_mark_keeps_its_last_number(void **state)
{
	struct kit *k = *state;
	int64_t value = 5;
	BEGIN();
	OK(k->v->get_mark(k->self, STR_LIT("router"), &value, &k->err));
	assert_int_equal(0, value);
	OK(k->v->put_mark(k->self, STR_LIT("router"), 17, &k->err));
	OK(k->v->put_mark(k->self, STR_LIT("router"), -18, &k->err));
	COMMIT();
	kit_reopen(k);
	BEGIN();
	OK(k->v->get_mark(k->self, STR_LIT("router"), &value, &k->err));
	assert_int_equal(-18, value);
	COMMIT();
}

static void a_store_answers_and_tells_its_size(void **state)
{
	struct kit *k = *state;
	txw_store_stats stats = {.size = sizeof(stats)};
	kit_commit_change(k, kit_tx(k, "A"), "pending");
	OK(k->v->ping(k->reader, &k->err));
	OK(k->v->stats(k->reader, &stats, &k->err));
	assert_true(stats.bytes > 0);
	assert_true(stats.wal_bytes >= 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(what_was_committed_is_there_after_opening_again),
	    CASE(every_field_of_a_row_and_an_event_comes_back),
	    CASE(a_row_may_have_none_of_what_is_optional),
	    CASE(a_rollback_leaves_no_trace),
	    CASE(readers_see_committed_states_only),
	    CASE(a_held_snapshot_sees_nothing_of_what_comes),
	    CASE(a_unit_is_told_the_newest_seq),
	    CASE(writing_without_a_unit_is_refused),
	    CASE(a_transaction_is_loaded_by_id_by_key_and_by_reference),
	    CASE(a_loaded_row_stays_as_it_was_while_its_unit_lasts),
	    CASE(a_taken_name_is_refused_and_told),
	    CASE(seq_has_no_gaps_over_units_rollbacks_and_restarts),
	    CASE(a_predicted_seq_is_checked),
	    CASE(append_sets_the_newest_event_of_its_transaction),
	    CASE(an_event_of_an_unsaved_transaction_is_refused),
	    CASE(an_event_may_have_no_transaction),
	    CASE(a_history_goes_backwards_and_has_only_its_own),
	    CASE(events_are_paged_by_seq_and_by_tenant),
	    CASE(a_message_is_seen_once_per_transaction),
	    CASE(what_is_due_comes_earliest_first_and_moves_when_rescheduled),
	    CASE(a_save_after_a_reschedule_of_the_same_unit_holds),
	    CASE(nothing_is_due_in_an_empty_store),
	    CASE(documents_are_put_replaced_listed_and_deleted),
	    CASE(documents_expire_oldest_first_and_not_before),
	    CASE(a_mark_keeps_its_last_number),
	    CASE(a_store_answers_and_tells_its_size),
	};
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
