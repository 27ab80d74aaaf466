/*
 * flow.c: `txwatch flow`: the flows of a site's file, to look at and to try.
 *
 * Reads the flow sections alone: neither plugins nor secrets are needed, and
 * mistakes elsewhere in the file are `txwatch check`'s to tell.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "command/args.h"
#include "config/conf.h"
#include "flow/flow.h"

struct flows_file {
	struct conf_report report;
	struct conf *conf;
	struct flow **flows;
	size_t n;
};

static const struct conf_schema *flow_schema(void)
{
	const struct conf_schema *s = CONF_HOST_SCHEMAS;
	while (strcmp(s->keyword, "flow") != 0)
		s++;
	return s;
}

/* Every other section is passed over, as those of a refused plugin are. */
static struct conf *parse_flows(const struct conf_scan *scan, struct conf_report *report)
{
	const struct conf_schema schemas[] = {*flow_schema(), {.keyword = NULL}};
	const char **others = xcalloc(scan->n_uses + 1, sizeof(*others));
	size_t n = 0;
	for (size_t i = 0; i < scan->n_uses; i++)
		if (strcmp(scan->uses[i].keyword, "flow") != 0)
			others[n++] = scan->uses[i].keyword;
	struct conf *conf = conf_parse(scan, schemas, others, report);
	free(others);
	return conf;
}

static bool open_file(struct flows_file *f, const struct args *a)
{
	const char *path = args_has(a, "config") ? args_get(a, "config") : COMMAND_CONF_FILE;
	struct buf text = {0};
	conf_report_init(&f->report, path);
	struct conf_scan *scan = conf_scan(path, &f->report);
	f->conf = scan ? parse_flows(scan, &f->report) : NULL;
	size_t n = f->conf ? f->conf->root.n_children : 0;
	f->flows = xcalloc(n + 1, sizeof(*f->flows));
	for (size_t i = 0; i < n; i++) {
		if (strcmp(f->conf->root.children[i].keyword, "flow") != 0)
			continue;
		struct flow *flow = flow_build(&f->conf->root.children[i], &f->report);
		if (flow)
			f->flows[f->n++] = flow;
	}
	if (scan)
		conf_scan_free(scan);
	conf_report_print(&f->report, &text);
	if (text.len)
		fwrite(text.ptr, 1, text.len, stderr);
	buf_free(&text);
	return f->report.n_errors == 0;
}

static void close_file(struct flows_file *f)
{
	for (size_t i = 0; i < f->n; i++)
		flow_free(f->flows[i]);
	free(f->flows);
	if (f->conf)
		conf_free(f->conf);
	conf_report_free(&f->report);
}

static const struct flow *find(const struct flows_file *f, const char *name)
{
	const char **names = xcalloc(f->n + 1, sizeof(*names));
	const struct flow *found = NULL;
	for (size_t i = 0; i < f->n; i++) {
		names[i] = f->flows[i]->name.ptr;
		if (str_is(f->flows[i]->name, name))
			found = f->flows[i];
	}
	if (!found) {
		const char *near = strlen(name) <= 64 ? str_nearest(name, names, f->n) : NULL;
		fprintf(stderr, "txwatch flow: no flow `%s`%s%s%s\n", name,
			near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
	}
	free(names);
	return found;
}

static int list(const struct flows_file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct flow *flow = f->flows[i];
		uint32_t open = 0;
		for (uint32_t k = 0; k < flow->n_states; k++)
			open += flow->states[k].outcome == TXW_OPEN;
		printf("%.*s: begins in %.*s, %u open and %u end states", STR_ARG(flow->name),
		       STR_ARG(flow->states[flow->initial].name), open, flow->n_states - open);
		if (flow->ttl) {
			char ttl[DURATION_TEXT_MAX];
			printf(", expires in %.*s", (int)duration_print(ttl, flow->ttl), ttl);
		}
		printf("\n");
	}
	return 0;
}

static int show(const struct flows_file *f, const struct args *a, bool is_try)
{
	const struct flow *flow = find(f, args_word(a, 0));
	struct buf out = {0};
	bool is_good = true;
	if (!flow)
		return EXIT_FAILED;
	if (is_try)
		is_good = flow_try(flow, a->words + 1, a->n_words - 1, &out);
	else
		flow_graph(flow, &out);
	fwrite(out.ptr, 1, out.len, stdout);
	buf_free(&out);
	return is_good ? EXIT_WELL : EXIT_FAILED;
}

int command_flow_list(const struct args *a)
{
	struct flows_file f = {0};
	int status = open_file(&f, a) ? list(&f) : EXIT_FAILED;
	close_file(&f);
	return status;
}

static int open_and_show(const struct args *a, bool is_try)
{
	struct flows_file f = {0};
	int status = open_file(&f, a) ? show(&f, a, is_try) : EXIT_FAILED;
	close_file(&f);
	return status;
}

int command_flow_graph(const struct args *a)
{
	return open_and_show(a, false);
}

int command_flow_try(const struct args *a)
{
	return open_and_show(a, true);
}
