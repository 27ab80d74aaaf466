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
#include "jobs/jobs.h"
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
	struct jobs *jobs;
	struct plugins *plugins;
	instance *instances;     /* all, by next */
	const struct conf *conf; /* http and token sections */
	int listener;            /* to take over from another api; 0 = none */
	/* The same, with its connections; NULL = none. api_open takes it,
	 * unless it fails. */
	struct http_server *server;
	/* POST /v1/reload: checks the config anew and begins to change over.
	 * Negative: the running site stays, and the problems are in text. NULL:
	 * not offered. [loop] */
	int32_t (*reload)(void *ctx, struct buf *text);
	void *reload_ctx;
	bool is_draining; /* readiness says no */
};

/* Builds tokens from `token` sections and the listener from `http`; mistakes
 * go to the report (NULL), a listener that cannot be opened to e. */
struct api *api_open(struct api_site *site, struct conf_report *report, struct err *e);
int api_port(const struct api *a);
int api_listener(const struct api *a); /* http_server_listener */
/* Writes what it has in memory only: the site is about to end or change. */
void api_settle(struct api *a);
/* Detaches the listener, for another api to go on with; then close this one. */
struct http_server *api_take_server(struct api *a);
/* Imports and exports under way, which draining waits for. */
size_t api_streams(const struct api *a);
/* Other hosts have committed events: wakes who waits for them. [loop] */
void api_follow(void *api);
void api_drain(struct api *a);
void api_close(struct api *a);

#endif
