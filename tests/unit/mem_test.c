/* mem_test.c: arenas. */
#include "unit.h"

#include "base/mem.h"
#include "base/str.h"

static void everything_is_aligned_zeroed_and_apart(void **state)
{
	struct arena a = {0};
	unsigned char *seen[2000];
	(void)state;
	for (size_t i = 0; i < COUNT(seen); i++) {
		size_t n = i * 7 % 300;
		seen[i] = arena_alloc(&a, n);
		assert_int_equal((uintptr_t)seen[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(seen[i][k], 0);
		memset(seen[i], (int)i & 0xff, n);
	}
	for (size_t i = 0; i < COUNT(seen); i++)
		for (size_t k = 0; k < i * 7 % 300; k++)
			assert_int_equal(seen[i][k], i & 0xff);
	arena_free(&a);
	assert_int_equal(a.used, 0);
}

static void what_was_handed_out_is_zero_again_after_a_reset(void **state)
{
	struct arena a = {0};
	(void)state;
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 200; i++) {
			unsigned char *p = arena_alloc(&a, 100);
			for (int k = 0; k < 100; k++)
				assert_int_equal(p[k], 0);
			memset(p, 0xff, 100);
		}
		assert_true(a.used >= 20000);
		arena_reset(&a);
		assert_int_equal(a.used, 0);
	}
	arena_free(&a);
	arena_reset(&a); /* of an empty one */
	arena_free(&a);
}

static void one_larger_than_any_block_fits(void **state)
{
	struct arena a = {0};
	(void)state;
	char *small = arena_alloc(&a, 10);
	char *big = arena_alloc(&a, 5000000);
	char *after = arena_alloc(&a, 10);
	memset(big, 1, 5000000);
	memset(small, 2, 10);
	memset(after, 3, 10);
	assert_int_equal(big[0], 1);
	assert_int_equal(big[4999999], 1);
	arena_free(&a);
}

static void a_first_block_holds_what_was_asked_and_more_goes_elsewhere(void **state)
{
	static const size_t sizes[] = {1, 15, 16, 17, 100, 4096};
	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct arena a = {0};
		arena_first(&a, sizes[i]);
		char *p = arena_alloc(&a, sizes[i]);
		memset(p, 1, sizes[i]);
		char *q = arena_alloc(&a, 1000);
		memset(q, 2, 1000);
		assert_int_equal(p[sizes[i] - 1], 1);
		arena_free(&a);
	}
}

static void texts_are_copied_and_ended(void **state)
{
	struct arena a = {0};
	char text[] = "abcdef";
	(void)state;
	txw_str s = arena_str(&a, (txw_str){text, 3});
	text[0] = 'X';
	assert_int_equal(s.len, 3);
	assert_string_equal(s.ptr, "abc");
	s = arena_str(&a, STR_LIT(""));
	assert_null(s.ptr);
	assert_int_equal(s.len, 0);
	assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	assert_string_equal(arena_printf(&a, "%s", ""), "");
	char *wide = arena_printf(&a, "%20000s", "end");
	assert_int_equal(strlen(wide), 20000);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_is_aligned_zeroed_and_apart),
	    cmocka_unit_test(what_was_handed_out_is_zero_again_after_a_reset),
	    cmocka_unit_test(one_larger_than_any_block_fits),
	    cmocka_unit_test(a_first_block_holds_what_was_asked_and_more_goes_elsewhere),
	    cmocka_unit_test(texts_are_copied_and_ended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
