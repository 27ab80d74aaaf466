/* str_test.c: UTF-8, whole numbers, near names. */
#include "unit.h"

#include "base/str.h"

static const struct {
	const char *text;
	size_t len;
	bool valid;
} SEQUENCES[] = {
    {"", 0, true},
    {"plain ASCII\x7f", 12, true},
    {"\xc2\x80", 2, true},         /* U+0080, the least of two bytes */
    {"\xdf\xbf", 2, true},         /* U+07FF */
    {"\xe0\xa0\x80", 3, true},     /* U+0800 */
    {"\xed\x9f\xbf", 3, true},     /* U+D7FF, before the surrogates */
    {"\xee\x80\x80", 3, true},     /* U+E000, after them */
    {"\xef\xbf\xbf", 3, true},     /* U+FFFF */
    {"\xf0\x90\x80\x80", 4, true}, /* U+10000 */
    {"\xf4\x8f\xbf\xbf", 4, true}, /* U+10FFFF, the last */
    {"a\xc3\xa9z", 4, true},
    {"\0", 1, false}, /* NUL */
    {"a\0b", 3, false},
    {"\x80", 1, false}, /* a continuation alone */
    {"\xbf", 1, false},
    {"\xc0\x80", 2, false},         /* overlong NUL */
    {"\xc1\xbf", 2, false},         /* overlong U+007F */
    {"\xe0\x9f\xbf", 3, false},     /* overlong U+07FF */
    {"\xf0\x8f\xbf\xbf", 4, false}, /* overlong U+FFFF */
    {"\xed\xa0\x80", 3, false},     /* U+D800 */
    {"\xed\xbf\xbf", 3, false},     /* U+DFFF */
    {"\xf4\x90\x80\x80", 4, false}, /* U+110000 */
    {"\xf5\x80\x80\x80", 4, false},
    {"\xfe", 1, false},
    {"\xff", 1, false},
    {"\xc3", 1, false}, /* cut */
    {"\xe2\x82", 2, false},
    {"\xf0\x9f\x98", 3, false},
    {"\xc3z", 2, false}, /* broken off by another */
    {"\xe2\x82z", 3, false},
    {"\xf0\x9f\x98z", 4, false},
    {"ok\xe2\x82\xac\xe2", 6, false}, /* good, good, cut */
};

static void utf8_is_told_from_what_only_looks_like_it(void **state)
{
	(void)state;
	assert_true(str_utf8((txw_str){NULL, 0})); /* found by fuzzing: no arithmetic on NULL */
	for (size_t i = 0; i < COUNT(SEQUENCES); i++) {
		/* A copy of the exact length, so that a byte too far is seen. */
		char *copy = malloc(SEQUENCES[i].len + 1);
		memcpy(copy, SEQUENCES[i].text, SEQUENCES[i].len);
		copy = realloc(copy, SEQUENCES[i].len ? SEQUENCES[i].len : 1);
		if (str_utf8((txw_str){copy, SEQUENCES[i].len}) != SEQUENCES[i].valid)
			fail_msg("row %zu", i);
		free(copy);
	}
}

static void every_code_point_is_valid_and_no_surrogate(void **state)
{
	(void)state;
	for (uint32_t c = 1; c <= 0x10ffff; c++) {
		char b[4];
		size_t n;
		if (c < 0x80) {
			b[0] = (char)c;
			n = 1;
		} else if (c < 0x800) {
			b[0] = (char)(0xc0 | c >> 6);
			n = 2;
		} else if (c < 0x10000) {
			b[0] = (char)(0xe0 | c >> 12);
			n = 3;
		} else {
			b[0] = (char)(0xf0 | c >> 18);
			n = 4;
		}
		for (size_t i = 1; i < n; i++)
			b[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
		if (str_utf8((txw_str){b, n}) != (c < 0xd800 || c > 0xdfff))
			fail_msg("U+%04X", c);
	}
}

static void whole_numbers_are_read_to_the_ends_of_their_range(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
	    {"0", 0},
	    {"-0", 0},
	    {"007", 7},
	    {"9223372036854775807", INT64_MAX},
	    {"-9223372036854775808", INT64_MIN},
	    {"-9223372036854775807", INT64_MIN + 1},
	};
	static const char *const bad[] = {"",
					  "-",
					  "--1",
					  "+1",
					  " 1",
					  "1 ",
					  "1.0",
					  "0x1",
					  "1e3",
					  "9223372036854775808",
					  "-9223372036854775809",
					  "92233720368547758070",
					  "99999999999999999999999999"};
	int64_t v;
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(str_int(str_of(good[i].text), &v));
		assert_true(v == good[i].value);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		v = 77;
		if (str_int(str_of(bad[i]), &v))
			fail_msg("\"%s\" was read as %lld", bad[i], (long long)v);
		assert_true(v == 77);
	}
	assert_false(str_int(STR_NONE, &v));
	assert_false(str_int((txw_str){"1\0", 2}, &v));
}

static void order_is_by_bytes_and_the_shorter_first(void **state)
{
	(void)state;
	assert_true(str_cmp(STR_LIT("a"), STR_LIT("b")) < 0);
	assert_true(str_cmp(STR_LIT("ab"), STR_LIT("a")) > 0);
	assert_true(str_cmp(STR_LIT("a"), STR_LIT("ab")) < 0);
	assert_true(str_cmp(STR_NONE, STR_NONE) == 0);
	assert_true(str_cmp(STR_NONE, STR_LIT("a")) < 0);
	assert_true(str_cmp(STR_LIT("\x7f"), STR_LIT("\x80")) < 0);
	assert_true(str_starts(STR_LIT("transaction.failed"), STR_LIT("transaction.")));
	assert_false(str_starts(STR_LIT("tr"), STR_LIT("transaction.")));
	assert_true(str_starts(STR_LIT("x"), STR_NONE));
}

static void a_copy_ends_in_zero_even_of_nothing(void **state)
{
	(void)state;
	char *z = str_dup(STR_NONE);
	assert_string_equal(z, "");
	free(z);
	z = str_dup((txw_str){"abcdef", 3});
	assert_string_equal(z, "abc");
	free(z);
}

static void the_nearest_name_is_found_and_a_far_one_is_not(void **state)
{
	static const char *const names[] = {"pending", NULL, "authorized", "settled", "failed"};
	(void)state;
	assert_string_equal(str_nearest("setled", names, 5), "settled");
	assert_string_equal(str_nearest("SETTLED", names, 5), "settled");
	assert_string_equal(str_nearest("pednign", names, 5), "pending");
	assert_string_equal(str_nearest("authorised", names, 5), "authorized");
	assert_null(str_nearest("banana", names, 5));
	assert_null(str_nearest("", names, 5));
	assert_null(str_nearest("settled", names, 0));
}

static void a_long_word_is_near_to_nothing(void **state)
{
	static const char *const names[] = {"pending", "settled"};
	char word[400];
	(void)state;
	for (size_t n = 30; n < sizeof(word); n++) {
		memset(word, 'p', n);
		word[n] = '\0';
		if (str_nearest(word, names, 2))
			fail_msg("%zu letters", n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(utf8_is_told_from_what_only_looks_like_it),
	    cmocka_unit_test(every_code_point_is_valid_and_no_surrogate),
	    cmocka_unit_test(whole_numbers_are_read_to_the_ends_of_their_range),
	    cmocka_unit_test(order_is_by_bytes_and_the_shorter_first),
	    cmocka_unit_test(a_copy_ends_in_zero_even_of_nothing),
	    cmocka_unit_test(the_nearest_name_is_found_and_a_far_one_is_not),
	    cmocka_unit_test(a_long_word_is_near_to_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
