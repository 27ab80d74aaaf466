/* name.c: see name.h. */
#include "command/client/name.h"

#include "base/id.h"
#include "base/str.h"

static bool is_id(const char *word, const char *prefix)
{
	txw_id id;

	return id_parse(str_of(word), prefix, &id);
}

bool name_tx_path(struct client *c, const char *word, struct buf *path)
{
	const char *slash = strchr(word, '/');

	if (is_id(word, "tx")) {
		buf_printf(path, "/v1/transactions/%s", word);
		return true;
	}
	if (!slash || slash == word || !slash[1]) {
		client_note(c, "`%s` names no transaction: its id does, tx_..., or FLOW/REF", word);
		return false;
	}
	buf_text(path, "/v1/transactions/by-ref/");
	path_part(path, arena_printf(&c->arena, "%.*s", (int)(slash - word), word));
	buf_char(path, '/');
	path_part(path, slash + 1);
	return true;
}

int name_tx(struct client *c, const char *word, const char **id)
{
	struct buf path = {0};
	struct reply r;
	int status = EXIT_USAGE;

	*id = word;
	if (is_id(word, "tx"))
		return EXIT_WELL;
	if (name_tx_path(c, word, &path)) {
		buf_char(&path, '\0');
		status = ask_get(c, path.ptr, &r);
		*id = arena_str(&c->arena, str_of(json_string_value(json_object_get(r.json, "id"))))
			  .ptr;
		if (status == EXIT_WELL && !is_id(*id ? *id : "", "tx"))
			status = client_fail(c, EXIT_FAILED, "the answer has no id");
		reply_free(&r);
	}
	buf_free(&path);
	return status;
}

struct match {
	const char *tenant; /* whose list; NULL: the asker's */
	const char *member;
	const char *word;
	const char *id;
	size_t n;
};

static void match_page(struct client *c, struct match *m, const json_t *data)
{
	const json_t *row;
	size_t i;

	json_array_foreach(data, i, row)
	{
		const char *value = json_string_value(json_object_get(row, m->member));
		const char *id = json_string_value(json_object_get(row, "id"));

		if (!value || !id || strcmp(value, m->word) != 0)
			continue;
		m->id = arena_str(&c->arena, str_of(id)).ptr;
		m->n++;
	}
}

/* Walks a list for the one row with that member. */
static int find_one(struct client *c, const char *list, struct match *m)
{
	const char *cursor = NULL;
	int status;

	do {
		struct buf path = {0};
		struct reply r;

		buf_text(&path, list);
		path_add(&path, "limit", "1000");
		path_add(&path, "tenant", m->tenant);
		path_add(&path, "cursor", cursor);
		buf_char(&path, '\0');
		status = ask_get(c, path.ptr, &r);
		match_page(c, m, json_object_get(r.json, "data"));
		cursor = json_string_value(json_object_get(r.json, "next"));
		cursor = cursor ? arena_str(&c->arena, str_of(cursor)).ptr : NULL;
		reply_free(&r);
		buf_free(&path);
	} while (status == EXIT_WELL && cursor);
	if (status != EXIT_WELL || m->n == 1)
		return status;
	if (m->n == 0)
		return client_fail(c, EXIT_NOT_FOUND, "there is none with the %s `%s`", m->member,
				   m->word);
	return client_fail(c, EXIT_USAGE, "%zu have the %s `%s`: give an id", m->n, m->member,
			   m->word);
}

static int by_member(struct client *c, const char *word, const char *prefix, const char *list,
		     const char *name, const char **id)
{
	struct match m = {.member = name, .word = word, .tenant = args_get(c->args, "tenant")};
	int status;

	*id = word;
	if (is_id(word, prefix))
		return EXIT_WELL;
	status = find_one(c, list, &m);
	*id = m.id;
	return status;
}

int name_sub(struct client *c, const char *word, const char **id)
{
	return by_member(c, word, "sub", "/v1/subscriptions", "target", id);
}

int name_token(struct client *c, const char *word, const char **id)
{
	return by_member(c, word, "tok", "/v1/tokens", "name", id);
}
