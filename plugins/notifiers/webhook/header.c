/*
 * header.c: which headers a site or a target may add to its webhooks.
 *
 * Those that carry the signature, the body's type or the message's framing are
 * not theirs to set. Pure.
 */
#include "header.h"

#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN  128
#define VALUE_MAX_LEN 4096

static const char *const RESERVED[] = {
    "content-type", "content-length", "host",    "transfer-encoding", "connection", "expect",
    "te",           "trailer",        "upgrade", "keep-alive",
};

static int is_named(txw_str name, const char *z)
{
	return name.len == strlen(z) && strncasecmp(name.ptr, z, name.len) == 0;
}

/* RFC 9110, section 5.6.2 */
static int is_token(txw_str s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		int is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			       (c >= '0' && c <= '9');
		if (!is_alnum && (c == '\0' || !strchr(others, c)))
			return 0;
	}
	return s.len > 0;
}

const char *header_refused(txw_str name, txw_str value)
{
	static const char own[] = "webhook-";
	if (!is_token(name) || name.len > NAME_MAX_LEN)
		return "a header's name is a token of at most 128 characters";
	if (name.len >= sizeof(own) - 1 && strncasecmp(name.ptr, own, sizeof(own) - 1) == 0)
		return "headers that begin with webhook- are the signature's own";
	for (size_t i = 0; i < sizeof(RESERVED) / sizeof(RESERVED[0]); i++)
		if (is_named(name, RESERVED[i]))
			return "content-type, host and the headers of framing cannot be set";
	if (value.len > VALUE_MAX_LEN)
		return "a header's value is at most 4 KB long";
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "a header's value has no control characters";
	}
	return NULL;
}

const char *headers_put(struct headers *h, txw_str name, txw_str value)
{
	const char *why = header_refused(name, value);
	if (why)
		return why;
	size_t i = 0;
	while (i < h->n && (h->list[i].name.len != name.len ||
			    strncasecmp(h->list[i].name.ptr, name.ptr, name.len) != 0))
		i++;
	if (i == HEADERS_MAX)
		return "more than 50 headers";
	h->list[i] = (txw_http_header){name, value};
	if (i == h->n)
		h->n++;
	return NULL;
}

const char *header_split(txw_str line, txw_str *name, txw_str *value)
{
	const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
	if (!colon)
		return "a header is written \"Name: value\"";
	const char *from = colon + 1, *end = line.ptr + line.len;
	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*name = (txw_str){line.ptr, (size_t)(colon - line.ptr)};
	*value = (txw_str){from < end ? from : NULL, (size_t)(end - from)};
	return header_refused(*name, *value);
}
