/* filter_eval_test.c: what a filter says about a transaction or an event. */
#include "filter_fixture.h"

/* ---- meaning ---- */

static void text_is_compared_as_written(void **state)
{
	(void)state;
	YES("status = failed");
	NO("status = fail");
	NO("status = FAILED");
	NO("status != failed");
	YES("status != pending");
}

static void a_trailing_star_is_a_prefix(void **state)
{
	(void)state;
	YES("ref = PAY-*");
	YES("ref = \"PAY-2026*\"");
	NO("ref = PAX*");
	NO("ref != PAY*");
	YES("ref != PAX*");
	YES("ref = *");
	NO("owner = *");
	/* Only at the end is it special. */
	NO("ref = *17");
}

static void has_looks_anywhere_without_regard_to_case(void **state)
{
	(void)state;
	YES("reason:funds");
	YES("reason:\"CIENT f\"");
	NO("reason:cash");
	YES("reason:fund*");
	YES("reason:*");
	NO("owner:*");
	NO("owner:x");
}

static void a_field_without_a_value_compares_false_both_ways(void **state)
{
	(void)state;
	NO("owner = bob");
	NO("owner != bob");
	YES("NOT owner = bob");
	YES("NOT owner:*");
	NO("expires_at > 2020-01-01");
	NO("expires_at != 2020-01-01");
	NO("attributes.nix = 1");
	NO("attributes.nix != 1");
	NO("attributes.gone:*");
}

static void amounts_are_compared_exactly_by_value(void **state)
{
	(void)state;
	YES("amount = 1250");
	YES("amount = 1250.000");
	YES("amount != 1250.001");
	YES("amount > 1249.99");
	NO("amount > 1250");
	YES("amount >= 1250");
	YES("amount < 9999999999999999999999999");
	YES("amount > -5");
	YES("amount = \"1250\"");
	YES("amount:*");
	YES("version = 3");
	NO("version > 3");
}

static void outcomes_go_by_their_names(void **state)
{
	(void)state;
	YES("outcome = failure");
	NO("outcome = open");
	YES("outcome != success");
	YES("outcome:*");
}

static void ids_are_whole(void **state)
{
	(void)state;
	char text[ID_TEXT_MAX], filter[ID_TEXT_MAX + 8];
	txw_tx tx = sample();
	id_print(text, "tx", tx.id);
	snprintf(filter, sizeof filter, "id = %s", text);
	YES(filter);
	tx.id.lo++;
	id_print(text, "tx", tx.id);
	snprintf(filter, sizeof filter, "id = %s", text);
	NO(filter);
}

static void times_may_be_absolute_dates_or_relative(void **state)
{
	(void)state;
	YES("updated_at = 2025-12-31T23:00:00Z");
	YES("updated_at = 2026-01-01T00:00:00+01:00");
	YES("updated_at = \"2025-12-31T23:00:00Z\"");
	YES("created_at >= 2025-12-31");
	NO("created_at > 2025-12-31");
	YES("updated_at < -30m");
	NO("updated_at < -2h");
	YES("updated_at > -1h30m");
	YES("created_at <= now");
	YES("created_at < +1d");
	YES("finished_at:*");
}

static void attributes_are_reached_by_their_path(void **state)
{
	(void)state;
	YES("attributes.country = DE");
	NO("attributes.country = de");
	YES("attributes.country:de");
	YES("attributes.country = D*");
	YES("attributes.a.b.\"c d\" = deep");
	YES("attributes.a.'b'.\"c d\":*");
	YES("attributes.a.b:*");
	NO("attributes.a.b = x");
	NO("attributes.a.b != x");
	NO("attributes.country.x = DE");
	YES("attributes.list:*");
	NO("attributes.list = 1");
}

static void attributes_keep_their_json_types(void **state)
{
	(void)state;
	YES("attributes.n = 7");
	YES("attributes.n = 7.0");
	YES("attributes.n = \"7\"");
	YES("attributes.n < 10");
	YES("attributes.n != 8");
	YES("attributes.price = 12.50");
	YES("attributes.price > 12.4");
	NO("attributes.price >= 13");
	YES("attributes.price:12.5");
	YES("attributes.vip = true");
	YES("attributes.off = false");
	NO("attributes.vip = false");
	YES("attributes.empty = \"\"");
	YES("attributes.empty:*");
	YES("attributes.money > 19.8999");
	NO("attributes.money = 19.9");
	NO("attributes.country > 1");
}

static void broken_attributes_are_no_value(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err e = {0};
	const txw_filter *f;
	txw_tx tx = sample();
	assert_int_equal(
	    filter_parse(&a, STR_LIT("attributes.x:* OR attributes.y:*"), FILTER_TX, NOW, &f, &e),
	    0);
	tx.attributes = STR_LIT("{\"x\":");
	assert_false(filter_match_tx(f, &tx));
	tx.attributes = STR_NONE;
	assert_false(filter_match_tx(f, &tx));
	tx.attributes = STR_LIT("[1]");
	assert_false(filter_match_tx(f, &tx));
	tx.attributes = STR_LIT("{\"y\":0}");
	assert_true(filter_match_tx(f, &tx));
	arena_free(&a);
}

static void events_answer_for_themselves_and_their_transaction(void **state)
{
	(void)state;
	asks("type = transaction.failed AND amount > 1000", FILTER_EVENT, true);
	asks("type = \"transaction.*\"", FILTER_EVENT, true);
	asks("type = transaction.*", FILTER_EVENT, true);
	asks("type = alert.*", FILTER_EVENT, false);
	asks("type:FAIL", FILTER_EVENT, true);
	asks("from = pending to = failed", FILTER_EVENT, true);
	asks("source = bank seq >= 41 at < now", FILTER_EVENT, true);
	asks("actor:*", FILTER_EVENT, false);
	asks("status = failed AND attributes.n = 7", FILTER_EVENT, true);
}

/* Does the rule hold for the sample's event, when it happens so late? */
static bool rule_holds(const char *text, txw_time at)
{
	struct arena a = {0};
	struct err e = {0};
	const txw_filter *f;
	txw_tx tx = sample();
	txw_event ev = {.size = sizeof ev, .type = TXW_EV_FAILED, .at = at, .tx = &tx};
	assert_int_equal(filter_parse(&a, str_of(text), FILTER_EVENT, FILTER_EACH_EVENT, &f, &e),
			 0);
	bool holds = filter_match_event(f, &ev);
	arena_free(&a);
	return holds;
}

static void a_rule_s_relative_times_count_from_each_event(void **state)
{
	(void)state;
	/* It was updated an hour before NOW. */
	assert_false(rule_holds("updated_at < -2h", NOW));
	assert_true(rule_holds("updated_at < -2h", NOW + 2 * HOUR));
	assert_true(rule_holds("updated_at > +1h", NOW - 3 * HOUR));
	assert_true(rule_holds("at = now", NOW));
	assert_true(rule_holds("at = now", NOW + DAY));
	assert_true(rule_holds("updated_at < now", NOW));
	assert_false(rule_holds("updated_at < now", NOW - 2 * HOUR));
	/* Absolute ones do not move. */
	assert_true(rule_holds("updated_at < 2026-01-01", NOW));
	assert_true(rule_holds("updated_at < 2026-01-01", NOW + DAY));
	assert_false(rule_holds("updated_at < -100000d", INT64_MIN + 5));
}

static void an_event_of_no_transaction_has_only_its_own_fields(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err e = {0};
	const txw_filter *f;
	txw_event ev = {.size = sizeof ev,
			.type = TXW_EV_POLLER_DOWN,
			.seq = 1,
			.source = STR_LIT("bank"),
			.reason = STR_LIT("down")};
	static const char text[] = "type = poller.down AND reason = down AND NOT status:* AND NOT "
				   "attributes.x:* AND NOT id:*";
	assert_int_equal(filter_parse(&a, STR_LIT(text), FILTER_EVENT, NOW, &f, &e), 0);
	assert_true(filter_match_event(f, &ev));
	arena_free(&a);
}

static void a_filter_is_narrowed_by_a_field(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err e = {0};
	const txw_filter *f;
	txw_tx tx = sample();
	const txw_filter *only = filter_and_equal(&a, NULL, TXW_FIELD_FLOW, STR_LIT("payment"));
	assert_int_equal(only->kind, TXW_F_TEST);
	assert_true(filter_match_tx(only, &tx));
	assert_int_equal(
	    filter_parse(&a, STR_LIT("status=x OR status=failed"), FILTER_TX, NOW, &f, &e), 0);
	f = filter_and_equal(&a, f, TXW_FIELD_FLOW, STR_LIT("payment"));
	assert_int_equal(f->kind, TXW_F_AND);
	assert_true(filter_match_tx(f, &tx));
	f = filter_and_equal(&a, f, TXW_FIELD_OWNER, STR_LIT("bob"));
	assert_false(filter_match_tx(f, &tx));
	arena_free(&a);
}

static void the_tree_does_not_need_the_text_any_more(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err e = {0};
	const txw_filter *f;
	char text[] = "status = failed";
	assert_int_equal(filter_parse(&a, str_of(text), FILTER_TX, NOW, &f, &e), 0);
	memset(text, 'x', sizeof text - 1);
	txw_tx tx = sample();
	assert_true(filter_match_tx(f, &tx));
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_compared_as_written),
	    cmocka_unit_test(a_trailing_star_is_a_prefix),
	    cmocka_unit_test(has_looks_anywhere_without_regard_to_case),
	    cmocka_unit_test(a_field_without_a_value_compares_false_both_ways),
	    cmocka_unit_test(amounts_are_compared_exactly_by_value),
	    cmocka_unit_test(outcomes_go_by_their_names),
	    cmocka_unit_test(ids_are_whole),
	    cmocka_unit_test(times_may_be_absolute_dates_or_relative),
	    cmocka_unit_test(attributes_are_reached_by_their_path),
	    cmocka_unit_test(attributes_keep_their_json_types),
	    cmocka_unit_test(broken_attributes_are_no_value),
	    cmocka_unit_test(events_answer_for_themselves_and_their_transaction),
	    cmocka_unit_test(a_rule_s_relative_times_count_from_each_event),
	    cmocka_unit_test(an_event_of_no_transaction_has_only_its_own_fields),
	    cmocka_unit_test(a_filter_is_narrowed_by_a_field),
	    cmocka_unit_test(the_tree_does_not_need_the_text_any_more),
	};
	return cmocka_run_group_tests_name("filter_eval", tests, NULL, NULL);
}
