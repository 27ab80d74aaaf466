/* check.c: `txwatch check`: everything that can be wrong with a site's file,
 * without running it. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "command/args.h"
#include "site.h"

/* What a site is summed up by: sections of a keyword, or of a kind of plugin. */
static const struct {
	const char *keyword; /* with a '.' at its end: any plugin of the kind */
	const char *one, *many;
} COUNTED[] = {
    {"flow", "flow", "flows"},
    {"store.", "store", "stores"},
    {"poller.", "poller", "pollers"},
    {"notifier.", "notifier", "notifiers"},
    {"exporter.", "exporter", "exporters"},
    {"route", "route", "routes"},
    {"token", "token", "tokens"},
};

static bool is_counted(const char *keyword, const char *as)
{
	size_t n = strlen(as);

	return as[n - 1] == '.' ? strncmp(keyword, as, n) == 0 : strcmp(keyword, as) == 0;
}

static void sum_up(const char *path, const struct conf *conf)
{
	const char *comma = "";

	printf("%s: ok (", path);
	for (size_t i = 0; i < sizeof(COUNTED) / sizeof(COUNTED[0]); i++) {
		size_t n = 0;

		for (size_t j = 0; j < conf->root.n_children; j++)
			n += is_counted(conf->root.children[j].keyword, COUNTED[i].keyword);
		if (n == 0)
			continue;
		printf("%s%zu %s", comma, n, n == 1 ? COUNTED[i].one : COUNTED[i].many);
		comma = ", ";
	}
	printf("%s)\n", *comma ? "" : "nothing in it");
}

static size_t count_refused(struct site *site)
{
	size_t n = 0;
	for (const struct plugin_file *f = plugins_first(site_plugins(site)); f; f = f->next)
		n += !f->is_loaded;
	if (n)
		fprintf(stderr, "%zu plugin%s refused: the site would run without\n", n,
			n == 1 ? " is" : "s are");
	return n;
}

static int check(const char *path)
{
	struct conf_report report;
	struct buf text = {0};
	struct site *site;
	int status = 1;

	conf_report_init(&report, path);
	site = site_load(path, NULL, &report);
	conf_report_print(&report, &text);
	if (text.len)
		fwrite(text.ptr, 1, text.len, stderr);
	if (site) {
		/* A refused plugin does not stop the rest of a site, but whoever
		 * checks wants to know. */
		status = count_refused(site) ? 1 : 0;
		sum_up(path, site_conf(site));
		site_free(site);
	} else {
		fprintf(stderr, "%s: %zu error%s\n", path, report.n_errors,
			report.n_errors == 1 ? "" : "s");
	}
	buf_free(&text);
	conf_report_free(&report);
	return status;
}

int command_check(const struct args *a)
{
	const char *path = args_get(a, "config");

	return check(path ? path : COMMAND_CONF_FILE);
}
