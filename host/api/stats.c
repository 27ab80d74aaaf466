/*
 * stats.c: counts and times of answers. A route's series are found once and
 * kept beside it: an answer costs two atomic operations.
 */
#include "api/stats.h"

#include <stdlib.h>

#include "api/inside.h"
#include "base/clock.h"
#include "base/log.h"

#define STATUSES_KEPT 12

struct route_stats {
	struct series *seconds;
	size_t n;
	struct {
		int status;
		struct series *count;
	} kept[STATUSES_KEPT];
};

static const struct metric_row REQUESTS = {
    .name = "txwatch_http_requests_total",
    .help = "Requests answered, by route",
    .type = TXW_METRIC_COUNTER,
    .labels = {"route", "method", "status"},
    .max_series = 1000,
};
static const struct metric_row REPLAYS = {
    .name = "txwatch_http_idempotent_replays_total",
    .help = "Requests answered from an earlier one with the same Idempotency-Key",
    .type = TXW_METRIC_COUNTER,
};
static const struct metric_row AUTH_FAILURES = {
    .name = "txwatch_http_auth_failures_total",
    .help = "Requests with a missing, unknown or expired token",
    .type = TXW_METRIC_COUNTER,
};
static const struct metric_row CONNECTIONS = {
    .name = "txwatch_http_connections",
    .help = "Open connections of the HTTP listener",
    .type = TXW_METRIC_GAUGE,
};

static void collect(void *ctx)
{
	struct api *api = ctx;
	if (api->server)
		series_set(api->connections, (double)http_server_connections(api->server));
}

static const char *path_of(const struct route *route)
{
	return route ? route->path : "none";
}

void stats_open(struct api *api)
{
	struct metrics *m = api->site->metrics;
	struct metric_row seconds = {
	    .name = "txwatch_http_request_seconds",
	    .help = "Time from a whole request to its answer, by route",
	    .unit = "seconds",
	    .type = TXW_METRIC_HISTOGRAM,
	    .labels = {"route"},
	    .bounds = METRIC_SECONDS,
	    .n_bounds = METRIC_SECONDS_N,
	};
	struct metric *times = metric_define(m, &seconds);
	api->requests = metric_define(m, &REQUESTS);
	api->replays = metric_only(metric_define(m, &REPLAYS));
	api->auth_failures = metric_only(metric_define(m, &AUTH_FAILURES));
	api->connections = metric_only(metric_define(m, &CONNECTIONS));
	api->stats = xcalloc(ROUTES_N + 1, sizeof(struct route_stats));
	for (size_t i = 0; i <= ROUTES_N; i++) {
		const char *path = path_of(i < ROUTES_N ? &ROUTES[i] : NULL);
		api->stats[i].seconds = metric_series(times, &path);
	}
	metrics_on_collect(m, collect, api);
}

static struct series *find(struct api *api, struct route_stats *s, const struct route *route,
			   int status)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->kept[i].status == status)
			return s->kept[i].count;
	}
	struct log_num number;
	const char *values[] = {path_of(route), route ? route->method : "any",
				log_int(&number, status)};
	struct series *count = metric_series(api->requests, values);
	if (s->n < STATUSES_KEPT) {
		s->kept[s->n].status = status;
		s->kept[s->n++].count = count;
	}
	return count;
}

void stats_count(struct api *api, const struct route *route, int status, int64_t took)
{
	size_t i = route ? (size_t)(route - ROUTES) : ROUTES_N;
	struct route_stats *s = &api->stats[i];
	series_add(find(api, s, route, status), 1);
	series_observe(s->seconds, (double)took / (double)SECOND);
}

void stats_close(struct api *api)
{
	free(api->stats);
	api->stats = NULL;
}
