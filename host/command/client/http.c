/*
 * http.c: one request by libcurl's blocking handle.
 *
 * The connection is kept for the next request. Certificates are always
 * verified, redirects never followed (a token goes only where it was meant
 * to), and what a header holds can begin no other header.
 */
#include <curl/curl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "command/client/ask.h"

#define CONNECT_TIMEOUT_MS 5000L
#define STALL_SECONDS      120L /* a stream that moves nothing for so long is dead */

struct transfer {
	struct client *client;
	const struct ask *ask;
	struct reply *reply;
	CURL *curl;
	struct arena arena; /* of this request alone: a tail asks for months */
	struct curl_slist *headers;
	int64_t sent; /* bytes of the upload */
	bool is_too_long;
	bool is_stopped; /* by the one who takes it */
};

static bool is_good(long status)
{
	return status >= 200 && status < 300;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;

	(void)size;
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->reply->status);
	if (t->ask->take && is_good(t->reply->status)) {
		if (t->ask->take(t->ask->ctx, bytes, n))
			return n;
		t->is_stopped = true;
		return 0;
	}
	if (t->reply->body.len + n > ASK_ANSWER_MAX) {
		t->is_too_long = true;
		return 0;
	}
	buf_add(&t->reply->body, bytes, n);
	return n;
}

/* The value of a header's line, if it is that header. */
static bool header_is(txw_str line, const char *name, txw_str *value)
{
	size_t len = strlen(name);

	if (line.len <= len || strncasecmp(line.ptr, name, len) != 0 || line.ptr[len] != ':')
		return false;
	*value = (txw_str){line.ptr + len + 1, line.len - len - 1};
	while (value->len && strchr(" \t\r\n", value->ptr[value->len - 1]))
		value->len--;
	while (value->len && (*value->ptr == ' ' || *value->ptr == '\t')) {
		value->ptr++;
		value->len--;
	}
	return true;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *ctx)
{
	struct reply *r = ctx;
	txw_str value;

	(void)size;
	if (header_is((txw_str){bytes, n}, "Retry-After", &value)) {
		if (!str_int(value, &r->wait) || r->wait < 0)
			r->wait = -1;
	} else if (header_is((txw_str){bytes, n}, "ETag", &value) && value.len < sizeof(r->etag)) {
		memcpy(r->etag, value.ptr, value.len);
		r->etag[value.len] = '\0';
	}
	return n;
}

static size_t on_upload(char *out, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t got = fread(out, size, n, t->ask->upload);

	if (got == 0 && ferror(t->ask->upload))
		return CURL_READFUNC_ABORT;
	t->sent += (int64_t)got;
	if (t->ask->sent)
		t->ask->sent(t->ask->ctx, t->sent);
	return got;
}

static void add_header(struct transfer *t, const char *name, const char *value)
{
	const char *line;

	if (!value)
		return;
	line = arena_printf(&t->arena, "%s: %s", name, value);
	t->headers = curl_slist_append(t->headers, line);
}

static void set_headers(struct transfer *t, const char *key)
{
	const struct ask *a = t->ask;

	if (t->client->token)
		add_header(t, "Authorization",
			   arena_printf(&t->arena, "Bearer %s", t->client->token));
	if (a->body.len || a->upload)
		add_header(t, "Content-Type", a->type ? a->type : "application/json");
	add_header(t, "Idempotency-Key", key);
	add_header(t, "If-Match", a->if_match);
	curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->headers);
}

static void set_body(struct transfer *t)
{
	const struct ask *a = t->ask;

	if (strcmp(a->method, "GET") != 0)
		curl_easy_setopt(t->curl, CURLOPT_CUSTOMREQUEST, a->method);
	if (a->upload) {
		curl_easy_setopt(t->curl, CURLOPT_POST, 1L);
		curl_easy_setopt(t->curl, CURLOPT_READFUNCTION, on_upload);
		curl_easy_setopt(t->curl, CURLOPT_READDATA, t);
		if (a->size >= 0)
			curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)a->size);
		else /* length not known: chunked */
			t->headers = curl_slist_append(t->headers, "Transfer-Encoding: chunked");
	} else if (strcmp(a->method, "POST") == 0 || a->body.len) {
		curl_easy_setopt(t->curl, CURLOPT_POSTFIELDS, a->body.len ? a->body.ptr : "");
		curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)a->body.len);
	}
}

/* A host on this machine is never behind a proxy. */
static bool is_loopback(const char *url)
{
	static const char *const names[] = {"127.", "localhost", "[::1]"};
	const char *host = strstr(url, "://");

	for (size_t i = 0; host && i < sizeof(names) / sizeof(names[0]); i++)
		if (strncasecmp(host + 3, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void set_options(struct transfer *t)
{
	struct client *c = t->client;
	const struct ask *a = t->ask;

	curl_easy_setopt(t->curl, CURLOPT_URL, arena_printf(&t->arena, "%s%s", c->url, a->path));
	curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(t->curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(t->curl, CURLOPT_USERAGENT, "txwatch/" TXW_VERSION);
	curl_easy_setopt(t->curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, c->why);
	curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(t->curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(t->curl, CURLOPT_HEADERDATA, t->reply);
	curl_easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	if (is_loopback(c->url))
		curl_easy_setopt(t->curl, CURLOPT_NOPROXY, "*");
	if (c->ca_file)
		curl_easy_setopt(t->curl, CURLOPT_CAINFO, c->ca_file);
	if (a->is_stream) {
		curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	} else {
		curl_easy_setopt(t->curl, CURLOPT_TIMEOUT_MS,
				 (long)((c->timeout + a->patience) / MILLISECOND));
	}
}

static const char *reason(const struct transfer *t, CURLcode code)
{
	if (t->is_too_long)
		return "its answer is longer than 64 MB";
	return *t->client->why ? t->client->why : curl_easy_strerror(code);
}

static void perform(struct transfer *t)
{
	struct reply *r = t->reply;
	CURLcode code;

	t->client->why[0] = '\0';
	code = curl_easy_perform(t->curl);
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &r->status);
	if (code == CURLE_OK || t->is_stopped)
		return;
	/* What was refused early is an answer, though the rest could not be
	 * sent; what broke off is none. */
	if (r->status >= 400 && t->ask->upload &&
	    (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR))
		return;
	r->is_broken = code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
		       code == CURLE_SEND_ERROR || code == CURLE_PARTIAL_FILE;
	r->status = 0;
	err_set(&r->err, TXW_E_IO, "%s: %s", t->client->url, reason(t, code));
}

void http_send(struct client *c, const struct ask *a, const char *key, struct reply *r)
{
	struct transfer t = {.client = c, .ask = a, .reply = r};

	*r = (struct reply){.wait = -1};
	if (!c->curl)
		c->curl = curl_easy_init();
	t.curl = c->curl;
	if (!t.curl) {
		err_set(&r->err, TXW_E_NOMEM, "libcurl cannot be set up");
		return;
	}
	curl_easy_reset(t.curl);
	set_options(&t);
	set_body(&t);
	set_headers(&t, key);
	perform(&t);
	curl_slist_free_all(t.headers);
	arena_free(&t.arena);
	if (r->body.len)
		r->json = json_loadb(r->body.ptr, r->body.len, JSON_DECODE_ANY, NULL);
}

void http_close(struct client *c)
{
	if (c->curl)
		curl_easy_cleanup(c->curl);
	c->curl = NULL;
}
