/*
 * store_search_test.c: the suite every store passes: rollups, and pages with
 * an order, a text, counts and facets.
 */
#include "store_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/row.h"
#include "filter/filter.h"

/* ---- rollups ---- */

static txw_count count(txw_time bucket, const char *tenant, const char *flow, const char *key,
		       int64_t n)
{
	return (txw_count){.size = sizeof(txw_count),
			   .bucket = bucket,
			   .tenant = str_of(tenant),
			   .flow = str_of(flow),
			   .kind = STR_LIT("now"),
			   .key = str_of(key),
			   .count = n};
}

static void add(struct kit *k, txw_count c)
{
	const txw_count *one = &c;
	OK(k->v->add_counts(k->self, &one, 1, &k->err));
}

static int32_t print_count(void *ctx, const txw_count *c)
{
	struct buf *b = ctx;
	buf_printf(b, "%lld %.*s %.*s %.*s %.*s %lld\n", (long long)(c->bucket / SEC),
		   STR_ARG(c->tenant), STR_ARG(c->flow), STR_ARG(c->kind), STR_ARG(c->key),
		   (long long)c->count);
	return 0;
}

static void expect_counts(struct kit *k, txw_count_query q, const char *want)
{
	struct buf b = {0};
	q.size = sizeof(q);
	if (!q.kind.len)
		q.kind = STR_LIT("now");
	OK(k->v->list_counts(k->reader, &q, print_count, &b, &k->err));
	buf_char(&b, '\0');
	assert_string_equal(b.ptr, want);
	buf_free(&b);
}

static void counts_add_up_and_are_listed_in_order(void **state)
{
	struct kit *k = *state;
	BEGIN();
	add(k, count(0, "b", "payment", "open/pending", 2));
	add(k, count(0, "a", "refund", "open/pending", 1));
	add(k, count(0, "a", "payment", "success/settled", 4));
	add(k, count(0, "a", "payment", "open/pending", 7));
	add(k, count(0, "a", "payment", "open/pending", -3));
	txw_count other = count(60 * SEC, "a", "payment", "x", 1);
	other.kind = STR_LIT("events");
	add(k, other);
	COMMIT();
	BEGIN();
	add(k, count(0, "a", "payment", "open/pending", 10));
	COMMIT();
	expect_counts(k, (txw_count_query){0},
		      "0 a payment now open/pending 14\n"
		      "0 a payment now success/settled 4\n"
		      "0 a refund now open/pending 1\n"
		      "0 b payment now open/pending 2\n");
	expect_counts(k, (txw_count_query){.tenant = STR_LIT("a"), .flow = STR_LIT("refund")},
		      "0 a refund now open/pending 1\n");
	expect_counts(k, (txw_count_query){.tenant = STR_LIT("b")},
		      "0 b payment now open/pending 2\n");
	expect_counts(k, (txw_count_query){.tenant = STR_LIT("c")}, "");
	expect_counts(k, (txw_count_query){.kind = STR_LIT("events")}, "60 a payment events x 1\n");
}

static void a_count_that_comes_to_nothing_goes(void **state)
{
	struct kit *k = *state;
	BEGIN();
	add(k, count(0, "a", "payment", "open/pending", 2));
	add(k, count(0, "a", "payment", "open/authorized", 1));
	add(k, count(0, "a", "payment", "never", 0));
	COMMIT();
	BEGIN();
	add(k, count(0, "a", "payment", "open/pending", -2));
	COMMIT();
	expect_counts(k, (txw_count_query){0}, "0 a payment now open/authorized 1\n");
}

static void counts_are_undone_with_their_unit(void **state)
{
	struct kit *k = *state;
	BEGIN();
	add(k, count(0, "a", "payment", "open/pending", 2));
	COMMIT();
	BEGIN();
	add(k, count(0, "a", "payment", "open/pending", -2));
	add(k, count(0, "a", "payment", "failure/failed", 2));
	ROLLBACK();
	expect_counts(k, (txw_count_query){0}, "0 a payment now open/pending 2\n");
}

static void counts_of_a_span_of_time_leave_out_the_rest(void **state)
{
	struct kit *k = *state;
	BEGIN();
	for (int day = 0; day < 4; day++)
		for (int t = 0; t < 2; t++)
			add(k, count(day * 10 * SEC, t ? "b" : "a", "f", "k", day + 1));
	COMMIT();
	txw_count_query q = {.from = 10 * SEC, .to = 30 * SEC};
	expect_counts(k, q, "10 a f now k 2\n10 b f now k 2\n20 a f now k 3\n20 b f now k 3\n");
	q.tenant = STR_LIT("b");
	expect_counts(k, q, "10 b f now k 2\n20 b f now k 3\n");
	q.to = 0;
	expect_counts(k, q, "10 b f now k 2\n20 b f now k 3\n30 b f now k 4\n");
}

/* ---- pages ---- */

#define N_ROWS 240

static txw_tx *rows[N_ROWS];

static void count_row(struct kit *k, const txw_tx *tx, int64_t by)
{
	txw_str key = kit_printf(k, "%s/%.*s", outcome_name(tx->outcome), STR_ARG(tx->status));
	txw_count c = {.size = sizeof(c),
		       .tenant = tx->tenant,
		       .flow = tx->flow,
		       .kind = STR_LIT("now"),
		       .key = key,
		       .count = by};
	add(k, c);
}

/* Rows with equal and missing values in all that can be ordered by. */
static txw_tx *make_row(struct kit *k, size_t i)
{
	static const char *const OWNERS[] = {"", "ada", "Ada", "bob", "\xc3\xa9mile"};
	static const char *const AMOUNTS[] = {"",
					      "0",
					      "-0.0",
					      "1000",
					      "1000.00",
					      "0999.9",
					      "-12.55",
					      "-12.5",
					      "7.05",
					      "0.5",
					      "12345678901234567890.1"};
	static const char *const REFS[] = {"ref-%zu", "Ref-%zu", "x%zu", "\xc3\xbc%zu"};
	txw_tx *tx = kit_tx(k, kit_printf(k, REFS[i % 4], i / 3).ptr);
	size_t r = i * 7919 % 1009;
	tx->tenant = r % 5 ? STR_LIT("default") : STR_LIT("other");
	tx->flow = i % 3 == 0 ? STR_LIT("payment") : i % 3 == 1 ? STR_LIT("refund") : STR_LIT("a");
	tx->outcome = (uint32_t)(r % 5);
	tx->owner = str_of(OWNERS[r % 5]);
	tx->amount = str_of(AMOUNTS[r % 11]);
	tx->reason = r % 7 ? STR_NONE : STR_LIT("Insufficient Funds");
	tx->attributes = r % 13 ? STR_NONE : STR_LIT("{\"note\":\"Needle\"}");
	tx->code = r % 3 ? STR_LIT("51") : STR_NONE;
	tx->currency = r % 4 ? STR_LIT("EUR") : STR_NONE;
	tx->updated_at = KIT_NOW + (int64_t)(r % 9) * SEC;
	tx->created_at = KIT_NOW + (int64_t)(i / 10) * SEC;
	tx->status_since = r % 2 ? tx->updated_at : 0;
	tx->expires_at = r % 3 ? KIT_NOW + (int64_t)(r % 17) * SEC : 0;
	tx->finished_at = tx->outcome ? KIT_NOW + (int64_t)(r % 23) * SEC : 0;
	tx->due_at = 0;
	return tx;
}

static void save_rows(struct kit *k, bool counted)
{
	static const char *const STATUSES[] = {"pending", "settled", "failed", "cancelled",
					       "expired"};
	txw_tx_name names[N_ROWS];
	for (size_t i = 0; i < N_ROWS; i++) {
		rows[i] = make_row(k, i);
		names[i] = (txw_tx_name){.size = sizeof(names[i]),
					 .tenant = rows[i]->tenant,
					 .flow = rows[i]->flow,
					 .ref = rows[i]->ref};
	}
	BEGIN();
	/* As the engine does: else each row is looked for alone, and where that
	 * is a round trip, under load, these are most of the test's time. */
	if (k->v->prefetch)
		OK(k->v->prefetch(k->self, names, sizeof(names[0]), N_ROWS, &k->err));
	for (size_t i = 0; i < N_ROWS; i++) {
		kit_change(k, rows[i], STATUSES[rows[i]->outcome]);
		if (counted)
			count_row(k, rows[i], 1);
	}
	COMMIT();
}

static int plain_setup(void **state)
{
	if (kit_setup(state) < 0)
		return -1;
	save_rows(*state, false);
	return 0;
}

static int counted_setup(void **state)
{
	if (kit_setup(state) < 0)
		return -1;
	save_rows(*state, true);
	return 0;
}

static txw_str text_of(const txw_tx *t, uint32_t field)
{
	switch (field) {
	case TXW_FIELD_FLOW:
		return t->flow;
	case TXW_FIELD_REF:
		return t->ref;
	case TXW_FIELD_STATUS:
		return t->status;
	case TXW_FIELD_OUTCOME:
		return str_of(outcome_name(t->outcome));
	case TXW_FIELD_OWNER:
		return t->owner;
	case TXW_FIELD_CURRENCY:
		return t->currency;
	case TXW_FIELD_REASON:
		return t->reason;
	default:
		return t->code;
	}
}

static int64_t number_of(const txw_tx *t, uint32_t field)
{
	switch (field) {
	case TXW_FIELD_VERSION:
		return t->version;
	case TXW_FIELD_CREATED_AT:
		return t->created_at;
	case TXW_FIELD_UPDATED_AT:
		return t->updated_at;
	case TXW_FIELD_STATUS_SINCE:
		return t->status_since;
	case TXW_FIELD_EXPIRES_AT:
		return t->expires_at;
	default:
		return t->finished_at;
	}
}

static int compare_field(const txw_tx *a, const txw_tx *b, uint32_t field)
{
	if (field == TXW_FIELD_AMOUNT) {
		if (!a->amount.len || !b->amount.len)
			return (a->amount.len != 0) - (b->amount.len != 0);
		return decimal_cmp(a->amount, b->amount);
	}
	if (field == TXW_FIELD_ID) {
		int c = (a->id.hi > b->id.hi) - (a->id.hi < b->id.hi);
		return c ? c : (a->id.lo > b->id.lo) - (a->id.lo < b->id.lo);
	}
	if (field == TXW_FIELD_VERSION || field >= TXW_FIELD_CREATED_AT) {
		int64_t x = number_of(a, field), y = number_of(b, field);
		return (x > y) - (x < y);
	}
	return str_cmp(text_of(a, field), text_of(b, field));
}

static const txw_tx_query *sorted_by;

static int compare(const void *x, const void *y)
{
	const txw_tx *a = *(txw_tx *const *)x, *b = *(txw_tx *const *)y;
	for (uint32_t i = 0; i < sorted_by->n_order; i++) {
		int c = compare_field(a, b, sorted_by->order[i].field);
		if (c)
			return sorted_by->order[i].descending ? -c : c;
	}
	int c = (a->key > b->key) - (a->key < b->key);
	return sorted_by->ascending ? c : -c;
}

static bool contains(txw_str have, const char *part)
{
	size_t n = strlen(part);
	for (size_t i = 0; i + n <= have.len; i++)
		if (strncasecmp(have.ptr + i, part, n) == 0)
			return true;
	return false;
}

static bool holds(const txw_tx_query *q, const txw_tx *t, const char *text)
{
	if (q->tenant.len && !str_eq(q->tenant, t->tenant))
		return false;
	if (text && !contains(t->ref, text) && !contains(t->owner, text) &&
	    !contains(t->attributes, text) && !contains(t->reason, text))
		return false;
	return filter_match_tx(q->filter, t);
}

/* Pages of every size, each begun where the one before ended, give exactly
 * what a sort of all rows gives. */
static void expect_pages(struct kit *k, txw_tx_query q, const char *text)
{
	static const uint32_t SIZES[] = {7, 64, 1000};
	const txw_tx *want[N_ROWS];
	size_t n = 0;
	for (size_t i = 0; i < N_ROWS; i++)
		if (holds(&q, rows[i], text))
			want[n++] = rows[i];
	sorted_by = &q;
	qsort(want, n, sizeof(want[0]), compare);
	/* Small pages cost a round trip each: not every time. */
	static unsigned calls;
	size_t first = k->store->is_remote && calls++ % 16 ? 2 : 0;
	for (size_t s = first; s < sizeof(SIZES) / sizeof(SIZES[0]); s++) {
		size_t seen = 0;
		q.limit = SIZES[s];
		q.after = 0;
		q.after_row = NULL;
		do {
			bag_empty(k);
			OK(k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
			for (size_t i = 0; i < k->n; i++, seen++) {
				assert_true(seen < n);
				if (want[seen]->key != k->txs[i]->key)
					print_error("page size %u, place %zu: %.*s, want %.*s\n",
						    q.limit, seen, STR_ARG(k->txs[i]->ref),
						    STR_ARG(want[seen]->ref));
				assert_int_equal(want[seen]->key, k->txs[i]->key);
			}
			if (k->n) {
				q.after = k->txs[k->n - 1]->key;
				q.after_row = k->txs[k->n - 1];
			}
		} while (k->n == q.limit);
		assert_int_equal(seen, n);
	}
}

static const txw_filter *parse(struct kit *k, const char *text)
{
	const txw_filter *f = NULL;
	struct err e = {0};
	if (filter_parse(&k->arena, str_of(text), FILTER_TX, KIT_NOW, &f, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	return f;
}

static const char *const FILTERS[] = {
    "",
    "status = failed",
    "outcome = open",
    "outcome != open AND flow = payment",
    "status = expired OR status = pending AND flow = a",
    "NOT (status = pending) AND flow = re*",
    "status = nosuch",
    "owner = ada",
    "owner = ada AND outcome = failure",
    "ref = \"ref-4\"",
    "amount > 0 AND flow:fun",
    "outcome = success AND attributes.note:*",
};
#define N_FILTERS (sizeof(FILTERS) / sizeof(FILTERS[0]))

static void pages_by_key_hold_what_the_filter_holds_for(void **state)
{
	struct kit *k = *state;
	for (size_t i = 0; i < N_FILTERS * 4; i++) {
		txw_tx_query q = {.size = sizeof(q), .filter = parse(k, FILTERS[i / 4])};
		q.ascending = i & 1;
		q.tenant = i & 2 ? STR_LIT("other") : STR_NONE;
		expect_pages(k, q, NULL);
	}
}

static void pages_come_in_the_order_asked_for(void **state)
{
	static const uint32_t FIELDS[] = {
	    TXW_FIELD_ID,          TXW_FIELD_FLOW,         TXW_FIELD_REF,
	    TXW_FIELD_STATUS,      TXW_FIELD_OUTCOME,      TXW_FIELD_OWNER,
	    TXW_FIELD_AMOUNT,      TXW_FIELD_CURRENCY,     TXW_FIELD_REASON,
	    TXW_FIELD_CODE,        TXW_FIELD_VERSION,      TXW_FIELD_CREATED_AT,
	    TXW_FIELD_UPDATED_AT,  TXW_FIELD_STATUS_SINCE, TXW_FIELD_EXPIRES_AT,
	    TXW_FIELD_FINISHED_AT,
	};
	enum { N = sizeof(FIELDS) / sizeof(FIELDS[0]) };
	struct kit *k = *state;
	for (size_t i = 0; i < N * 4; i++) {
		txw_order order[] = {{FIELDS[i / 4], i & 1},
				     {FIELDS[(i / 4 + 5) % N], i & 2},
				     {FIELDS[(i / 4 + 9) % N], i & 4}};
		txw_tx_query q = {.size = sizeof(q),
				  .n_order = 1 + (uint32_t)i % 3,
				  .order = order,
				  .ascending = i / 4 & 1,
				  .tenant = i % 5 ? STR_NONE : STR_LIT("default"),
				  .filter = parse(k, FILTERS[i % N_FILTERS])};
		expect_pages(k, q, NULL);
		q.filter = NULL;
		expect_pages(k, q, NULL);
	}
}

static void pages_hold_what_contains_the_text(void **state)
{
	static const char *const TEXTS[] = {
	    "ADA", "needle", "funds", "ref-1", "\"note\":", "%", "\xc3\xbc", "f", "nowhere"};
	struct kit *k = *state;
	for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
		txw_order order = {TXW_FIELD_REF, 0};
		txw_tx_query q = {.size = sizeof(q), .text = str_of(TEXTS[i])};
		expect_pages(k, q, TEXTS[i]);
		q.filter = parse(k, "status = failed OR owner = bob");
		q.order = &order;
		q.n_order = 1;
		expect_pages(k, q, TEXTS[i]);
	}
}

static void what_is_inserted_between_pages_neither_hides_nor_repeats_a_row(void **state)
{
	struct kit *k = *state;
	txw_order order[] = {{TXW_FIELD_REF, 0}, {TXW_FIELD_AMOUNT, 1}};
	for (uint32_t n_order = 0; n_order < 3; n_order++) {
		char seen[N_ROWS] = {0};
		txw_tx_query q = {
		    .size = sizeof(q), .limit = 11, .n_order = n_order, .order = order};
		do {
			bag_empty(k);
			OK(k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
			for (size_t i = 0; i < k->n; i++)
				if (k->txs[i]->key <= N_ROWS)
					seen[k->txs[i]->key - 1]++;
			if (k->n == 0)
				break;
			q.after = k->txs[k->n - 1]->key;
			q.after_row = k->txs[k->n - 1];
			BEGIN();
			kit_change(
			    k,
			    kit_tx(k,
				   kit_printf(k, "new-%u-%lld", n_order, (long long)q.after).ptr),
			    "pending");
			/* And the others change in what is not their order. */
			rows[q.after % N_ROWS]->code = STR_LIT("99");
			kit_change(k, rows[q.after % N_ROWS], "failed");
			COMMIT();
		} while (k->n == q.limit);
		for (size_t i = 0; i < N_ROWS; i++)
			assert_int_equal(1, seen[i]);
	}
}

static void what_moved_to_another_status_is_found_there(void **state)
{
	struct kit *k = *state;
	txw_tx_query q = {.size = sizeof(q), .tenant = STR_LIT("default")};
	BEGIN();
	for (size_t i = 0; i < N_ROWS; i += 2) {
		static const char *const STATUSES[] = {"pending", "settled", "failed", "disputed"};
		txw_tx *tx = rows[i];
		tx->outcome = (uint32_t)(i / 2) % 4;
		if (tx->outcome == 3)
			tx->outcome = TXW_FAILURE;
		tx->finished_at = tx->outcome ? KIT_NOW + 100 * SEC : 0;
		/* Known to the unit or not, the row goes where it belongs. */
		const txw_tx *loaded = NULL;
		txw_tx_name name = {.size = sizeof(name), .key = tx->key};
		if (i % 3)
			OK(k->v->load(k->self, &name, sizeof(name), 1, &loaded, &k->err));
		kit_change(k, tx, STATUSES[i / 2 % 4]);
	}
	COMMIT();
	static const char *const MOVED[] = {
	    "status = disputed", "status = pending",    "outcome = failure",
	    "outcome = open",    "outcome = cancelled", "status = settled AND flow = payment"};
	for (size_t i = 0; i < sizeof(MOVED) / sizeof(MOVED[0]); i++) {
		txw_order order = {TXW_FIELD_FINISHED_AT, 1};
		q.filter = parse(k, MOVED[i]);
		expect_pages(k, q, NULL);
		q.order = &order;
		q.n_order = 1;
		expect_pages(k, q, NULL);
		q.n_order = 0;
	}
}

static void a_status_seen_only_in_an_undone_unit_is_no_hindrance(void **state)
{
	struct kit *k = *state;
	txw_tx before = *rows[0];
	BEGIN();
	kit_change(k, rows[0], "strange");
	ROLLBACK();
	*rows[0] = before;
	BEGIN();
	rows[0]->outcome = TXW_FAILURE;
	rows[0]->finished_at = KIT_NOW;
	kit_change(k, rows[0], "strange");
	COMMIT();
	expect_pages(
	    k, (txw_tx_query){.size = sizeof(txw_tx_query), .filter = parse(k, "status = strange")},
	    NULL);
}

/* ---- counts and facets ---- */

static void a_count_is_exact_up_to_its_cap(void **state)
{
	struct kit *k = *state;
	for (size_t i = 0; i < N_FILTERS * 2; i++) {
		int64_t have = -1, want = 0;
		txw_tx_query q = {.size = sizeof(q), .filter = parse(k, FILTERS[i / 2])};
		const char *text = i & 1 ? "ada" : NULL;
		q.text = str_of(text);
		q.after = 3; /* does not count */
		for (size_t n = 0; n < N_ROWS; n++)
			want += holds(&q, rows[n], text);
		OK(k->v->count_tx(k->reader, &q, 1000, &have, &k->err));
		assert_int_equal(want, have);
		OK(k->v->count_tx(k->reader, &q, 5, &have, &k->err));
		assert_int_equal(want < 5 ? want : 5, have);
	}
}

struct facet_check {
	const txw_tx_query *q;
	int64_t total[TXW_FIELD_MAX];
};

static int32_t check_facet(void *ctx, uint32_t field, txw_str value, int64_t count)
{
	struct facet_check *c = ctx;
	int64_t want = 0;
	for (size_t n = 0; n < N_ROWS; n++)
		want += holds(c->q, rows[n], NULL) && str_eq(text_of(rows[n], field), value);
	assert_int_equal(want, count);
	assert_true(count > 0);
	c->total[field] += count;
	return 0;
}

static void facets_tell_each_value_once(void **state)
{
	static const uint32_t FIELDS[] = {TXW_FIELD_OUTCOME, TXW_FIELD_FLOW, TXW_FIELD_STATUS};
	struct kit *k = *state;
	for (size_t i = 0; i < N_FILTERS; i++) {
		txw_tx_query q = {.size = sizeof(q), .filter = parse(k, FILTERS[i])};
		struct facet_check c = {.q = &q};
		int64_t want = 0;
		for (size_t n = 0; n < N_ROWS; n++)
			want += holds(&q, rows[n], NULL);
		OK(k->v->facet_tx(k->reader, &q, FIELDS, 3, want, check_facet, &c, &k->err));
		for (size_t f = 0; f < 3; f++)
			assert_int_equal(want, c.total[FIELDS[f]]);
		if (want > 1)
			REFUSED(TXW_E_FULL, k->v->facet_tx(k->reader, &q, FIELDS, 3, want - 1,
							   check_facet, &c, &k->err));
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
/* With the host's counts and without. */
#define P(name)                                                       \
	{"counted: " #name, name, counted_setup, kit_teardown, NULL}, \
	{                                                             \
#name, name, plain_setup, kit_teardown, NULL          \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(counts_add_up_and_are_listed_in_order),
	    T(a_count_that_comes_to_nothing_goes),
	    T(counts_are_undone_with_their_unit),
	    T(counts_of_a_span_of_time_leave_out_the_rest),
	    P(pages_by_key_hold_what_the_filter_holds_for),
	    P(pages_come_in_the_order_asked_for),
	    P(pages_hold_what_contains_the_text),
	    P(what_is_inserted_between_pages_neither_hides_nor_repeats_a_row),
	    P(what_moved_to_another_status_is_found_there),
	    P(a_status_seen_only_in_an_undone_unit_is_no_hindrance),
	    P(a_count_is_exact_up_to_its_cap),
	    P(facets_tell_each_value_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
