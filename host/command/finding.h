/* finding.h: the plugins that `txwatch plugins` and `txwatch explain` look
 * at. */
#ifndef TXWATCH_COMMAND_FINDING_H
#define TXWATCH_COMMAND_FINDING_H

#include "base/buf.h"
#include "command/args.h"
#include "plugin/plugin.h"

#define FINDING_MAX_DIRS 16

struct finding {
	const char *conf_path; /* -c, or NULL */
	const char *dirs[FINDING_MAX_DIRS];
	size_t n_dirs; /* --plugin-path */

	struct conf_report report;
	struct conf_scan *scan; /* of conf_path */
	struct plugins *plugins;
};

/* Fill conf_path and dirs first. Reads the file for its plugin-path (and its
 * plugins), and says where to look, as site.c does: in the directories of
 * --plugin-path, then the file's, then the default one. Loads nothing. false:
 * told on stderr. */
bool finding_open(struct finding *f);
/* Loads what the file lists; without a file all there are. */
void finding_load(struct finding *f);
void finding_close(struct finding *f);

/* Fills conf_path and dirs from the options. false: told on stderr. */
bool finding_options(struct finding *f, const struct args *a);

#endif
