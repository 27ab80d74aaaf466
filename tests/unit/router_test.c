/* router_test.c: which events become deliveries to whom, and that none is
 * lost or doubled over restarts, floods and the store's trouble. */
#include "site_kit.h"

static const char *const ROUTES =
    "notifier.fake hooks { schedule = { 5s, 1m } jitter = 0 }\n"
    "notifier.fake slow { concurrency = 1 }\n"
    "route failures { when = \"type = transaction.failed\" to = { \"hooks:fail\" } }\n"
    "route both { when = \"outcome = failure\" to = { \"hooks:fail\" } }\n";

static char site_text[8192];

static const char *with_flows(const char *more)
{
	snprintf(site_text, sizeof(site_text), "%s%s", KIT_FLOWS, more);
	return site_text;
}

static int setup(void **state)
{
	struct kit *k = xcalloc(1, sizeof(*k));
	kit_open(k, with_flows(ROUTES));
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	kit_close(*state);
	free(*state);
	return 0;
}

static size_t sent_to(const struct kit *k, const char *address)
{
	size_t n = 0;
	for (size_t i = 0; i < k->n_sent; i++)
		n += strcmp(k->sent[i].address, address) == 0;
	return n;
}

static void make(struct kit *k, const char *prefix, int n, const char *status)
{
	struct op *ops = xcalloc((size_t)n, sizeof(*ops));
	char(*refs)[32] = xcalloc((size_t)n, sizeof(*refs));
	for (int i = 0; i < n; i++) {
		snprintf(refs[i], sizeof(refs[i]), "%s%d", prefix, i);
		ops[i] = op_create("payment", refs[i], status);
	}
	struct batch *b = kit_batch(k, ops, (size_t)n, false);
	assert_int_equal(b->job.rc, 0);
	for (int i = 0; i < n; i++)
		assert_int_equal(b->ops[i].result, OP_CREATED);
	free(ops);
	free(refs);
}

static void a_route_gets_what_it_asks_for(void **state)
{
	struct kit *k = *state;
	kit_op(k, op_create("payment", "P1", NULL));
	kit_op(k, op_create("payment", "P2", NULL));
	kit_op(k, op_status("payment", "P1", "failed"));
	kit_op(k, op_status("payment", "P2", "settled"));
	kit_rest(k);
	/* Two routes to that address match: one delivery. */
	assert_int_equal(k->n_sent, 1);
	assert_string_equal(k->sent[0].ref, "P1");
	assert_int_equal(k->sent[0].type, TXW_EV_FAILED);
	assert_int_equal(k->sent[0].seq, 3);
	assert_string_equal(k->sent[0].address, "fail");
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 1);
	assert_int_equal(kit_deliveries(k, TXW_ANY_STATE), 1);
}

static void a_subscription_gets_what_comes_after_it(void **state)
{
	struct kit *k = *state;
	make(k, "before", 50, NULL);
	kit_subscribe(k, "{\"channel\":\"hooks\",\"target\":\"all\",\"events\":[\"*\"]}");
	make(k, "after", 50, NULL);
	kit_rest(k);
	assert_int_equal(sent_to(k, "all"), 50);
	for (size_t i = 0; i < k->n_sent; i++)
		assert_true(k->sent[i].seq > 50);
}

static void a_subscription_s_types_filter_and_tenant_choose(void **state)
{
	struct kit *k = *state;
	kit_subscribe(k, "{\"channel\":\"hooks\",\"target\":\"types\","
			 "\"events\":[\"transaction.succeeded\",\"transaction.f*\"]}");
	kit_subscribe(k, "{\"channel\":\"hooks\",\"target\":\"filter\","
			 "\"events\":[\"*\"],\"filter\":\"amount > 100\"}");
	struct op op = op_create("payment", "P1", NULL);
	op.amount = STR_LIT("100.00");
	kit_op(k, op);
	op.name.ref = STR_LIT("P2");
	op.amount = STR_LIT("100.01");
	kit_op(k, op);
	kit_op(k, op_status("payment", "P1", "settled"));
	op = op_create("payment", "P2", "failed");
	op.name.tenant = STR_LIT("other");
	op.amount = STR_LIT("1000");
	kit_op(k, op);
	kit_rest(k);
	assert_int_equal(sent_to(k, "types"), 1);
	assert_int_equal(sent_to(k, "filter"), 1);
}

static void events_routed_before_a_restart_are_not_routed_again(void **state)
{
	struct kit *k = *state;
	kit_subscribe(k, "{\"channel\":\"hooks\",\"target\":\"all\",\"events\":[\"*\"]}");
	make(k, "a", 10, NULL);
	kit_rest(k);
	assert_int_equal(sent_to(k, "all"), 10);
	for (int i = 0; i < 3; i++) {
		kit_reopen(k, with_flows(ROUTES));
		kit_rest(k);
		assert_int_equal(k->n_sent, 0);
	}
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 10);
}

static void events_committed_and_not_routed_are_routed_after_a_restart(void **state)
{
	struct kit *k = *state;
	struct op ops[200];
	char refs[200][16];
	kit_subscribe(k, "{\"channel\":\"hooks\",\"target\":\"all\",\"events\":[\"*\"]}");
	kit_rest(k);
	for (int i = 0; i < 200; i++) {
		snprintf(refs[i], sizeof(refs[i]), "P%d", i);
		ops[i] = op_create("payment", refs[i], NULL);
	}
	kit_submit(k, ops, 200, false);
	/* The engine drains, commits and stops; nothing was delivered. */
	kit_reopen(k, with_flows(ROUTES));
	kit_rest(k);
	assert_int_equal(sent_to(k, "all"), 200);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 200);
	assert_int_equal(kit_deliveries(k, TXW_ANY_STATE), 200);
}

static void a_failed_commit_routes_nothing_and_the_next_one_all(void **state)
{
	struct kit *k = *state;
	kit_subscribe(k, "{\"channel\":\"hooks\",\"target\":\"all\",\"events\":[\"*\"]}");
	kit_op(k, op_create("payment", "P1", NULL));
	/* Whether P1 is routed by now or not: it is delivered once. */
	kit_fail_commits(TXW_E_FULL);
	struct op op = op_create("payment", "P2", NULL);
	struct batch *b = kit_batch(k, &op, 1, false);
	assert_int_equal(b->job.rc, TXW_E_FULL);
	kit_fail_commits(0);
	kit_op(k, op_create("payment", "P3", NULL));
	/* P1's verdict may be what the store refused: then nothing starts until
	 * it is tried again, by the site's clock, which only a walk moves. */
	kit_advance(k, MINUTE);
	assert_int_equal(sent_to(k, "all"), 2);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 2);
	assert_int_equal(kit_deliveries(k, TXW_ANY_STATE), 2);
}

static void a_route_new_to_the_config_hears_what_comes_and_not_what_was(void **state)
{
	struct kit *k = *state;
	static const char more[] = "notifier.fake hooks { }\n"
				   "route all { to = { \"hooks:new\" } }\n";
	make(k, "a", 20, NULL);
	kit_rest(k);
	kit_reopen(k, with_flows(more));
	make(k, "b", 5, NULL);
	kit_rest(k);
	assert_int_equal(sent_to(k, "new"), 5);
	make(k, "c", 5, NULL);
	kit_reopen(k, with_flows(more));
	size_t before = kit_deliveries(k, TXW_ANY_STATE);
	kit_rest(k);
	assert_true(before <= 10);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), 10);
}

static int by_seq(const void *a, const void *b)
{
	const struct sent *x = a, *y = b;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

static void assert_each_once(struct kit *k, size_t n)
{
	assert_int_equal(k->n_sent, n);
	qsort(k->sent, k->n_sent, sizeof(*k->sent), by_seq);
	for (size_t i = 1; i < k->n_sent; i++)
		if (k->sent[i].seq == k->sent[i - 1].seq)
			fail_msg("seq %lld twice", (long long)k->sent[i].seq);
	assert_int_equal(kit_deliveries(k, TXW_DLV_DELIVERED), n);
	assert_int_equal(kit_deliveries(k, TXW_ANY_STATE), n);
}

static void a_flood_to_one_target_is_all_delivered_once(void **state)
{
	struct kit *k = *state;
	enum { FLOOD = 5000 };
	kit_subscribe(k, "{\"channel\":\"slow\",\"target\":\"all\",\"events\":[\"*\"]}");
	for (int i = 0; i < 5; i++) {
		char prefix[16];
		snprintf(prefix, sizeof(prefix), "f%d-", i);
		make(k, prefix, FLOOD / 5, NULL);
	}
	kit_rest(k);
	assert_each_once(k, FLOOD);
}

static void more_events_than_memory_holds_come_from_the_store(void **state)
{
	struct kit *k = *state;
	kit_subscribe(k, "{\"channel\":\"hooks\",\"target\":\"all\",\"events\":[\"*\"]}");
	/* One commit of more than the router keeps. */
	make(k, "m", 10000, NULL);
	make(k, "n", 100, NULL);
	kit_rest(k);
	assert_each_once(k, 10100);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_route_gets_what_it_asks_for),
	    T(a_subscription_gets_what_comes_after_it),
	    T(a_subscription_s_types_filter_and_tenant_choose),
	    T(events_routed_before_a_restart_are_not_routed_again),
	    T(events_committed_and_not_routed_are_routed_after_a_restart),
	    T(a_failed_commit_routes_nothing_and_the_next_one_all),
	    T(a_route_new_to_the_config_hears_what_comes_and_not_what_was),
	    T(a_flood_to_one_target_is_all_delivered_once),
	    T(more_events_than_memory_holds_come_from_the_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
