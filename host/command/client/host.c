/* host.c: what runs on the host: flows, plugins, pollers. */
#include "base/str.h"
#include "command/client/out.h"

static void cell_states(const json_t *row, struct buf *out)
{
	const json_t *states = json_object_get(row, "states"), *one;
	size_t i;

	json_array_foreach(states, i, one)
	{
		if (i)
			buf_char(out, ',');
		print_value(out, json_object_get(one, "name"));
	}
}

static void cell_loaded(const json_t *row, struct buf *out)
{
	buf_text(out, json_is_true(json_object_get(row, "loaded")) ? "loaded" : "refused");
}

static void cell_instances(const json_t *row, struct buf *out)
{
	const json_t *roles = json_object_get(row, "roles"), *role, *instance;
	size_t i, k, n = 0;

	json_array_foreach(roles, i, role)
	{
		json_array_foreach(json_object_get(role, "instances"), k, instance)
		{
			buf_text(out, n++ ? "," : "");
			print_value(out, json_object_get(instance, "name"));
		}
	}
	if (n == 0)
		buf_char(out, '-');
}

static const struct column FLOWS[] = {
    {.title = "FLOW", .path = "name"},
    {.title = "INITIAL", .path = "initial"},
    {.title = "POLLED", .path = "polled"},
    {.title = "ILLEGAL", .path = "illegal"},
    {.title = "EXPIRES", .path = "expires", .flags = COLUMN_SPARE},
    {.title = "STATES", .cell = cell_states},
    {.title = NULL},
};
static const struct column PLUGINS[] = {
    {.title = "PLUGIN", .path = "name"},
    {.title = "VERSION", .path = "version"},
    {.title = "ABI", .path = "abi"},
    {.title = "STATE", .cell = cell_loaded},
    {.title = "INSTANCES", .cell = cell_instances},
    {.title = "REASON", .path = "reason", .flags = COLUMN_SPARE},
    {.title = "PATH", .path = "path", .flags = COLUMN_SPARE},
    {.title = NULL},
};
static const struct column POLLERS[] = {
    {.title = "POLLER", .path = "instance"},
    {.title = "PLUGIN", .path = "plugin"},
    {.title = "FLOW", .path = "flow"},
    {.title = "STATE", .path = "state", .tint = "state"},
    {.title = "FAILURES", .path = "failures", .flags = COLUMN_RIGHT},
    {.title = "IN FLIGHT", .path = "in_flight", .flags = COLUMN_RIGHT},
    {.title = "WAITING", .path = "waiting", .flags = COLUMN_RIGHT},
    {.title = "UNTIL", .path = "until", .flags = COLUMN_WHOLE | COLUMN_SPARE},
    {.title = NULL},
};

static int list(struct client *c, const char *route, const struct column *columns)
{
	struct buf path = {0};

	buf_text(&path, route);
	return out_list(c, &path, columns, false);
}

int client_host_flows(struct client *c)
{
	return list(c, "/v1/flows", FLOWS);
}

int client_host_plugins(struct client *c)
{
	return list(c, "/v1/plugins", PLUGINS);
}

int client_host_pollers(struct client *c)
{
	return list(c, "/v1/pollers", POLLERS);
}

int client_host_reload(struct client *c)
{
	return out_post(c, "/v1/reload", NULL);
}

/* Open to all: ready, or why it is not. */
int client_host_ready(struct client *c)
{
	struct ask a = {.method = "GET", .path = "/readyz"};
	struct reply r;
	int status = ask_quietly(c, &a, &r);

	if (json_is_array(json_object_get(r.json, "reasons")))
		out_object(c, &r);
	else if (status != EXIT_WELL)
		ask_tell(c, &r);
	reply_free(&r);
	return status;
}
