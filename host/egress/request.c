/*
 * request.c: checks a request and copies it into a transfer.
 *
 * What is copied cannot break out of its place: a method is letters, a header
 * name is a token (RFC 9110, 5.6.2), a value has no control characters, a URL
 * is one that libcurl parses. All texts of a request lie in one buffer.
 *
 * The URL may hold credentials, so it is never put into an error. [any]
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "egress/transfer.h"

#define MAX_METHOD  16
#define MAX_URL     ((size_t)16 * 1024)
#define MAX_HEADERS 100
#define MAX_HEAD    ((size_t)64 * 1024)

/* libcurl adds these of its own unless told otherwise. */
static const char *const SUPPRESSED[] = {"Content-Type", "Expect"};
#define N_SUPPRESSED (sizeof(SUPPRESSED) / sizeof(SUPPRESSED[0]))

/* The message's framing is libcurl's: a second opinion smuggles requests. */
static const char *const FRAMING[] = {
    "Content-Length", "Transfer-Encoding", "Expect", "Upgrade", "Trailer", "TE", "Connection"};

int32_t request_check_url(const char *url, CURLU **handle, struct err *err)
{
	int32_t rc = 0;
	char *scheme = NULL;
	CURLU *parts = curl_url();
	if (!parts)
		return err_set(err, TXW_E_NOMEM, "no memory to parse a URL");
	CURLUcode code = curl_url_set(parts, CURLUPART_URL, url, 0);
	if (code == CURLUE_OK)
		code = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
	if (code != CURLUE_OK)
		rc = err_set(err, TXW_E_INVALID, "the URL cannot be used: %s",
			     curl_url_strerror(code));
	else if (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0)
		rc = err_set(err, TXW_E_INVALID,
			     "the URL's scheme is %.20s: http or https is needed", scheme);
	curl_free(scheme);
	if (rc == 0 && handle)
		*handle = parts;
	else
		curl_url_cleanup(parts);
	return rc;
}

static bool is_token(txw_str s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				(c >= '0' && c <= '9');
		if (!is_alnum && (c == '\0' || !strchr(others, c)))
			return false;
	}
	return s.len > 0;
}

static bool is_field_value(txw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool names(txw_str name, const char *z)
{
	return name.len == strlen(z) && strncasecmp(name.ptr, z, name.len) == 0;
}

static int32_t check_header(const txw_http_header *h, struct err *err)
{
	if (!is_token(h->name))
		return err_set(err, TXW_E_INVALID, "a header's name is empty or not a token");
	if (!is_field_value(h->value))
		return err_set(err, TXW_E_INVALID,
			       "the header %.*s has a control character in its value",
			       STR_ARG(h->name));
	for (size_t i = 0; i < sizeof(FRAMING) / sizeof(FRAMING[0]); i++)
		if (names(h->name, FRAMING[i]))
			return err_set(err, TXW_E_INVALID, "the header %s is set by the host alone",
				       FRAMING[i]);
	return 0;
}

static int32_t check(const txw_http_request *r, size_t *head_bytes, struct err *err)
{
	if (r->method.len == 0 || r->method.len > MAX_METHOD)
		return err_set(err, TXW_E_INVALID, "the method is empty or too long");
	for (size_t i = 0; i < r->method.len; i++)
		if (r->method.ptr[i] < 'A' || r->method.ptr[i] > 'Z')
			return err_set(err, TXW_E_INVALID,
				       "the method has other than upper case letters");
	if (r->url.len == 0 || r->url.len > MAX_URL || memchr(r->url.ptr, '\0', r->url.len))
		return err_set(err, TXW_E_INVALID, "the URL is empty, too long or has a NUL in it");
	if (r->timeout <= 0 || r->body_cap < 0)
		return err_set(err, TXW_E_INVALID,
			       "timeout must be above 0 and body_cap not below");
	if (r->n_headers > MAX_HEADERS)
		return err_set(err, TXW_E_INVALID, "%u headers are more than %d", r->n_headers,
			       MAX_HEADERS);
	for (uint32_t i = 0; i < r->n_headers; i++) {
		int32_t rc = check_header(&r->headers[i], err);
		if (rc < 0)
			return rc;
		*head_bytes += r->headers[i].name.len + r->headers[i].value.len + 3;
	}
	if (*head_bytes > MAX_HEAD)
		return err_set(err, TXW_E_INVALID, "the headers are longer than 64 KB");
	return 0;
}

static const char *keep(struct buf *text, const void *bytes, size_t len)
{
	size_t at = text->len;
	buf_add(text, bytes, len);
	buf_char(text, '\0');
	return text->ptr + at;
}

/* "Name: value"; libcurl wants "Name;" for an empty one, and takes "Name:"
 * to leave a header out. */
static void add_line(struct transfer *t, txw_str name, txw_str value, const char *between)
{
	size_t at = t->text.len;
	buf_str(&t->text, name);
	buf_text(&t->text, between);
	buf_str(&t->text, value);
	buf_char(&t->text, '\0');
	t->lines[t->n_lines].data = t->text.ptr + at;
	t->lines[t->n_lines++].next = NULL;
	if (t->n_lines > 1)
		t->lines[t->n_lines - 2].next = &t->lines[t->n_lines - 1];
}

static void copy_lines(struct transfer *t, const txw_http_request *r)
{
	size_t most = r->n_headers + N_SUPPRESSED;
	if (t->cap_lines < most) {
		t->lines = xrealloc(t->lines, most * sizeof(*t->lines));
		t->cap_lines = most;
	}
	t->n_lines = 0;
	bool has_type = false;
	for (uint32_t i = 0; i < r->n_headers; i++) {
		const txw_http_header *h = &r->headers[i];
		has_type = has_type || names(h->name, SUPPRESSED[0]);
		add_line(t, h->name, h->value, h->value.len ? ": " : ";");
	}
	for (size_t i = has_type ? 1 : 0; i < N_SUPPRESSED; i++)
		add_line(t, str_of(SUPPRESSED[i]), STR_NONE, ":");
}

int32_t request_copy(struct transfer *t, const txw_http_request *request, struct err *err)
{
	/* A plugin may know fewer fields than this host. */
	txw_http_request r = {0};
	memcpy(&r, request, request->size < sizeof(r) ? request->size : sizeof(r));

	size_t head_bytes = 0;
	int32_t rc = check(&r, &head_bytes, err);
	if (rc < 0)
		return rc;

	/* The URL of the request before was found sound: parsing it again is most
	 * of what a start costs. */
	bool is_known = t->url_len && t->url_len == r.url.len &&
			memcmp(t->url, r.url.ptr, r.url.len) == 0;

	/* Reserved at once, so that the pointers into it stay. */
	t->text.len = t->url_len = 0;
	buf_reserve(&t->text, r.url.len + r.method.len + head_bytes + r.body.len + 64);
	t->url = keep(&t->text, r.url.ptr, r.url.len);
	rc = is_known ? 0 : request_check_url(t->url, NULL, err);
	if (rc < 0)
		return rc;
	t->url_len = r.url.len;
	t->method = keep(&t->text, r.method.ptr, r.method.len);
	copy_lines(t, &r);
	t->body = keep(&t->text, r.body.ptr, r.body.len);
	t->body_len = r.body.len;
	t->timeout = r.timeout;
	t->body_cap = (size_t)r.body_cap;
	t->stop_at_cap = r.stop_at_cap != 0;
	return 0;
}
