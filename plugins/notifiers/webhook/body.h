/* body.h: an event as the body of a webhook. */
#ifndef WEBHOOK_BODY_H
#define WEBHOOK_BODY_H

#include "text.h"
#include "txwatch/event.h"

#define FORMAT_STANDARD    0u /* Standard Webhooks: {"type","timestamp","data"} */
#define FORMAT_CLOUDEVENTS 1u /* CloudEvents 1.0, structured JSON */
#define FORMAT_COUNT       2u

/* "standard", "cloudevents"; FORMAT_COUNT: neither. */
uint32_t format_parse(txw_str name);
/* The body's media type. */
const char *format_type(uint32_t format);

/* Appends the body. id is the event's as text; source names the sender in
 * CloudEvents. The event's own JSON goes in as it is. */
void body_print(struct text *out, uint32_t format, const txw_event *event, txw_str id,
		txw_str source);

#endif
