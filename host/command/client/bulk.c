/* bulk.c: what is done to many transactions as a job: `txwatch tx bulk`, one
 * thing to all that a filter holds for, and `txwatch tx purge`. */
#include "base/str.h"
#include "command/client/body.h"
#include "command/client/job.h"
#include "command/client/out.h"

static const struct body_row STATUS_ROWS[] = {
    {"reason", NULL, BODY_TEXT},
    {"code", NULL, BODY_TEXT},
    {"detail", NULL, BODY_JSON},
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

/* Options of another action would be silently without effect. */
static int refuse_others(struct client *c, const char *action, const struct body_row *others)
{
	for (; others->option; others++)
		if (args_has(c->args, others->option))
			return client_fail(c, EXIT_USAGE, "--%s is nothing of `%s`", others->option,
					   action);
	return EXIT_WELL;
}

static int fill(struct client *c, const char *action, json_t *members)
{
	const char *status = args_word(c->args, 1);
	bool is_set = strcmp(action, "set") == 0, is_update = strcmp(action, "update") == 0;
	int rc = EXIT_WELL;

	if (is_set && !status)
		return client_fail(c, EXIT_USAGE, "set needs a STATUS");
	if (!is_set && status)
		return client_fail(c, EXIT_USAGE, "`%s` is one word too many", status);
	if (!is_set)
		rc = refuse_others(c, action, STATUS_ROWS);
	if (rc == EXIT_WELL && !is_update)
		rc = refuse_others(c, action, UPDATE_ROWS);
	if (rc == EXIT_WELL && is_set)
		json_object_set_new(members, "status", json_string(status));
	if (rc == EXIT_WELL && (is_set || is_update))
		rc = body_fill(c, members, is_set ? STATUS_ROWS : UPDATE_ROWS);
	return rc;
}

static int begin(struct client *c, const char *path, json_t *body)
{
	const char *id;
	struct reply r;
	int status = ask_json(c, "POST", path, body, &r);

	if (status == EXIT_WELL && !args_has(c->args, "wait"))
		status = out_object(c, &r);
	else if (status == EXIT_WELL &&
		 (id = json_string_value(json_object_get(r.json, "id"))) != NULL)
		status = job_wait(c, id);
	else if (status == EXIT_WELL)
		status = client_fail(c, EXIT_FAILED, "the answer has no id");
	reply_free(&r);
	return status;
}

int client_tx_bulk(struct client *c)
{
	const char *action = args_word(c->args, 0), *filter = args_get(c->args, "filter");
	const char *member = strcmp(action, "set") == 0 ? "status" : action;
	json_t *members, *body;
	int status;

	if (!filter)
		return client_fail(c, EXIT_USAGE,
				   "--filter is needed; an empty one is all there is");
	members = json_object();
	body = json_pack("{s:s, s:{s:o}}", "filter", filter, "action", member, members);
	if (!body)
		return client_fail(c, EXIT_USAGE, "the filter is not UTF-8");
	if (args_has(c->args, "dry-run"))
		json_object_set_new(body, "dry_run", json_true());
	status = fill(c, action, members);
	if (status == EXIT_WELL)
		return begin(c, "/v1/transactions:bulk", body);
	json_decref(body);
	return status;
}

int client_tx_purge(struct client *c)
{
	static const struct body_row rows[] = {
	    {"finished-before", "finished_before", BODY_TEXT},
	    {"flow", NULL, BODY_TEXT},
	    {"outcome", NULL, BODY_TEXT},
	    {"dry-run", "dry_run", BODY_TRUE},
	    {NULL, NULL, BODY_TEXT},
	};
	json_t *body = json_object();
	int status = EXIT_WELL;

	if (!args_has(c->args, "finished-before"))
		status = client_fail(c, EXIT_USAGE, "--finished-before is needed");
	if (status == EXIT_WELL)
		status = body_fill(c, body, rows);
	if (status == EXIT_WELL)
		return begin(c, "/v1/transactions:purge", body);
	json_decref(body);
	return status;
}
