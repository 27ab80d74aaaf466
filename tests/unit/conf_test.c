/*
 * conf_test.c: the config file: what is read, what is told, and each fault of
 * libconfuse 3.3 that host/config works around.
 */
#include "conf_fixture.h"

/* ---- what is read ---- */

static void a_whole_site_is_read(void **state)
{
	static const char text[] =
	    "# the site\n"
	    "plugins = { \"poller.test\", 'store.sqlite' }\n"
	    "plugin-path = { \"/usr/lib/x\" }\n"
	    "log-level = debug\n"
	    "/* a token\n   of two lines */\n"
	    "token operator { hash = \"sha256:"
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""
	    " scopes = { admin, \"read\" } }\n"
	    "flow payment {\n"
	    "    initial = \"pending\"  // first\n"
	    "    state pending { next = { \"a\", \"b\", } expires = 30m }\n"
	    "    state a { outcome = success }\n"
	    "}\n"
	    "poller.test bank { flow = payment url = \"https://x/{{ref}}\"\n"
	    "    every = 5s  slow-to = 1h30m  timeout = 10s count = -3 }\n";
	const struct conf_section *token, *flow, *pending, *poller;
	const txw_str *list;
	struct trial t;

	(void)state;
	attempt(&t, text);
	assert_well(&t);
	assert_int_equal(t.scan->n_plugins, 2);
	assert_text(t.scan->plugins[1], "store.sqlite");
	assert_text(t.scan->plugin_paths[0], "/usr/lib/x");
	assert_int_equal(t.scan->n_uses, 3);
	assert_string_equal(t.scan->uses[1].keyword, "flow");
	assert_string_equal(t.scan->uses[1].title, "payment");
	assert_int_equal(t.scan->uses[1].line, 8);
	assert_text(conf_text(&t.conf->root, "log-level"), "debug");
	assert_int_equal(conf_line(&t.conf->root, "log-level"), 4);

	token = child(&t.conf->root, 0);
	assert_int_equal(conf_list(token, "scopes", &list), 2);
	assert_text(list[1], "read");
	flow = child(&t.conf->root, 1);
	assert_int_equal(flow->line, 8);
	assert_int_equal(flow->n_children, 2);
	pending = child(flow, 0);
	assert_string_equal(pending->keyword, "state");
	assert_string_equal(pending->title, "pending");
	assert_int_equal(pending->line, 10);
	assert_int_equal(conf_number(pending, "expires"), 30 * MINUTE);
	assert_int_equal(conf_list(pending, "next", &list), 2);
	assert_text(list[1], "b");
	assert_text(conf_text(child(flow, 1), "outcome"), "success");
	poller = child(&t.conf->root, 2);
	assert_string_equal(poller->title, "bank");
	assert_text(conf_text(poller, "url"), "https://x/{{ref}}");
	assert_int_equal(conf_number(poller, "slow-to"), 90 * MINUTE);
	assert_int_equal(conf_number(poller, "count"), -3);
	end(&t);
}

static void options_on_one_line_need_no_separator(void **state)
{
	struct trial t;

	(void)state;
	attempt(&t, "flow f{initial=\"a\" state a{next={\"b\"}expires=30m every=5s slow-to=5m}"
		    "state b{outcome=failure}}");
	assert_well(&t);
	assert_int_equal(conf_number(child(child(&t.conf->root, 0), 0), "slow-to"), 5 * MINUTE);
	end(&t);
}

static void defaults_are_filled_in(void **state)
{
	const struct conf_section *poller;
	const txw_str *list;
	struct trial t;

	(void)state;
	attempt(&t, POLLER(""));
	assert_well(&t);
	poller = child(&t.conf->root, 0);
	assert_int_equal(conf_number(poller, "count"), 7);
	assert_true(conf_flag(poller, "flag"));
	assert_int_equal(conf_number(poller, "cap"), 65536);
	assert_text(conf_text(poller, "mode"), "fast");
	assert_false(conf_is_set(poller, "password"));
	assert_false(conf_is_set(poller, "rate"));
	assert_int_equal(conf_number(poller, "every"), 30 * SECOND);
	assert_int_equal(conf_list(poller, "headers", &list), 3);
	assert_text(list[0], "a: 1, 2");
	assert_text(list[1], "plain");
	assert_text(list[2], "{{x}}");
	assert_int_equal(conf_line(poller, "count"), poller->line);
	assert_int_equal(conf_get(poller, "count")->size, sizeof(txw_value));
	end(&t);
}

static void an_absent_single_section_is_as_an_empty_one(void **state)
{
	const struct conf_section *http;
	struct trial t;

	(void)state;
	attempt(&t, "");
	assert_well(&t);
	http = child(&t.conf->root, 0);
	assert_string_equal(http->keyword, "http");
	assert_text(conf_text(http, "listen"), "127.0.0.1:8420");
	assert_int_equal(conf_number(http, "max-body"), 16 << 20);
	end(&t);
}

static void an_empty_list_is_not_the_default(void **state)
{
	const txw_str *list;
	struct trial t;

	(void)state;
	attempt(&t, POLLER("headers = {}"));
	assert_well(&t);
	assert_int_equal(conf_list(child(&t.conf->root, 0), "headers", &list), 0);
	assert_true(conf_is_set(child(&t.conf->root, 0), "headers"));
	end(&t);
}

static void escapes_mean_what_they_say(void **state)
{
	const struct conf_section *poller;
	struct trial t;

	(void)state;
	attempt(&t, "poller.test bank { flow = 'it\\'s \\\\ \\n ${X}' url = \"a\\\"b\\\\\\n\\t"
		    "\\\n  end\" }");
	assert_well(&t);
	poller = child(&t.conf->root, 0);
	assert_text(conf_text(poller, "flow"), "it's \\ \\n ${X}");
	assert_text(conf_text(poller, "url"), "a\"b\\\n\t  end");
	end(&t);
}

static void crlf_and_a_byte_order_mark_are_read(void **state)
{
	struct trial t;

	(void)state;
	attempt(&t, "\xef\xbb\xbf# one\r\nlog-level = warn\r\n" POLLER("count = 101") "\r\n");
	assert_says(&t, "site.conf:3: error: poller.test bank: count must be -5 to 100");
	end(&t);
	attempt(&t, "log-level = warn\r\n# two\r\nlog-format = \"json\"\r\n");
	assert_well(&t);
	assert_text(conf_text(&t.conf->root, "log-format"), "json");
	end(&t);
}

static void sections_keep_the_files_order(void **state)
{
	struct trial t;

	(void)state;
	attempt(
	    &t,
	    "poller.test b { flow=f url=u } flow f { initial=x } poller.test a { flow=f url=u }");
	assert_well(&t);
	assert_string_equal(child(&t.conf->root, 0)->title, "b");
	assert_string_equal(child(&t.conf->root, 1)->title, "f");
	assert_string_equal(child(&t.conf->root, 2)->title, "a");
	end(&t);
}

/* ---- libconfuse's faults, one by one ---- */

static void comments_do_not_shift_line_numbers(void **state)
{
	(void)state;
	refuses("# one\n// two\n/* three\n four */\n\nlog-level = \"loud\" # here\n", 1,
		"site.conf:6: error: log-level must be error, warn, info or debug, found `loud`");
	refuses("plugins = {\n  # a\n  \"a\", // b\n  /* c\n */ \"d\"\n}\nfoo = 1\n", 1,
		"site.conf:7: error: no option `foo`");
}

static void a_failed_parse_does_not_spoil_the_next(void **state)
{
	struct trial t;

	(void)state;
	for (int i = 0; i < 12; i++) {
		refuses("log-level = \"info\nlog-format = json\n", 1,
			"site.conf:1: error: the quote that begins here is not closed");
		refuses("log-level = 'info", 1, "site.conf:1: error: the quote that begins here");
		refuses("log-level = \"\\9\"\n", 1, "log-level holds an unknown escape");
		refuses("include(\"nowhere.conf\")\n", 1, "include(...) is not supported");
		attempt(&t, "log-level = \"warn\"\n");
		assert_well(&t);
		assert_text(conf_text(&t.conf->root, "log-level"), "warn");
		end(&t);
	}
}

static void an_unterminated_quote_is_told_with_the_line_it_begins_on(void **state)
{
	(void)state;
	refuses("log-level = info\nflow f {\n  initial = \"a\n  state a { }\n}\n", 1,
		"site.conf:3: error: the quote that begins here is not closed on its line");
	refuses("x = 1\n/* a comment\n\n", 1,
		"site.conf:2: error: the comment that begins here is not closed before the end");
}

static void an_environment_variable_in_double_quotes_is_refused(void **state)
{
	struct trial t;

	(void)state;
	setenv("CONF_TEST_X", "sesame", 1);
	attempt(&t, POLLER("mode = \"${CONF_TEST_X}\" count = ${CONF_TEST_X}"));
	assert_null(t.conf);
	assert_says(&t, "poller.test bank: mode holds `${...}`, which is not expanded here: write "
			"env:NAME in an option that takes a secret, or single quotes");
	assert_says(&t, "count holds `${...}`");
	assert_not_says(&t, "sesame");
	end(&t);
	attempt(&t, "poller.test bank { flow = f url = '${CONF_TEST_X}' }");
	assert_well(&t);
	assert_text(conf_text(child(&t.conf->root, 0), "url"), "${CONF_TEST_X}");
	end(&t);
	unsetenv("CONF_TEST_X");
}

static void a_repeated_option_does_not_silently_win(void **state)
{
	(void)state;
	refuses("log-level = info\n\nlog-level = debug\n", 1,
		"site.conf:3: error: log-level is given twice, first on line 1");
	refuses("plugins = { \"a\" }\nplugins = { \"b\" }", 1,
		"site.conf:2: error: plugins is given twice, first on line 1");
	refuses("plugins += { \"a\" }\n", 1, "plugins is added to by +=: write the whole list");
	refuses("plugins+={ \"a\" }\n", 1, "plugins is added to by +=");
}

static void a_number_with_a_leading_zero_is_not_octal(void **state)
{
	(void)state;
	refuses(POLLER("count = 010"), 1,
		"count must be a whole number, found `010`: a number is decimal");
	refuses(POLLER("count = 0x10"), 1, "count must be a whole number, found `0x10`");
	refuses(POLLER("cap = 010KB"), 1, "cap must be a number of bytes, found `010KB`");
}

static void a_comment_sign_does_not_cut_an_unquoted_value(void **state)
{
	struct trial t;

	(void)state;
	attempt(&t,
		"poller.test bank {\n  flow = f\n  url = https://x/y#part\n  count = 5#five\n}\n");
	assert_null(t.conf);
	assert_int_equal(t.report.n_errors, 2);
	assert_says(&t, "site.conf:3: error: poller.test bank: url holds `#`, `//` or `/*`, which "
			"would begin a comment: put the value in quotes");
	assert_says(&t, "site.conf:4: error: poller.test bank: count holds `#`");
	end(&t);
	attempt(&t, "poller.test bank { flow = f url = /a/b:c.d@e%f # yes\n count = 5 // five\n}");
	assert_well(&t);
	assert_text(conf_text(child(&t.conf->root, 0), "url"), "/a/b:c.d@e%f");
	end(&t);
}

static void a_bad_list_default_is_refused_and_does_not_abort(void **state)
{
	static const char *const bad[] = {"{ \"a\"", "\"a\" \"b\"", "a,,b", "\"a", "a\"b\""};
	struct err e;

	(void)state;
	for (size_t i = 0; i < N(bad); i++) {
		txw_option row = ROW(TXW_OPT_STRING, "list", .flags = TXW_OPT_LIST,
				     .fallback = bad[i]);

		assert_int_equal(conf_check_rows(&row, sizeof(row), 1, &e), TXW_E_INVALID);
		assert_non_null(strstr(e.text, "option row 1 `list` has a bad default: it is"));
	}
}

static void an_unknown_section_does_not_stop_the_parse(void **state)
{
	struct trial t;

	(void)state;
	attempt(&t, "flwo a { x = { 1, 2 } y { z = \"}\" } }\nstate b { }\nlog-level = loud\n"
		    "poller.http c { every = 5s }\npoller.tset d { }\nhttp = 5\nplugins { }\n");
	assert_null(t.conf);
	assert_int_equal(t.report.n_errors, 7);
	assert_says(&t, "site.conf:1: error: no section `flwo`; did you mean `flow`?");
	assert_says(&t, "site.conf:2: error: no section `state`");
	assert_says(&t, "site.conf:3: error: log-level must be");
	assert_says(&t, "site.conf:4: error: no section `poller.http`");
	assert_says(&t, "add it to plugins");
	assert_says(&t,
		    "site.conf:5: error: no section `poller.tset`; did you mean `poller.test`?");
	assert_says(&t, "site.conf:6: error: `http` is a section: write http { ... }");
	assert_says(&t, "site.conf:7: error: `plugins` is an option: write plugins = ...");
	end(&t);
}

static void include_is_refused(void **state)
{
	(void)state;
	refuses("include(\"/etc/passwd\")\nlog-level = info\n", 1,
		"site.conf:1: error: include(...) is not supported: a site is one file");
	refuses("flow f { initial = a include ( 'x' ) }", 1, "flow f: include(...) is not");
	refuses("load(1)\n", 1, "`load(...)` is not supported: write load = VALUE");
}

/* ---- every mistake, in one go ---- */

static void all_mistakes_of_a_file_are_told_at_once(void **state)
{
	static const char text[] = "log-level = loud\n"
				   "poller.test bank {\n"
				   "    flow = \"f\"\n"
				   "    evry = 5s\n"
				   "    every = 5 \n"
				   "    slow-to = 1ms\n"
				   "    count = many\n"
				   "    flag = yes\n"
				   "    cap = 2MB\n"
				   "    mode = \"fats\"\n"
				   "    count = 5\n"
				   "    timeout = { 5s }\n"
				   "    password = \"hunter2\"\n"
				   "    old = 1\n"
				   "}\n"
				   "poller.test bank { flow = f url = u }\n"
				   "flow { initial = a }\n"
				   "http x { listen = \"nowhere\" }\n"
				   "http { listen = \"nowhere\" }\n"
				   "token t { }\n";
	static const char *const said[] = {
	    ":1: error: log-level must be error, warn, info or debug, found `loud`",
	    ":2: error: poller.test bank: url is missing",
	    ":4: error: poller.test bank: no option `evry`; did you mean `every`?",
	    ":5: error: poller.test bank: every must be a duration, found `5`: write",
	    ":6: error: poller.test bank: slow-to must be 10ms to 366d, found `1ms`",
	    ":7: error: poller.test bank: count must be a whole number, found `many`",
	    ":8: error: poller.test bank: flag must be true or false, found `yes`",
	    ":9: error: poller.test bank: cap must be 1 to 1MB, found `2MB`",
	    ":10: error: poller.test bank: mode must be fast, slow or still, found `fats`; did you "
	    "mean `fast`?",
	    ":11: error: poller.test bank: count is given twice, first on line 7",
	    ":12: error: poller.test bank: timeout takes one duration, found a list",
	    ":13: error: poller.test bank: password is a secret and must not stand in the file: "
	    "write env:NAME or file:/path",
	    ":14: warning: poller.test bank: old is deprecated: Help",
	    ":16: error: there is a section `poller.test bank` already, on line 2",
	    ":17: error: `flow` needs a title: write flow NAME { ... }",
	    ":18: error: `http` takes no title: write http { ... }",
	    ":19: error: http: listen must be ADDRESS:PORT like \"127.0.0.1:8420\"",
	    ":20: error: token t: scopes is missing",
	    ":20: error: token t: has neither value nor hash",
	};
	struct trial t;
	int line = 0, n;

	(void)state;
	attempt(&t, text);
	assert_null(t.conf);
	for (size_t i = 0; i < N(said); i++)
		assert_says(&t, said[i]);
	assert_not_says(&t, "hunter2");
	assert_int_equal(t.report.n_errors, N(said) - 1);
	for (char *p = t.text.ptr; *p; p = strchr(p, '\n') + 1, line = n) {
		assert_int_equal(sscanf(p, "site.conf:%d:", &n), 1);
		assert_true(n >= line); /* sorted */
	}
	end(&t);
}

static void an_unknown_option_without_a_near_name_lists_those_there_are(void **state)
{
	(void)state;
	refuses("http { zzzzzz = 1 }", 1,
		"http: no option `zzzzzz`; there are: listen, max-body, max-connections, "
		"idle-timeout");
}

static void a_missing_option_says_what_it_is_for(void **state)
{
	(void)state;
	refuses("flow f { }", 1, "flow f: initial is missing: The state a transaction begins in");
	refuses("token t { value = \"env:PATH\" scopes = { } }", 1,
		"token t: scopes must not be empty");
}

static void nested_sections_are_named_with_their_parents(void **state)
{
	(void)state;
	refuses("flow pay {\n initial = a\n state a {\n  evry = 5s\n }\n}\n", 1,
		"site.conf:4: error: flow pay, state a: no option `evry`; did you mean `every`?");
	refuses("flow pay { initial = a state a { } state a { } }", 1,
		"flow pay: there is a section `state a` already, on line 1");
	refuses("flow pay { initial = a stat a { } }", 1,
		"flow pay: no section `stat`; did you mean `state`?");
}

static void titles_are_plain_words(void **state)
{
	static const char *const bad[] = {
	    "flow \"a b\" { initial = a }", "flow \"\" { initial = a }",
	    "flow 'mail:x' { initial = a }", "flow \"-a\" { initial = a }",
	    "flow \"\xc3\xa4\" { initial = a }"};

	(void)state;
	for (size_t i = 0; i < N(bad); i++)
		refuses(bad[i], 1, "of `flow` must be 1 to 64 letters, digits");
}

static void a_section_of_a_refused_plugin_is_passed_over(void **state)
{
	static const char *const refused[] = {"poller.broken", NULL};
	static const char text[] = "plugins = { \"poller.broken\" }\n"
				   "poller.broken a { anything = { 1, 2 } deeper x { y = 1 } }\n"
				   "poller.broken a { }\nlog-level = warn\n";
	struct trial t;

	(void)state;
	trial_refusing(&t, text, strlen(text), refused);
	assert_well(&t);
	assert_text(conf_text(&t.conf->root, "log-level"), "warn");
	end(&t);
	refuses(text, 2, "`poller.broken`: the plugin of that name is loaded but offers no such");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_site_is_read),
	    cmocka_unit_test(options_on_one_line_need_no_separator),
	    cmocka_unit_test(defaults_are_filled_in),
	    cmocka_unit_test(an_absent_single_section_is_as_an_empty_one),
	    cmocka_unit_test(an_empty_list_is_not_the_default),
	    cmocka_unit_test(escapes_mean_what_they_say),
	    cmocka_unit_test(crlf_and_a_byte_order_mark_are_read),
	    cmocka_unit_test(sections_keep_the_files_order),
	    cmocka_unit_test(comments_do_not_shift_line_numbers),
	    cmocka_unit_test(a_failed_parse_does_not_spoil_the_next),
	    cmocka_unit_test(an_unterminated_quote_is_told_with_the_line_it_begins_on),
	    cmocka_unit_test(an_environment_variable_in_double_quotes_is_refused),
	    cmocka_unit_test(a_repeated_option_does_not_silently_win),
	    cmocka_unit_test(a_number_with_a_leading_zero_is_not_octal),
	    cmocka_unit_test(a_comment_sign_does_not_cut_an_unquoted_value),
	    cmocka_unit_test(a_bad_list_default_is_refused_and_does_not_abort),
	    cmocka_unit_test(an_unknown_section_does_not_stop_the_parse),
	    cmocka_unit_test(include_is_refused),
	    cmocka_unit_test(all_mistakes_of_a_file_are_told_at_once),
	    cmocka_unit_test(an_unknown_option_without_a_near_name_lists_those_there_are),
	    cmocka_unit_test(a_missing_option_says_what_it_is_for),
	    cmocka_unit_test(nested_sections_are_named_with_their_parents),
	    cmocka_unit_test(titles_are_plain_words),
	    cmocka_unit_test(a_section_of_a_refused_plugin_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
