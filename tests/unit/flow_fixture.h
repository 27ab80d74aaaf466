/* flow_fixture.h: a flow made from config text. */
#ifndef FLOW_FIXTURE_H
#define FLOW_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "config/conf.h"
#include "flow/flow.h"

/* One config text, parsed, and the flow made of its first section. */
struct fixture {
	struct conf_report report;
	struct conf_scan *scan;
	struct conf *conf;
	struct flow *flow;
	char path[256];
};

static inline void build(struct fixture *x, const char *text)
{
	memset(x, 0, sizeof *x);
	snprintf(x->path, sizeof x->path, "%s/flow_test.XXXXXX", TXW_BUILD_DIR);
	int fd = mkstemp(x->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	conf_report_init(&x->report, x->path);
	x->scan = conf_scan(x->path, &x->report);
	x->conf = x->scan ? conf_parse(x->scan, CONF_HOST_SCHEMAS, NULL, &x->report) : NULL;
	for (size_t i = 0; x->conf && i < x->conf->root.n_children && !x->flow; i++)
		if (strcmp(x->conf->root.children[i].keyword, "flow") == 0)
			x->flow = flow_build(&x->conf->root.children[i], &x->report);
}

static inline void drop(struct fixture *x)
{
	flow_free(x->flow);
	if (x->conf)
		conf_free(x->conf);
	if (x->scan)
		conf_scan_free(x->scan);
	conf_report_free(&x->report);
	unlink(x->path);
}

static inline void build_ok(struct fixture *x, const char *text)
{
	build(x, text);
	for (const struct conf_problem *p = x->report.first; p; p = p->next)
		print_message("line %d: %s\n", p->line, p->text);
	assert_non_null(x->flow);
	assert_int_equal(x->report.n_errors, 0);
}

static inline const struct conf_problem *told(const struct fixture *x, const char *words)
{
	for (const struct conf_problem *p = x->report.first; p; p = p->next)
		if (strstr(p->text, words))
			return p;
	for (const struct conf_problem *p = x->report.first; p; p = p->next)
		print_message("line %d: %s\n", p->line, p->text);
	fail_msg("nothing told of: %s", words);
	return NULL;
}

static const char PAYMENT[] =
    "flow payment {\n"
    "    initial = \"pending\"\n"
    "    state pending    { next = { \"authorized\", \"settled\", \"failed\" } expires = 30m }\n"
    "    state authorized { next = { \"settled\", \"failed\", \"cancelled\" } expires = 7d "
    "expires-to = \"failed\" }\n"
    "    state settled    { outcome = \"success\" next = { \"refunded\", \"pending\" } }\n"
    "    state refunded   { outcome = \"cancelled\" }\n"
    "    state failed     { outcome = \"failure\" }\n"
    "    state cancelled  { outcome = \"cancelled\" }\n"
    "    state expired    { outcome = \"expired\" }\n"
    "}\n";

#define STATE(f, name) flow_find((f), STR_LIT(name))

#endif
