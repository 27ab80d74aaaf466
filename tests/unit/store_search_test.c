/*
 * store_search_test.c: the suite every store passes: rollups, and pages with
 * an order, a text, counts and facets.
 */
#include "store_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

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

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(counts_add_up_and_are_listed_in_order),
	    T(a_count_that_comes_to_nothing_goes),
	    T(counts_are_undone_with_their_unit),
	    T(counts_of_a_span_of_time_leave_out_the_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
