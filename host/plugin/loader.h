/* loader.h: what loader.c and search.c share. Private to this folder. */
#ifndef TXWATCH_PLUGIN_LOADER_H
#define TXWATCH_PLUGIN_LOADER_H

#include "base/mem.h"
#include "plugin/plugin.h"

struct plugins {
	struct arena arena; /* files, their names, roles and schemas */
	const char **dirs;  /* where to look, in order; texts in the arena */
	size_t n_dirs;
	struct plugin_file *first;
	struct plugin_file **last;
	struct conf_schema *schemas; /* plugins_schemas' last answer */
	const char **refused;        /* plugins_refused's last answer */
};

/* *path (in the arena) = NAME.so in the first directory that has it. The
 * error says where was looked, and what is there under a similar name. */
int32_t search_find(struct plugins *p, const char *name, const char **path, struct err *e);

#endif
