/* config.c: a site's file: scanned, parsed, its flows built. A refusal always
 * has a problem that says why. */
#include "fuzz.h"

#include "base/buf.h"
#include "config/conf.h"
#include "flow/flow.h"

/* A plugin's section beside the host's own. */
static const txw_option ROWS[] = {
    {.size = sizeof(txw_option), .type = TXW_OPT_STRING, .name = "path", .help = "a path"},
    {.size = sizeof(txw_option), .type = TXW_OPT_DURATION, .name = "every", .help = "how often"},
};

static size_t copy_schemas(struct conf_schema out[32])
{
	size_t n = 0;
	while (CONF_HOST_SCHEMAS[n].keyword && n < 30) {
		out[n] = CONF_HOST_SCHEMAS[n];
		n++;
	}
	out[n] = out[0];
	out[n].keyword = "poller.fuzz";
	out[n].options = ROWS;
	out[n].n_options = sizeof(ROWS) / sizeof(ROWS[0]);
	out[n].more_options = conf_role_options(TXW_ROLE_POLLER, &out[n].n_more_options);
	out[n].children = NULL;
	return n + 1;
}

static void build_flows(const struct conf *c, struct conf_report *report)
{
	for (size_t i = 0; i < c->root.n_children; i++) {
		if (strcmp(c->root.children[i].keyword, "flow") != 0)
			continue;
		size_t before = report->n_errors;
		struct flow *f = flow_build(&c->root.children[i], report);
		MUST(f || report->n_errors > before);
		if (f)
			flow_free(f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_schema schemas[32] = {0};
	struct conf_report report;
	struct buf text = {0};
	copy_schemas(schemas);
	conf_report_init(&report, "fuzz.conf");
	struct conf_scan *scan = conf_scan_text("fuzz.conf", (const char *)data, size, &report);
	struct conf *c = scan ? conf_parse(scan, schemas, NULL, &report) : NULL;
	MUST(c || report.n_errors);
	if (c) {
		build_flows(c, &report);
		conf_free(c);
	}
	conf_report_print(&report, &text);
	buf_free(&text);
	if (scan)
		conf_scan_free(scan);
	conf_report_free(&report);
	return 0;
}
