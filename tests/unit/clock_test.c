/* clock_test.c: times and durations as text, and the two clocks. */
#include "unit.h"

#include <time.h>

#include "base/clock.h"
#include "base/str.h"

static txw_time parsed(const char *text)
{
	txw_time t;
	if (!time_parse(str_of(text), &t))
		fail_msg("\"%s\" is not read", text);
	return t;
}

static void known_times_are_read_and_written(void **state)
{
	static const struct {
		txw_time t;
		const char *text;
	} rows[] = {
	    {1 * SECOND, "1970-01-01T00:00:01Z"},
	    {INT64_C(951782400) * SECOND, "2000-02-29T00:00:00Z"},
	    {INT64_C(951868800) * SECOND, "2000-03-01T00:00:00Z"},
	    {INT64_C(1709164800) * SECOND, "2024-02-29T00:00:00Z"},
	    {INT64_C(1614265330) * SECOND, "2021-02-25T15:02:10Z"},
	    {INT64_C(253402300799) * SECOND + 999999, "9999-12-31T23:59:59.999999Z"},
	    {-1, "1969-12-31T23:59:59.999999Z"},
	    {-SECOND, "1969-12-31T23:59:59Z"},
	    {INT64_C(-2203891200) * SECOND, "1900-03-01T00:00:00Z"},
	    {INT64_C(-62135596800) * SECOND, "0001-01-01T00:00:00Z"},
	    {INT64_C(1000000000) * SECOND + 250000, "2001-09-09T01:46:40.25Z"},
	    {INT64_C(1000000000) * SECOND + 1, "2001-09-09T01:46:40.000001Z"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[TIME_TEXT_MAX];
		size_t n = time_print(text, rows[i].t);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(n, strlen(text));
		assert_true(parsed(rows[i].text) == rows[i].t);
	}
}

static void every_day_of_many_years_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = -30000; day < 120000; day++) {
		time_t secs = (time_t)(day * 86400);
		struct tm tm;
		char want[40], text[TIME_TEXT_MAX];
		gmtime_r(&secs, &tm);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
		time_print(text, day * DAY);
		assert_string_equal(text, want);
		assert_true(parsed(text) == day * DAY);
	}
}

static void what_is_written_is_read_back(void **state)
{
	uint64_t x = 88172645463325252u;
	(void)state;
	for (int i = 0; i < 100000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		/* Years 0001 to 9999. */
		txw_time t = (txw_time)(x % UINT64_C(315537897600000000)) -
			     INT64_C(62135596800000000);
		char text[TIME_TEXT_MAX];
		time_print(text, t);
		assert_true(parsed(text) == t);
	}
}

static void the_ends_of_the_range_are_written_without_harm(void **state)
{
	static const txw_time ends[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX, 0};
	char text[TIME_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++)
		assert_in_range(time_print(text, ends[i]), 20, TIME_TEXT_MAX - 1);
}

static void offsets_fractions_and_small_letters_are_understood(void **state)
{
	txw_time noon = parsed("2026-01-31T12:00:00Z");
	(void)state;
	assert_true(parsed("2026-01-31T13:30:00+01:30") == noon);
	assert_true(parsed("2026-01-31T04:00:00-08:00") == noon);
	assert_true(parsed("2026-02-01T01:00:00+13:00") == noon);
	assert_true(parsed("2026-01-31t12:00:00z") == noon);
	assert_true(parsed("2026-01-31 12:00:00Z") == noon);
	assert_true(parsed("2026-01-31T12:00:00-00:00") == noon);
	assert_true(parsed("2026-01-31T12:00:00.5Z") == noon + 500000);
	assert_true(parsed("2026-01-31T12:00:00.123456789Z") == noon + 123456);
	assert_true(parsed("2026-01-31T12:00:00.0000009Z") == noon);
	/* A leap second is the next minute's first. */
	assert_true(parsed("2016-12-31T23:59:60Z") == parsed("2017-01-01T00:00:00Z"));
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "2026",
					  "2026-01-31",
					  "2026-01-31T12:00:00",
					  "2026-01-31T12:00Z",
					  "2026-13-01T00:00:00Z",
					  "2026-00-01T00:00:00Z",
					  "2026-01-00T00:00:00Z",
					  "2026-01-32T00:00:00Z",
					  "2026-04-31T00:00:00Z",
					  "2026-02-29T00:00:00Z",
					  "1900-02-29T00:00:00Z",
					  "2100-02-29T00:00:00Z",
					  "2024-02-30T00:00:00Z",
					  "2026-01-31T24:00:00Z",
					  "2026-01-31T12:60:00Z",
					  "2026-01-31T12:00:61Z",
					  "2026-01-31T12:00:00.Z",
					  "2026-01-31T12:00:00+1:00",
					  "2026-01-31T12:00:00+0100",
					  "2026-01-31T12:00:00+24:00",
					  "0000-01-01T01:00:00+02:00",
					  "9999-12-31T23:00:00-02:00",
					  "9999-12-31T23:59:60Z",
					  "2026-01-31T12:00:00+01:60",
					  "2026-01-31T12:00:00ZZ",
					  " 2026-01-31T12:00:00Z",
					  "2026-01-31T12:00:00Z ",
					  "+026-01-31T12:00:00Z",
					  "-026-01-31T12:00:00Z",
					  "2026-1-31T12:00:00Z",
					  "2026/01/31T12:00:00Z",
					  "2026-01-31X12:00:00Z",
					  "2026-01-31T12:00:00,5Z",
					  "20260-01-31T12:00:00Z"};
	txw_time t = 77;
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (time_parse(str_of(bad[i]), &t))
			fail_msg("\"%s\" was read", bad[i]);
	assert_false(time_parse(STR_NONE, &t));
	assert_false(time_parse((txw_str){"2026-01-31T12:00:00Z\0", 21}, &t));
	assert_true(t == 77);
}

static void durations_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t d;
	} rows[] = {
	    {"0", 0},
	    {"0s", 0},
	    {"250ms", 250 * MILLISECOND},
	    {"5s", 5 * SECOND},
	    {"30m", 30 * MINUTE},
	    {"2h", 2 * HOUR},
	    {"7d", 7 * DAY},
	    {"1h30m", 90 * MINUTE},
	    {"1d2h3m4s5ms6us", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5 * MILLISECOND + 6},
	    {"90s", 90 * SECOND},
	    {"36h", 36 * HOUR},
	    {"1us", 1},
	    {"9223372036854775807us", INT64_MAX},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t d = -1;
		if (!duration_parse(str_of(rows[i].text), &d) || d != rows[i].d)
			fail_msg("\"%s\" gave %lld", rows[i].text, (long long)d);
	}
}

static void what_is_no_duration_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "5",
					  "s",
					  "-5s",
					  "+5s",
					  "1.5s",
					  "5 s",
					  " 5s",
					  "5s ",
					  "5x",
					  "1m1h",
					  "1s1s",
					  "1ms1s",
					  "5S",
					  "1h30",
					  "00",
					  "106751992d",
					  "9223372036854775808us",
					  "99999999999999999999s",
					  "1d9223372036854775807us"};
	int64_t d = 77;
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (duration_parse(str_of(bad[i]), &d))
			fail_msg("\"%s\" was read as %lld", bad[i], (long long)d);
	}
	assert_false(duration_parse(STR_NONE, &d));
	assert_true(d == 77);
}

static void durations_are_written_shortest_and_read_back(void **state)
{
	static const struct {
		int64_t d;
		const char *text;
	} rows[] = {
	    {0, "0"},
	    {90 * SECOND, "1m30s"},
	    {36 * HOUR, "1d12h"},
	    {1500 * MILLISECOND, "1s500ms"},
	    {MINUTE, "1m"},
	    {-5 * SECOND, "-5s"},
	};
	char text[DURATION_TEXT_MAX];
	uint64_t x = 2463534242u;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(duration_print(text, rows[i].d), strlen(rows[i].text));
		assert_string_equal(text, rows[i].text);
	}
	for (int i = 0; i < 100000; i++) {
		int64_t back;
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		int64_t d = (int64_t)(x >> 1 >> x % 50);
		size_t n = duration_print(text, d);
		assert_true(n < DURATION_TEXT_MAX);
		assert_true(duration_parse(str_of(text), &back));
		assert_true(back == d);
	}
	assert_true(duration_print(text, INT64_MAX) < DURATION_TEXT_MAX);
	assert_true(duration_print(text, INT64_MIN) < DURATION_TEXT_MAX);
}

static void a_virtual_clock_stands_still_and_never_goes_back(void **state)
{
	struct clock c;
	(void)state;
	clock_virtual(&c, 100 * SECOND);
	assert_true(clock_now(&c) == 100 * SECOND);
	clock_set(&c, 200 * SECOND);
	assert_true(clock_now(&c) == 200 * SECOND);
	clock_set(&c, 150 * SECOND);
	assert_true(clock_now(&c) == 200 * SECOND);
}

static void a_real_clock_shows_the_time_of_day(void **state)
{
	struct clock c;
	(void)state;
	clock_real(&c);
	time_t before = time(NULL);
	txw_time now = clock_now(&c);
	assert_in_range(now / SECOND, before - 1, time(NULL) + 1);
	clock_set(&c, 1); /* of a virtual one only */
	assert_true(clock_now(&c) >= now - MINUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_times_are_read_and_written),
	    cmocka_unit_test(every_day_of_many_years_agrees_with_the_c_library),
	    cmocka_unit_test(what_is_written_is_read_back),
	    cmocka_unit_test(the_ends_of_the_range_are_written_without_harm),
	    cmocka_unit_test(offsets_fractions_and_small_letters_are_understood),
	    cmocka_unit_test(what_is_no_time_is_refused),
	    cmocka_unit_test(durations_are_read),
	    cmocka_unit_test(what_is_no_duration_is_refused),
	    cmocka_unit_test(durations_are_written_shortest_and_read_back),
	    cmocka_unit_test(a_virtual_clock_stands_still_and_never_goes_back),
	    cmocka_unit_test(a_real_clock_shows_the_time_of_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
