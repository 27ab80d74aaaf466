/*
 * site.h: a site: a config file with its plugins, flows and instances, and
 * the running of it.
 */
#ifndef TXWATCH_SITE_H
#define TXWATCH_SITE_H

#include "config/conf.h"
#include "plugin/plugin.h"

struct site;

/*
 * Reads the file, loads its plugins, parses and checks everything, makes the
 * instances; opens no store, no socket, no thread of the engine's. NULL if
 * there was an error; the report has all of them, and warnings.
 */
struct site *site_load(const char *path, struct conf_report *report);
void site_free(struct site *s);
struct plugins *site_plugins(struct site *s);
const struct conf *site_conf(struct site *s);

struct run_options {
	bool is_virtual;      /* --clock=virtual */
	txw_time start;       /* of the virtual clock; 0 = 2026-01-01 */
};

#endif
