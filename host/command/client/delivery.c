/* delivery.c: what was sent where, and what came of it. */
#include "base/str.h"
#include "command/client/body.h"
#include "command/client/events.h"
#include "command/client/name.h"
#include "command/client/out.h"

static void cell_transaction(const json_t *row, struct buf *out)
{
	const json_t *tx = json_object_get(row, "transaction");

	if (!tx) {
		buf_char(out, '-');
		return;
	}
	print_value(out, json_object_get(tx, "flow"));
	buf_char(out, '/');
	print_value(out, json_object_get(tx, "ref"));
}

const struct column DELIVERY_COLUMNS[] = {
    {.title = "ID", .path = "id", .flags = COLUMN_WHOLE},
    {.title = "STATE", .path = "state", .tint = "state"},
    {.title = "TRIES", .path = "attempt_count", .flags = COLUMN_RIGHT},
    {.title = "EVENT", .path = "event.type"},
    {.title = "TRANSACTION", .cell = cell_transaction},
    {.title = "TARGET", .path = "target", .flags = COLUMN_SPARE},
    {.title = "STATUS", .path = "status", .flags = COLUMN_RIGHT | COLUMN_SPARE},
    {.title = "NEXT", .path = "next_attempt_at", .flags = COLUMN_WHOLE | COLUMN_SPARE},
    {.title = "UPDATED", .path = "updated_at", .flags = COLUMN_WHOLE | COLUMN_SPARE},
    {.title = "REASON", .path = "reason", .flags = COLUMN_SPARE},
    {.title = NULL},
};

int client_delivery_list(struct client *c)
{
	static const char *const names[] = {"state", "target", NULL};
	const char *sub = args_get(c->args, "subscription");
	const char *tx = args_get(c->args, "transaction");
	struct buf path = {0};
	int status = EXIT_WELL;

	if (sub)
		status = name_sub(c, sub, &sub);
	if (status == EXIT_WELL && tx)
		status = name_tx(c, tx, &tx);
	if (status != EXIT_WELL)
		return status;
	buf_text(&path, "/v1/deliveries");
	path_add(&path, "subscription", sub);
	path_add(&path, "transaction", tx);
	query_fill(c, &path, names);
	return out_list(c, &path, DELIVERY_COLUMNS, true);
}

static const char *path_of(struct client *c, const char *below)
{
	struct buf path = {0};
	const char *text;

	buf_text(&path, "/v1/deliveries/");
	path_part(&path, args_word(c->args, 0));
	text = arena_printf(&c->arena, "%.*s%s", STR_ARG(buf_view(&path)), below);
	buf_free(&path);
	return text;
}

int client_delivery_get(struct client *c)
{
	return out_get(c, path_of(c, ""));
}

int client_delivery_retry(struct client *c)
{
	return out_post(c, path_of(c, "/retry"), NULL);
}
