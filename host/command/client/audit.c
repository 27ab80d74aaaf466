/* audit.c: who did what. */
#include "command/client/body.h"
#include "command/client/out.h"

static const struct column COLUMNS[] = {
    {.title = "AT", .path = "at", .flags = COLUMN_WHOLE},
    {.title = "ACTOR", .path = "actor"},
    {.title = "ACTION", .path = "action"},
    {.title = "OBJECT", .path = "object"},
    {.title = "DETAIL", .path = "detail", .flags = COLUMN_SPARE},
    {.title = "ID", .path = "id", .flags = COLUMN_WHOLE | COLUMN_SPARE},
    {.title = NULL},
};

int client_audit_list(struct client *c)
{
	static const char *const names[] = {"actor", "action", "object", "from", "to", NULL};
	struct buf path = {0};

	buf_text(&path, "/v1/audit");
	query_fill(c, &path, names);
	return out_list(c, &path, COLUMNS, true);
}
