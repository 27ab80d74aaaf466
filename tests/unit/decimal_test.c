/* decimal_test.c: decimals as text, beside exact integers. */
#include "unit.h"

#include "base/decimal.h"
#include "base/str.h"

static void what_is_a_decimal_and_what_is_not(void **state)
{
	static const char *const good[] = {
	    "0",        "-0",    "1",
	    "-1",       "007",   "1.5",
	    "-1250.00", "0.001", "999999999999999999999999999999999999999999999999999999999999"};
	static const char *const bad[] = {
	    "",      "-",   ".",
	    "1.",    ".5",  "-.5",
	    "+1",    "1e3", "1,5",
	    " 1",    "1 ",  "--1",
	    "1.2.3", "0x1", "1-",
	    "NaN",   "inf", "9999999999999999999999999999999999999999999999999999999999991"};
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!decimal_valid(str_of(good[i])))
			fail_msg("\"%s\"", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (decimal_valid(str_of(bad[i])))
			fail_msg("\"%s\"", bad[i]);
	assert_false(decimal_valid(STR_NONE));
	assert_false(decimal_valid((txw_str){"1\0", 2}));
}

static int sign(int c)
{
	return (c > 0) - (c < 0);
}

static void different_texts_of_one_value_are_equal(void **state)
{
	static const char *const same[][2] = {{"1.0", "01"},   {"0", "-0"},      {"-0.00", "0"},
					      {"1.50", "1.5"}, {"000.1", "0.1"}, {"-2", "-2.000"},
					      {"10", "10.0"}};
	(void)state;
	for (size_t i = 0; i < COUNT(same); i++)
		assert_int_equal(decimal_cmp(str_of(same[i][0]), str_of(same[i][1])), 0);
	assert_true(decimal_cmp(STR_LIT("0.1"), STR_LIT("0.09")) > 0);
	assert_true(decimal_cmp(STR_LIT("9"), STR_LIT("10")) < 0);
	assert_true(decimal_cmp(STR_LIT("-9"), STR_LIT("-10")) > 0);
	assert_true(decimal_cmp(STR_LIT("0.10"), STR_LIT("0.101")) < 0);
	/* Beyond what a double can tell. */
	assert_true(decimal_cmp(STR_LIT("9007199254740993"), STR_LIT("9007199254740992")) > 0);
}

/* v / 10^scale, with some zeros too many. */
static void print_scaled(char *out, size_t cap, int64_t v, unsigned scale, unsigned zeros)
{
	int64_t unit = 1;
	for (unsigned i = 0; i < scale; i++)
		unit *= 10;
	uint64_t u = v < 0 ? (uint64_t)-v : (uint64_t)v;
	int n = snprintf(out, cap, "%s%.*s%llu", v < 0 ? "-" : "", (int)(zeros & 3), "000",
			 (unsigned long long)(u / (uint64_t)unit));
	if (scale)
		snprintf(out + n, cap - (size_t)n, ".%0*llu%.*s", (int)scale,
			 (unsigned long long)(u % (uint64_t)unit), (int)(zeros >> 2 & 3), "000");
}

static void order_is_that_of_exact_integers(void **state)
{
	uint64_t x = 88172645463325252u;
	(void)state;
	for (int i = 0; i < 200000; i++) {
		int64_t v[2];
		char text[2][64];
		for (int k = 0; k < 2; k++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			unsigned scale = (unsigned)(x >> 8 & 3);
			int64_t raw = (int64_t)(x >> 16) % (x & 1 ? 1000000000 : 1000) *
				      (x & 2 ? -1 : 1);
			print_scaled(text[k], sizeof(text[k]), raw, scale, (unsigned)(x >> 10));
			static const int64_t to_thousandths[] = {1000, 100, 10, 1};
			v[k] = raw * to_thousandths[scale];
		}
		int want = (v[0] > v[1]) - (v[0] < v[1]);
		assert_true(decimal_valid(str_of(text[0])));
		if (sign(decimal_cmp(str_of(text[0]), str_of(text[1]))) != want)
			fail_msg("%s and %s", text[0], text[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_a_decimal_and_what_is_not),
	    cmocka_unit_test(different_texts_of_one_value_are_equal),
	    cmocka_unit_test(order_is_that_of_exact_integers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
