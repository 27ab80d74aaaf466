/* body.c: an event as the body of a webhook. Pure. */
#include "body.h"

#include <string.h>

static const struct {
	const char *name;
	const char *type;
} FORMATS[FORMAT_COUNT] = {
    [FORMAT_STANDARD] = {"standard", "application/json"},
    [FORMAT_CLOUDEVENTS] = {"cloudevents", "application/cloudevents+json"},
};

#define TYPE_NAME(sym, num, name, help) [num] = (name),
static const char *const TYPES[TXW_EV_MAX] = {TXW_EVENT_TYPES(TYPE_NAME)};
#undef TYPE_NAME

uint32_t format_parse(txw_str name)
{
	uint32_t i = 0;
	while (i < FORMAT_COUNT && (strlen(FORMATS[i].name) != name.len ||
				    memcmp(FORMATS[i].name, name.ptr, name.len) != 0))
		i++;
	return i;
}

const char *format_type(uint32_t format)
{
	return FORMATS[format].type;
}

/* A host may be newer than this plugin and know more types. */
static const char *type_name(uint32_t type)
{
	return type < TXW_EV_MAX && TYPES[type] ? TYPES[type] : "txwatch.unknown";
}

static void standard(struct text *out, const txw_event *event)
{
	text_z(out, "{\"type\":\"");
	text_z(out, type_name(event->type));
	text_z(out, "\",\"timestamp\":\"");
	text_time(out, event->at);
	text_z(out, "\"");
}

static void cloudevents(struct text *out, const txw_event *event, txw_str id, txw_str source)
{
	text_z(out, "{\"specversion\":\"1.0\",\"id\":");
	text_json(out, id);
	text_z(out, ",\"source\":");
	text_json(out, source);
	text_z(out, ",\"type\":\"");
	text_z(out, type_name(event->type));
	text_z(out, "\",\"time\":\"");
	text_time(out, event->at);
	if (event->tx) {
		text_z(out, "\",\"subject\":\"");
		text_typeid(out, "tx", event->tx->id);
	}
	text_z(out, "\",\"datacontenttype\":\"application/json\"");
}

void body_print(struct text *out, uint32_t format, const txw_event *event, txw_str id,
		txw_str source)
{
	if (format == FORMAT_CLOUDEVENTS)
		cloudevents(out, event, id, source);
	else
		standard(out, event);
	text_z(out, ",\"data\":");
	if (event->json.len)
		text_str(out, event->json);
	else
		text_z(out, "null");
	text_z(out, "}");
}
