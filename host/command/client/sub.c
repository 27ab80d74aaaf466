/* sub.c: subscriptions. */
#include <unistd.h>

#include "base/str.h"
#include "command/client/body.h"
#include "command/client/name.h"
#include "command/client/out.h"

static void cell_state(const json_t *row, struct buf *out)
{
	const json_t *enabled = json_object_get(row, "enabled");

	if (json_is_false(enabled))
		buf_text(out, "disabled");
	else if (json_is_string(json_object_get(row, "paused_until")))
		buf_text(out, "paused");
	else
		buf_text(out, "ok");
}

static const struct column COLUMNS[] = {
    {.title = "ID", .path = "id", .flags = COLUMN_WHOLE},
    {.title = "STATE", .cell = cell_state},
    {.title = "TARGET", .path = "target"},
    {.title = "EVENTS", .path = "events"},
    {.title = "FILTER", .path = "filter", .flags = COLUMN_SPARE},
    {.title = "FAILURES", .path = "failures", .flags = COLUMN_RIGHT | COLUMN_SPARE},
    {.title = "CHANNEL", .path = "channel", .flags = COLUMN_SPARE},
    {.title = "DESCRIPTION", .path = "description", .flags = COLUMN_SPARE},
    {.title = NULL},
};

static const struct body_row ROWS[] = {
    {"channel", NULL, BODY_TEXT},         {"target", NULL, BODY_TEXT},
    {"event", "events", BODY_LIST},       {"filter", NULL, BODY_TEXT},
    {"header", "headers", BODY_PAIRS},    {"ordered", NULL, BODY_TRUE},
    {"unordered", "ordered", BODY_FALSE}, {"rate", NULL, BODY_TEXT},
    {"concurrency", NULL, BODY_NUMBER},   {"format", NULL, BODY_TEXT},
    {"description", NULL, BODY_TEXT},     {"enable", "enabled", BODY_TRUE},
    {"disable", "enabled", BODY_FALSE},   {NULL, NULL, BODY_TEXT},
};

int client_sub_list(struct client *c)
{
	struct buf path = {0};

	buf_text(&path, "/v1/subscriptions");
	return out_list(c, &path, COLUMNS, true);
}

/* "/v1/subscriptions/ID" and what comes below, of the first word. */
static int path_of(struct client *c, const char *below, const char **path)
{
	const char *id;
	int status = name_sub(c, args_word(c->args, 0), &id);

	if (status == EXIT_WELL)
		*path = arena_printf(&c->arena, "/v1/subscriptions/%s%s", id, below);
	return status;
}

int client_sub_get(struct client *c)
{
	const char *path;
	int status = path_of(c, "", &path);

	return status == EXIT_WELL ? out_get(c, path) : status;
}

static int opposites(struct client *c, const char *a, const char *b)
{
	if (!args_has(c->args, a) || !args_has(c->args, b))
		return EXIT_WELL;
	return client_fail(c, EXIT_USAGE, "--%s or --%s, not both", a, b);
}

static int fill(struct client *c, json_t *body)
{
	int status = opposites(c, "enable", "disable");

	if (status == EXIT_WELL)
		status = opposites(c, "ordered", "unordered");
	return status == EXIT_WELL ? body_fill(c, body, ROWS) : status;
}

int client_sub_create(struct client *c)
{
	json_t *body = json_object();
	struct reply r;
	int status = fill(c, body);

	if (status != EXIT_WELL) {
		json_decref(body);
		return status;
	}
	json_object_set_new(body, "target", json_string(args_word(c->args, 0)));
	if (!args_has(c->args, "event"))
		json_object_set_new(body, "events", json_pack("[s]", "transaction.*"));
	status = ask_json(c, "POST", "/v1/subscriptions", body, &r);
	if (status == EXIT_WELL) {
		out_object(c, &r);
		if (json_is_string(json_object_get(r.json, "secret")) && isatty(STDERR_FILENO) == 1)
			client_note(c, "the secret is shown this once");
	}
	reply_free(&r);
	return status;
}

int client_sub_update(struct client *c)
{
	json_t *body = json_object();
	const char *path;
	struct reply r;
	int status = fill(c, body);

	if (status == EXIT_WELL && json_object_size(body) == 0)
		status = client_fail(c, EXIT_USAGE, "nothing is to be changed");
	if (status == EXIT_WELL)
		status = path_of(c, "", &path);
	if (status != EXIT_WELL) {
		json_decref(body);
		return status;
	}
	status = ask_json(c, "PATCH", path, body, &r);
	if (status == EXIT_WELL)
		out_object(c, &r);
	reply_free(&r);
	return status;
}

int client_sub_delete(struct client *c)
{
	const char *path;
	struct reply r;
	int status = path_of(c, "", &path);

	if (status != EXIT_WELL)
		return status;
	status = ask_json(c, "DELETE", path, NULL, &r);
	reply_free(&r);
	return status;
}

static int post(struct client *c, const char *below)
{
	const char *path;
	int status = path_of(c, below, &path);

	return status == EXIT_WELL ? out_post(c, path, NULL) : status;
}

int client_sub_test(struct client *c)
{
	return post(c, "/test");
}

int client_sub_replay(struct client *c)
{
	return post(c, "/replay");
}
