/* store_work.c: see store_work.h. */
#include "store_work.h"

void work_open(struct kit *k, struct work *w)
{
	*w = (struct work){.target = {.size = sizeof(txw_target),
				      .tenant = STR_LIT("t"),
				      .name = STR_LIT("hook")}};
	BEGIN();
	OK(k->v->put_target(k->self, &w->target, &k->err));
	COMMIT();
}

/* The one that the unit before has finished goes. */
static int32_t purge(struct kit *k, const struct work *w)
{
	txw_purge what = {.size = sizeof(what), .limit = 9, .finished_before = KIT_NOW + SEC};
	txw_purged out = {.size = sizeof(out)};
	TRY(k->v->purge(k->self, &what, &out, &k->err));
	assert_int_equal(w->done > 0, out.transactions);
	return TXW_OK;
}

static int32_t write_row(struct kit *k, txw_tx *tx, txw_event **out)
{
	const txw_store *v = k->v;
	const txw_tx *have;
	txw_tx_name name = {
	    .size = sizeof(name), .tenant = tx->tenant, .flow = tx->flow, .ref = tx->ref};
	TRY(v->load(k->self, &name, sizeof(name), 1, &have, &k->err));
	assert_null(have);
	TRY(v->save(k->self, &tx, 1, &k->err));
	txw_event *ev = kit_event(k, tx, "");
	ev->source_event_id = STR_LIT("msg");
	int32_t seen = v->seen(k->self, tx->key, STR_LIT("msg"), &k->err);
	TRY(seen);
	assert_int_equal(0, seen);
	TRY(v->append(k->self, &ev, 1, &k->err));
	*out = ev;
	return TXW_OK;
}

/* It is due once, and not again. */
static int32_t reschedule(struct kit *k, txw_tx *tx)
{
	const txw_tx *row = tx;
	txw_time next;
	bag_empty(k);
	TRY(k->v->due(k->self, KIT_NOW + 5 * SEC, 9, bag_tx, k, &k->err));
	assert_int_equal(1, k->n);
	tx->due_at = tx->next_poll_at = KIT_NOW + 3600 * SEC;
	TRY(k->v->reschedule(k->self, &row, 1, &k->err));
	TRY(k->v->next_due(k->self, &next, &k->err));
	assert_int_equal(tx->due_at, next);
	return TXW_OK;
}

static int32_t deliver(struct kit *k, struct work *w, const txw_event *ev)
{
	const txw_store *v = k->v;
	txw_delivery_row row = {.size = sizeof(row),
				.target = w->target.key,
				.seq = ev->seq,
				.tx = ev->tx->key,
				.tenant = STR_LIT("t"),
				.ordered = 1,
				.due_at = KIT_NOW,
				.created_at = KIT_NOW};
	txw_delivery_row *at = &row;
	TRY(v->put_deliveries(k->self, &at, 1, &k->err));
	bag_empty(k);
	TRY(v->claim(k->self, w->target.key, KIT_NOW, KIT_NOW + SEC, 9, bag_delivery, k, &k->err));
	assert_int_equal(1, k->n);
	int32_t waits = v->waiting(k->self, w->target.key, row.tx, &k->err);
	TRY(waits);
	assert_int_equal(1, waits);
	txw_attempt attempt = {.size = sizeof(attempt), .n = 1, .delivery = row.key, .at = KIT_NOW};
	const txw_attempt *attempts = &attempt;
	row.state = TXW_DLV_DELIVERED;
	row.due_at = 0;
	TRY(v->settle(k->self, (const txw_delivery_row *const *)&at, 1, &attempts, 1, &k->err));
	w->target.failures = w->done;
	TRY(v->put_target(k->self, &w->target, &k->err));
	return TXW_OK;
}

static int32_t note(struct kit *k, txw_str id, int64_t n)
{
	const txw_store *v = k->v;
	txw_count count = {
	    .size = sizeof(count), .kind = STR_LIT("k"), .key = STR_LIT("x"), .count = 3};
	const txw_count *counts = &count;
	TRY(v->add_counts(k->self, &counts, 1, &k->err));
	txw_doc doc = {.size = sizeof(doc), .kind = STR_LIT("d"), .id = id, .body = STR_LIT("{}")};
	txw_doc old = doc;
	old.kind = STR_LIT("old");
	old.expires_at = KIT_NOW;
	TRY(v->put_doc(k->self, &doc, &k->err));
	TRY(v->put_doc(k->self, &old, &k->err));
	TRY(v->expire_docs(k->self, KIT_NOW, 9, &k->err));
	bag_empty(k);
	TRY(v->get_doc(k->self, doc.kind, doc.tenant, id, bag_doc, k, &k->err));
	assert_int_equal(1, k->n);
	TRY(v->put_mark(k->self, STR_LIT("work"), n + 1, &k->err));
	return TXW_OK;
}

int32_t work_unit(struct kit *k, struct work *w)
{
	int64_t last, mark;
	txw_event *ev;
	txw_tx *gone = kit_tx(k, kit_printf(k, "gone-%lld", (long long)w->done).ptr);
	txw_tx *tx = kit_tx(k, kit_printf(k, "ref-%lld", (long long)w->done).ptr);
	gone->held = 0;
	gone->due_at = gone->next_poll_at = 0;
	gone->outcome = TXW_SUCCESS;
	gone->finished_at = KIT_NOW;
	TRY(k->v->get_mark(k->self, STR_LIT("work"), &mark, &k->err));
	assert_int_equal(w->done, mark);
	if (k->v->sequence)
		TRY(k->v->sequence(k->self, &last, &k->err));
	TRY(purge(k, w));
	TRY(write_row(k, gone, &ev));
	TRY(write_row(k, tx, &ev));
	TRY(reschedule(k, tx));
	TRY(deliver(k, w, ev));
	return note(k, tx->ref, w->done);
}

int32_t work_try(struct kit *k, struct work *w)
{
	int32_t rc = kit_note(k, k->v->begin(k->self, &k->err));
	if (rc == TXW_OK)
		rc = work_unit(k, w);
	if (rc == TXW_OK)
		rc = kit_note(k, k->v->commit(k->self, &k->err));
	if (rc == TXW_OK)
		w->done++;
	else
		k->v->rollback(k->self);
	return rc;
}

void work_expect(struct kit *k, const struct work *w, int64_t (*ask)(struct kit *k, const char *))
{
	int64_t n = w->done, kept = n ? 1 : 0; /* the finished one that is still there */
	const struct {
		const char *sql;
		int64_t want;
	} each[] = {
	    {"SELECT count(*) FROM tx", n + kept},
	    {"SELECT count(*) FROM event", n + kept},
	    {"SELECT coalesce(max(seq), 0) FROM event", 2 * n},
	    {"SELECT count(*) FROM delivery WHERE state = 2", n},
	    {"SELECT count(*) FROM delivery", n},
	    {"SELECT count(*) FROM attempt", n},
	    {"SELECT count(*) FROM doc", n},
	    {"SELECT coalesce(max(value), 0) FROM mark", n},
	    {"SELECT coalesce(sum(count) / 3, 0) FROM rollup", n},
	    {"SELECT coalesce(sum(failures), 0) FROM target", n ? n - 1 : 0},
	};
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		int64_t have = ask(k, each[i].sql);
		if (have != each[i].want)
			print_error("%s: %lld, not %lld, after %lld units\n", each[i].sql,
				    (long long)have, (long long)each[i].want, (long long)n);
		assert_int_equal(each[i].want, have);
	}
}
