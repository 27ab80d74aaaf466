/* conf_scan_test.c: the config file's grammar, its limits, and any bytes. */
#include "conf_fixture.h"

/* ---- the grammar ---- */

static void grammar_mistakes_say_what_was_expected(void **state)
{
	static const struct {
		const char *text, *said;
		size_t n;
	} rows[] = {
	    {"log-level info\nlog-format = json\n",
	     ":1: error: expected = after `log-level` (or, of a section, { after its title)", 1},
	    {"log-level\nlog-format = json\n",
	     ":1: error: `log-level` stands alone: expected =", 1},
	    {"log-level =\nlog-format = json\n", ":1: error: log-level has no value", 1},
	    {"log-level = }\n", ":1: error: log-level: expected a value, found `}`", 1},
	    {"plugins = { \"a\" \"b\" }\n",
	     "plugins, a list begun on line 1: expected , or }, found a quoted text", 1},
	    {"plugins = { \"a\", { \"b\" } }\n", "plugins: expected a value or }, found `{`", 1},
	    {"flow f {\n initial = a\n", ":1: error: flow f: the section that begins here is not",
	     1},
	    {"}\n", ":1: error: there is no section that this } could end", 1},
	    {"\"log-level\" = info\n",
	     "expected the name of an option or a section, found a quoted", 1},
	    {"log-level = info;\n", "log-level ends in `;`, which is no separator here", 1},
	    {"log-level = ~/x\n", "log-level holds a character that must stand in quotes", 1},
	    {"a = 1\nfoo bar baz\nlog-level )\n= 5\n", ":2: error: expected = after `foo`", 3},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++)
		refuses(rows[i].text, rows[i].n, rows[i].said);
}

static void files_that_are_no_text_are_refused(void **state)
{
	struct trial t;
	char *big = malloc((1u << 20) + 1);

	(void)state;
	trial_refusing(&t, "a = 1\nb\0c\n", 10, NULL);
	assert_null(t.scan);
	assert_says(&t, "site.conf:2: error: a NUL byte: this is not a text file");
	end(&t);
	refuses("a = 1\n# \xff\n", 1, "site.conf:2: error: bytes that are not UTF-8");
	memset(big, '\n', (1u << 20) + 1);
	trial_refusing(&t, big, 1u << 20, NULL);
	assert_well(&t);
	end(&t);
	trial_refusing(&t, big, (1u << 20) + 1, NULL);
	assert_says(&t, "site.conf: error: the file is larger than 1 MB");
	end(&t);
	free(big);
}

static void deep_nesting_is_refused(void **state)
{
	struct buf text = {0};
	struct trial t;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_text(&text, "a{");
	trial_refusing(&t, text.ptr, text.len, NULL);
	assert_null(t.scan);
	assert_says(&t, "too many sections: at most 8 in one another");
	end(&t);
	buf_free(&text);
}

static void many_mistakes_are_counted_but_not_all_told(void **state)
{
	struct buf text = {0};
	struct trial t;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "x%d = 1\n", i);
	trial_refusing(&t, text.ptr, text.len, NULL);
	assert_int_equal(t.report.n_errors, 1000);
	assert_says(&t, "site.conf: error: and 800 more");
	end(&t);
	buf_free(&text);
}

static void what_was_found_is_shown_harmlessly(void **state)
{
	struct trial t;

	(void)state;
	attempt(&t, POLLER("mode = \"a\\nerror: b\""));
	assert_says(&t, "found `a\\x0aerror: b`");
	end(&t);
	attempt(&t,
		POLLER("mode = "
		       "\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		       "\xc3\xa4x\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		       "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		       "\xc3\xa4\xc3\xa4\xc3\xa4\""));
	assert_says(&t, "...`");
	assert_true(str_utf8((txw_str){t.text.ptr, t.text.len - 1}));
	end(&t);
}

/* ---- files, and anything at all ---- */

static void a_file_that_is_not_there_is_told(void **state)
{
	struct conf_report report;
	struct buf out = {0};

	(void)state;
	conf_report_init(&report, "/nowhere/x.conf");
	assert_null(conf_scan("/nowhere/x.conf", &report));
	conf_report_print(&report, &out);
	buf_char(&out, '\0');
	assert_string_equal(out.ptr, "/nowhere/x.conf: error: cannot be opened: No such file or "
				     "directory\n");
	buf_free(&out);
	conf_report_free(&report);
	conf_report_init(&report, "/tmp");
	assert_null(conf_scan("/tmp", &report));
	assert_int_equal(report.n_errors, 1);
	conf_report_free(&report);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Whatever the bytes: no crash, an error when there is no config, and never
 * one that only libconfuse saw. */
static void any_bytes_are_survived(void **state)
{
	static const char sample[] =
	    "plugins = { \"a\", 'b' } # c\n/* d */ log-level = info\n"
	    "flow p { initial = \"x\" state x { next = { \"y\" } expires = 30m } }\n" POLLER(
		"mode = fast password = \"env:PATH\" headers = { \"a\\\"b\", c }") "http { }\n";
	static const char pieces[][4] = {"{",  "}",  "\"",   "'",    "#", "//", "/*",
					 "*/", "=",  "+=",   ",",    "(", ")",  "\\",
					 "${", "\n", "\r\n", "\xff", "x", " "};
	uint32_t seed = 42;
	struct trial t;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		char text[sizeof(sample) + 64];
		size_t len = sizeof(sample) - 1;

		memcpy(text, sample, len);
		for (uint32_t i = next_random(&seed) % 6; i > 0 && len > 8; i--) {
			size_t at = next_random(&seed) % len;
			const char *piece = pieces[next_random(&seed) % N(pieces)];
			size_t n = strlen(piece), cut = next_random(&seed) % 8;

			if (next_random(&seed) % 3 == 0 && at + cut <= len) {
				memmove(text + at, text + at + cut, len - at - cut);
				len -= cut;
			} else if (next_random(&seed) % 3 == 0) {
				text[at] = (char)next_random(&seed);
			} else {
				memmove(text + at + n, text + at, len - at);
				memcpy(text + at, piece, n);
				len += n;
			}
		}
		trial_refusing(&t, text, len, NULL);
		if (!t.conf == !t.report.n_errors || strstr(t.text.ptr, "otherwise than txwatch"))
			fail_msg("round %d: %.*s\n%s", round, (int)len, text, t.text.ptr);
		end(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grammar_mistakes_say_what_was_expected),
	    cmocka_unit_test(files_that_are_no_text_are_refused),
	    cmocka_unit_test(deep_nesting_is_refused),
	    cmocka_unit_test(many_mistakes_are_counted_but_not_all_told),
	    cmocka_unit_test(what_was_found_is_shown_harmlessly),
	    cmocka_unit_test(a_file_that_is_not_there_is_told),
	    cmocka_unit_test(any_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
