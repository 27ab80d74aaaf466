/* body.c: see body.h. */
#include "command/client/body.h"

#include "base/str.h"
#include "command/client/ask.h"

static int take_json(struct client *c, const struct body_row *row, const char *value, json_t **out)
{
	json_error_t e;

	*out = json_loads(value, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &e);
	if (*out)
		return EXIT_WELL;
	return client_fail(c, EXIT_USAGE, "--%s takes JSON: %s, at character %d", row->option,
			   e.text, e.position);
}

static json_t *list_of(const struct client *c, const char *option)
{
	json_t *list = json_array();
	const char *value;

	for (size_t at = 0; (value = args_next(c->args, option, &at)) != NULL;)
		json_array_append_new(list, json_string(value));
	return list;
}

static int take_pairs(struct client *c, const char *option, json_t **out)
{
	const char *value;

	*out = json_object();
	for (size_t at = 0; (value = args_next(c->args, option, &at)) != NULL;) {
		const char *colon = strchr(value, ':');

		if (!colon || colon == value)
			return client_fail(c, EXIT_USAGE, "--%s takes `NAME: VALUE`, found `%s`",
					   option, value);
		json_object_setn_new(*out, value, (size_t)(colon - value),
				     json_string(colon + 1 + strspn(colon + 1, " ")));
	}
	return EXIT_WELL;
}

static int take_member(struct client *c, const struct body_row *row, const char *value,
		       json_t **out)
{
	switch (row->kind) {
	case BODY_JSON:
		return take_json(c, row, value, out);
	case BODY_PAIRS:
		return take_pairs(c, row->option, out);
	case BODY_LIST:
		*out = list_of(c, row->option);
		return EXIT_WELL;
	case BODY_NUMBER:
		*out = json_integer(args_number(c->args, row->option, 0));
		return EXIT_WELL;
	case BODY_TRUE:
	case BODY_FALSE:
		*out = json_boolean(row->kind == BODY_TRUE);
		return EXIT_WELL;
	case BODY_CLEARED:
		*out = *value ? json_string(value) : json_null();
		break;
	default:
		*out = json_string(value);
		break;
	}
	if (*out)
		return EXIT_WELL;
	return client_fail(c, EXIT_USAGE, "--%s is not UTF-8", row->option);
}

int body_fill(struct client *c, json_t *body, const struct body_row *rows)
{
	for (; rows->option; rows++) {
		const char *value = args_get(c->args, rows->option);
		json_t *member = NULL;
		int status;

		if (!value)
			continue;
		status = take_member(c, rows, value, &member);
		if (status != EXIT_WELL) {
			json_decref(member);
			return status;
		}
		json_object_set_new(body, rows->member ? rows->member : rows->option, member);
	}
	return EXIT_WELL;
}

void query_fill(const struct client *c, struct buf *path, const char *const *names)
{
	for (; *names; names++)
		path_add(path, *names, args_get(c->args, *names));
}
