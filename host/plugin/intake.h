/*
 * intake.h: takes over what a plugin file hands to the host.
 *
 * Private to this folder.
 */
#ifndef TXWATCH_PLUGIN_INTAKE_H
#define TXWATCH_PLUGIN_INTAKE_H

#include "base/mem.h"
#include "plugin/plugin.h"

/* Fills file's version fields, roles and their schemas from what txw_plugin_1
 * answered; copies are in the arena, texts stay the plugin's. An error's text
 * is a sentence that begins with file->path. [load] */
int32_t intake_plugin(struct arena *a, const txw_plugin *from, struct plugin_file *file,
		      struct err *e);

/* "PATH was built for plugin ABI 2.0; ...: upgrade txwatch". */
int32_t intake_wrong_version(const char *path, uint32_t major, uint32_t minor, struct err *e);

#endif
