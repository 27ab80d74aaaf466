/*
 * transfer.c: one request as libcurl carries it: options, callbacks, result.
 *
 * The easy handle stays with its transfer: what never changes is set once,
 * the rest only when it differs from the request before. libcurl's own time
 * limits are not used; the connect timeout is the request's, so that of
 * several addresses the first cannot use up all the time.
 *
 * An answer beyond its cap: what arrived with it is read and thrown away, up
 * to DRAIN bytes, so that a small surplus does not cost the connection; then
 * the transfer ends (pool.c) without waiting for more.
 *
 * Runs on the pool's thread, except transfer_answer and transfer_trim.
 */
#include "egress/transfer.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "base/clock.h"
#include "base/str.h"

#define DRAIN           ((size_t)16 * 1024)
#define HEAD_FLOOD      (4 * ANSWER_HEAD_BYTES) /* a peer that never ends its headers */
#define KEPT_BUFFER     ((size_t)64 * 1024)
#define CONNECT_FOREVER (7L * 24 * 3600 * 1000) /* ms, a virtual clock's */

/* ---- the address ---- */

static void address_text(const struct sockaddr *address, char *out, size_t cap)
{
	const void *bytes =
	    address->sa_family == AF_INET6
		? (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr
		: (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
	if (!inet_ntop(address->sa_family, bytes, out, (socklen_t)cap))
		(void)snprintf(out, cap, "the address");
}

static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = ctx;
	const struct egress_policy *policy = t->pool->policy;
	(void)purpose;
	const char *kind = vet_address(&address->addr, policy->networks, policy->n);
	if (kind) {
		char text[INET6_ADDRSTRLEN];
		address_text(&address->addr, text, sizeof(text));
		(void)snprintf(t->denied, sizeof(t->denied),
			       "%s is a %s address; allow-networks of the instance does not "
			       "admit it",
			       text, kind);
		return CURL_SOCKET_BAD;
	}
	t->n_sockets++;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- the answer ---- */

static char to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void add_field(struct transfer *t, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	if (!colon || colon == line || t->n_fields == ANSWER_HEADERS ||
	    t->head.len + len > ANSWER_HEAD_BYTES)
		return;
	const char *value = colon + 1, *end = line + len;
	while (value < end && is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		end--;

	struct field *f = &t->fields[t->n_fields++];
	f->name = (uint32_t)t->head.len;
	f->name_len = (uint32_t)(colon - line);
	buf_add(&t->head, line, f->name_len);
	for (uint32_t i = 0; i < f->name_len; i++)
		t->head.ptr[f->name + i] = to_lower(t->head.ptr[f->name + i]);
	f->value = (uint32_t)t->head.len;
	f->value_len = (uint32_t)(end - value);
	buf_add(&t->head, value, f->value_len);
}

static size_t on_header(char *line, size_t one, size_t len, void *ctx)
{
	struct transfer *t = ctx;
	(void)one;
	t->head_seen += len;
	if (t->head_seen > HEAD_FLOOD) {
		t->is_head_too_long = true;
		return 0;
	}
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* after a 1xx: anew */
		t->n_fields = 0;
		t->head.len = 0;
	} else {
		add_field(t, line, len);
	}
	return len;
}

static size_t on_body(char *bytes, size_t one, size_t len, void *ctx)
{
	struct transfer *t = ctx;
	(void)one;
	size_t room = t->body_cap - t->answer.len;
	size_t kept = len < room ? len : room;
	buf_add(&t->answer, bytes, kept);
	if (kept == len)
		return len;
	if (!t->is_cut) {
		t->is_cut = true;
		t->cut_next = t->pool->cut;
		t->pool->cut = t;
	}
	t->drained += len - kept;
	return t->stop_at_cap || t->drained > DRAIN ? CURL_WRITEFUNC_ERROR : len;
}

/* ---- options ---- */

/* Set once: they hold for every request. */
static bool easy_make(struct transfer *t)
{
	CURL *easy = curl_easy_init();
	if (!easy)
		return false;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->why);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Else cancelling waits for the resolver's thread, and all with it. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not the environment's */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "txwatch/" TXW_VERSION);
	t->easy = easy;
	t->shape = SHAPE_UNSET;
	t->has_method = false;
	t->connect_ms = 0;
	return true;
}

static enum shape shape_of(const struct transfer *t)
{
	static const char *const with_body[] = {"POST", "PUT", "PATCH"};
	if (t->body_len)
		return SHAPE_BODY;
	if (strcmp(t->method, "HEAD") == 0)
		return SHAPE_HEAD;
	for (size_t i = 0; i < sizeof(with_body) / sizeof(with_body[0]); i++)
		if (strcmp(t->method, with_body[i]) == 0)
			return SHAPE_BODY;
	return SHAPE_GET;
}

static void set_shape(struct transfer *t)
{
	static const char *const natural[] = {
	    [SHAPE_UNSET] = "", [SHAPE_GET] = "GET", [SHAPE_HEAD] = "HEAD", [SHAPE_BODY] = "POST"};
	enum shape shape = shape_of(t);
	if (shape != t->shape) {
		curl_easy_setopt(t->easy, CURLOPT_NOBODY, shape == SHAPE_HEAD ? 1L : 0L);
		if (shape == SHAPE_GET)
			curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
		if (shape == SHAPE_BODY)
			curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
		t->shape = shape;
	}
	if (shape == SHAPE_BODY) {
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body);
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len);
	}
	bool wants_method = strcmp(t->method, natural[shape]) != 0;
	if (wants_method || t->has_method)
		curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, wants_method ? t->method : NULL);
	t->has_method = wants_method;
}

static void set_connect_timeout(struct transfer *t)
{
	long ms = CONNECT_FOREVER;
	if (!loop_clock(t->egress->loop)->is_virtual && t->timeout / 1000 < ms)
		ms = (long)((t->timeout + 999) / 1000);
	if (ms != t->connect_ms)
		curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, ms);
	t->connect_ms = ms;
}

static void forget_answer(struct transfer *t)
{
	t->head.len = t->answer.len = 0;
	t->n_fields = 0;
	t->head_seen = t->drained = 0;
	t->is_head_too_long = t->is_cut = false;
	t->n_sockets = 0;
	t->denied[0] = t->why[0] = t->peer[0] = '\0';
	t->error = TXW_OK;
	t->status = 0;
	t->took = t->connect_took = t->tls_took = t->first_byte_took = 0;
}

bool transfer_begin(struct transfer *t, CURLM *multi)
{
	forget_answer(t);
	if (!t->easy && !easy_make(t))
		return false;
	set_shape(t);
	set_connect_timeout(t);
	if (curl_easy_setopt(t->easy, CURLOPT_URL, t->url) != CURLE_OK)
		return false;
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->lines);
	atomic_store(&t->active, t->id);
	return curl_multi_add_handle(multi, t->easy) == CURLM_OK;
}

/* ---- the result ---- */

static int64_t info_time(const struct transfer *t, CURLINFO what)
{
	curl_off_t v = 0;
	curl_easy_getinfo(t->easy, what, &v);
	return v;
}

/* Durations of the phases, from what libcurl counts from the start. A kept
 * connection was not connected. */
static void read_times(struct transfer *t)
{
	long connects = 0;
	curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
	if (connects > 0) {
		t->connect_took = info_time(t, CURLINFO_CONNECT_TIME_T);
		int64_t tls = info_time(t, CURLINFO_APPCONNECT_TIME_T);
		t->tls_took = tls > t->connect_took ? tls - t->connect_took : 0;
	}
	int64_t ready = info_time(t, CURLINFO_PRETRANSFER_TIME_T);
	int64_t first = info_time(t, CURLINFO_STARTTRANSFER_TIME_T);
	t->first_byte_took = first > ready ? first - ready : 0;
}

static void read_peer(struct transfer *t)
{
	const char *ip = NULL;
	long port = 0;
	curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &ip);
	curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_PORT, &port);
	if (ip && ip[0])
		(void)snprintf(t->peer, sizeof(t->peer), strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld",
			       ip, port);
}

static int32_t error_of(const struct transfer *t, CURLcode code)
{
	if (code == CURLE_OK)
		return TXW_OK;
	if (t->is_head_too_long)
		return TXW_E_FULL;
	if (t->is_cut && code == CURLE_WRITE_ERROR)
		return t->stop_at_cap ? TXW_E_FULL : TXW_OK;
	if (t->denied[0] && t->n_sockets == 0)
		return TXW_E_DENIED;
	return code == CURLE_OPERATION_TIMEDOUT ? TXW_E_TIMEOUT : TXW_E_IO;
}

/* It is over: reads what libcurl knows and gives the handle back. */
static void settle(struct transfer *t, CURLM *multi, int32_t error)
{
	t->error = error;
	if (t->easy) {
		curl_multi_remove_handle(multi, t->easy);
		read_times(t);
		read_peer(t);
		long status = 0;
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
		if (error == TXW_OK)
			t->status = (uint32_t)status;
	}
	if (t->error == TXW_OK && (t->status < 100 || t->status > 599)) {
		t->error = TXW_E_IO;
		t->status = 0;
		(void)snprintf(t->why, sizeof(t->why), "the answer has no valid status code");
	}
	t->took = clock_ticks() - t->began;
	atomic_store(&t->active, 0);
	*t->pool->over_last = t;
	t->pool->over_last = &t->next;
	t->next = NULL;
}

void transfer_finish(struct transfer *t, CURLM *multi, CURLcode code)
{
	int32_t error = error_of(t, code);
	if (error == TXW_E_IO && !t->why[0])
		(void)snprintf(t->why, sizeof(t->why), "%s", curl_easy_strerror(code));
	settle(t, multi, error);
}

void transfer_stop(struct transfer *t, CURLM *multi, int32_t code)
{
	settle(t, multi, code);
}

static void explain(const struct transfer *t, struct buf *text)
{
	char span[DURATION_TEXT_MAX];
	switch (t->error) {
	case TXW_OK:
		return;
	case TXW_E_TIMEOUT:
		duration_print(span, t->timeout);
		buf_printf(text, "no complete answer within %s", span);
		return;
	case TXW_E_FULL:
		if (t->is_head_too_long)
			buf_text(text, "the answer's headers do not end");
		else
			buf_printf(text, "the answer is longer than %zu bytes", t->body_cap);
		return;
	case TXW_E_DENIED:
		buf_text(text, t->denied);
		return;
	case TXW_E_CANCELLED:
		buf_text(text, "cancelled");
		return;
	default:
		buf_text(text, t->why[0] ? t->why : "the request failed");
		return;
	}
}

void transfer_answer(const struct transfer *t, txw_http_response *out, txw_http_header *headers,
		     struct buf *text)
{
	explain(t, text);
	*out = (txw_http_response){
	    .size = sizeof(*out),
	    .error = t->error,
	    .text = buf_view(text),
	    .peer = str_of(t->peer),
	    .took = t->took,
	    .connect_took = t->connect_took,
	    .tls_took = t->tls_took,
	    .first_byte_took = t->first_byte_took,
	};
	if (t->error != TXW_OK)
		return;
	for (uint32_t i = 0; i < t->n_fields; i++) {
		const struct field *f = &t->fields[i];
		headers[i].name = (txw_str){t->head.ptr + f->name, f->name_len};
		headers[i].value = (txw_str){f->value_len ? t->head.ptr + f->value : NULL,
					     f->value_len};
	}
	out->status = t->status;
	out->headers = headers;
	out->n_headers = t->n_fields;
	out->body = buf_view(&t->answer);
	out->is_cut = t->is_cut ? 1 : 0;
}

static void trim(struct buf *b, bool all)
{
	if (all || b->cap > KEPT_BUFFER)
		buf_free(b);
}

void transfer_trim(struct transfer *t, bool all)
{
	trim(&t->text, all);
	if (!t->text.ptr)
		t->url_len = 0;
	trim(&t->head, all);
	trim(&t->answer, all);
	if (!all)
		return;
	curl_easy_cleanup(t->easy);
	free(t->lines);
	t->easy = NULL;
	t->lines = NULL;
	t->cap_lines = 0;
}
