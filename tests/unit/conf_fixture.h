/* conf_fixture.h: one config text, parsed against the host's rows and a test
 * plugin's, and what was said of it. */
#ifndef TXWATCH_TESTS_CONF_FIXTURE_H
#define TXWATCH_TESTS_CONF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "config/conf.h"

#define ROW(type_, name_, ...)                                                                \
	{                                                                                     \
		.size = sizeof(txw_option), .type = (type_), .name = (name_), .help = "Help", \
		__VA_ARGS__                                                                   \
	}

static const txw_option PLUGIN_ROWS[] = {
    ROW(TXW_OPT_STRING, "url", .flags = TXW_OPT_REQUIRED),
    ROW(TXW_OPT_INTEGER, "count", .fallback = "7", .min = -5, .max = 100),
    ROW(TXW_OPT_BOOLEAN, "flag", .fallback = "true"),
    ROW(TXW_OPT_BYTES, "cap", .fallback = "64KB", .min = 1, .max = 1 << 20),
    ROW(TXW_OPT_CHOICE, "mode", .fallback = "fast", .choices = "fast|slow|still"),
    ROW(TXW_OPT_SECRET, "password"),
    ROW(TXW_OPT_STRING, "headers", .flags = TXW_OPT_LIST,
	.fallback = "{ \"a: 1, 2\", plain, '{{x}}' }"),
    ROW(TXW_OPT_STRING, "old", .flags = TXW_OPT_DEPRECATED, .fallback = NULL),
};
#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- a parse and what came of it ---- */

struct trial {
	struct conf_report report;
	struct conf_scan *scan;
	struct conf *conf;
	struct buf text; /* the printed report, 0-terminated */
	struct conf_schema schemas[16];
};

static inline void trial_schemas(struct trial *t)
{
	size_t n = 0;

	while (CONF_HOST_SCHEMAS[n].keyword) {
		t->schemas[n] = CONF_HOST_SCHEMAS[n];
		n++;
	}
	t->schemas[n] = (struct conf_schema){
	    .keyword = "poller.test",
	    .help = "Test",
	    .is_titled = 1,
	    .options = PLUGIN_ROWS,
	    .option_stride = sizeof(txw_option),
	    .n_options = N(PLUGIN_ROWS),
	};
	t->schemas[n].more_options = conf_role_options(TXW_ROLE_POLLER,
						       &t->schemas[n].n_more_options);
}

static inline void trial_refusing(struct trial *t, const char *text, size_t len,
				  const char *const *refused)
{
	memset(t, 0, sizeof(*t));
	trial_schemas(t);
	conf_report_init(&t->report, "site.conf");
	t->scan = conf_scan_text("site.conf", text, len, &t->report);
	if (t->scan)
		t->conf = conf_parse(t->scan, t->schemas, refused, &t->report);
	conf_report_print(&t->report, &t->text);
	buf_char(&t->text, '\0');
}

static inline void attempt(struct trial *t, const char *text)
{
	trial_refusing(t, text, strlen(text), NULL);
}

static inline void end(struct trial *t)
{
	conf_free(t->conf);
	conf_scan_free(t->scan);
	conf_report_free(&t->report);
	buf_free(&t->text);
}

static inline void assert_says(const struct trial *t, const char *what)
{
	if (!strstr(t->text.ptr, what))
		fail_msg("expected: %s\ncame: %s", what, t->text.ptr);
}

static inline void assert_not_says(const struct trial *t, const char *what)
{
	if (strstr(t->text.ptr, what))
		fail_msg("not expected: %s\ncame: %s", what, t->text.ptr);
}

static inline void assert_well(const struct trial *t)
{
	if (!t->conf || t->report.n_errors)
		fail_msg("expected no error, came: %s", t->text.ptr);
}

/* Fails to parse, with exactly n errors, one of which says `what`. */
static inline void refuses(const char *text, size_t n, const char *what)
{
	struct trial t;

	attempt(&t, text);
	assert_null(t.conf);
	assert_says(&t, what);
	if (t.report.n_errors != n)
		fail_msg("expected %zu errors, came %zu: %s", n, t.report.n_errors, t.text.ptr);
	end(&t);
}

static inline const struct conf_section *child(const struct conf_section *s, size_t i)
{
	assert_true(i < s->n_children);
	return &s->children[i];
}

static inline void assert_text(txw_str have, const char *want)
{
	if (!str_is(have, want))
		fail_msg("expected %s, came %.*s", want, STR_ARG(have));
}

#define POLLER(options) "poller.test bank { flow = \"f\" url = \"u\" " options " }\n"

#endif
