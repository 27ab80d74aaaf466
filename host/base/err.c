/* err.c: errors with their text; see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int32_t err_set(struct err *e, int32_t code, const char *fmt, ...)
{
	if (!e)
		return code;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	e->code = code;
	return code;
}

int32_t err_prefix(struct err *e, const char *fmt, ...)
{
	if (!e)
		return TXW_E_INVALID;
	char head[sizeof(e->text)];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(head, sizeof(head), fmt, ap);
	va_end(ap);
	if (n < 0)
		return e->code;
	size_t len = (size_t)n < sizeof(head) ? (size_t)n : sizeof(head) - 1;
	size_t tail = strlen(e->text);
	if (tail > sizeof(e->text) - 1 - len)
		tail = sizeof(e->text) - 1 - len;
	memmove(e->text + len, e->text, tail);
	memcpy(e->text, head, len);
	e->text[len + tail] = '\0';
	return e->code;
}

int32_t err_from_plugin(struct err *e, int32_t rc, const txw_error *from)
{
	if (rc >= 0)
		return rc;
	if (from && from->text.len)
		return err_set(e, rc, "%.*s", (int)from->text.len, from->text.ptr);
	return err_set(e, rc, "%s", err_name(rc));
}

const char *err_name(int32_t code)
{
	static const char *const names[] = {
	    "no error",
	    "invalid input",
	    "out of memory",
	    "input/output error",
	    "no space left on the device",
	    "busy: try again later",
	    "stored data is damaged",
	    "no such thing",
	    "exists already",
	    "not supported",
	    "cancelled",
	    "timed out",
	    "refused by policy",
	    "incompatible version",
	};
	int32_t i = -code;
	if (i < 0 || (size_t)i >= sizeof(names) / sizeof(names[0]))
		return "unknown error";
	return names[i];
}
