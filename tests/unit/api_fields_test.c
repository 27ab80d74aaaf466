/* api_fields_test.c: of an object what was asked for, to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/fields.h"
#include "base/row.h"
#include "base/str.h"

static const char OBJECT[] =
    "{\"id\":\"tx_1\",\"status\":\"a\\\"b,}\",\"amount\":null,\"version\":7,"
    "\"attributes\":{\"country\" : \"DE\" , \"n\":1.10,\"deep\":{\"x\":[{\"y\":1},\"]\"],"
    "\"z\":false},\"e\":{},\"quo\\\"te\":1},\"owner\":\"ada\"}";

static void expect(const char *fields, const char *want)
{
	struct fields f;
	struct err e = {0};
	struct buf b = {0};
	if (!fields_parse(str_of(fields), &f, &e))
		fail_msg("%s: %s", fields, e.text);
	fields_pick(&f, str_of(OBJECT), &b);
	buf_char(&b, '\0');
	assert_string_equal(b.ptr, want);
	buf_free(&b);
}

static void members_are_picked_whole_or_in_part(void **state)
{
	(void)state;
	expect("id", "{\"id\":\"tx_1\"}");
	expect("owner,id", "{\"id\":\"tx_1\",\"owner\":\"ada\"}");
	expect(" status , amount", "{\"status\":\"a\\\"b,}\",\"amount\":null}");
	expect("attributes.n,attributes.country",
	       "{\"attributes\":{\"country\":\"DE\",\"n\":1.10}}");
	expect("attributes.deep.x,version",
	       "{\"version\":7,\"attributes\":{\"deep\":{\"x\":[{\"y\":1},\"]\"]}}}");
	expect("attributes.deep",
	       "{\"attributes\":{\"deep\":{\"x\":[{\"y\":1},\"]\"],\"z\":false}}}");
	expect("attributes.e", "{\"attributes\":{\"e\":{}}}");
}

static void what_an_object_has_not_is_left_out(void **state)
{
	(void)state;
	expect("code", "{}");
	expect("attributes.none,id", "{\"id\":\"tx_1\",\"attributes\":{}}");
	expect("attributes.n.x", "{\"attributes\":{}}");
	expect("attributes.coun", "{\"attributes\":{}}");
}

static void what_a_transaction_never_has_is_refused(void **state)
{
	(void)state;
	static const char *const BAD[] = {"", "id,", "stauts", "status.x", "attributes.", "data"};
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct fields f;
		struct err e = {0};
		assert_false(fields_parse(str_of(BAD[i]), &f, &e));
		assert_non_null(strstr(e.text, "fields: "));
	}
}

/* So that a new member of transactions is not forgotten in the table. */
static void every_member_that_is_shown_can_be_asked_for(void **state)
{
	(void)state;
	txw_tx row = {.size = sizeof(row),
		      .id = {1, 1},
		      .source_version = STR_LIT("1"),
		      .anomaly = STR_LIT("x"),
		      .reason = STR_LIT("r"),
		      .code = STR_LIT("c"),
		      .source_at = 1,
		      .paused = 1,
		      .held = 1,
		      .warned = 1,
		      .poll_failures = 1};
	struct buf whole = {0}, picked = {0};
	json_tx(&whole, &row);
	for (const char *p = whole.ptr, *end = whole.ptr + whole.len; p < end;) {
		const char *quote = memchr(p, '"', (size_t)(end - p));
		if (!quote)
			break;
		const char *close = memchr(quote + 1, '"', (size_t)(end - quote - 1));
		txw_str name = {quote + 1, (size_t)(close - quote) - 1};
		p = close + 1;
		if (*p != ':')
			continue;
		struct fields f;
		struct err e = {0};
		if (!fields_parse(name, &f, &e))
			fail_msg("%s", e.text);
		picked.len = 0;
		fields_pick(&f, buf_view(&whole), &picked);
		assert_true(picked.len > name.len + 4);
	}
	buf_free(&whole);
	buf_free(&picked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_are_picked_whole_or_in_part),
	    cmocka_unit_test(what_an_object_has_not_is_left_out),
	    cmocka_unit_test(what_a_transaction_never_has_is_refused),
	    cmocka_unit_test(every_member_that_is_shown_can_be_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
