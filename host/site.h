/*
 * site.h: a site: a config file with its plugins, flows and instances.
 *
 * site.c puts it together; run.c opens its store and listener and runs it.
 */
#ifndef TXWATCH_SITE_H
#define TXWATCH_SITE_H

#include "api/api.h"
#include "base/loop.h"
#include "config/conf.h"
#include "egress/egress.h"
#include "engine/flows.h"
#include "jobs/retention.h"
#include "plugin/plugin.h"

struct site {
	struct clock clock;
	struct loop *loop;
	struct metrics *metrics;
	struct egress *egress;
	struct plugins *plugins;
	struct conf *conf;
	struct flows flows;
	struct services services;
	instance *instances; /* all, by next */
	struct retention *retention;
	instance *store; /* of them; NULL until there is one */
	struct watch *watch;
	struct notify *notify;
	/* run.c: */
	struct engine *engine;
	struct readers *readers;
	struct jobs *jobs;
	struct api *api;
	struct api_site api_site;
	struct follow *follow;
};

/*
 * Reads the file, loads its plugins, parses and checks everything, makes the
 * instances; opens no store, no socket, no thread of the engine's. NULL if
 * there was an error; the report has all of them, and warnings. clock: NULL =
 * the real one.
 */
struct site *site_load(const char *path, const struct clock *clock, struct conf_report *report);
void site_free(struct site *s); /* what run.c opened is closed before */
struct plugins *site_plugins(struct site *s);
const struct conf *site_conf(struct site *s);

#endif
