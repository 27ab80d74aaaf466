/* api_media_test.c: which Content-Types are a type in UTF-8. */
#include "unit.h"

#include "api/media.h"
#include "base/str.h"

static bool is_json(const char *header)
{
	return media_is(str_of(header), "application/json");
}

static void the_type_is_taken_in_any_case_and_with_parameters(void **state)
{
	(void)state;
	static const char *const yes[] = {"application/json",
					  "Application/JSON",
					  " application/json ",
					  "application/json;",
					  "application/json; charset=utf-8",
					  "application/json ;Charset=\"UTF-8\"",
					  "application/json;v=1; charset=utf8"};
	for (size_t i = 0; i < COUNT(yes); i++)
		assert_true(is_json(yes[i]));
}

static void another_type_or_charset_is_not(void **state)
{
	(void)state;
	static const char *const no[] = {"",
					 ";",
					 "application/jsonx",
					 "application/json, text/plain",
					 "text/plain; a=application/json",
					 "application/json; charset=utf-16",
					 "application/json; v=1; charset=\"latin1\"",
					 "application/json; charset="};
	assert_false(media_is(STR_NONE, "application/json"));
	for (size_t i = 0; i < COUNT(no); i++)
		assert_false(is_json(no[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_type_is_taken_in_any_case_and_with_parameters),
	    cmocka_unit_test(another_type_or_charset_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
