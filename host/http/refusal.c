/* refusal.c: the problems that are found before a handler sees a request. */
#include "base/str.h"
#include "http/inside.h"

struct refusal {
	int status;
	const char *type;
	const char *title;
	const char *detail;
};

static const struct refusal REFUSALS[] = {
    {MHD_HTTP_BAD_REQUEST, "malformed", "Malformed request",
     "The request's target or Content-Length is not well-formed."},
    {MHD_HTTP_CONTENT_TOO_LARGE, "too-large", "Body too large",
     "The body is longer than this route, or http.max-body, allows."},
    {MHD_HTTP_URI_TOO_LONG, "uri-too-long", "Target too long",
     "The request's target is longer than 6000 bytes."},
    {MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", "Headers too large",
     "The request's headers are longer than 10000 bytes."},
    {MHD_HTTP_NOT_IMPLEMENTED, "unknown-method", "Unknown method",
     "This server knows no such method."},
    {MHD_HTTP_SERVICE_UNAVAILABLE, "busy", "Too busy",
     "Too many bodies are being received at once; try again."},
};

void refusal_body(struct buf *out, int status, txw_str request_id)
{
	const struct refusal *row = &REFUSALS[0];
	for (size_t i = 0; i < sizeof(REFUSALS) / sizeof(REFUSALS[0]); i++) {
		if (REFUSALS[i].status == status)
			row = &REFUSALS[i];
	}
	json_open(out, '{');
	json_key(out, "type");
	buf_printf(out, "\"urn:txwatch:problem:%s\"", row->type);
	json_m_text(out, "title", row->title);
	json_m_int(out, "status", status);
	json_m_text(out, "detail", row->detail);
	json_m_str(out, "instance", request_id);
	json_close(out, '}');
}
