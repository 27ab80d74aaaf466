/* api_order_by_test.c: order_by is read as AIP-132 has it, and a row's place
 * in an order survives being written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/order_by.h"
#include "base/str.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct order_by good(const char *text)
{
	struct order_by o;
	struct err e = {0};
	if (!order_by_parse(str_of(text), &o, &e))
		fail_msg("%s: %s", text, e.text);
	return o;
}

static void fields_and_directions_are_read_whatever_the_blanks(void **state)
{
	(void)state;
	static const char *const SAME[] = {"amount desc,ref", " amount  desc , ref ",
					   "amount desc, ref asc", "amount\tdesc,\tref"};
	for (size_t i = 0; i < COUNT(SAME); i++) {
		struct order_by o = good(SAME[i]);
		assert_int_equal(2, o.n);
		assert_int_equal(TXW_FIELD_AMOUNT, o.keys[0].field);
		assert_int_equal(1, o.keys[0].descending);
		assert_int_equal(TXW_FIELD_REF, o.keys[1].field);
		assert_int_equal(0, o.keys[1].descending);
		assert_int_equal(1, o.ascending);
	}
}

static void created_at_at_the_end_is_the_order_of_the_rows_themselves(void **state)
{
	(void)state;
	struct order_by o = good("created_at");
	assert_int_equal(0, o.n);
	assert_int_equal(1, o.ascending);
	o = good("created_at desc");
	assert_int_equal(0, o.n);
	assert_int_equal(0, o.ascending);
	o = good("amount, created_at desc");
	assert_int_equal(1, o.n);
	assert_int_equal(0, o.ascending);
	o = good("created_at, amount desc");
	assert_int_equal(2, o.n);
	assert_int_equal(TXW_FIELD_CREATED_AT, o.keys[0].field);
}

static void what_cannot_be_an_order_is_refused_in_words(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} BAD[] = {
	    {"", "missing"},
	    {" ", "missing"},
	    {",", "missing"},
	    {"ref,", "missing"},
	    {"ref,,amount", "missing"},
	    {"amuont", "did you mean \"amount\""},
	    {"attributes.x", "there is by created_at"},
	    {"reason", "there is no order by \"reason\""},
	    {"ref down", "asc or desc"},
	    {"ref DESC", "asc or desc"},
	    {"ref desc amount", "comma"},
	    {"ref, amount, ref desc", "twice"},
	    {"ref, amount, owner, code, version", "at most 4"},
	};
	for (size_t i = 0; i < COUNT(BAD); i++) {
		struct order_by o;
		struct err e = {0};
		assert_false(order_by_parse(str_of(BAD[i].text), &o, &e));
		if (!strstr(e.text, BAD[i].says))
			fail_msg("\"%s\" said: %s", BAD[i].text, e.text);
	}
}

static void only_what_has_an_index_needs_no_limit(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool is_indexed;
	} ROWS[] = {{"created_at", true},       {"ref", true},     {"ref desc, amount", true},
		    {"finished_at desc", true}, {"amount", false}, {"finished_at, ref", false},
		    {"created_at, ref", false}};
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		struct order_by o = good(ROWS[i].text);
		assert_int_equal(ROWS[i].is_indexed, order_by_is_indexed(&o));
	}
}

static void a_row_s_place_comes_back_and_nothing_else_is_taken_for_one(void **state)
{
	(void)state;
	struct order_by o = good("ref, amount desc, expires_at, outcome");
	struct buf b = {0};
	txw_tx row = {.ref = STR_LIT("a\0b\xc3\xbc"), .expires_at = -5, .outcome = TXW_EXPIRED};
	txw_tx back = {0};
	order_by_save(&o, &row, &b);
	assert_true(order_by_load(&o, buf_view(&b), &back));
	assert_true(str_eq(row.ref, back.ref));
	assert_int_equal(0, back.amount.len);
	assert_int_equal(-5, back.expires_at);
	assert_int_equal(TXW_EXPIRED, back.outcome);
	for (size_t n = 0; n < b.len; n++)
		assert_false(order_by_load(&o, (txw_str){b.ptr, n}, &back));
	buf_char(&b, 'x');
	assert_false(order_by_load(&o, buf_view(&b), &back));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_and_directions_are_read_whatever_the_blanks),
	    cmocka_unit_test(created_at_at_the_end_is_the_order_of_the_rows_themselves),
	    cmocka_unit_test(what_cannot_be_an_order_is_refused_in_words),
	    cmocka_unit_test(only_what_has_an_index_needs_no_limit),
	    cmocka_unit_test(a_row_s_place_comes_back_and_nothing_else_is_taken_for_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
