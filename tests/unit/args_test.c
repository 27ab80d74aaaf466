/* args_test.c: arguments parsed by a command's row. */
#include "unit.h"

#include "base/str.h"
#include "command/args.h"

static const struct command_option OPTIONS[] = {
    {.name = "name", .letter = 'n', .value = "NAME"},
    {.name = "count", .letter = 'c', .value = "N", .kind = VALUE_NUMBER},
    {.name = "wait", .value = "DURATION", .kind = VALUE_DURATION},
    {.name = "at", .value = "TIME", .kind = VALUE_TIME},
    {.name = "colour", .value = "COLOUR", .choices = "red|green"},
    {.name = "tag", .letter = 't', .value = "TAG", .is_many = true},
    {.name = "fast", .letter = 'f'},
    {.name = "verbose", .letter = 'v'},
    {.name = NULL},
};
static const struct command_word WORDS[] = {
    {.name = "FIRST"},
    {.name = "REST", .is_optional = true, .is_many = true},
    {.name = NULL},
};
static const struct command COMMAND = {.name = "try it", .words = WORDS, .options = OPTIONS};

struct trial {
	struct args args;
	struct err e;
	int32_t rc;
};

static void parse(struct trial *t, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	*t = (struct trial){.rc = 0};
	t->rc = args_parse(&t->args, &COMMAND, argc, argv, &t->e);
}
#define PARSE(t, ...) parse((t), (char *[]){__VA_ARGS__, NULL})

static void options_and_words_may_be_mixed(void **state)
{
	struct trial t;

	(void)state;
	PARSE(&t, "a", "--name", "x", "b", "-c5", "--wait=1m30s", "-fv", "c");
	assert_int_equal(t.rc, 0);
	assert_int_equal(t.args.n_words, 3);
	assert_string_equal(args_word(&t.args, 2), "c");
	assert_null(args_word(&t.args, 3));
	assert_string_equal(args_get(&t.args, "name"), "x");
	assert_int_equal(args_number(&t.args, "count", 0), 5);
	assert_int_equal(args_duration(&t.args, "wait", 0), 90000000);
	assert_true(args_has(&t.args, "fast") && args_has(&t.args, "verbose"));
	assert_false(args_has(&t.args, "colour"));
	args_free(&t.args);
}

static void two_dashes_end_the_options_and_one_is_a_word(void **state)
{
	struct trial t;

	(void)state;
	PARSE(&t, "-", "--", "--name", "-f");
	assert_int_equal(t.rc, 0);
	assert_int_equal(t.args.n_words, 3);
	assert_string_equal(args_word(&t.args, 0), "-");
	assert_string_equal(args_word(&t.args, 1), "--name");
	assert_false(args_has(&t.args, "fast"));
	args_free(&t.args);
}

static void an_option_that_may_be_repeated_keeps_its_order(void **state)
{
	struct trial t;
	size_t at = 0;

	(void)state;
	PARSE(&t, "w", "--tag", "b", "-ta", "--tag=");
	assert_int_equal(t.rc, 0);
	assert_string_equal(args_next(&t.args, "tag", &at), "b");
	assert_string_equal(args_next(&t.args, "tag", &at), "a");
	assert_string_equal(args_next(&t.args, "tag", &at), "");
	assert_null(args_next(&t.args, "tag", &at));
	args_free(&t.args);
}

static void a_mistake_is_told_with_what_is_allowed(void **state)
{
	static const struct {
		char *argv[4];
		const char *says;
	} rows[] = {
	    {{"w", "--nmae", "x"}, "did you mean `--name`?"},
	    {{"w", "--name"}, "--name needs a value: NAME"},
	    {{"w", "-n"}, "-n needs a value: NAME"},
	    {{"w", "--fast=1"}, "--fast takes no value"},
	    {{"w", "-x"}, "no option `-x`"},
	    {{"w", "--colour", "blue"}, "--colour takes red or green, found `blue`"},
	    {{"w", "--colour=re"}, "takes red or green"},
	    {{"w", "--count=-1"}, "whole number, found `-1`"},
	    {{"w", "--count=1x"}, "whole number"},
	    {{"w", "--wait", "soon"}, "duration"},
	    {{"w", "--at=yesterday"}, "2027-01-31T00:00:00Z"},
	    {{"w", "-f", "--fast"}, "--fast is given twice"},
	    {{NULL}, "FIRST is missing"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct trial t;

		parse(&t, (char **)(uintptr_t)rows[i].argv);
		assert_int_equal(t.rc, TXW_E_INVALID);
		if (!strstr(t.e.text, rows[i].says))
			fail_msg("expected `%s` in `%s`", rows[i].says, t.e.text);
		args_free(&t.args);
	}
}

static void a_word_too_many_is_told(void **state)
{
	static const struct command_word a_word[] = {{.name = "A"}, {.name = NULL}};
	static const struct command one = {.name = "one", .words = a_word};
	struct err e = {0};
	struct args a;

	(void)state;
	assert_true(args_parse(&a, &one, 2, (char *[]){"x", "y"}, &e) < 0);
	assert_string_equal(e.text, "`y` is one word too many");
	args_free(&a);
}

static void help_is_asked_for_whatever_else_is_missing(void **state)
{
	struct trial t;

	(void)state;
	PARSE(&t, "--help");
	assert_int_equal(t.rc, 0);
	assert_true(t.args.wants_help);
	args_free(&t.args);
}

static void choices_are_whole_words(void **state)
{
	(void)state;
	assert_true(choices_have("a|bc|d", "bc"));
	assert_true(choices_have("a|bc|d", "d"));
	assert_false(choices_have("a|bc|d", "b"));
	assert_false(choices_have("a|bc|d", "a|bc"));
	assert_false(choices_have("a|bc|d", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_and_words_may_be_mixed),
	    cmocka_unit_test(two_dashes_end_the_options_and_one_is_a_word),
	    cmocka_unit_test(an_option_that_may_be_repeated_keeps_its_order),
	    cmocka_unit_test(a_mistake_is_told_with_what_is_allowed),
	    cmocka_unit_test(a_word_too_many_is_told),
	    cmocka_unit_test(help_is_asked_for_whatever_else_is_missing),
	    cmocka_unit_test(choices_are_whole_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
