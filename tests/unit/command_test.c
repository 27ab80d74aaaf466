/* command_test.c: the tables of commands are sound: what is printed from them
 * and parsed by them relies on it. */
#include "unit.h"

#include "command_fixture.h"

NOT_RUN(token)

/* Each row of both tables. */
static const struct command *row(size_t i)
{
	for (const struct command_table *t = COMMAND_TABLES; t->title; t++)
		for (const struct command *c = t->rows; c->name; c++)
			if (i-- == 0)
				return c;
	return NULL;
}

static bool is_sentence(const char *help)
{
	size_t len = help ? strlen(help) : 0;

	return len > 0 && help[len - 1] != '.' && help[len - 1] != ' ';
}

static void every_name_is_there_once_and_has_one_function(void **state)
{
	const struct command *c, *other;

	(void)state;
	for (size_t i = 0; (c = row(i)) != NULL; i++) {
		assert_true(strspn(c->name, "abcdefghijklmnopqrstuvwxyz ") == strlen(c->name));
		assert_true(strlen(c->name) <= 16); /* help's column */
		assert_true((c->call != NULL) != (c->client != NULL));
		assert_true(is_sentence(c->help));
		for (size_t k = 0; k < i && (other = row(k)) != NULL; k++) {
			assert_string_not_equal(c->name, other->name);
			/* "tx" alone would hide "tx list", and the other way round */
			size_t len = strcspn(c->name, " "), n = strcspn(other->name, " ");
			if (len == n && memcmp(c->name, other->name, len) == 0)
				assert_true(c->name[len] && other->name[n]);
		}
	}
	assert_true(row(30) != NULL);
}

static void no_option_is_there_twice(void **state)
{
	const struct command_option *o, *other;
	const struct command *c;

	(void)state;
	for (size_t i = 0; (c = row(i)) != NULL; i++) {
		for (size_t k = 0; (o = command_option(c, k)) != NULL; k++) {
			if (!is_sentence(o->help) || o->letter == 'h' ||
			    strcmp(o->name, "help") == 0)
				fail_msg("%s --%s", c->name, o->name);
			if ((o->choices || o->kind != VALUE_TEXT) && !o->value)
				fail_msg("%s --%s takes no value to check", c->name, o->name);
			for (size_t m = 0; m < k && (other = command_option(c, m)) != NULL; m++)
				if (strcmp(o->name, other->name) == 0 ||
				    (o->letter && o->letter == other->letter))
					fail_msg("%s --%s and --%s", c->name, o->name, other->name);
		}
	}
}

static void needed_words_come_first_and_many_last(void **state)
{
	const struct command *c;

	(void)state;
	for (size_t i = 0; (c = row(i)) != NULL; i++) {
		bool was_optional = false, was_many = false;

		for (const struct command_word *w = c->words; w && w->name; w++) {
			assert_false(was_many);
			assert_false(was_optional && !w->is_optional);
			assert_true(is_sentence(w->help));
			was_optional |= w->is_optional;
			was_many |= w->is_many;
		}
	}
}

static void a_noun_has_one_verb_at_most_that_may_be_left_out(void **state)
{
	const struct command *c;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; (c = row(i)) != NULL; i++)
		if (c->is_default) {
			assert_non_null(strchr(c->name, ' '));
			n++;
		}
	assert_int_equal(n, 1); /* token make */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_name_is_there_once_and_has_one_function),
	    cmocka_unit_test(no_option_is_there_twice),
	    cmocka_unit_test(needed_words_come_first_and_many_last),
	    cmocka_unit_test(a_noun_has_one_verb_at_most_that_may_be_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
