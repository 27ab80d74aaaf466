/*
 * plugin.h: plugin files and the roles they offer.
 *
 * A file is dlopen'd once (RTLD_NOW | RTLD_LOCAL) and never closed. What it
 * hands over is copied into zeroed structs of the host's size, so that fields
 * a plugin does not know are 0. A file that cannot be used is kept, with the
 * reason, so that people can be told.
 */
#ifndef TXWATCH_PLUGIN_PLUGIN_H
#define TXWATCH_PLUGIN_PLUGIN_H

#include <stdbool.h>

#include "base/err.h"
#include "config/conf.h"
#include "txwatch/txwatch.h"

struct plugin_file;

struct role {
	const char *full_name; /* "poller.http" */
	const struct plugin_file *file;
	txw_role row; /* copied; row.vtable is the plugin's */
	union {       /* copied, of row.kind */
		txw_poller poller;
		txw_store store;
		txw_notifier notifier;
		txw_exporter exporter;
	} v;
	const struct conf_schema *schema; /* its config section */
};

struct plugin_file {
	const char *name; /* as in `plugins`: "poller.http" */
	const char *path; /* "" if no file was found */
	bool is_loaded;
	const char *reason;  /* why refused: a sentence, with the side
	                              * to upgrade; NULL when loaded */
	const char *warning; /* loaded, but: a sentence; or NULL */
	uint32_t abi_major, abi_minor;
	const char *version;
	const char *author;
	const char *license;
	size_t n_roles;
	struct role *roles;
	struct plugin_file *next;
};

struct plugins;

struct plugins *plugins_open(void);
void plugins_close(struct plugins *p); /* never dlcloses */

/* Where to look, in order; an unreadable or missing directory is a warning.
 * Texts are copied. */
void plugins_add_path(struct plugins *p, txw_str dir, struct conf_report *report, int line);
/* The default: beside the installed binary (../lib/txwatch/plugins from it),
 * and the build tree's plugins/ folder when run from there. */
void plugins_add_default_path(struct plugins *p);

/* Loads NAME.so from the first directory that has it, once. Refused: the
 * entry is there, with is_loaded false and the reason. */
const struct plugin_file *plugins_load(struct plugins *p, txw_str name);
/* Loads every NAME.so there is, each directory's by name. */
void plugins_load_all(struct plugins *p);
const struct plugin_file *plugins_first(const struct plugins *p);
const struct role *plugins_role(const struct plugins *p, const char *full_name);

/* The schemas for conf_parse: the host's, then every loaded role's. Lives
 * with p, until the next load. */
const struct conf_schema *plugins_schemas(struct plugins *p);
/* The keywords of sections whose plugin was refused, NULL-ended. */
const char *const *plugins_refused(struct plugins *p);

/* "poller", "store" ... */
const char *role_kind_name(uint32_t kind);

#endif
