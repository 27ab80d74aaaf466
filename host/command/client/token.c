/* token.c: the API's tokens. (A token for a site's file is made without a
 * host: command/token.c.) */
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "command/client/body.h"
#include "command/client/name.h"
#include "command/client/out.h"

static const struct column COLUMNS[] = {
    {.title = "NAME", .path = "name"},
    {.title = "ID", .path = "id", .flags = COLUMN_WHOLE},
    {.title = "SCOPES", .path = "scopes"},
    {.title = "LAST USED", .path = "last_used_at", .flags = COLUMN_WHOLE},
    {.title = "EXPIRES", .path = "expires_at", .flags = COLUMN_WHOLE},
    {.title = "CREATED", .path = "created_at", .flags = COLUMN_WHOLE | COLUMN_SPARE},
    {.title = "CREATED BY", .path = "created_by", .flags = COLUMN_SPARE},
    {.title = NULL},
};
static const struct body_row ROWS[] = {
    {"scope", "scopes", BODY_LIST},
    {"tenant", NULL, BODY_TEXT},
    {NULL, NULL, BODY_TEXT},
};

int client_token_list(struct client *c)
{
	struct buf path = {0};

	buf_text(&path, "/v1/tokens");
	path_add(&path, "tenant", args_get(c->args, "tenant"));
	return out_list(c, &path, COLUMNS, true);
}

static json_t *new_token(const struct client *c)
{
	const char *expires = args_get(c->args, "expires");
	json_t *body = json_pack("{s:s}", "name", args_word(c->args, 0));
	txw_time at;

	if (body && expires)
		json_object_set_new(body,
				    time_parse(str_of(expires), &at) ? "expires_at" : "expires_in",
				    json_string(expires));
	if (body && !args_has(c->args, "scope"))
		json_object_set_new(body, "scopes", json_pack("[s]", "read"));
	return body;
}

int client_token_create(struct client *c)
{
	json_t *body = new_token(c);
	struct reply r;
	int status;

	if (!body)
		return client_fail(c, EXIT_USAGE, "the name is not UTF-8");
	status = body_fill(c, body, ROWS);
	if (status != EXIT_WELL) {
		json_decref(body);
		return status;
	}
	status = ask_json(c, "POST", "/v1/tokens", body, &r);
	if (status == EXIT_WELL) {
		out_object(c, &r);
		if (isatty(STDERR_FILENO) == 1)
			client_note(c, "the token is shown this once");
	}
	reply_free(&r);
	return status;
}

int client_token_revoke(struct client *c)
{
	struct buf path = {0};
	const char *id;
	struct reply r;
	int status = name_token(c, args_word(c->args, 0), &id);

	if (status != EXIT_WELL)
		return status;
	buf_printf(&path, "/v1/tokens/%s", id);
	path_add(&path, "tenant", args_get(c->args, "tenant"));
	buf_char(&path, '\0');
	status = ask_json(c, "DELETE", path.ptr, NULL, &r);
	reply_free(&r);
	buf_free(&path);
	return status;
}
