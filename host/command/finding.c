/* finding.c: where to look for plugins, from the options and the file. */
#include "command/finding.h"

#include <stdio.h>

#include "base/str.h"

bool finding_options(struct finding *f, const struct args *a)
{
	const char *dir;

	f->conf_path = args_get(a, "config");
	for (size_t at = 0; (dir = args_next(a, "plugin-path", &at)) != NULL;) {
		if (f->n_dirs == FINDING_MAX_DIRS) {
			fprintf(stderr, "txwatch %s: at most %d --plugin-path\n", a->command->name,
				FINDING_MAX_DIRS);
			return false;
		}
		f->dirs[f->n_dirs++] = dir;
	}
	return true;
}

static void tell(struct finding *f)
{
	struct buf text = {0};

	conf_report_print(&f->report, &text);
	if (text.len)
		fwrite(text.ptr, 1, text.len, stderr);
	buf_free(&text);
}

bool finding_open(struct finding *f)
{
	size_t n_paths = 0;

	conf_report_init(&f->report, f->conf_path ? f->conf_path : "txwatch");
	f->plugins = plugins_open();
	if (f->conf_path) {
		f->scan = conf_scan(f->conf_path, &f->report);
		if (!f->scan) {
			tell(f);
			finding_close(f);
			return false;
		}
		n_paths = f->scan->n_plugin_paths;
	}
	for (size_t i = 0; i < f->n_dirs; i++)
		plugins_add_path(f->plugins, str_of(f->dirs[i]), &f->report, 0);
	for (size_t i = 0; i < n_paths; i++)
		plugins_add_path(f->plugins, f->scan->plugin_paths[i], &f->report, 0);
	plugins_add_default_path(f->plugins);
	tell(f);
	return true;
}

void finding_load(struct finding *f)
{
	if (!f->scan)
		plugins_load_all(f->plugins);
	for (size_t i = 0; f->scan && i < f->scan->n_plugins; i++)
		plugins_load(f->plugins, f->scan->plugins[i]);
}

void finding_close(struct finding *f)
{
	plugins_close(f->plugins);
	conf_scan_free(f->scan);
	conf_report_free(&f->report);
}
