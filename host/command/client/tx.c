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

/* The list's path with what chooses rows. */
static void add_query(const struct client *c, struct buf *path)
{
	static const char *const names[] = {"flow", "status", "outcome", "owner",
					    "ref",  "filter", "order",   NULL};

	buf_text(path, "/v1/transactions");
	query_fill(c, path, names);
	path_add(path, "q", args_get(c->args, "text"));
	path_add(path, "order_by", args_get(c->args, "order-by"));
}

/* A column for each of the names, which the commas part. */
static void fields_columns(struct client *c, const char *names, struct column *out)
{
	char *at = arena_printf(&c->arena, "%s", names), *name;
	size_t n = 0;

	while ((name = strsep(&at, ", ")) && n + 1 < PRINT_COLUMNS_MAX)
		if (*name)
			out[n++] = (struct column){.title = name, .path = name};
}

int client_tx_list(struct client *c)
{
	struct column columns[PRINT_COLUMNS_MAX] = {{0}};
	const char *fields = args_get(c->args, "fields");
	struct buf path = {0};

	if (fields)
		fields_columns(c, fields, columns);
	add_query(c, &path);
	path_add(&path, "fields", fields);
	return out_list(c, &path, fields ? columns : COLUMNS, true);
}

/* A row for each value of the facets asked for. */
static void add_facets(struct rows *rows, const json_t *facets)
{
	const char *name;
	json_t *values, *one;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)facets, name, values)
	{
		json_array_foreach(values, i, one)
		{
			json_t *row = json_pack("{s:s, s:O, s:O}", "by", name, "value",
						json_object_get(one, "value"), "count",
						json_object_get(one, "count"));

			if (row)
				rows_add(rows, row);
			json_decref(row);
		}
	}
}

static void print_total(struct client *c, const json_t *answer)
{
	bool is_least = json_is_true(json_object_get(answer, "total_is_at_least"));
	long long total = (long long)json_integer_value(json_object_get(answer, "total"));

	if (c->is_json)
		printf("{\"total\":%lld%s}\n", total,
		       is_least ? ",\"total_is_at_least\":true" : "");
	else
		printf("%s%lld\n", is_least ? ">= " : "", total);
}

static void print_facets(struct client *c, const json_t *facets)
{
	static const struct column columns[] = {
	    {.title = "BY", .path = "by"},
	    {.title = "VALUE", .path = "value"},
	    {.title = "COUNT", .path = "count", .flags = COLUMN_RIGHT},
	    {.title = NULL},
	};
	struct rows rows;

	rows_open(&rows, c, columns);
	add_facets(&rows, facets);
	rows_flush(&rows);
	rows_close(&rows);
}

int client_tx_count(struct client *c)
{
	const char *by = args_get(c->args, "by");
	struct buf path = {0};
	struct reply r;
	int status;

	add_query(c, &path);
	path_add(&path, "limit", "1");
	path_add(&path, by ? "facets" : "count", by ? by : "true");
	buf_char(&path, '\0');
	status = ask_get(c, path.ptr, &r);
	if (status == EXIT_WELL && by)
		print_facets(c, json_object_get(r.json, "facets"));
	else if (status == EXIT_WELL)
		print_total(c, r.json);
	reply_free(&r);
	buf_free(&path);
	return status;
}

/* What was asked for beside the transaction: a list below, with its columns. */
static void show_list(struct client *c, const json_t *tx, const char *name,
		      const struct column *columns)
{
	const json_t *list = json_object_get(json_object_get(tx, name), "data"), *row;
	struct rows rows;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	rows_open(&rows, c, columns);
	buf_printf(&rows.out, "\n%s:\n", name);
	json_array_foreach((json_t *)(uintptr_t)list, i, row)
	{
		rows_add(&rows, row);
	}
	rows_flush(&rows);
	rows_close(&rows);
}

static int show_expanded(struct client *c, const char *path)
{
	struct reply r;
	int status = ask_get(c, path, &r);

	if (status == EXIT_WELL && c->is_json) {
		out_object(c, &r);
	} else if (status == EXIT_WELL) {
		struct reply alone = {.json = json_copy(r.json)};

		json_object_del(alone.json, "history");
		json_object_del(alone.json, "deliveries");
		out_object(c, &alone);
		json_decref(alone.json);
		show_list(c, r.json, "history", HISTORY_COLUMNS);
		show_list(c, r.json, "deliveries", DELIVERY_COLUMNS);
	}
	reply_free(&r);
	return status;
}

int client_tx_get(struct client *c)
{
	const char *expand = args_get(c->args, "expand");
	struct buf path = {0};
	int status = EXIT_USAGE;

	if (name_tx_path(c, args_word(c->args, 0), &path)) {
		path_add(&path, "at", args_get(c->args, "at"));
		path_add(&path, "expand", expand);
		buf_char(&path, '\0');
		status = expand ? show_expanded(c, path.ptr) : out_get(c, path.ptr);
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
    {"hold", "legal_hold", BODY_TRUE},
    {"release", "legal_hold", BODY_FALSE},
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
