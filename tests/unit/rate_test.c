/* rate_test.c: the token bucket, on times of the test's own. */
#include "unit.h"

#include "base/clock.h"
#include "base/rate.h"
#include "base/str.h"

#define NOW (INT64_C(1790000000) * SECOND)

static struct rate of(const char *text)
{
	struct rate r;
	assert_true(rate_parse(str_of(text), &r));
	return r;
}

static void a_rate_is_read_and_what_is_none_is_refused(void **state)
{
	static const char *const bad[] = {"50",        "/s",    "50/",   "50/d",
					  "50/sec",    "0/s",   "-1/s",  "1.5/s",
					  "50 /s",     "50/ s", "x/s",   "9223372036854775807/s",
					  "1000001/s", "50/s ", "50/s/m"};
	struct rate r;
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (rate_parse(str_of(bad[i]), &r))
			fail_msg("\"%s\"", bad[i]);
	assert_true(of("50/s").gap == SECOND / 50);
	assert_true(of("600/m").gap == 100 * MILLISECOND);
	assert_true(of("10/h").gap == 6 * MINUTE);
	assert_true(of("").gap == 0);
}

static void no_limit_never_waits(void **state)
{
	struct rate r = of("");
	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(rate_take(&r, NOW) == 0);
}

/* How many go through when somebody always asks again as told. */
static int64_t taken_within(struct rate *r, txw_time from, int64_t span)
{
	int64_t n = 0;
	txw_time now = from;
	while (now < from + span) {
		txw_time later = rate_take(r, now);
		if (later == 0) {
			n++;
			continue;
		}
		assert_true(later > now);
		now = later;
	}
	return n;
}

static void a_second_s_worth_at_once_and_then_the_pace(void **state)
{
	static const struct {
		const char *text;
		int64_t burst, per_hour;
	} rows[] = {{"50/s", 50, 180000}, {"1/s", 1, 3600}, {"3/s", 3, 10800}, {"600/m", 10, 36000},
		    {"30/m", 1, 1800},    {"10/h", 1, 10},  {"7/s", 7, 25200}};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rate r = of(rows[i].text);
		int64_t n = 0;
		while (rate_take(&r, NOW) == 0)
			n++;
		assert_int_equal(n, rows[i].burst);
		r = of(rows[i].text);
		n = taken_within(&r, NOW, HOUR);
		/* The bucket's content comes once on top; rounding gives a
		 * little. */
		assert_in_range(n, rows[i].per_hour,
				rows[i].per_hour + rows[i].burst + 1 + rows[i].per_hour / 10000);
	}
}

static void rest_fills_the_bucket_but_not_beyond(void **state)
{
	struct rate r = of("5/s");
	(void)state;
	while (rate_take(&r, NOW) == 0)
		;
	int n = 0;
	while (rate_take(&r, NOW + DAY) == 0)
		n++;
	assert_int_equal(n, 5);
}

static void the_time_told_is_the_first_that_works(void **state)
{
	struct rate r = of("3/s");
	(void)state;
	while (rate_take(&r, NOW) == 0)
		;
	txw_time later = rate_take(&r, NOW);
	assert_true(rate_take(&r, later - 1) != 0);
	assert_true(rate_take(&r, later) == 0);
	assert_true(rate_take(&r, later) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rate_is_read_and_what_is_none_is_refused),
	    cmocka_unit_test(no_limit_never_waits),
	    cmocka_unit_test(a_second_s_worth_at_once_and_then_the_pace),
	    cmocka_unit_test(rest_fills_the_bucket_but_not_beyond),
	    cmocka_unit_test(the_time_told_is_the_first_that_works),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
