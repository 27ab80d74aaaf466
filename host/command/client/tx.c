/* tx.c: transactions: listed, read, and moved. */
#include "base/str.h"
#include "command/client/body.h"
#include "command/client/events.h"
#include "command/client/name.h"
#include "command/client/out.h"

static void add_member(struct buf *out, const json_t *row, const char *name)
{
	print_value(out, json_object_get(row, name));
}

static void cell_name(const json_t *row, struct buf *out)
{
	add_member(out, row, "flow");
	buf_char(out, '/');
	add_member(out, row, "ref");
}

static void cell_amount(const json_t *row, struct buf *out)
{
	add_member(out, row, "amount");
	if (!json_is_string(json_object_get(row, "currency")))
		return;
	buf_char(out, ' ');
	add_member(out, row, "currency");
}

static const struct column COLUMNS[] = {
    {.title = "TRANSACTION", .cell = cell_name},
    {.title = "STATUS", .path = "status", .tint = "outcome"},
    {.title = "OUTCOME", .path = "outcome", .flags = COLUMN_SPARE, .tint = "outcome"},
    {.title = "AMOUNT", .flags = COLUMN_RIGHT | COLUMN_SPARE, .cell = cell_amount},
    {.title = "OWNER", .path = "owner", .flags = COLUMN_SPARE},
    {.title = "UPDATED", .path = "updated_at", .flags = COLUMN_WHOLE | COLUMN_SPARE},
    {.title = "EXPIRES", .path = "expires_at", .flags = COLUMN_WHOLE | COLUMN_SPARE},
    {.title = "ID", .path = "id", .flags = COLUMN_WHOLE | COLUMN_SPARE},
    {.title = NULL},
};

int client_tx_list(struct client *c)
{
	static const char *const names[] = {"flow", "status", "outcome", "owner",
					    "ref",  "filter", "order",   NULL};
	struct buf path = {0};

	buf_text(&path, "/v1/transactions");
	query_fill(c, &path, names);
	return out_list(c, &path, COLUMNS, true);
}

int client_tx_get(struct client *c)
{
	struct buf path = {0};
	int status = EXIT_USAGE;

	if (name_tx_path(c, args_word(c->args, 0), &path)) {
		path_add(&path, "at", args_get(c->args, "at"));
		buf_char(&path, '\0');
		status = out_get(c, path.ptr);
	}
	buf_free(&path);
	return status;
}

/* ---- writing ---- */

static const struct body_row CREATE_ROWS[] = {
    {"status", NULL, BODY_TEXT},
    {"owner", NULL, BODY_TEXT},
    {"amount", NULL, BODY_TEXT},
    {"currency", NULL, BODY_TEXT},
    {"attributes", NULL, BODY_JSON},
    {"expires-in", "expires_in", BODY_TEXT},
    {"expires-at", "expires_at", BODY_TEXT},
    {"reason", NULL, BODY_TEXT},
    {"code", NULL, BODY_TEXT},
    {NULL, NULL, BODY_TEXT},
};
static const struct body_row SET_ROWS[] = {
    {"reason", NULL, BODY_TEXT},
    {"code", NULL, BODY_TEXT},
    {"detail", NULL, BODY_JSON},
    {"source-event-id", "source_event_id", BODY_TEXT},
    {"source-version", "source_version", BODY_TEXT},
    {"source-at", "source_at", BODY_TEXT},
    {NULL, NULL, BODY_TEXT},
};
static const struct body_row UPDATE_ROWS[] = {
    {"owner", NULL, BODY_CLEARED},
    {"amount", NULL, BODY_CLEARED},
    {"currency", NULL, BODY_CLEARED},
    {"attributes", NULL, BODY_JSON},
    {"expires-in", "expires_in", BODY_TEXT},
    {"expires-at", "expires_at", BODY_CLEARED},
    {NULL, NULL, BODY_TEXT},
};

int client_tx_create(struct client *c)
{
	const char *name = args_word(c->args, 0), *slash = strchr(name, '/');
	json_t *body;
	int status;

	if (!slash || slash == name || !slash[1])
		return client_fail(c, EXIT_USAGE, "`%s` is no FLOW/REF", name);
	body = json_pack("{s:s%, s:s}", "flow", name, (size_t)(slash - name), "ref", slash + 1);
	if (!body)
		return client_fail(c, EXIT_USAGE, "the name is not UTF-8");
	status = body_fill(c, body, CREATE_ROWS);
	if (status == EXIT_WELL)
		return out_post(c, "/v1/transactions", body);
	json_decref(body);
	return status;
}

/* Sends the body to the transaction of the first word, at a path below it. */
static int change(struct client *c, const char *method, const char *below, json_t *body)
{
	const char *id, *path;
	struct reply r;
	int status = name_tx(c, args_word(c->args, 0), &id);

	if (status != EXIT_WELL) {
		json_decref(body);
		return status;
	}
	path = arena_printf(&c->arena, "/v1/transactions/%s%s", id, below);
	status = ask_json_if(c, method, path, body, args_get(c->args, "if-version"), &r);
	if (status == EXIT_WELL)
		status = out_object(c, &r);
	reply_free(&r);
	return status;
}

int client_tx_set(struct client *c)
{
	json_t *body = json_object();
	int status = body_fill(c, body, SET_ROWS);

	if (status != EXIT_WELL) {
		json_decref(body);
		return status;
	}
	json_object_set_new(body, "status", json_string(args_word(c->args, 1)));
	return change(c, "POST", args_has(c->args, "dry-run") ? "/status?dry_run=true" : "/status",
		      body);
}

int client_tx_update(struct client *c)
{
	json_t *body = json_object();
	int status = body_fill(c, body, UPDATE_ROWS);

	if (status == EXIT_WELL && json_object_size(body) == 0)
		status = client_fail(c, EXIT_USAGE, "nothing is to be changed");
	if (status == EXIT_WELL)
		return change(c, "PATCH", "", body);
	json_decref(body);
	return status;
}

int client_tx_poll(struct client *c)
{
	return change(c, "POST", "/poll", NULL);
}

int client_tx_pause(struct client *c)
{
	return change(c, "POST", "/pause", NULL);
}

int client_tx_resume(struct client *c)
{
	return change(c, "POST", "/resume", NULL);
}

/* ---- its events ---- */

int client_tx_history(struct client *c)
{
	struct buf path = {0};
	const char *id;
	int status = name_tx(c, args_word(c->args, 0), &id);

	if (status != EXIT_WELL)
		return status;
	buf_printf(&path, "/v1/transactions/%s/history", id);
	return out_list(c, &path, HISTORY_COLUMNS, true);
}
