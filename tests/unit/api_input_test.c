/* api_input_test.c: bodies are read strictly, and mistakes are named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "api/input.h"
#include "base/clock.h"
#include "base/str.h"

struct thing {
	txw_str name;
	txw_str note;
	txw_str amount;
	txw_str currency;
	txw_str attributes;
	txw_str detail;
	txw_time at;
	int64_t in;
	int64_t version;
	uint32_t flag;
};

#define AT(f) offsetof(struct thing, f)
static const struct input_row ROWS[] = {
    {"name", INPUT_LINE, INPUT_REQUIRED, AT(name), 5, 1},
    {"note", INPUT_TEXT, INPUT_NULLABLE, AT(note), 10, 2},
    {"amount", INPUT_DECIMAL, 0, AT(amount), 0, 4},
    {"currency", INPUT_CURRENCY, 0, AT(currency), 0, 8},
    {"attributes", INPUT_OBJECT, 0, AT(attributes), 0, 16},
    {"detail", INPUT_JSON, 0, AT(detail), 0, 32},
    {"at", INPUT_TIME, 0, AT(at), 0, 64},
    {"in", INPUT_PERIOD, 0, AT(in), 0, 128},
    {"version", INPUT_COUNT, 0, AT(version), 0, 256},
    {"flag", INPUT_BOOL, 0, AT(flag), 0, 512},
};

struct reading {
	struct arena arena;
	struct input in;
	json_t *json;
	struct thing out;
	uint32_t set;
	bool ok;
};

static struct reading read_as(const char *body, size_t len)
{
	struct reading r = {0};
	static struct arena arena; /* kept until the next: r is copied out */
	arena_free(&arena);
	r.in.arena = &arena;
	r.json = input_parse(&r.in, (txw_str){body, len});
	r.ok = r.json &&
	       input_read(&r.in, r.json, ROWS, sizeof(ROWS) / sizeof(ROWS[0]), &r.out, &r.set);
	return r;
}

static void done(struct reading *r)
{
	input_end(&r->in);
	json_decref(r->json);
}

static void good(const char *body, struct reading *r)
{
	*r = read_as(body, strlen(body));
	if (!r->ok)
		fail_msg("%s: %s", r->in.mistake.member ? r->in.mistake.member : "body",
			 r->in.mistake.text);
}

/* The member named (NULL: the body), and words of the text. */
static void bad(const char *body, const char *member, const char *words)
{
	struct reading r = read_as(body, strlen(body));
	assert_false(r.ok);
	if (member)
		assert_string_equal(r.in.mistake.member, member);
	else
		assert_null(r.in.mistake.member);
	if (!strstr(r.in.mistake.text, words))
		fail_msg("expected \"%s\" in: %s", words, r.in.mistake.text);
	done(&r);
}

static void every_kind_is_read(void **state)
{
	(void)state;
	struct reading r;
	good("{\"name\":\"\xc3\xa9t\xc3\xa9 5\",\"note\":\"\",\"amount\":\"-1250.00\","
	     "\"currency\":\"EUR\",\"attributes\":{\"b\":[1,2.5,null,true],\"a\":{\"x\":\"\\n\"}},"
	     "\"detail\":[],\"at\":\"2026-01-02T03:04:05Z\",\"in\":\"90s\",\"version\":3,"
	     "\"flag\":true}",
	     &r);
	assert_true(str_is(r.out.name, "\xc3\xa9t\xc3\xa9 5"));
	assert_true(str_is(r.out.amount, "-1250.00"));
	assert_true(str_is(r.out.currency, "EUR"));
	assert_true(str_is(r.out.attributes, "{\"b\":[1,2.5,null,true],\"a\":{\"x\":\"\\n\"}}"));
	assert_true(str_is(r.out.detail, "[]"));
	assert_int_equal(r.out.at, INT64_C(1767323045000000));
	assert_int_equal(r.out.in, 90 * SECOND);
	assert_int_equal(r.out.version, 3);
	assert_int_equal(r.out.flag, 1);
	assert_int_equal(r.set, 1023);
	done(&r);
	good("{\"name\":\"x\",\"note\":null,\"amount\":12,\"in\":60}", &r);
	assert_int_equal(r.out.note.len, 0);
	assert_true(str_is(r.out.amount, "12"));
	assert_int_equal(r.out.in, 60 * SECOND);
	assert_int_equal(r.set, 1 | 2 | 4 | 128); /* null counts as given */
	done(&r);
}

static void numbers_keep_their_value_through_attributes(void **state)
{
	(void)state;
	struct reading r;
	good("{\"name\":\"x\",\"attributes\":{\"a\":0.1,\"b\":1e300,\"c\":-9007199254740993,"
	     "\"d\":0.30000000000000004}}",
	     &r);
	assert_true(str_is(r.out.attributes, "{\"a\":0.1,\"b\":1e+300,\"c\":-9007199254740993,"
					     "\"d\":0.30000000000000004}"));
	done(&r);
}

static void a_body_that_is_no_object_is_refused(void **state)
{
	(void)state;
	bad("", NULL, "empty");
	bad("{", NULL, "not JSON");
	bad("[]", NULL, "object");
	bad("null", NULL, "not JSON");
	bad("{\"name\":\"x\"} x", NULL, "not JSON");
	bad("{\"name\":\"\xff\"}", NULL, "not JSON");
	bad("{\"name\":\"a\\u0000b\"}", NULL, "not JSON");
	bad("{\"name\":\"a\",\"name\":\"b\"}", NULL, "duplicate");
	bad("{\"name\":NaN}", NULL, "not JSON");
	char *deep = malloc(100001);
	memset(deep, '[', 100000);
	deep[100000] = '\0';
	bad(deep, NULL, "not JSON");
	free(deep);
	/* Found by fuzzing: the reader goes over a NUL behind a number. */
	struct reading r = read_as("{\"version\":1\0}", 14);
	assert_false(r.ok);
	assert_non_null(strstr(r.in.mistake.text, "NUL"));
	done(&r);
	/* ... and a member whose name is empty has no text of its own. */
	bad("{\"\":1}", "", "no such member");
}

static void an_unknown_member_is_named_with_the_nearest(void **state)
{
	(void)state;
	bad("{\"name\":\"x\",\"amuont\":\"1\"}", "amuont", "did you mean \"amount\"");
	bad("{\"name\":\"x\",\"zzzzzzzz\":1}", "zzzzzzzz", "no such member");
	bad("{\"note\":\"x\"}", "name", "required");
}

static void wrong_values_are_named(void **state)
{
	(void)state;
	bad("{\"name\":7}", "name", "text");
	bad("{\"name\":\"\"}", "name", "empty");
	bad("{\"name\":\"123456\"}", "name", "5 characters");
	bad("{\"name\":\"a\\nb\"}", "name", "control");
	bad("{\"name\":null}", "name", "text");
	bad("{\"name\":\"x\",\"amount\":12.5}", "amount", "exact decimal");
	bad("{\"name\":\"x\",\"amount\":\"1e5\"}", "amount", "exact decimal");
	bad("{\"name\":\"x\",\"currency\":\"eur\"}", "currency", "upper-case");
	bad("{\"name\":\"x\",\"currency\":\"EU\"}", "currency", "3 to 12");
	bad("{\"name\":\"x\",\"attributes\":[]}", "attributes", "object");
	bad("{\"name\":\"x\",\"at\":\"tomorrow\"}", "at", "time");
	bad("{\"name\":\"x\",\"in\":\"0s\"}", "in", "duration");
	bad("{\"name\":\"x\",\"in\":-5}", "in", "duration");
	bad("{\"name\":\"x\",\"in\":9223372036854775807}", "in", "duration");
	bad("{\"name\":\"x\",\"version\":0}", "version", "1 or more");
	bad("{\"name\":\"x\",\"flag\":1}", "flag", "true or false");
}

static void attributes_have_a_depth_and_a_size(void **state)
{
	(void)state;
	char body[400];
	size_t n = (size_t)snprintf(body, sizeof(body), "{\"name\":\"x\",\"attributes\":{\"a\":");
	memset(body + n, '[', 40);
	memset(body + n + 40, ']', 40);
	memcpy(body + n + 80, "}}", 3);
	bad(body, "attributes", "deeper than 32");
	char *large = malloc(70100);
	n = (size_t)snprintf(large, 100, "{\"name\":\"x\",\"attributes\":{\"a\":\"");
	memset(large + n, 'x', 70000);
	memcpy(large + n + 70000, "\"}}", 4);
	bad(large, "attributes", "64 KB");
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_is_read),
	    cmocka_unit_test(numbers_keep_their_value_through_attributes),
	    cmocka_unit_test(a_body_that_is_no_object_is_refused),
	    cmocka_unit_test(an_unknown_member_is_named_with_the_nearest),
	    cmocka_unit_test(wrong_values_are_named),
	    cmocka_unit_test(attributes_have_a_depth_and_a_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
