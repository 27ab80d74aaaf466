/* finding.h: the plugins that `txwatch plugins` and `txwatch explain` look
 * at. */
#ifndef TXWATCH_COMMAND_FINDING_H
#define TXWATCH_COMMAND_FINDING_H

#include "base/buf.h"
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

/* Takes the options -c and --plugin-path; false: not one of them. */
bool finding_option(struct finding *f, int c, const char *arg);
#define FINDING_OPTIONS                                     \
	{"config", required_argument, NULL, 'c'},           \
	{                                                   \
		"plugin-path", required_argument, NULL, 'p' \
	}

#endif
