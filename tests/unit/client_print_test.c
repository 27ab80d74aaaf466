/* client_print_test.c: tables and texts as a terminal shows them. */
#include "unit.h"

#include "base/str.h"
#include "command/client/out.h"
#include "command/client/print.h"
#include "command/client/text.h"

static void assert_says(struct buf *b, const char *expected)
{
	buf_char(b, '\0');
	assert_string_equal(b->ptr, expected);
	buf_free(b);
	*b = (struct buf){0};
}

/* ---- texts ---- */

static void nothing_a_peer_wrote_moves_the_cursor(void **state)
{
	struct buf b = {0};

	(void)state;
	text_safe(&b, STR_LIT("a\x1b[31m\n\t\r\x7f \xc2\x9b \xe2\x80\xae \xef\xbb\xbf \xc3\xa9"));
	assert_says(&b, "a\\x1b[31m\\n\\t\\r\\x7f \\x9b \\u202e \\ufeff \xc3\xa9");
}

static void what_is_not_utf8_is_replaced(void **state)
{
	struct buf b = {0};

	(void)state;
	/* a lone byte, an overlong NUL, a surrogate, beyond the last, cut off */
	text_safe(&b, STR_LIT("\xff|\xc0\x80|\xed\xa0\x80|\xf4\x90\x80\x80|\xe6\xbc"));
	assert_says(&b,
		    "\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|"
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd");
}

static void widths_are_columns_not_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t width;
	} rows[] = {
	    {"abc", 3},
	    {"\xc3\xa9t\xc3\xa9", 3},
	    {"\xe6\xbc\xa2\xe5\xad\x97", 4}, /* two wide ones */
	    {"e\xcc\x81", 1},                /* e and a combining accent */
	    {"\xf0\x9f\x99\x82", 2},         /* an emoji */
	    {"\xed\x95\x9c", 2},             /* Hangul */
	    {"a\xe2\x80\x8d"
	     "b",
	     2}, /* a joiner takes none */
	    {"", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(text_width(str_of(rows[i].text)), rows[i].width);
}

static void a_cut_never_splits_a_character(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(text_cut(&b, STR_LIT("abcdef"), 4), 4);
	assert_says(&b, "abc\xe2\x80\xa6");
	/* The third column would be half of the second character. */
	assert_int_equal(text_cut(&b, STR_LIT("\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2"), 4), 3);
	assert_says(&b, "\xe6\xbc\xa2\xe2\x80\xa6");
	assert_int_equal(text_cut(&b, STR_LIT("abc"), 3), 3);
	assert_says(&b, "abc");
	assert_int_equal(text_cut(&b, STR_LIT("abc"), 0), 0);
	assert_says(&b, "");
}

/* ---- tables ---- */

static const struct column COLUMNS[] = {
    {.title = "NAME", .path = "name"},
    {.title = "N", .path = "n", .flags = COLUMN_RIGHT},
    {.title = "TO", .path = "change.to", .tint = "mood"},
    {.title = "NOTE", .path = "note", .flags = COLUMN_SPARE},
    {.title = "ID", .path = "id", .flags = COLUMN_WHOLE | COLUMN_SPARE},
    {.title = NULL},
};

static void table(struct buf *out, const char *rows, size_t terminal, bool has_colour)
{
	json_t *list = json_loads(rows, 0, NULL), *row;
	struct printer p;
	size_t i;

	assert_non_null(list);
	printer_init(&p, out, COLUMNS, terminal, has_colour);
	json_array_foreach(list, i, row) printer_row(&p, row);
	printer_flush(&p);
	printer_free(&p);
	json_decref(list);
}

#define TWO                                                                           \
	"[{\"name\":\"\xe6\xbc\xa2\xe5\xad\x97\",\"n\":5,\"change\":{\"to\":\"on\"}," \
	"\"id\":\"x1\"},"                                                             \
	"{\"name\":\"b\",\"n\":1234,\"change\":null,\"note\":null,\"id\":\"x2\"}]"

static void columns_are_aligned_by_what_is_seen(void **state)
{
	struct buf b = {0};

	(void)state;
	table(&b, TWO, 0, false);
	assert_says(&b, "NAME     N  TO  NOTE  ID\n"
			"\xe6\xbc\xa2\xe5\xad\x97     5  on  -     x1\n"
			"b     1234  -   -     x2\n");
}

static void on_a_terminal_a_column_nobody_has_is_left_out(void **state)
{
	struct buf b = {0};

	(void)state;
	table(&b, TWO, 80, false);
	assert_says(&b, "NAME     N  TO  ID\n"
			"\xe6\xbc\xa2\xe5\xad\x97     5  on  x1\n"
			"b     1234  -   x2\n");
}

static void a_narrow_terminal_loses_spare_columns_and_then_cuts(void **state)
{
	struct buf b = {0};

	(void)state;
	table(&b,
	      "[{\"name\":\"a very long "
	      "name\",\"n\":1,\"change\":{\"to\":\"settled\"},\"id\":\"x\"}]",
	      24, false);
	assert_says(&b, "NAME          N  TO\n"
			"a very long\xe2\x80\xa6  1  settled\n");
	table(&b, "[{\"name\":\"a very long name\",\"n\":1,\"change\":{\"to\":\"settled\"}}]", 10,
	      false);
	assert_says(&b, "NAME      \n"
			"a very \xe2\x80\xa6  \n");
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	(void)state;
	for (size_t width = 1; width < 60; width++) {
		struct buf b = {0};
		char *line, *rest;

		table(&b, TWO, width, false);
		buf_char(&b, '\0');
		for (line = strtok_r(b.ptr, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
			assert_true(text_width(str_of(line)) <= width);
		buf_free(&b);
	}
}

static void colours_are_where_they_are_asked_for(void **state)
{
	static const char rows[] = "[{\"name\":\"a\",\"n\":1,\"change\":{\"to\":\"settled\"},"
				   "\"mood\":\"success\"}]";
	struct buf b = {0};

	(void)state;
	table(&b, rows, 0, false);
	buf_char(&b, '\0');
	assert_null(strchr(b.ptr, '\033'));
	b.len = 0;
	table(&b, rows, 80, true);
	buf_char(&b, '\0');
	assert_non_null(strstr(b.ptr, "\033[32msettled\033[0m"));
	buf_free(&b);
}

static void later_pages_stand_under_the_first(void **state)
{
	json_t *a = json_pack("{s:s,s:i}", "name", "first", "n", 1);
	json_t *z = json_pack("{s:s,s:i}", "name", "x", "n", 22);
	static const struct column two[] = {{.title = "NAME", .path = "name"},
					    {.title = "N", .path = "n", .flags = COLUMN_RIGHT},
					    {.title = NULL}};
	struct buf b = {0};
	struct printer p;

	(void)state;
	printer_init(&p, &b, two, 0, false);
	printer_row(&p, a);
	printer_flush(&p);
	printer_flush(&p); /* an empty page */
	printer_row(&p, z);
	printer_flush(&p);
	assert_says(&b, "NAME   N\n"
			"first  1\n"
			"x      22\n");
	printer_free(&p);
	json_decref(a);
	json_decref(z);
}

static void no_rows_are_no_lines(void **state)
{
	struct buf b = {0};

	(void)state;
	table(&b, "[]", 80, true);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

/* ---- values, objects, progress ---- */

static void values_read_well(void **state)
{
	static const struct {
		const char *json;
		const char *text;
	} rows[] = {
	    {"null", "-"},
	    {"\"\"", "-"},
	    {"true", "yes"},
	    {"7", "7"},
	    {"[]", "-"},
	    {"{}", "-"},
	    {"[\"a\",\"b\"]", "a,b"},
	    {"{\"a\":[1,{\"b\":2}]}", "{\"a\":[1,{\"b\":2}]}"},
	    {"\"2026-01-31T23:59:59.25Z\"", "2026-01-31T23:59:59Z"},
	    {"\"2026-01-31T23:59:59 or so\"", "2026-01-31T23:59:59 or so"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *value = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
		struct buf b = {0};

		print_value(&b, value);
		assert_says(&b, rows[i].text);
		json_decref(value);
	}
}

static void an_object_is_a_member_a_line_and_its_lists_are_tables(void **state)
{
	json_t *object = json_loads("{\"id\":\"d\",\"attempt_count\":2,\"attempts\":["
				    "{\"n\":1,\"status\":500},{\"n\":2,\"why\":\"x\"}]}",
				    0, NULL);
	struct buf b = {0};

	(void)state;
	print_object(&b, object, 0, false);
	assert_says(&b, "id             d\n"
			"attempt count  2\n"
			"\n"
			"attempts:\n"
			"n  status  why\n"
			"1  500     -\n"
			"2  -       x\n");
	json_decref(object);
}

static void a_bar_says_how_far_it_is(void **state)
{
	struct buf b = {0};

	(void)state;
	progress_line(&b, 1, 2, "half", 79);
	assert_says(&b, "[###############               ]  50 %  half");
	progress_line(&b, 5, 2, "more than all", 79);
	assert_says(&b, "[##############################] 100 %  more than all");
	progress_line(&b, 5, 0, "nobody knows", 79);
	assert_says(&b, "nobody knows");
	progress_line(&b, 1, 2, "half", 10);
	assert_says(&b, "[########\xe2\x80\xa6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_a_peer_wrote_moves_the_cursor),
	    cmocka_unit_test(what_is_not_utf8_is_replaced),
	    cmocka_unit_test(widths_are_columns_not_bytes),
	    cmocka_unit_test(a_cut_never_splits_a_character),
	    cmocka_unit_test(columns_are_aligned_by_what_is_seen),
	    cmocka_unit_test(on_a_terminal_a_column_nobody_has_is_left_out),
	    cmocka_unit_test(a_narrow_terminal_loses_spare_columns_and_then_cuts),
	    cmocka_unit_test(no_line_is_wider_than_the_terminal),
	    cmocka_unit_test(colours_are_where_they_are_asked_for),
	    cmocka_unit_test(later_pages_stand_under_the_first),
	    cmocka_unit_test(no_rows_are_no_lines),
	    cmocka_unit_test(values_read_well),
	    cmocka_unit_test(an_object_is_a_member_a_line_and_its_lists_are_tables),
	    cmocka_unit_test(a_bar_says_how_far_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
