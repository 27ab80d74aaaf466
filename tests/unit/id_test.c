/* id_test.c: TypeIDs, and row keys inside ids. */
#include "unit.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/str.h"

#define NOW (INT64_C(1790000000) * SECOND)

/* From the TypeID specification's valid.yml. */
static const struct {
	const char *text;
	const char *prefix;
	txw_id id;
} VECTORS[] = {
    {"prefix_00000000000000000000000000", "prefix", {0, 0}},
    {"prefix_00000000000000000000000001", "prefix", {0, 1}},
    {"prefix_0000000000000000000000000a", "prefix", {0, 10}},
    {"prefix_0000000000000000000000000g", "prefix", {0, 16}},
    {"prefix_00000000000000000000000010", "prefix", {0, 32}},
    {"prefix_7zzzzzzzzzzzzzzzzzzzzzzzzz", "prefix", {UINT64_MAX, UINT64_MAX}},
    {"prefix_0123456789abcdefghjkmnpqrs",
     "prefix",
     {UINT64_C(0x0110c8531d0952d8), UINT64_C(0xd73e1194e95b5f19)}},
    {"prefix_01h455vb4pex5vsknk084sn02q",
     "prefix",
     {UINT64_C(0x01890a5dac96774b), UINT64_C(0xbcceb302099a8057)}},
};

static void the_specifications_vectors_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(VECTORS); i++) {
		char text[ID_TEXT_MAX];
		txw_id id = {1, 1};
		assert_int_equal(id_print(text, VECTORS[i].prefix, VECTORS[i].id),
				 strlen(VECTORS[i].text));
		assert_string_equal(text, VECTORS[i].text);
		assert_true(id_parse(str_of(text), VECTORS[i].prefix, &id));
		assert_true(id_eq(id, VECTORS[i].id));
	}
}

static void what_is_no_id_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "tx",
	    "tx_",
	    "01h455vb4pex5vsknk084sn02q",
	    "_01h455vb4pex5vsknk084sn02q",
	    "tx-01h455vb4pex5vsknk084sn02q",
	    "ty_01h455vb4pex5vsknk084sn02q",
	    "TX_01h455vb4pex5vsknk084sn02q",
	    "tx_01h455vb4pex5vsknk084sn02",
	    "tx_01h455vb4pex5vsknk084sn02q1",
	    "tx_01H455VB4PEX5VSKNK084SN02Q",
	    "tx_01h455vb4pex5vsknk084sn02i", /* i, l, o, u are not letters of it */
	    "tx_01h455vb4pex5vsknk084sn02l",
	    "tx_01h455vb4pex5vsknk084sn02o",
	    "tx_01h455vb4pex5vsknk084sn02u",
	    "tx_01h455vb4pex5vsknk084sn0-q",
	    "tx_8zzzzzzzzzzzzzzzzzzzzzzzzz", /* beyond 128 bits */
	    "tx_g0000000000000000000000000",
	};
	txw_id id = {7, 7};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (id_parse(str_of(bad[i]), "tx", &id))
			fail_msg("\"%s\" was read", bad[i]);
	assert_false(id_parse((txw_str){"tx_01h455vb4pex5vsknk084sn02\0", 29}, "tx", &id));
	assert_true(id.hi == 7 && id.lo == 7);
}

static bool ascends(txw_id a, txw_id b)
{
	return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo);
}

static void a_million_new_ids_of_one_moment_ascend(void **state)
{
	txw_id last = {0, 0};
	(void)state;
	for (int i = 0; i < 1000000; i++) {
		txw_id id = id_new(NOW);
		if (!ascends(last, id))
			fail_msg("at %d", i);
		last = id;
	}
	assert_true(id_millis(last) == NOW / 1000);
	assert_true((last.hi & 0xf000) == 0x7000); /* version 7 */
	assert_true(last.lo >> 62 == 2);           /* RFC 9562's variant */
}

static void new_ids_ascend_when_the_clock_goes_back(void **state)
{
	(void)state;
	txw_id a = id_new(NOW + HOUR);
	txw_id b = id_new(NOW);
	txw_id c = id_new(NOW + 2 * HOUR);
	assert_true(ascends(a, b));
	assert_true(ascends(b, c));
	assert_true(id_millis(c) == (NOW + 2 * HOUR) / 1000);
}

enum { THREADS = 4, EACH = 20000 };

static void *make_ids(void *arg)
{
	txw_id *ids = arg;
	for (int i = 0; i < EACH; i++)
		ids[i] = id_new(NOW + DAY);
	return NULL;
}

static int by_id(const void *a, const void *b)
{
	const txw_id *x = a, *y = b;
	return id_eq(*x, *y) ? 0 : ascends(*x, *y) ? -1 : 1;
}

static void threads_never_make_the_same_id(void **state)
{
	static txw_id ids[THREADS * EACH];
	pthread_t t[THREADS];
	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, make_ids, ids + i * EACH), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	qsort(ids, THREADS * EACH, sizeof(txw_id), by_id);
	for (size_t i = 1; i < THREADS * EACH; i++)
		assert_false(id_eq(ids[i - 1], ids[i]));
}

static void a_row_key_goes_into_an_id_and_comes_back(void **state)
{
	static const int64_t keys[] = {1, 2, 255, 65536, INT64_C(1) << 40, (INT64_C(1) << 44) - 1};
	static const uint32_t sites[] = {0, 1, 0x3ffff, 0x40000, 0x12345678, 0x3fffffff};
	(void)state;
	for (size_t s = 0; s < COUNT(sites); s++) {
		for (size_t k = 0; k < COUNT(keys); k++) {
			int64_t key = -1;
			txw_id back, id = id_from_key(NOW, sites[s], keys[k]);
			char text[ID_TEXT_MAX];
			assert_true(id_to_key(id, sites[s], &key));
			assert_true(key == keys[k]);
			assert_true(id_millis(id) == NOW / 1000);
			id_print(text, "evt", id);
			assert_true(id_parse(str_of(text), "evt", &back));
			assert_true(id_eq(id, back));
			/* Another database's id is not ours. */
			assert_false(id_to_key(id, sites[s] ^ 1, &key));
			assert_false(id_to_key(id, sites[s] ^ 0x20000000, &key));
		}
	}
}

static void an_id_of_another_kind_holds_no_key(void **state)
{
	int64_t key;
	(void)state;
	assert_false(id_to_key((txw_id){0, 0}, 0, &key));
	assert_false(id_to_key((txw_id){UINT64_MAX, UINT64_MAX}, 0x3fffffff, &key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_specifications_vectors_hold),
	    cmocka_unit_test(what_is_no_id_is_refused),
	    cmocka_unit_test(a_million_new_ids_of_one_moment_ascend),
	    cmocka_unit_test(new_ids_ascend_when_the_clock_goes_back),
	    cmocka_unit_test(threads_never_make_the_same_id),
	    cmocka_unit_test(a_row_key_goes_into_an_id_and_comes_back),
	    cmocka_unit_test(an_id_of_another_kind_holds_no_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
