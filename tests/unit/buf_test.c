/* buf_test.c: the buffer, and JSON as an independent reader reads it. */
#include "unit.h"

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

static json_t *read_json(const struct buf *b)
{
	json_error_t e;
	json_t *v = json_loadb(b->ptr, b->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
	if (!v)
		fail_msg("%s at %d in: %.*s", e.text, e.position, (int)b->len, b->ptr);
	return v;
}

static void assert_text(struct buf *b, const char *want)
{
	assert_int_equal(b->len, strlen(want));
	assert_memory_equal(b->ptr, want, b->len);
	buf_free(b);
}

static void a_buffer_grows_and_keeps_what_it_holds(void **state)
{
	struct buf b = {0};
	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_char(&b, (char)('a' + i % 26));
	assert_int_equal(b.len, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.ptr[i], 'a' + i % 26);
	buf_free(&b);
	assert_null(b.ptr);
	buf_printf(&b, "%s", "");
	buf_add(&b, NULL, 0);
	buf_str(&b, STR_NONE);
	assert_int_equal(b.len, 0);
	buf_printf(&b, "%d-%s", 42, "x");
	assert_text(&b, "42-x");
}

static void a_long_print_is_not_cut(void **state)
{
	struct buf b = {0};
	char text[5000];
	(void)state;
	memset(text, 'z', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	buf_text(&b, "head ");
	buf_printf(&b, "%s!", text);
	assert_int_equal(b.len, 5 + sizeof(text) - 1 + 1);
	assert_int_equal(b.ptr[b.len - 1], '!');
	size_t len;
	char *stolen = buf_steal(&b, &len);
	assert_int_equal(strlen(stolen), len);
	assert_null(b.ptr);
	free(stolen);
}

static void numbers_are_written_to_the_ends_of_their_range(void **state)
{
	struct buf b = {0};
	(void)state;
	buf_int(&b, INT64_MIN);
	assert_text(&b, "-9223372036854775808");
	buf_int(&b, INT64_MAX);
	assert_text(&b, "9223372036854775807");
	buf_int(&b, 0);
	assert_text(&b, "0");
	buf_int(&b, -10);
	assert_text(&b, "-10");
}

static void every_byte_is_escaped_so_that_it_comes_back(void **state)
{
	(void)state;
	for (int c = 0; c < 128; c++) {
		struct buf b = {0};
		char text[3] = {'<', (char)c, '>'};
		json_str(&b, (txw_str){text, 3});
		json_t *v = read_json(&b);
		assert_int_equal(json_string_length(v), 3);
		assert_memory_equal(json_string_value(v), text, 3);
		json_decref(v);
		buf_free(&b);
	}
}

static void valid_utf8_passes_and_the_rest_is_replaced(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
	     "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
	    {"\xff", "\xef\xbf\xbd"},
	    {"a\x80z", "a\xef\xbf\xbdz"},
	    {"a\xc3", "a\xef\xbf\xbd"},
	    {"\xc3(", "\xef\xbf\xbd("},
	    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\xc3\xa9\xff\xc3\xa9", "\xc3\xa9\xef\xbf\xbd\xc3\xa9"},
	    {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {"", ""},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = {0};
		json_str(&b, str_of(rows[i].in));
		json_t *v = read_json(&b);
		assert_string_equal(json_string_value(v), rows[i].out);
		json_decref(v);
		buf_free(&b);
	}
}

static void any_bytes_make_a_valid_text(void **state)
{
	uint64_t x = 88172645463325252u;
	(void)state;
	for (int i = 0; i < 20000; i++) {
		char text[24];
		struct buf b = {0};
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		size_t n = x % sizeof(text);
		for (size_t k = 0; k < n; k++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			text[k] = (char)(x >> 20 & 3 ? x | 0x80 : x);
		}
		json_str(&b, (txw_str){text, n});
		json_decref(read_json(&b));
		buf_free(&b);
	}
}

static void commas_are_where_they_belong(void **state)
{
	struct buf b = {0};
	(void)state;
	json_open(&b, '{');
	json_m_int(&b, "n", 1);
	json_key(&b, "list");
	json_open(&b, '[');
	json_open(&b, '[');
	json_close(&b, ']');
	json_open(&b, '{');
	json_close(&b, '}');
	json_str(&b, STR_LIT("ends in a colon:"));
	json_str(&b, STR_LIT("{["));
	json_int(&b, -5);
	json_bool(&b, 0);
	json_none(&b);
	json_raw(&b, STR_LIT("{\"raw\":[1,2]}"));
	json_raw(&b, STR_NONE);
	json_time(&b, 0);
	json_time(&b, SECOND);
	json_close(&b, ']');
	json_m_str(&b, "s", STR_NONE);
	json_m_text(&b, "t", NULL);
	json_m_opt(&b, "left out", STR_NONE);
	json_m_raw_opt(&b, "left out", STR_NONE);
	json_m_opt(&b, "o", STR_LIT("x"));
	json_m_bool(&b, "b", 1);
	json_m_time(&b, "never", 0);
	json_m_raw_opt(&b, "r", STR_LIT("[]"));
	json_key(&b, "deep");
	json_open(&b, '{');
	json_key(&b, "er");
	json_open(&b, '{');
	json_close(&b, '}');
	json_close(&b, '}');
	json_close(&b, '}');
	json_decref(read_json(&b));
	assert_text(&b, "{\"n\":1,\"list\":[[],{},\"ends in a colon:\",\"{[\",-5,false,null,"
			"{\"raw\":[1,2]},null,null,\"1970-01-01T00:00:01Z\"],\"s\":\"\",\"t\":null,"
			"\"o\":\"x\",\"b\":true,\"never\":null,\"r\":[],\"deep\":{\"er\":{}}}");
}

static void raw_json_that_ends_in_a_newline_keeps_its_comma(void **state)
{
	struct buf b = {0};
	(void)state;
	json_open(&b, '{');
	json_m_raw_opt(&b, "detail", STR_LIT("{\"a\":1}\r\n"));
	json_m_int(&b, "n", 2);
	json_close(&b, '}');
	json_decref(read_json(&b));
	assert_text(&b, "{\"detail\":{\"a\":1},\"n\":2}");
	json_raw(&b, STR_LIT(" \n"));
	assert_text(&b, "null");
}

static void a_newline_parts_two_documents(void **state)
{
	struct buf b = {0};
	(void)state;
	json_open(&b, '{');
	json_close(&b, '}');
	buf_char(&b, '\n');
	json_open(&b, '{');
	json_close(&b, '}');
	assert_text(&b, "{}\n{}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_buffer_grows_and_keeps_what_it_holds),
	    cmocka_unit_test(a_long_print_is_not_cut),
	    cmocka_unit_test(numbers_are_written_to_the_ends_of_their_range),
	    cmocka_unit_test(every_byte_is_escaped_so_that_it_comes_back),
	    cmocka_unit_test(valid_utf8_passes_and_the_rest_is_replaced),
	    cmocka_unit_test(any_bytes_make_a_valid_text),
	    cmocka_unit_test(commas_are_where_they_belong),
	    cmocka_unit_test(raw_json_that_ends_in_a_newline_keeps_its_comma),
	    cmocka_unit_test(a_newline_parts_two_documents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
