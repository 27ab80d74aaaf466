/* api_cursor_test.c: cursors are bound to their query and to the site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/cursor.h"
#include "base/str.h"

#define QUERY STR_LIT("default\0/v1/transactions\0status=failed")

static void a_cursor_leads_back_to_its_place(void **state)
{
	(void)state;
	static const struct position places[] = {
	    {0, 0}, {0, 1}, {UINT64_MAX, UINT64_MAX}, {0x0123456789abcdef, 0xfedcba9876543210}};
	struct cursor_key *k = cursor_key_make(7, 9);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char text[CURSOR_TEXT_MAX];
		struct position at = {1, 1};
		size_t n = cursor_print(k, QUERY, &places[i], text);
		assert_int_equal(n, strlen(text));
		assert_int_equal(n, 43);
		assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
					      "uvwxyz0123456789-_"),
				 n);
		assert_true(cursor_parse(k, QUERY, (txw_str){text, n}, &at));
		assert_true(at.hi == places[i].hi && at.lo == places[i].lo);
	}
	cursor_key_free(k);
}

static void a_cursor_of_another_query_or_site_is_refused(void **state)
{
	(void)state;
	char text[CURSOR_TEXT_MAX];
	struct position at = {0, 42};
	struct cursor_key *k = cursor_key_make(7, 9);
	size_t n = cursor_print(k, QUERY, &at, text);
	txw_str cursor = {text, n};
	assert_false(cursor_parse(k, STR_LIT("default"), cursor, &at));
	assert_false(cursor_parse(k, STR_NONE, cursor, &at));
	struct cursor_key *others[] = {cursor_key_make(8, 9), cursor_key_make(7, 10)};
	assert_false(cursor_parse(others[0], QUERY, cursor, &at));
	assert_false(cursor_parse(others[1], QUERY, cursor, &at));
	struct cursor_key *again = cursor_key_make(7, 9); /* after a restart */
	assert_true(cursor_parse(again, QUERY, cursor, &at));
	cursor_key_free(k);
	cursor_key_free(again);
	cursor_key_free(others[0]);
	cursor_key_free(others[1]);
}

static void an_altered_cursor_is_refused_whatever_was_altered(void **state)
{
	(void)state;
	char text[CURSOR_TEXT_MAX];
	struct position at = {0, 42};
	struct cursor_key *k = cursor_key_make(7, 9);
	size_t n = cursor_print(k, QUERY, &at, text);
	for (size_t i = 0; i < n; i++) {
		char kept = text[i];
		text[i] = kept == 'A' ? 'B' : 'A';
		assert_false(cursor_parse(k, QUERY, (txw_str){text, n}, &at));
		text[i] = kept;
	}
	assert_false(cursor_parse(k, QUERY, (txw_str){text, n - 1}, &at));
	assert_false(cursor_parse(k, QUERY, STR_NONE, &at));
	assert_false(cursor_parse(k, QUERY, STR_LIT("nonsense"), &at));
	text[5] = '\0';
	assert_false(cursor_parse(k, QUERY, (txw_str){text, n}, &at));
	text[5] = '=';
	assert_false(cursor_parse(k, QUERY, (txw_str){text, n}, &at));
	cursor_key_free(k);
}

static void a_cursor_with_more_brings_it_back_and_guards_all_of_it(void **state)
{
	(void)state;
	static const txw_str MORES[] = {{"", 0}, {"\0", 1}, {"ab", 2}, {"a longer one\xff\0", 14}};
	struct cursor_key *k = cursor_key_make(7, 9);
	struct arena a = {0};
	for (size_t m = 0; m < sizeof(MORES) / sizeof(MORES[0]); m++) {
		struct position at = {3, 42}, back;
		struct buf text = {0};
		txw_str more;
		cursor_print_more(k, QUERY, &at, MORES[m], &text);
		assert_true(cursor_parse_more(k, QUERY, buf_view(&text), &a, &back, &more));
		assert_true(back.hi == 3 && back.lo == 42 && str_eq(more, MORES[m]));
		assert_false(cursor_parse_more(k, STR_LIT("x"), buf_view(&text), &a, &back, &more));
		/* What needs no more takes none. */
		assert_int_equal(MORES[m].len == 0, cursor_parse(k, QUERY, buf_view(&text), &back));
		for (size_t i = 0; i < text.len; i++) {
			char kept = text.ptr[i];
			text.ptr[i] = kept == 'A' ? 'B' : 'A';
			assert_false(
			    cursor_parse_more(k, QUERY, buf_view(&text), &a, &back, &more));
			text.ptr[i] = kept;
			assert_false(
			    cursor_parse_more(k, QUERY, (txw_str){text.ptr, i}, &a, &back, &more));
		}
		buf_free(&text);
	}
	arena_free(&a);
	cursor_key_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_cursor_leads_back_to_its_place),
	    cmocka_unit_test(a_cursor_of_another_query_or_site_is_refused),
	    cmocka_unit_test(an_altered_cursor_is_refused_whatever_was_altered),
	    cmocka_unit_test(a_cursor_with_more_brings_it_back_and_guards_all_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
