/* redact_test.c: what JSON Pointers take out of a JSON text. */
#include "base/buf.h"
#include "base/str.h"
#include "engine/redact.h"
#include "unit.h"

static void check(const char *const *pointers, const char *json, const char *want)
{
	struct arena a = {0};
	struct redact *r = redact_new();
	for (; *pointers; pointers++)
		assert_null(redact_add(r, str_of(*pointers)));
	txw_str got = redact_json(r, &a, str_of(json));
	if (!str_is(got, want))
		fail_msg("%s\n became %.*s\n    not %s", json, STR_ARG(got), want);
	redact_free(r);
	arena_free(&a);
}
#define CHECK(json, want, ...) check((const char *const[]){__VA_ARGS__, NULL}, json, want)

static void the_value_is_replaced_and_all_else_stays_byte_for_byte(void **state)
{
	(void)state;
	CHECK("{\"card\": {\"number\": \"4111\" , \"exp\":1.50}, \"n\" : 1e400}",
	      "{\"card\": {\"number\": \"[redacted]\" , \"exp\":1.50}, \"n\" : 1e400}",
	      "/card/number");
	CHECK("{\"a\":{\"b\":[1,{\"c\":2}]},\"d\":null}", "{\"a\":\"[redacted]\",\"d\":null}",
	      "/a");
	CHECK("{\"a\":1}", "{\"a\":1}", "/b");
	CHECK("{}", "{}", "/b");
	CHECK("\"text\"", "\"text\"", "/b");
	CHECK("{\"a\":\"}{\\\"\\\\\",\"b\":1}", "{\"a\":\"}{\\\"\\\\\",\"b\":\"[redacted]\"}",
	      "/b");
}

static void elements_of_nested_arrays_are_reached_by_number_or_by_star(void **state)
{
	(void)state;
	CHECK("[[1,2],[3,[4,5]]]", "[[1,2],[3,[4,\"[redacted]\"]]]", "/1/1/1");
	CHECK("{\"i\":[{\"n\":1,\"m\":2},{\"n\":3},7]}",
	      "{\"i\":[{\"n\":\"[redacted]\",\"m\":2},{\"n\":\"[redacted]\"},7]}", "/i/*/n");
	CHECK("[10,20,30,40,50,60,70,80,90,100,110]",
	      "[10,\"[redacted]\",30,40,50,60,70,80,90,100,\"[redacted]\"]", "/1", "/10");
	CHECK("[1]", "[1]", "/01", "/-", "/1");
	CHECK("{\"0\":1,\"*\":2,\"x\":3}", "{\"0\":\"[redacted]\",\"*\":2,\"x\":3}", "/0");
	CHECK("{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"x\":\"[redacted]\",\"y\":\"[redacted]\"}}",
	      "/a/*");
}

static void names_are_compared_as_they_read(void **state)
{
	(void)state;
	CHECK("{\"a/b\":1,\"m~n\":2,\"~1\":3}",
	      "{\"a/b\":\"[redacted]\",\"m~n\":\"[redacted]\",\"~1\":\"[redacted]\"}", "/a~1b",
	      "/m~0n", "/~01");
	CHECK("{\"n\\u0075mber\":1,\"\\/\":2}",
	      "{\"n\\u0075mber\":\"[redacted]\",\"\\/\":\"[redacted]\"}", "/number", "/~1");
	CHECK("{\"\\ud83d\\ude00\":1,\"\\u00fc\":2,\"q\\\"\\\\\\n\":3}",
	      "{\"\\ud83d\\ude00\":\"[redacted]\",\"\\u00fc\":\"[redacted]\",\"q\\\"\\\\\\n\":"
	      "\"[redacted]\"}",
	      "/\xf0\x9f\x98\x80", "/\xc3\xbc", "/q\"\\\n");
	CHECK("{\"\":1,\"a\":{\"\":2}}", "{\"\":1,\"a\":{\"\":\"[redacted]\"}}", "/a/");
}

static void of_members_of_one_name_each_is_replaced(void **state)
{
	(void)state;
	CHECK("{\"a\":1,\"a\":{\"b\":2},\"a\":3}",
	      "{\"a\":\"[redacted]\",\"a\":\"[redacted]\",\"a\":\"[redacted]\"}", "/a");
	CHECK("{\"a\":{\"b\":1},\"a\":{\"b\":2}}",
	      "{\"a\":{\"b\":\"[redacted]\"},\"a\":{\"b\":\"[redacted]\"}}", "/a/b");
}

static void what_cannot_be_read_is_not_kept(void **state)
{
	static const char *const bad[] = {"{",          "{\"a\"", "{\"a\":",   "{\"a\":1", "[1",
					  "{\"a\":1}x", "\"",     "{\"a\" 1}", "{a:1}",    "[1 2]",
					  "{\"a\":}",   "]",      "{\"a\\"};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(bad[i], "{}", "/a");
	/* Found by fuzzing: a NUL was walked to for ever. */
	struct arena a = {0};
	struct redact *r = redact_new();
	assert_null(redact_add(r, STR_LIT("/a")));
	assert_true(str_is(redact_json(r, &a, (txw_str){"{\"a\":[1\0]}", 10}), "{}"));
	redact_free(r);
	arena_free(&a);
	struct buf deep = {0};
	for (int i = 0; i < 100000; i++)
		buf_text(&deep, "[");
	buf_char(&deep, '\0');
	CHECK(deep.ptr, "{}", "/*/*");
	buf_free(&deep);
}

static void a_pointer_that_is_none_is_refused_with_a_reason(void **state)
{
	static const char *const bad[] = {"", "card", "card/number", "/a~", "/a~2b", "/~a"};
	(void)state;
	struct redact *r = redact_new();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(redact_add(r, str_of(bad[i])));
	for (int i = 0; i < REDACT_POINTERS_MAX; i++)
		assert_null(redact_add(r, STR_LIT("/a")));
	assert_non_null(redact_add(r, STR_LIT("/a")));
	redact_free(r);
	assert_true(str_is(redact_json(NULL, NULL, STR_LIT("{\"a\":1}")), "{\"a\":1}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_value_is_replaced_and_all_else_stays_byte_for_byte),
	    cmocka_unit_test(elements_of_nested_arrays_are_reached_by_number_or_by_star),
	    cmocka_unit_test(names_are_compared_as_they_read),
	    cmocka_unit_test(of_members_of_one_name_each_is_replaced),
	    cmocka_unit_test(what_cannot_be_read_is_not_kept),
	    cmocka_unit_test(a_pointer_that_is_none_is_refused_with_a_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
