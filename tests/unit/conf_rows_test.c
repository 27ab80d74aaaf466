/* conf_rows_test.c: secrets, tokens, and rows that are no good themselves. */
#include "conf_fixture.h"

#include <unistd.h>

/* ---- secrets ---- */

static void secrets_are_opened_and_never_told(void **state)
{
	char path[] = "/tmp/conf_test.XXXXXX";
	struct buf text = {0};
	struct trial t;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "s3cret\r\n", 8), 8);
	close(fd);
	buf_printf(&text, "poller.test bank { flow = f url = u password = \"file:%s\" }", path);
	trial_refusing(&t, text.ptr, text.len, NULL);
	assert_well(&t);
	assert_text(conf_text(child(&t.conf->root, 0), "password"), "s3cret");
	end(&t);
	assert_int_equal(truncate(path, 0), 0);
	trial_refusing(&t, text.ptr, text.len, NULL);
	assert_says(&t, "which is empty");
	end(&t);
	unlink(path);
	trial_refusing(&t, text.ptr, text.len, NULL);
	assert_says(&t, "poller.test bank: password needs the file /tmp/conf_test.");
	assert_says(&t, "which cannot be opened: No such file or directory");
	end(&t);
	buf_free(&text);

	setenv("CONF_TEST_SECRET", "open sesame", 1);
	attempt(&t, POLLER("password = env:CONF_TEST_SECRET"));
	assert_well(&t);
	assert_text(conf_text(child(&t.conf->root, 0), "password"), "open sesame");
	end(&t);
	setenv("CONF_TEST_SECRET", "", 1);
	refuses(POLLER("password = env:CONF_TEST_SECRET"), 1, "is set to nothing");
	unsetenv("CONF_TEST_SECRET");
	refuses(POLLER("password = env:CONF_TEST_SECRET"), 1,
		"password needs the environment variable CONF_TEST_SECRET, which is not set");
}

static void a_misspelt_secret_is_never_told(void **state)
{
	static const char *const texts[] = {
	    POLLER("password = \"tr0ub4dor\""),       POLLER("password = \"env:tr0ub4dor &3\""),
	    POLLER("password = \"file:tr0ub4dor\""),  POLLER("password = tr0ub4dor#3"),
	    POLLER("password = { \"tr0ub4dor\" }"),   POLLER("passwort = \"tr0ub4dor\""),
	    POLLER("password = \"tr0ub4dor${X}\""),   POLLER("password = \"tr0ub4dor"),
	    POLLER("password = tr0ub4dor$"),          POLLER("password = \"tr0ub4dor\\q\""),
	    POLLER("password = \"x\" \"tr0ub4dor\""),
	};
	struct trial t;

	(void)state;
	for (size_t i = 0; i < N(texts); i++) {
		attempt(&t, texts[i]);
		assert_null(t.conf);
		assert_true(t.report.n_errors > 0);
		assert_not_says(&t, "tr0ub4dor");
		end(&t);
	}
}

static void a_secret_file_must_be_a_file(void **state)
{
	struct arena a = {0};
	struct err e;
	txw_str out;

	(void)state;
	assert_true(secret_open(&a, STR_LIT("file:/tmp"), &out, &e) < 0);
	assert_non_null(strstr(e.text, "is no regular file"));
	assert_true(secret_open(&a, STR_LIT("file:tmp"), &out, &e) < 0);
	assert_true(secret_open(&a, STR_LIT("file:"), &out, &e) < 0);
	assert_true(secret_open(&a, STR_LIT("env:"), &out, &e) < 0);
	assert_true(secret_open(&a, STR_NONE, &out, &e) < 0);
	arena_free(&a);
}

/* ---- tokens ---- */

static void a_token_has_one_value_or_hash_and_a_real_expiry(void **state)
{
	setenv("CONF_TEST_T", "0123456789abcdef", 1);
	(void)state;
	refuses("token t { scopes = { read } value = env:CONF_TEST_T hash = \"sha256:00\" }", 2,
		"token t: has both value and hash");
	refuses("token t { scopes = { read } hash = \"sha256:00\" }", 1,
		"hash must be \"sha256:\" and 64 hexadecimal digits");
	refuses("token t { scopes = { read } value = env:CONF_TEST_T expires = \"soon\" }", 1,
		"expires must be a time like");
	refuses("token t { scopes = { reed } value = env:CONF_TEST_T }", 1,
		"scopes must be read, write or admin, found `reed`; did you mean `read`?");
	setenv("CONF_TEST_T", "0123456789abcde", 1);
	refuses("token t { scopes = { read } value = env:CONF_TEST_T }", 1,
		"site.conf:1: error: token t: value has fewer than 16 characters");
	unsetenv("CONF_TEST_T");
}

/* ---- rows ---- */

static void malformed_rows_are_refused_with_the_reason(void **state)
{
	static const struct {
		txw_option row;
		const char *why;
	} rows[] = {
	    {{.size = sizeof(txw_option), .help = "h"}, "option row 1 has no name"},
	    {ROW(TXW_OPT_STRING, ""), "option row 1 `` has a bad name"},
	    {ROW(TXW_OPT_STRING, "Url"), "option row 1 `Url` has a bad name"},
	    {ROW(TXW_OPT_STRING, "a b"), "has a bad name"},
	    {ROW(TXW_OPT_STRING, "a|b"), "has a bad name"},
	    {ROW(TXW_OPT_STRING, "1a"), "has a bad name"},
	    {ROW(TXW_OPT_STRING, "a-"), "has a bad name"},
	    {ROW(TXW_OPT_STRING, "a--b"), "has a bad name"},
	    {ROW(7, "a"), "option row 1 `a` has a type this host does not know"},
	    {ROW(TXW_OPT_STRING, "a", .flags = 8), "has a flag this host does not know"},
	    {{.size = sizeof(txw_option), .name = "a"}, "has no help"},
	    {ROW(TXW_OPT_CHOICE, "a"), "is a CHOICE without choices"},
	    {ROW(TXW_OPT_CHOICE, "a", .choices = "x||y"), "has an empty choice"},
	    {ROW(TXW_OPT_CHOICE, "a", .choices = "x|y", .fallback = "z"),
	     "has a bad default: it must be x or y, found `z`"},
	    {ROW(TXW_OPT_STRING, "a", .choices = "x"), "has choices but is no CHOICE"},
	    {ROW(TXW_OPT_INTEGER, "a", .min = 5, .max = 4), "has a min above its max"},
	    {ROW(TXW_OPT_STRING, "a", .max = 4), "has a range but is neither"},
	    {ROW(TXW_OPT_INTEGER, "a", .fallback = "x"), "it must be a whole number, found `x`"},
	    {ROW(TXW_OPT_INTEGER, "a", .fallback = "9", .max = 8), "it must be 0 to 8, found `9`"},
	    {ROW(TXW_OPT_DURATION, "a", .fallback = "5"), "it must be a duration"},
	    {ROW(TXW_OPT_BYTES, "a", .fallback = "5XB"), "it must be a number of bytes"},
	    {ROW(TXW_OPT_BOOLEAN, "a", .fallback = "no"), "it must be true or false"},
	    {ROW(TXW_OPT_DURATION, "a", .flags = TXW_OPT_LIST, .fallback = "5s, x"),
	     "it item 2 must be a duration, found `x`"},
	    {ROW(TXW_OPT_SECRET, "a", .fallback = "env:HOME"), "is a SECRET with a default"},
	    {ROW(TXW_OPT_STRING, "a", .flags = TXW_OPT_REQUIRED, .fallback = "x"),
	     "is required and has a default"},
	    {{.size = 8, .name = "a", .help = "h"}, "option row 1 has size 8, smaller than"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		if (conf_check_rows(&rows[i].row, sizeof(txw_option), 1, &e) != TXW_E_INVALID)
			fail_msg("row %zu is accepted", i);
		if (!strstr(e.text, rows[i].why))
			fail_msg("expected: %s\ncame: %s", rows[i].why, e.text);
	}
}

static void malformed_lists_of_rows_are_refused(void **state)
{
	txw_option rows[] = {ROW(TXW_OPT_STRING, "a"), ROW(TXW_OPT_STRING, "b"),
			     ROW(TXW_OPT_STRING, "a")};
	struct err e;

	(void)state;
	assert_true(conf_check_rows(rows, sizeof(rows[0]), 3, &e) < 0);
	assert_non_null(strstr(e.text, "option row 3 `a` has the name of a row before it"));
	assert_int_equal(conf_check_rows(rows, sizeof(rows[0]), 2, &e), 0);
	assert_int_equal(conf_check_rows(NULL, 0, 0, &e), 0);
	assert_true(conf_check_rows(NULL, sizeof(rows[0]), 2, &e) < 0);
	assert_true(conf_check_rows(rows, sizeof(rows[0]) - 8, 2, &e) < 0);
	assert_non_null(strstr(e.text, "the stride of the option rows is"));
	assert_true(conf_check_rows(rows, sizeof(rows[0]) + 1, 2, &e) < 0);
	assert_true(conf_check_rows(rows, sizeof(rows[0]), 100000, &e) < 0);
}

static void rows_with_a_wide_stride_are_read(void **state)
{
	struct {
		txw_option row;
		int64_t more[3];
	} rows[2] = {{ROW(TXW_OPT_STRING, "a", .fallback = "x"), {1, 2, 3}},
		     {ROW(TXW_OPT_INTEGER, "b"), {4, 5, 6}}};
	struct conf_schema schemas[] = {{.keyword = "store.wide",
					 .help = "h",
					 .options = &rows[0].row,
					 .option_stride = sizeof(rows[0]),
					 .n_options = 2,
					 .is_titled = 1},
					{.keyword = NULL}};
	static const char text[] = "store.wide w { b = 12 }";
	struct conf_report report;
	struct conf_scan *scan;
	struct conf *conf;
	struct err e;

	(void)state;
	rows[0].row.size = rows[1].row.size = sizeof(rows[0]);
	assert_int_equal(conf_check_rows(&rows[0].row, sizeof(rows[0]), 2, &e), 0);
	conf_report_init(&report, "f");
	scan = conf_scan_text("f", text, strlen(text), &report);
	conf = conf_parse(scan, schemas, NULL, &report);
	assert_non_null(conf);
	assert_int_equal(conf_number(child(&conf->root, 0), "b"), 12);
	assert_text(conf_text(child(&conf->root, 0), "a"), "x");
	conf_free(conf);
	conf_scan_free(scan);
	conf_report_free(&report);
}

static void the_hosts_own_rows_are_well_formed(void **state)
{
	struct err e = {0};
	size_t n;

	(void)state;
	for (const struct conf_schema *s = CONF_HOST_SCHEMAS; s->keyword; s++) {
		assert_int_equal(conf_check_rows(s->options, s->option_stride, s->n_options, &e),
				 0);
		for (const struct conf_schema *c = s->children; c && c->keyword; c++)
			assert_int_equal(
			    conf_check_rows(c->options, c->option_stride, c->n_options, &e), 0);
	}
	assert_int_equal(conf_check_rows(CONF_ROOT_SCHEMA.options, CONF_ROOT_SCHEMA.option_stride,
					 CONF_ROOT_SCHEMA.n_options, &e),
			 0);
	for (uint32_t role = 0; role < 6; role++) {
		const txw_option *rows = conf_role_options(role, &n);

		if (conf_check_rows(rows, sizeof(txw_option), n, &e) != 0)
			fail_msg("role %u: %s", role, e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secrets_are_opened_and_never_told),
	    cmocka_unit_test(a_misspelt_secret_is_never_told),
	    cmocka_unit_test(a_secret_file_must_be_a_file),
	    cmocka_unit_test(a_token_has_one_value_or_hash_and_a_real_expiry),
	    cmocka_unit_test(malformed_rows_are_refused_with_the_reason),
	    cmocka_unit_test(malformed_lists_of_rows_are_refused),
	    cmocka_unit_test(rows_with_a_wide_stride_are_read),
	    cmocka_unit_test(the_hosts_own_rows_are_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
