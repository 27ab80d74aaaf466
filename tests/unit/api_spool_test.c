/* An import's results, kept until they can be told. */
#include "unit.h"

#include <stdlib.h>

#include "api/spool.h"
#include "base/id.h"
#include "base/str.h"

static struct spooled one(int64_t i)
{
	struct spooled s = {.result = (enum spool_result)(i % SPOOL_RESULTS), .line = i * 3 + 1};
	if (i % 2)
		s.id = (txw_id){(uint64_t)i, (uint64_t)~i};
	if (i % 7 == 0)
		s.why = STR_LIT("because");
	return s;
}

static void round_trip(int64_t n, bool on_disk)
{
	struct spool s = {0};
	struct spooled got;
	struct err e = {0};
	for (int64_t i = 0; i < n; i++) {
		struct spooled put = one(i);
		assert_int_equal(spool_put(&s, &put, &e), 0);
	}
	assert_int_equal(s.fd > 0, on_disk);
	assert_true(s.head.cap <= 4 * SPOOL_MEMORY);
	assert_int_equal(spool_rewind(&s, &e), 0);
	for (int64_t i = 0; i < n; i++) {
		struct spooled want = one(i);
		assert_int_equal(spool_get(&s, &got, &e), 1);
		assert_int_equal(got.result, want.result);
		assert_int_equal(got.line, want.line);
		assert_true(id_eq(got.id, want.id));
		assert_true(str_eq(got.why, want.why));
	}
	assert_int_equal(spool_get(&s, &got, &e), 0);
	spool_free(&s);
}

static void few_results_stay_in_memory_and_many_go_to_a_file(void **state)
{
	(void)state;
	round_trip(0, false);
	round_trip(100, false);
	round_trip(100000, true);
}

static void a_directory_that_cannot_be_written_is_told(void **state)
{
	(void)state;
	struct spool s = {0};
	struct err e = {0};
	int32_t rc = 0;
	setenv("TMPDIR", "/nonexistent", 1);
	for (int64_t i = 0; i < 100000 && rc == 0; i++) {
		struct spooled put = one(i);
		rc = spool_put(&s, &put, &e);
	}
	unsetenv("TMPDIR");
	assert_int_equal(rc, TXW_E_IO);
	assert_non_null(strstr(e.text, "temporary file"));
	spool_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(few_results_stay_in_memory_and_many_go_to_a_file),
	    cmocka_unit_test(a_directory_that_cannot_be_written_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
