/*
 * api.h: /v1: the route table, who may call what, and the handlers.
 */
#ifndef TXWATCH_API_API_H
#define TXWATCH_API_API_H

#include "config/conf.h"
#include "engine/engine.h"
#include "engine/flows.h"
#include "engine/readers.h"
#include "http/server.h"
#include "notify/notify.h"
#include "plugin/plugin.h"
#include "watch/watch.h"

struct api;

/* What the API shows and drives; borrowed, outlives it. */
struct api_site {
	struct loop *loop;
	struct metrics *metrics;
	struct engine *engine;
	struct readers *readers;
	struct flows *flows;
	struct watch *watch;
	struct notify *notify;
	struct plugins *plugins;
	instance *instances;     /* all, by next */
	const struct conf *conf; /* http and token sections */
	bool is_draining;        /* readiness says no */
};

/* Builds tokens from `token` sections and the listener from `http`; mistakes
 * go to the report (NULL), a listener that cannot be opened to e. */
struct api *api_open(struct api_site *site, struct conf_report *report, struct err *e);
int api_port(const struct api *a);
void api_drain(struct api *a);
void api_close(struct api *a);

#endif
