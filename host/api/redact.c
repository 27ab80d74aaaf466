/* redact.c: what a job's document keeps of what was asked for. */
#include "engine/redact.h"
#include "api/handlers.h"
#include "api/write.h"

/* Not known yet which flows the job will meet: the pointers of all count. */
static bool redact_member(struct call *c, json_t *object, const char *name)
{
	const struct flows *flows = c->api->site->flows;
	const json_t *value = json_object_get(object, name);
	struct input in = {.arena = c->arena};
	txw_str was, text;
	if (!value || json_is_null(value))
		return true;
	bool is_good = input_print(&in, name, value, &was);
	input_end(&in);
	if (!is_good)
		return false;
	text = was;
	for (size_t i = 0; i < flows->n; i++)
		text = redact_json(flows->entries[i].redact, c->arena, text);
	if (text.ptr == was.ptr)
		return true;
	json_t *kept = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL);
	return kept && json_object_set_new(object, name, kept) == 0;
}

bool redact_members(struct call *c, json_t *object)
{
	return redact_member(c, object, "detail") && redact_member(c, object, "attributes");
}
