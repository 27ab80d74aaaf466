/*
 * api.c: the API's life.
 *
 * Calls that the engine or a reader still has may outlive api_close(): the
 * API is freed with the last of them.
 */
#include "api/api.h"

#include <stdlib.h>

#include "api/allowance.h"
#include "api/bulk.h"
#include "api/inside.h"
#include "api/listener.h"
#include "api/stats.h"
#include "api/tokens.h"
#include "base/clock.h"
#include "engine/audit.h"

/* Rows of the audit log about throttled peers; a crowd of them must not fill
 * it. */
#define BURSTS_MAX 20 /* a minute */

static void on_burst(void *ctx, txw_str peer)
{
	struct api *api = ctx;
	struct buf actor = {0};
	txw_time now = loop_now(api->site->loop);
	if (now - api->bursts_since >= MINUTE) {
		api->bursts_since = now;
		api->bursts = 0;
	}
	if (api->bursts++ >= BURSTS_MAX)
		return;
	buf_text(&actor, "peer:");
	buf_str(&actor, peer);
	audit_submit(api->site->engine, &(struct audit){.tenant = AUDIT_SITE,
							.actor = buf_view(&actor),
							.action = "login.throttled"});
	buf_free(&actor);
}

/* What the http section says of how requests are met. */
static void take_manners(struct api *api)
{
	const struct conf_section *s = listener_section(api->site->conf);
	if (!s)
		return;
	api->allowances = allowances_open(conf_text(s, "rate"));
	api->n_origins = conf_list(s, "cors-origins", &api->origins);
}

static void api_free(struct api *api)
{
	if (api->waits)
		waits_close(api->waits);
	if (api->stats)
		stats_close(api);
	mounts_close(api);
	buf_free(&api->openapi);
	allowances_close(api->allowances);
	if (api->rows)
		rowcache_close(api->rows);
	cursor_key_free(api->cursors);
	token_uses_close(api->token_uses);
	auth_close(api->auth);
	free(api);
}

struct api *api_open(struct api_site *site, struct conf_report *report, struct err *e)
{
	struct api *api = xcalloc(1, sizeof(*api));
	const txw_store_info *info = engine_info(site->engine);
	api->site = site;
	api->auth = auth_open(site->conf, report);
	if (!api->auth)
		goto fail;
	auth_on_burst(api->auth, on_burst, api);
	if (tokens_load(api, e) < 0)
		goto fail;
	/* The listener can fail; the engine and the metrics keep what they are
	 * given. */
	api->server = listener_open(site->conf, site->loop, site->listener, site->server, dispatch,
				    api, e);
	if (!api->server)
		goto fail;
	site->server = NULL;
	const struct conf_section *http = listener_section(site->conf);
	api->are_pages_open = !http || str_is(conf_text(http, "metrics"), "open");
	http_server_streams(api->server, dispatch_streams);
	http_server_keeps(api->server, dispatch_keeps);
	api->cursors = cursor_key_make(info->site, info->epoch);
	mounts_open(api);
	api->waits = waits_open(api);
	api->token_uses = token_uses_open(api);
	api->rows = rowcache_open();
	engine_on_rows(site->engine, rowcache_forget, api->rows);
	take_manners(api);
	stats_open(api);
	jobs_add_kind(site->jobs, &BULK_KIND, api);
	jobs_add_kind(site->jobs, &PURGE_KIND, api);
	description_open(api);
	return api;

fail:
	api_free(api);
	return NULL;
}

int api_listener(const struct api *a)
{
	return http_server_listener(a->server);
}

struct http_server *api_take_server(struct api *a)
{
	struct http_server *server = a->server;
	a->server = NULL;
	http_server_detach(server);
	return server;
}

int api_port(const struct api *a)
{
	return http_server_port(a->server);
}

void api_settle(struct api *a)
{
	token_uses_flush(a->token_uses);
}

size_t api_streams(const struct api *a)
{
	return a->imports + a->exports;
}

void api_follow(void *ctx)
{
	struct api *a = ctx;
	rowcache_forget_all(a->rows);
	waits_wake(a->waits);
}

void api_drain(struct api *a)
{
	a->is_draining = true;
	http_server_drain(a->server);
	waits_drain(a->waits);
}

void api_call_ended(struct api *api)
{
	api->calls--;
	if (api->is_closing && api->calls == 0)
		api_free(api);
}

void api_close(struct api *a)
{
	if (!a)
		return;
	a->is_draining = true;
	waits_drain(a->waits);
	struct http_server *server = a->server;
	a->server = NULL;
	http_server_close(server);
	a->is_closing = true;
	if (a->calls == 0)
		api_free(a);
}
