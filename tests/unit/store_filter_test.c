/*
 * store_filter_test.c: the suite every store passes: a store's pages hold
 * exactly the rows for which the host's own evaluation of the filter holds,
 * newest or oldest first, whatever the page's size.
 */
#include "store_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "filter/filter.h"

#define N_ROWS 64

static txw_tx *rows[N_ROWS]; /* as saved, in the order of their keys */

/* Rows that differ in everything a filter can ask about. */
static void save_rows(struct kit *k)
{
	static const char *const OWNERS[] = {"", "ada", "Ada", "bob%", "grace_*", "ada lovelace"};
	static const char *const AMOUNTS[] = {
	    "", "0", "-0.0", "1000", "1000.00", "0999.9", "-12.5", "99999999999999999999.01"};
	static const char *const ATTRIBUTES[] = {
	    "",
	    "{}",
	    "{\"country\":\"DE\",\"n\":7}",
	    "{\"country\":\"de\",\"n\":\"7.0\",\"a\":{\"b\":true}}",
	    "{\"n\":7.5,\"a\":{\"b\":false},\"country\":null}",
	    "{\"n\":12345678901,\"a\":{\"b\":\"x\"},\"country\":[1]}",
	    "{\"n\":\"seven\",\"a\":1,\"country\":\"\",\"we\\\"ird\":\"q\"}",
	};
	static const char *const STATUSES[] = {"pending", "authorized", "failed", "settled"};
	BEGIN();
	for (size_t i = 0; i < N_ROWS; i++) {
		txw_tx *tx = kit_tx(k, kit_printf(k, "REF-%zu%s", i, i % 5 ? "" : "'x\"").ptr);
		tx->tenant = i % 3 ? STR_LIT("default") : STR_LIT("other");
		tx->flow = i % 4 ? STR_LIT("payment") : STR_LIT("refund");
		tx->outcome = (uint32_t)(i % 5);
		tx->owner = str_of(OWNERS[i % 6]);
		tx->amount = str_of(AMOUNTS[i % 8]);
		tx->attributes = str_of(ATTRIBUTES[i % 7]);
		tx->reason = i % 2 ? STR_LIT("Insufficient Funds") : STR_NONE;
		tx->code = i % 3 ? STR_LIT("51") : STR_NONE;
		tx->currency = i % 4 ? STR_LIT("EUR") : STR_NONE;
		tx->version = (int64_t)i % 4;
		tx->created_at = KIT_NOW + (int64_t)i * SEC;
		tx->updated_at = KIT_NOW + (int64_t)(i % 9) * SEC;
		tx->status_since = i % 2 ? tx->updated_at : 0;
		tx->expires_at = i % 3 ? KIT_NOW + 3600 * SEC : 0;
		tx->finished_at = i % 5 ? KIT_NOW + (int64_t)i * SEC : 0;
		kit_change(k, tx, STATUSES[i % 4]);
		rows[i] = tx;
	}
	COMMIT();
}

static int filter_setup(void **state)
{
	if (kit_setup(state) < 0)
		return -1;
	save_rows(*state);
	return 0;
}

static const char *const FILTERS[] = {
    "flow = payment",
    "flow != payment",
    "flow = nosuch",
    "flow != nosuch",
    "flow = pay*",
    "flow:EFUN",
    "flow:*",
    "ref = \"REF-7\"",
    "ref = \"REF-1*\"",
    "ref != \"REF-1*\"",
    "ref:ref-2",
    "ref:\"'x\\\"\"",
    "status = failed",
    "status != failed",
    "status:\"t\"",
    "outcome = open",
    "outcome != open",
    "outcome = failure",
    "outcome != failure",
    "outcome:s",
    "outcome:*",
    "owner = ada",
    "owner != ada",
    "owner = \"ada*\"",
    "owner:ADA",
    "owner:\"%\"",
    "owner:\"_\"",
    "owner:*",
    "NOT owner:*",
    "NOT owner = ada",
    "NOT owner != ada",
    "amount = 1000",
    "amount != 1000",
    "amount >= 1000",
    "amount < 1000",
    "amount <= 0",
    "amount > 99999999999999999999",
    "amount > 99999999999999999999.01",
    "amount:*",
    "NOT amount > 0",
    "currency = EUR",
    "currency != EUR",
    "reason:\"insufficient f\"",
    "NOT reason:*",
    "code = 51",
    "version = 2",
    "version > 0",
    "version:*",
    "version <= 1.5",
    "created_at > 2026-09-21T14:13:30Z",
    "updated_at <= 2026-09-21T14:13:25Z",
    "status_since:*",
    "NOT status_since < now",
    "expires_at > now",
    "finished_at >= 2026-09-21T14:13:50Z",
    "NOT finished_at:*",
    "attributes.country = DE",
    "attributes.country != DE",
    "attributes.country = \"d*\"",
    "attributes.country:*",
    "attributes.country:d",
    "attributes.n = 7",
    "attributes.n != 7",
    "attributes.n = 7.50",
    "attributes.n > 7",
    "attributes.n <= 7",
    "attributes.n:7",
    "attributes.n > 12345678900",
    "attributes.a.b = true",
    "attributes.a.b != true",
    "attributes.a.b:*",
    "attributes.a:*",
    "attributes.nosuch = 1",
    "NOT attributes.nosuch = 1",
    "id = tx_nosuch",
};
#define N_FILTERS (sizeof(FILTERS) / sizeof(FILTERS[0]))

/* Pages through what the store finds and compares with the host; how many. */
static size_t compare(struct kit *k, const char *what, const txw_filter *f, txw_tx_query q)
{
	size_t found = 0;
	q.size = sizeof(q);
	q.filter = f;
	for (size_t step = 0;;) {
		bag_empty(k);
		OK(k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
		for (size_t i = 0; i < k->n; i++, step++) {
			const txw_tx *want = NULL;
			for (; step < N_ROWS && !want; step++) {
				want = rows[q.ascending ? step : N_ROWS - 1 - step];
				if (!filter_match_tx(f, want) ||
				    (q.tenant.len && !str_eq(q.tenant, want->tenant)))
					want = NULL;
			}
			step--;
			if (!want || want->key != k->txs[i]->key)
				print_error("%s: the store has %.*s, the host %.*s\n", what,
					    STR_ARG(k->txs[i]->ref), want ? (int)want->ref.len : 4,
					    want ? want->ref.ptr : "none");
			assert_true(want && want->key == k->txs[i]->key);
			found++;
		}
		if (k->n < q.limit)
			break;
		q.after = k->txs[k->n - 1]->key;
	}
	size_t expected = 0;
	for (size_t i = 0; i < N_ROWS; i++)
		expected += filter_match_tx(f, rows[i]) &&
			    (!q.tenant.len || str_eq(q.tenant, rows[i]->tenant));
	if (expected != found)
		print_error("%s: the store has %zu, the host %zu\n", what, found, expected);
	assert_int_equal(expected, found);
	return found;
}

/* NULL: the host refuses such a text, and a store need not know it. */
static const txw_filter *parse(struct kit *k, const char *text)
{
	struct err e = {0};
	const txw_filter *f = NULL;
	if (filter_parse(&k->arena, str_of(text), FILTER_TX, KIT_NOW, &f, &e) < 0)
		return NULL;
	return f;
}

static void every_comparison_selects_what_the_host_would(void **state)
{
	struct kit *k = *state;
	size_t parsed = 0;
	for (size_t i = 0; i < N_FILTERS; i++) {
		const txw_filter *f = parse(k, FILTERS[i]);
		if (!f)
			continue;
		parsed++;
		compare(k, FILTERS[i], f, (txw_tx_query){.limit = 7});
		compare(k, FILTERS[i], f, (txw_tx_query){.limit = 1000, .ascending = 1});
		compare(k, FILTERS[i], f, (txw_tx_query){.limit = 5, .tenant = STR_LIT("default")});
	}
	assert_true(parsed > N_FILTERS - 5);
}

static void a_transaction_is_found_by_the_id_people_see(void **state)
{
	struct kit *k = *state;
	char text[ID_TEXT_MAX];
	size_t n = id_print(text, "tx", rows[5]->id);
	txw_filter f = {.size = sizeof(f),
			.kind = TXW_F_TEST,
			.op = TXW_F_EQ,
			.field = TXW_FIELD_ID,
			.text = {text, n}};
	txw_tx_query q = {.limit = 9};
	assert_int_equal(1, compare(k, "id =", &f, q));
	f.op = TXW_F_NE;
	assert_int_equal(N_ROWS - 1, compare(k, "id !=", &f, q));
	f.op = TXW_F_HAS;
	f.text = (txw_str){text + n - 4, 4};
	assert_true(compare(k, "id: its end", &f, q) > 0);
	f.text = STR_LIT("*");
	assert_int_equal(N_ROWS, compare(k, "id:*", &f, q));
	f.op = TXW_F_EQ;
	f.text = STR_LIT("tx_0");
	assert_int_equal(0, compare(k, "id = a part", &f, q));
}

static uint32_t pick(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % n;
}

static const txw_filter *random_tree(struct kit *k, uint32_t *seed, int depth)
{
	const txw_filter *leaf = NULL;
	while (!leaf)
		leaf = parse(k, FILTERS[pick(seed, N_FILTERS)]);
	uint32_t kind = 1 + pick(seed, 4);
	if (depth == 0 || kind == TXW_F_TEST)
		return leaf;
	uint32_t n = kind == TXW_F_NOT ? 1 : pick(seed, 4);
	txw_filter *f = arena_alloc(&k->arena, sizeof(*f));
	const txw_filter **children = arena_alloc(&k->arena, (n + 1) * sizeof(*children));
	for (uint32_t i = 0; i < n; i++)
		children[i] = random_tree(k, seed, depth - 1);
	*f = (txw_filter){.size = sizeof(*f), .kind = kind, .n_children = n, .children = children};
	return f;
}

static void any_tree_of_them_selects_what_the_host_would(void **state)
{
	struct kit *k = *state;
	uint32_t seed = 42;
	for (int i = 0; i < 300; i++) {
		char what[32];
		snprintf(what, sizeof(what), "random tree %d", i);
		compare(k, what, random_tree(k, &seed, 3), (txw_tx_query){.limit = 50});
	}
}

static void fields_that_a_row_has_not_hold_for_none(void **state)
{
	struct kit *k = *state;
	txw_filter f = {.size = sizeof(f),
			.kind = TXW_F_TEST,
			.op = TXW_F_EQ,
			.field = TXW_FIELD_SOURCE,
			.text = STR_LIT("bank")};
	compare(k, "source = bank", &f, (txw_tx_query){.limit = 9});
	f.field = 63;
	compare(k, "a field of tomorrow", &f, (txw_tx_query){.limit = 9});
}

static void a_tree_that_cannot_be_is_refused_in_words(void **state)
{
	struct kit *k = *state;
	txw_filter f = {.size = sizeof(f), .kind = 9};
	txw_tx_query q = {.size = sizeof(q), .limit = 9, .filter = &f};
	REFUSED(TXW_E_UNSUPPORTED, k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
	assert_non_null(strstr(k->text, "kind 9"));
	f.kind = TXW_F_TEST;
	f.op = 99;
	REFUSED(TXW_E_UNSUPPORTED, k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
	f.kind = TXW_F_NOT;
	REFUSED(TXW_E_INVALID, k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
	const txw_filter *at = &f;
	f = (txw_filter){.size = sizeof(f), .kind = TXW_F_AND, .n_children = 1, .children = &at};
	REFUSED(TXW_E_UNSUPPORTED, k->v->list_tx(k->reader, &q, bag_tx, k, &k->err));
	/* and the reader is as good as before */
	compare(k, "all", NULL, (txw_tx_query){.limit = 9});
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, filter_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(every_comparison_selects_what_the_host_would),
	    CASE(a_transaction_is_found_by_the_id_people_see),
	    CASE(any_tree_of_them_selects_what_the_host_would),
	    CASE(fields_that_a_row_has_not_hold_for_none),
	    CASE(a_tree_that_cannot_be_is_refused_in_words),
	};
	return cmocka_run_group_tests_name("store filters", tests, NULL, NULL);
}
