/* row_test.c: names of outcomes and events, copies, and the API's JSON. */
#include "unit.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/row.h"
#include "base/str.h"

#define NOW (INT64_C(1790000000) * SECOND)

static txw_tx full_tx(void)
{
	return (txw_tx){
	    .size = sizeof(txw_tx),
	    .outcome = TXW_FAILURE,
	    .key = 9,
	    .id = {UINT64_C(0x01890a5dac96774b), UINT64_C(0xbcceb302099a8057)},
	    .tenant = STR_LIT("default"),
	    .flow = STR_LIT("payment"),
	    .ref = STR_LIT("P \"1\"\n"),
	    .status = STR_LIT("failed"),
	    .owner = STR_LIT("ann"),
	    .amount = STR_LIT("1250.00"),
	    .currency = STR_LIT("EUR"),
	    .attributes = STR_LIT("{\"country\":\"DE\"}"),
	    .reason = STR_LIT("no funds"),
	    .code = STR_LIT("51"),
	    .source_version = STR_LIT("7"),
	    .anomaly = STR_LIT("odd"),
	    .source_at = NOW - SECOND,
	    .version = 3,
	    .last_seq = 17,
	    .created_at = NOW - HOUR,
	    .updated_at = NOW,
	    .status_since = NOW,
	    .finished_at = NOW,
	    .poll_failures = 2,
	    .paused = 1,
	};
}

static txw_event full_event(const txw_tx *tx)
{
	return (txw_event){
	    .size = sizeof(txw_event),
	    .type = TXW_EV_FAILED,
	    .seq = 17,
	    .prev = 12,
	    .id = {1, 2},
	    .at = NOW,
	    .tenant = STR_LIT("default"),
	    .from = STR_LIT("pending"),
	    .to = STR_LIT("failed"),
	    .source = STR_LIT("bank"),
	    .actor = STR_LIT("operator"),
	    .source_event_id = STR_LIT("m-1"),
	    .source_at = NOW - SECOND,
	    .reason = STR_LIT("no funds"),
	    .code = STR_LIT("51"),
	    .detail = STR_LIT("{\"raw\":true}\n"),
	    .tx = tx,
	};
}

static json_t *read_json(struct buf *b)
{
	json_error_t e;
	json_t *v = json_loadb(b->ptr, b->len, JSON_REJECT_DUPLICATES, &e);
	if (!v)
		fail_msg("%s at %d in: %.*s", e.text, e.position, (int)b->len, b->ptr);
	buf_free(b);
	return v;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *z = json_string_value(json_object_get(o, key));
	if (!z)
		fail_msg("no text %s", key);
	return z;
}

static void an_event_s_json_is_what_the_design_says(void **state)
{
	struct buf b = {0};
	txw_tx tx = full_tx();
	txw_event ev = full_event(&tx);
	(void)state;
	json_event(&b, &ev);
	json_t *o = read_json(&b);
	assert_int_equal(json_integer_value(json_object_get(o, "seq")), 17);
	assert_memory_equal(text_of(o, "id"), "evt_", 4);
	assert_string_equal(text_of(o, "type"), "transaction.failed");
	assert_string_equal(text_of(o, "at"), "2026-09-21T14:13:20Z");
	assert_string_equal(text_of(o, "tenant"), "default");
	assert_string_equal(text_of(o, "source"), "bank");
	assert_string_equal(text_of(o, "actor"), "operator");
	const json_t *change = json_object_get(o, "change");
	assert_string_equal(text_of(change, "from"), "pending");
	assert_string_equal(text_of(change, "to"), "failed");
	assert_string_equal(text_of(change, "reason"), "no funds");
	assert_string_equal(text_of(change, "code"), "51");
	assert_true(json_is_true(json_object_get(json_object_get(change, "detail"), "raw")));
	const json_t *t = json_object_get(o, "transaction");
	assert_string_equal(text_of(t, "id"), "tx_01h455vb4pex5vsknk084sn02q");
	assert_string_equal(text_of(t, "ref"), "P \"1\"\n");
	assert_string_equal(text_of(t, "status"), "failed");
	json_decref(o);
}

static void a_transaction_s_json_has_every_member(void **state)
{
	static const char *const names[] = {"id",
					    "flow",
					    "ref",
					    "status",
					    "outcome",
					    "version",
					    "owner",
					    "amount",
					    "currency",
					    "attributes",
					    "reason",
					    "code",
					    "source_version",
					    "created_at",
					    "updated_at",
					    "status_since",
					    "expires_at",
					    "finished_at",
					    "next_poll_at",
					    "poll_failures",
					    "paused"};
	struct buf b = {0};
	txw_tx tx = full_tx();
	(void)state;
	json_tx(&b, &tx);
	json_t *o = read_json(&b);
	for (size_t i = 0; i < COUNT(names); i++)
		if (!json_object_get(o, names[i]))
			fail_msg("no %s", names[i]);
	assert_string_equal(text_of(o, "amount"), "1250.00");
	assert_string_equal(text_of(o, "outcome"), "failure");
	assert_string_equal(text_of(json_object_get(o, "attributes"), "country"), "DE");
	assert_true(json_is_null(json_object_get(o, "expires_at")));
	json_decref(o);
}

static void an_event_without_a_transaction_and_a_bare_row_are_valid_too(void **state)
{
	struct buf b = {0};
	txw_event ev = {.size = sizeof(ev), .type = TXW_EV_TEST, .seq = 1, .at = NOW};
	txw_tx tx = {.size = sizeof(tx)};
	(void)state;
	json_event(&b, &ev);
	json_t *o = read_json(&b);
	assert_null(json_object_get(o, "transaction"));
	assert_string_equal(text_of(o, "type"), "txwatch.test");
	json_decref(o);
	json_tx(&b, &tx);
	o = read_json(&b);
	assert_true(json_is_null(json_object_get(o, "amount")));
	assert_int_equal(json_object_size(json_object_get(o, "attributes")), 0);
	json_decref(o);
}

static void names_go_there_and_back(void **state)
{
	uint32_t v = 99, n = 0;
	(void)state;
	for (uint32_t i = 0; i <= TXW_EXPIRED; i++) {
		assert_true(outcome_parse(str_of(outcome_name(i)), &v));
		assert_int_equal(v, i);
	}
	assert_false(outcome_parse(STR_LIT("Success"), &v));
	assert_false(outcome_parse(STR_NONE, &v));
	assert_string_equal(outcome_name(77), "unknown");
	for (uint32_t i = 0; i < TXW_EV_MAX + 10; i++) {
		if (strcmp(event_type_name(i), "unknown") == 0)
			continue;
		assert_true(event_type_parse(str_of(event_type_name(i)), &v));
		assert_int_equal(v, i);
		n++;
	}
#define ONE(sym, num, name, help) +1
	assert_int_equal(n, 0 TXW_EVENT_TYPES(ONE));
	assert_false(event_type_parse(STR_LIT("unknown"), &v));
	assert_false(event_type_parse(STR_NONE, &v));
}

/* Every byte of the source is spoilt after copying. */
static void a_copy_shares_nothing_with_its_original(void **state)
{
	struct arena from = {0}, to = {0};
	txw_tx tx = full_tx();
	txw_event ev = full_event(&tx);
	(void)state;
	ev.json = STR_LIT("{}");
	txw_event *first = row_copy_event(&from, &ev);
	txw_event *copy = row_copy_event(&to, first);
	arena_free(&from);
	struct buf a = {0}, b = {0};
	json_event(&a, &ev);
	json_event(&b, copy);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.ptr, b.ptr, a.len);
	assert_true(str_eq(copy->json, ev.json));
	assert_int_equal(copy->tx->last_seq, 17);
	assert_int_equal(copy->tx->key, 9);
	buf_free(&a);
	buf_free(&b);
	arena_free(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_event_s_json_is_what_the_design_says),
	    cmocka_unit_test(a_transaction_s_json_has_every_member),
	    cmocka_unit_test(an_event_without_a_transaction_and_a_bare_row_are_valid_too),
	    cmocka_unit_test(names_go_there_and_back),
	    cmocka_unit_test(a_copy_shares_nothing_with_its_original),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
