/* filter_test.c: how filters are read, and which are refused. */
#include "filter_fixture.h"

/* ---- shape ---- */

/* The tree as text: (AND a (OR b c)). */
static void draw(const txw_filter *f, struct buf *b)
{
	static const char *const kinds[] = {"", "AND", "OR", "NOT", ""};
	if (f->kind == TXW_F_TEST) {
		buf_str(b, f->text);
		return;
	}
	buf_printf(b, "(%s", kinds[f->kind]);
	for (uint32_t i = 0; i < f->n_children; i++) {
		buf_char(b, ' ');
		draw(f->children[i], b);
	}
	buf_char(b, ')');
}

static void shaped(const char *text, const char *want)
{
	struct arena a = {0};
	struct err e = {0};
	struct buf b = {0};
	const txw_filter *f = NULL;
	if (filter_parse(&a, str_of(text), FILTER_TX, NOW, &f, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	draw(f, &b);
	buf_char(&b, '\0');
	assert_string_equal(b.ptr, want);
	buf_free(&b);
	arena_free(&a);
}

static void an_empty_filter_matches_everything(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err e = {0};
	const txw_filter *f = (const txw_filter *)&a;
	assert_int_equal(filter_parse(&a, STR_LIT(" \t\n "), FILTER_TX, NOW, &f, &e), 0);
	assert_null(f);
	YES("");
	asks("", FILTER_EVENT, true);
	arena_free(&a);
}

static void or_binds_tighter_than_and(void **state)
{
	(void)state;
	shaped("ref=a AND ref=b OR ref=c", "(AND a (OR b c))");
	shaped("ref=a OR ref=b AND ref=c", "(AND (OR a b) c)");
	shaped("ref=a OR ref=b AND ref=c OR ref=d", "(AND (OR a b) (OR c d))");
	/* With the usual precedence this would match. */
	NO("status = pending AND owner = x OR status = failed");
}

static void side_by_side_means_and(void **state)
{
	(void)state;
	shaped("ref=a ref=b", "(AND a b)");
	shaped("ref=a ref=b OR ref=c AND ref=d", "(AND a (OR b c) d)");
	shaped("ref=a(ref=b)", "(AND a b)");
}

static void parentheses_and_negations_nest(void **state)
{
	(void)state;
	shaped("(ref=a AND ref=b) OR ref=c", "(OR (AND a b) c)");
	shaped("NOT ref=a AND ref=b", "(AND (NOT a) b)");
	shaped("NOT (ref=a AND ref=b)", "(NOT (AND a b))");
	shaped("-ref=a ref=b", "(AND (NOT a) b)");
	shaped("-(ref=a OR ref=b)", "(NOT (OR a b))");
	shaped("NOT NOT ref=a", "(NOT (NOT a))");
	shaped("NOT -ref=a", "(NOT (NOT a))");
	shaped("((ref=a))", "a");
	shaped("NOT(ref=a)", "(NOT a)");
}

static void a_keyword_s_letters_may_begin_a_value_or_a_field(void **state)
{
	(void)state;
	shaped("ref=ORDER AND ref=ANDROID", "(AND ORDER ANDROID)");
	shaped("ref=\"NOT\" OR ref='OR'", "(OR NOT OR)");
}

static void values_may_be_bare_or_quoted(void **state)
{
	(void)state;
	YES("ref = PAY-2026/17");
	YES("ref=\"PAY-2026/17\"");
	YES("ref='PAY-2026/17'");
	YES("reason = \"Insufficient Funds\"");
	NO("reason = \"insufficient funds\"");
	shaped("ref = \"say \\\"hi\\\" \\\\ it's\"", "say \"hi\" \\ it's");
	shaped("ref = 'a\\nb\\tc'", "a\nb\tc");
	shaped("ref = a:b@c+d_e.f~g%h", "a:b@c+d_e.f~g%h");
	shaped("ref = \xc3\xa4\xc3\xb6", "\xc3\xa4\xc3\xb6");
}

static void the_design_s_example_is_understood(void **state)
{
	(void)state;
	YES("flow = payment AND (status = failed OR amount >= 1000) AND attributes.country = "
	    "\"DE\" "
	    "AND NOT owner:*");
}

/* ---- refusals ---- */

static void mistakes_are_told_with_their_column(void **state)
{
	(void)state;
	REFUSED("status failed", "column 8: expected = != < <= > >= or : after `status`, found "
				 "`failed`");
	REFUSED("status = ", "column 10: expected a value, found the end");
	REFUSED("status = AND ref = x", "column 10: expected a value, found `AND`");
	REFUSED("status = a AND", "column 15: expected a field, NOT or (, found the end");
	REFUSED("status = a OR OR ref=b", "column 15: expected a field, NOT or (, found `OR`");
	REFUSED("AND", "column 1: expected a field, NOT or (, found `AND`");
	REFUSED("(status = a", "column 1: this ( is never closed, found the end instead");
	REFUSED("status = a)", "column 11: this ) closes nothing");
	REFUSED("()", "column 2: expected a field, NOT or (, found `)`");
	REFUSED("status = 'abc", "column 10: this ' is never closed");
	REFUSED("ref = \"a\\qb\"", "column 9: a \\ is followed by one of");
	REFUSED("ref = \"a\\", "column 9: a \\ is followed by one of");
	REFUSED("status = a, ref = b", "column 11: expected a field, NOT or (, found `,`");
	REFUSED("status == a", "column 9: expected a value, found `=`");
	REFUSED("attributes. = a", "column 12: expected a name after the dot, found `=`");
}

static void columns_count_characters_not_bytes(void **state)
{
	(void)state;
	REFUSED("ref = \xc3\xa4\xc3\xb6 nix = 1", "column 10: there is no field `nix`");
}

static void an_unknown_field_is_answered_with_the_nearest(void **state)
{
	(void)state;
	REFUSED("ref = a AND statsu = b",
		"column 13: there is no field `statsu` (did you mean `status`?)");
	REFUSED("qqqqqqqqqqq = b", "there is no field `qqqqqqqqqqq`");
	REFUSED("status.x = b", "`status` has no parts");
	REFUSED("attributes = b", "say which attribute");
}

static void small_keywords_are_pointed_out(void **state)
{
	(void)state;
	REFUSED("ref = a and ref = b", "column 9: write AND in capitals");
	REFUSED("ref = a or ref = b", "write OR in capitals");
	REFUSED("not ref = a", "write NOT in capitals");
}

static void fields_of_events_are_refused_for_transactions(void **state)
{
	(void)state;
	static const char *const fields[] = {"type", "from", "to", "source", "actor", "at", "seq"};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		char text[40];
		snprintf(text, sizeof text, "%s:*", fields[i]);
		REFUSED(text, "is a field of events");
		bool got;
		char why[1024];
		assert_true(parses(text, FILTER_EVENT, &got, why, sizeof why));
	}
}

static void values_must_fit_their_field(void **state)
{
	(void)state;
	REFUSED("amount > lots", "column 10: `amount` takes a number");
	REFUSED("amount > 1e3", "`amount` takes a number");
	REFUSED("amount:5", "after : it takes only *");
	REFUSED("created_at > yesterday", "column 14: `created_at` takes a time");
	REFUSED("created_at > 2026-13-01", "takes a time");
	REFUSED("created_at > 2h", "takes a time");
	REFUSED("created_at > -", "takes a time");
	REFUSED("created_at:2026", "after : it takes only *");
	REFUSED("status > failed", "column 1: `status` is text");
	REFUSED("outcome = succes", "column 11: there is no outcome `succes` (did you mean "
				    "`success`?)");
	REFUSED("outcome = fail*", "there is no outcome");
	REFUSED("id = 17", "`id` takes a transaction's id");
	REFUSED("id = evt_00000000000000000000000000", "`id` takes a transaction's id");
	REFUSED("owner = \"\"", "write NOT owner:*");
	REFUSED("attributes.n > many", "take a number");
	refuses_in("type = transaction.faild", FILTER_EVENT,
		   "there is no type `transaction.faild` (did you mean `transaction.failed`?)");
	refuses_in("type = transactions.*", FILTER_EVENT, "no event type begins with");
}

static void a_word_alone_is_refused_with_what_to_write(void **state)
{
	(void)state;
	REFUSED("refund",
		"column 1: `refund` stands alone: say where to look, as in reason:refund");
	REFUSED("status = failed refund", "column 17: `refund` stands alone");
	REFUSED("status = failed AND \"two words\"",
		"column 21: a text stands alone: say where to look, as in reason:\"...\"");
	REFUSED("'x'", "as in reason:'...'");
	REFUSED("status", "expected = != < <= > >= or : after `status`, found the end");
	REFUSED("regex(ref, 'x')", "column 1: there are no functions, and so no `regex(`");
}

static void attributes_are_asked_for_by_their_name(void **state)
{
	(void)state;
	YES("attributes:country");
	YES("attributes:\"country\"");
	NO("attributes:nix");
	NO("attributes:gone"); /* null is no value */
	YES("NOT attributes:nix");
	REFUSED("attributes:*", "say which attribute");
	REFUSED("attributes = country", "say which attribute");
	REFUSED("attributes > 1", "say which attribute");
}

static void a_filter_that_would_be_dear_is_refused(void **state)
{
	(void)state;
	struct buf b = {0};
	for (int i = 0; i < FILTER_COST_MAX / 8; i++)
		buf_text(&b, "attributes.a=1 ");
	buf_char(&b, '\0');
	NO(b.ptr);
	b.len--;
	buf_text(&b, "ref=a");
	buf_char(&b, '\0');
	REFUSED(b.ptr, "column 1921: the filter is too dear from here on");
	buf_free(&b);
	char text[FILTER_HAS_MAX + 32];
	size_t n = (size_t)snprintf(text, sizeof text, "reason:");
	memset(text + n, 'x', FILTER_HAS_MAX + 1);
	text[n + FILTER_HAS_MAX + 1] = '\0';
	REFUSED(text, "column 8: after : at most 256 bytes");
	text[n + FILTER_HAS_MAX] = '\0';
	NO(text);
}

static void text_that_is_too_long_or_not_utf8_is_refused(void **state)
{
	(void)state;
	char *text = malloc(FILTER_TEXT_MAX + 2);
	memset(text, ' ', FILTER_TEXT_MAX + 1);
	text[FILTER_TEXT_MAX + 1] = '\0';
	REFUSED(text, "at most 4096");
	text[FILTER_TEXT_MAX] = '\0';
	YES(text);
	free(text);
	REFUSED("ref = \xff", "not UTF-8");
}

static void too_many_parts_are_refused(void **state)
{
	(void)state;
	struct buf b = {0};
	for (int i = 0; i < FILTER_NODES_MAX - 1; i++)
		buf_text(&b, "ref=a ");
	buf_char(&b, '\0');
	NO(b.ptr);
	b.len--;
	buf_text(&b, "ref=a ");
	buf_char(&b, '\0');
	REFUSED(b.ptr, "more than 256 parts");
	buf_free(&b);
}

static void too_deep_nesting_is_refused(void **state)
{
	(void)state;
	char text[FILTER_TEXT_MAX];
	for (size_t open = 32; open <= 33; open++) {
		memset(text, '(', open);
		memcpy(text + open, "ref=a", 5);
		memset(text + open + 5, ')', open);
		text[2 * open + 5] = '\0';
		if (open == 32)
			NO(text);
		else
			REFUSED(text, "nested more than 32 deep");
	}
	memset(text, '-', 4000);
	memcpy(text + 4000, "ref=a", 6);
	REFUSED(text, "nested more than 32 deep");
	memset(text, '(', 4000);
	text[4000] = '\0';
	REFUSED(text, "nested more than 32 deep");
}

/* ---- whatever is thrown at it ---- */

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void mutated_filters_neither_crash_nor_hang(void **state)
{
	(void)state;
	static const char *const seeds[] = {
	    "flow = payment AND (status = failed OR amount >= 1000) AND NOT owner:*",
	    "attributes.a.\"b c\".d = \"x\\\"y\" OR -created_at < -2h type = transaction.*",
	    "updated_at > 2026-01-01T00:00:00Z AND outcome = failure id:* (ref != 'a')",
	};
	static const char pieces[] = "()\"'\\=<>!:.-*, ANDORNOT\xc3\xa4\xff\x01"
				     "09az";
	uint32_t seed = 20260101;
	size_t n_good = 0;
	for (int round = 0; round < 20000; round++) {
		char text[256];
		const char *from = seeds[next_random(&seed) % 3];
		size_t n = strlen(from);
		memcpy(text, from, n + 1);
		for (uint32_t k = next_random(&seed) % 6; k > 0; k--) {
			size_t at = next_random(&seed) % n;
			switch (next_random(&seed) % 3) {
			case 0:
				text[at] = pieces[next_random(&seed) % (sizeof pieces - 1)];
				break;
			case 1:
				memmove(text + at, text + at + 1, n - at);
				n--;
				break;
			default:
				memmove(text + at + 1, text + at, n - at + 1);
				n++;
				break;
			}
		}
		char why[1024] = "";
		bool got;
		enum filter_scope scope = round & 1 ? FILTER_TX : FILTER_EVENT;
		if (parses(text, scope, &got, why, sizeof why))
			n_good++;
		else
			assert_true(strncmp(why, "column ", 7) == 0 || strstr(why, "UTF-8"));
	}
	/* Unmutated ones are among them, so some must pass; most must not. */
	assert_in_range(n_good, 1000, 19000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_filter_matches_everything),
	    cmocka_unit_test(or_binds_tighter_than_and),
	    cmocka_unit_test(side_by_side_means_and),
	    cmocka_unit_test(parentheses_and_negations_nest),
	    cmocka_unit_test(a_keyword_s_letters_may_begin_a_value_or_a_field),
	    cmocka_unit_test(values_may_be_bare_or_quoted),
	    cmocka_unit_test(the_design_s_example_is_understood),
	    cmocka_unit_test(mistakes_are_told_with_their_column),
	    cmocka_unit_test(columns_count_characters_not_bytes),
	    cmocka_unit_test(an_unknown_field_is_answered_with_the_nearest),
	    cmocka_unit_test(small_keywords_are_pointed_out),
	    cmocka_unit_test(fields_of_events_are_refused_for_transactions),
	    cmocka_unit_test(values_must_fit_their_field),
	    cmocka_unit_test(a_word_alone_is_refused_with_what_to_write),
	    cmocka_unit_test(attributes_are_asked_for_by_their_name),
	    cmocka_unit_test(a_filter_that_would_be_dear_is_refused),
	    cmocka_unit_test(text_that_is_too_long_or_not_utf8_is_refused),
	    cmocka_unit_test(too_many_parts_are_refused),
	    cmocka_unit_test(too_deep_nesting_is_refused),
	    cmocka_unit_test(mutated_filters_neither_crash_nor_hang),
	};
	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
