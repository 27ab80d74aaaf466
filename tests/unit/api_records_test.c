/* Rows cut out of a body that comes in pieces. */
#include "unit.h"

#include <stdlib.h>

#include "api/records.h"
#include "base/str.h"

struct got {
	struct buf text; /* "LINE:field|field;" or "LINE!why;" */
	size_t n;
	size_t stop_after; /* 0: never */
};

static bool take(void *ctx, const struct record *r)
{
	struct got *g = ctx;
	buf_printf(&g->text, "%lld", (long long)r->line);
	if (r->broken) {
		buf_printf(&g->text, "!%s;", r->broken);
	} else {
		buf_char(&g->text, ':');
		for (size_t i = 0; i < r->n_fields; i++)
			buf_printf(&g->text, "%s%.*s", i ? "|" : "", STR_ARG(r->fields[i]));
		buf_str(&g->text, r->text);
		buf_char(&g->text, ';');
	}
	return ++g->n != g->stop_after;
}

/* Cut into pieces of every size, the outcome is the same. */
static void expect(bool is_csv, txw_str body, const char *what)
{
	for (size_t piece = 1; piece <= body.len + 1; piece++) {
		struct records r = {.is_csv = is_csv};
		struct got g = {0};
		for (size_t at = 0; at < body.len; at += piece) {
			size_t n = body.len - at < piece ? body.len - at : piece;
			assert_int_equal(records_feed(&r, body.ptr + at, n, take, &g), n);
		}
		records_end(&r, take, &g);
		buf_char(&g.text, '\0');
		assert_string_equal(g.text.ptr, what);
		buf_free(&g.text);
		records_free(&r);
	}
}
#define CSV(body, what)   expect(true, STR_LIT(body), what)
#define LINES(body, what) expect(false, STR_LIT(body), what)

static void lines_end_with_lf_or_crlf_and_blank_ones_are_skipped(void **state)
{
	(void)state;
	LINES("a\nb\r\n\n\r\nc", "1:a;2:b;5:c;");
	LINES("a\rb\n", "1:a\rb;");
	LINES("", "");
	LINES("\n\n", "");
}

static void a_byte_order_mark_is_skipped_and_half_of_one_is_not(void **state)
{
	(void)state;
	LINES("\xef\xbb\xbf"
	      "a\n",
	      "1:a;");
	LINES("\xef\xbb"
	      "a\n",
	      "1!not UTF-8, or a NUL in it;");
	LINES("\xef\xbb", "1!not UTF-8, or a NUL in it;");
	CSV("\xef\xbb\xbf\"a\",b", "1:a|b;");
}

static void cells_may_hold_commas_quotes_and_lines(void **state)
{
	(void)state;
	CSV("a,b\n\"x,y\",\"a \"\"b\"\"\"\r\n\"1\r\n2\",\n,\n",
	    "1:a|b;2:x,y|a \"b\";3:1\r\n2|;5:|;");
	CSV("\"\"\n", "1:;");
}

static void broken_records_are_told_by_their_line_and_reading_goes_on(void **state)
{
	(void)state;
	CSV("a\"b,c\nd\n", "1!a quote inside a field that is not quoted;2:d;");
	CSV("\"a\"b\nd\n", "1!something after a closing quote;2:d;");
	CSV("a\n\"b\nc\n", "1:a;2!a quote is never closed;");
	CSV("a\n\xff\nb\n", "1:a;2!not UTF-8, or a NUL in it;3:b;");
	LINES("a\0b\nc", "1!not UTF-8, or a NUL in it;2:c;");
}

static void what_is_too_long_is_dropped_up_to_the_next_line(void **state)
{
	(void)state;
	struct buf body = {0};
	struct got g = {0};
	struct records r = {.is_csv = true};
	buf_text(&body, "a\n\"");
	for (size_t i = 0; i <= RECORD_MAX; i++)
		buf_char(&body, 'x');
	buf_text(&body, "tail\nb\n");
	for (size_t i = 0; i < RECORD_FIELDS + 1; i++)
		buf_char(&body, ',');
	buf_text(&body, "\nc");
	records_feed(&r, body.ptr, body.len, take, &g);
	assert_true(r.text.cap <= 4 * RECORD_MAX);
	records_end(&r, take, &g);
	buf_char(&g.text, '\0');
	assert_string_equal(g.text.ptr, "1:a;2!longer than 256 KB: is a quote never closed?;3:b;"
					"4!more than 256 fields;5:c;");
	buf_free(&g.text);
	buf_free(&body);
	records_free(&r);
}

static void a_reader_that_has_enough_is_offered_the_rest_again(void **state)
{
	(void)state;
	struct records r = {0};
	struct got g = {.stop_after = 2};
	assert_int_equal(records_feed(&r, "a\nb\nc\n", 6, take, &g), 4);
	assert_int_equal(records_feed(&r, "c\n", 2, take, &g), 2);
	assert_int_equal(g.n, 3);
	buf_free(&g.text);
	records_free(&r);
}

static void no_cell_is_a_formula_and_each_comes_back_as_it_was(void **state)
{
	(void)state;
	static const char *const cells[] = {"",    "a",  "=1", "'=1",     "''=1",
					    "'",   "-5", "+1", "@a",      "\tx",
					    "a=b", "'a", "\r", "x,\"y\"", "a\nb"};
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		struct buf b = {0};
		struct records r = {.is_csv = true};
		struct got g = {0};
		csv_put_text(&b, str_of(cells[i]));
		const char *start = b.len && b.ptr[0] == '"' ? b.ptr + 1 : b.ptr;
		if (b.len)
			assert_null(memchr("=+-@\t\r", start[0], 6));
		buf_text(&b, ",end\n");
		records_feed(&r, b.ptr, b.len, take, &g);
		buf_char(&g.text, '\0');
		/* "1:CELL|end;" */
		txw_str cell = {g.text.ptr + 2, g.text.len - 2 - sizeof("|end;")};
		cell = csv_plain(cell);
		assert_int_equal(cell.len, strlen(cells[i]));
		if (cell.len)
			assert_memory_equal(cell.ptr, cells[i], cell.len);
		buf_free(&b);
		buf_free(&g.text);
		records_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_end_with_lf_or_crlf_and_blank_ones_are_skipped),
	    cmocka_unit_test(a_byte_order_mark_is_skipped_and_half_of_one_is_not),
	    cmocka_unit_test(cells_may_hold_commas_quotes_and_lines),
	    cmocka_unit_test(broken_records_are_told_by_their_line_and_reading_goes_on),
	    cmocka_unit_test(what_is_too_long_is_dropped_up_to_the_next_line),
	    cmocka_unit_test(a_reader_that_has_enough_is_offered_the_rest_again),
	    cmocka_unit_test(no_cell_is_a_formula_and_each_comes_back_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
