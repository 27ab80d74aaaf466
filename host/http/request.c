/*
 * request.c: one request's life, from its first line to its answer; the
 * stages are in inside.h.
 *
 * libmicrohttpd calls request_begin with the target, request_step with the
 * head, then with each piece of the body, then once more without any, and
 * again after each resume; request_end whatever came of it.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "http/inside.h"

/* ---- birth and death ---- */

static void live_add(struct http_server *s, struct http_request *r)
{
	r->prev = NULL;
	r->next = s->live;
	if (s->live)
		s->live->prev = r;
	s->live = r;
}

static void live_remove(struct http_server *s, struct http_request *r)
{
	if (r->prev)
		r->prev->next = r->next;
	else
		s->live = r->next;
	if (r->next)
		r->next->prev = r->prev;
}

static struct http_request *request_new(struct http_server *s)
{
	struct http_request *r = s->spare;
	if (!r) {
		r = xcalloc(1, sizeof(*r));
	} else {
		s->spare = r->next;
		s->n_spare--;
		struct arena arena = r->arena;
		struct buf body = r->body;
		memset(r, 0, sizeof(*r));
		r->arena = arena;
		r->body = body;
	}
	r->magic = REQUEST_MAGIC;
	r->server = s;
	return r;
}

void request_free(struct http_request *r)
{
	r->magic = 0;
	arena_free(&r->arena);
	buf_free(&r->body);
	free(r);
}

static void request_put_back(struct http_server *s, struct http_request *r)
{
	s->body_held -= r->body.len;
	live_remove(s, r);
	if (s->n_spare == SPARE_MAX || r->body.cap > SPARE_BYTES) {
		request_free(r);
		return;
	}
	r->magic = 0;
	r->body.len = 0;
	arena_reset(&r->arena);
	r->next = s->spare;
	s->spare = r;
	s->n_spare++;
}

void *request_begin(void *server, const char *uri, struct MHD_Connection *c)
{
	struct http_server *s = server;
	struct http_request *r = request_new(s);
	live_add(s, r);
	r->connection = c;
	if (log_enabled(TXW_LOG_DEBUG))
		r->began = clock_ticks();
	if (strlen(uri) > URL_MAX)
		r->refusal = MHD_HTTP_URI_TOO_LONG;
	else if (!target_parse(r, uri))
		r->refusal = MHD_HTTP_BAD_REQUEST;
	return r;
}

void request_end(void *server, struct MHD_Connection *c, void **state,
		 enum MHD_RequestTerminationCode why)
{
	struct http_request *r = *state;
	(void)why;
	connection_waits(c);
	if (!r)
		return;
	*state = NULL;
	if (r->response) /* made, and never queued: the peer left */
		MHD_destroy_response(r->response);
	r->response = NULL;
	bool is_streaming = r->stage == STAGE_STREAMING;
	/* The handler still has it. */
	if (r->stage == STAGE_HANDED || is_streaming || r->is_owed) {
		r->connection = NULL;
		r->method = NULL;
		r->is_suspended = false;
		r->stage = STAGE_ORPHANED;
		if (is_streaming) /* may answer, and free it */
			r->sink->gone(r->flow_ctx);
		return;
	}
	if (r->source)
		r->source->closed(r->flow_ctx);
	r->source = NULL;
	request_put_back(server, r);
}

/* One that libmicrohttpd closed while it still read the target (more arguments
 * than its pool holds) is not told to request_end. */
void requests_forget(struct http_server *s, const struct MHD_Connection *c)
{
	for (struct http_request *r = s->live, *next; r; r = next) {
		next = r->next;
		if (r->connection == c && r->stage == STAGE_READING)
			request_put_back(s, r);
	}
}

txw_str http_peer(const struct http_request *r)
{
	if (r->peer.len || !r->connection)
		return r->peer;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (!info || !info->client_addr)
		return r->peer;
	char text[INET6_ADDRSTRLEN] = "";
	struct sockaddr_storage at;
	bool is_v6 = info->client_addr->sa_family == AF_INET6;
	memcpy(&at, info->client_addr,
	       is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
	if (is_v6)
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&at)->sin6_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET, &((struct sockaddr_in *)&at)->sin_addr, text, sizeof(text));
	/* Found once and kept: the request is the caller's, not a constant. */
	struct http_request *mine = (struct http_request *)(uintptr_t)r;
	mine->peer = arena_str(&mine->arena, str_of(text));
	return r->peer;
}

/* ---- the answer ---- */

static void add_headers(struct http_request *r, const char *content_type)
{
	struct MHD_Response *answer = r->response;
	if (content_type)
		MHD_add_response_header(answer, "Content-Type", content_type);
	MHD_add_response_header(answer, "X-Request-Id", r->id_text);
	MHD_add_response_header(answer, "traceparent", r->trace);
	MHD_add_response_header(answer, "X-Content-Type-Options", "nosniff");
	for (const struct header *h = r->headers; h; h = h->next)
		MHD_add_response_header(answer, h->name, h->value);
	if (r->server->is_draining)
		MHD_add_response_header(answer, "Connection", "close");
}

static void make_response(struct http_request *r, int status, const char *content_type,
			  struct buf *body)
{
	r->status = status;
	r->response = MHD_create_response_from_buffer(body ? body->len : 0, body ? body->ptr : NULL,
						      MHD_RESPMEM_MUST_FREE);
	if (!r->response) {
		if (body)
			buf_free(body);
		return;
	}
	if (body)
		*body = (struct buf){0};
	add_headers(r, content_type);
}

static void log_answer(const struct http_request *r, txw_str url)
{
	char path[256];
	size_t n = url.len < sizeof(path) - 1 ? url.len : sizeof(path) - 1;
	if (n)
		memcpy(path, url.ptr, n);
	path[n] = '\0';
	log_debug("answered", "request", r->id_text, "trace", r->trace, "method", r->method, "path",
		  path, "status", LOG_INT(r->status), "peer", http_peer(r).ptr, "took_us",
		  LOG_INT(r->began ? clock_ticks() - r->began : 0));
}

/* From inside libmicrohttpd's call. MHD_NO closes the connection. */
static enum MHD_Result queue_answer(struct http_request *r)
{
	if (!r->response)
		return MHD_NO;
	if (log_enabled(TXW_LOG_DEBUG))
		log_answer(r, r->path);
	enum MHD_Result rc = MHD_queue_response(r->connection, (unsigned)r->status, r->response);
	MHD_destroy_response(r->response);
	r->response = NULL;
	return rc;
}

static enum MHD_Result refuse(struct http_request *r, int status)
{
	struct buf body = {0};
	r->stage = STAGE_ANSWERED;
	refusal_body(&body, status, r->id);
	http_set_header(r, "Connection", STR_LIT("close"));
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		http_set_header(r, "Retry-After", STR_LIT("1"));
	make_response(r, status, "application/problem+json", &body);
	return queue_answer(r);
}

/*
 * While a body streams, libmicrohttpd takes no answer; a sender of more than
 * is allowed is told so on the bare socket, and the connection ends once it
 * has sent a little more or closed.
 */
static void refuse_midway(struct http_request *r, int status)
{
	struct buf body = {0}, answer = {0};
	refusal_body(&body, status, r->id);
	buf_printf(&answer, "HTTP/1.1 %d %s\r\nConnection: close\r\nX-Request-Id: %s\r\n", status,
		   MHD_get_reason_phrase_for((unsigned)status), r->id_text);
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		buf_text(&answer, "Retry-After: 1\r\n");
	buf_printf(&answer,
		   "Content-Type: application/problem+json\r\n"
		   "X-Content-Type-Options: nosniff\r\nContent-Length: %zu\r\n\r\n",
		   body.len);
	buf_str(&answer, buf_view(&body));
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (r->server->tls)
		tls_send(r->connection, answer.ptr, answer.len);
	else if (info)
		(void)send(info->connect_fd, answer.ptr, answer.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_free(&body);
	buf_free(&answer);
	r->status = status;
	r->stage = STAGE_REFUSED;
	r->read_away = 0;
	r->server->body_held -= r->body.len;
	buf_free(&r->body);
	if (log_enabled(TXW_LOG_DEBUG))
		log_answer(r, r->path);
}

/* ---- the steps ---- */

static enum MHD_Result count_framing(void *ctx, enum MHD_ValueKind kind, const char *name,
				     const char *value)
{
	unsigned *n = ctx;
	(void)kind;
	(void)value;
	*n += strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0;
	return MHD_YES;
}

/* Two lengths are a way to smuggle (RFC 9112, 6.1 and 6.3). */
static bool is_framed_twice(struct http_request *r)
{
	unsigned n = 0;
	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, count_framing, &n);
	return n > 1;
}

/* The head is read: what can be refused by it alone? */
static int judge_head(struct http_request *r)
{
	struct http_server *s = r->server;
	if (r->refusal)
		return r->refusal;
	if (strlen(r->method) > METHOD_MAX)
		return MHD_HTTP_NOT_IMPLEMENTED;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    r->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	if (info && info->header_size > HEADERS_MAX)
		return MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
	const char *length = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
							 "Content-Length");
	const char *coding = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
							 "Transfer-Encoding");
	if (coding && strcasecmp(coding, "chunked") != 0)
		return MHD_HTTP_NOT_IMPLEMENTED;
	int64_t n = 0;
	if ((length || coding) && is_framed_twice(r))
		return MHD_HTTP_BAD_REQUEST;
	if (length && (!str_int(str_of(length), &n) || n < 0))
		return MHD_HTTP_BAD_REQUEST;
	if (r->streams)
		return 0;
	r->keep = s->limits.max_body;
	if (s->keeps && (coding || n > KEPT_UNASKED))
		r->keep = s->keeps(s->ctx, r);
	if (r->keep && (coding || n > KEPT_UNASKED)) /* so long a body may take its time */
		connection_heard(r->connection);
	if (!length)
		return 0;
	if ((uint64_t)n > s->limits.max_body)
		return MHD_HTTP_CONTENT_TOO_LARGE;
	if (r->keep && s->body_held + (size_t)n > s->body_budget)
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	return 0;
}

static enum MHD_Result take_body(struct http_request *r, const char *data, size_t len)
{
	struct http_server *s = r->server;
	if (r->stage == STAGE_REFUSED) {
		r->read_away += len;
		return r->read_away > READ_AWAY_MAX ? MHD_NO : MHD_YES;
	}
	if (r->keep == 0) {
		r->read_away += len;
		if (r->read_away > s->limits.max_body)
			refuse_midway(r, MHD_HTTP_CONTENT_TOO_LARGE);
	} else if (r->body.len + len > s->limits.max_body || r->body.len + len > r->keep) {
		refuse_midway(r, MHD_HTTP_CONTENT_TOO_LARGE);
	} else if (s->body_held + len > s->body_budget) {
		refuse_midway(r, MHD_HTTP_SERVICE_UNAVAILABLE);
	} else {
		s->body_held += len;
		buf_add(&r->body, data, len);
	}
	return MHD_YES;
}

static enum MHD_Result hand_over(struct http_request *r)
{
	struct http_server *s = r->server;
	if (r->stage == STAGE_REFUSED)
		return MHD_NO;
	connection_heard(r->connection);
	if (r->stage == STAGE_READING) {
		r->stage = STAGE_HANDED;
		r->in_handler = true;
		s->handler(s->ctx, r);
		r->in_handler = false;
	}
	if (r->stage == STAGE_STREAMING)
		stream_end(r);
	if (r->stage == STAGE_ANSWERED)
		return queue_answer(r);
	r->is_suspended = true;
	MHD_suspend_connection(r->connection);
	return MHD_YES;
}

enum MHD_Result request_step(void *server, struct MHD_Connection *c, const char *url,
			     const char *method, const char *version, const char *data,
			     size_t *data_len, void **state)
{
	struct http_request *r = *state;
	(void)server;
	(void)version;
	if (!r)
		return MHD_NO;
	assert(r->magic == REQUEST_MAGIC);
	if (!r->method) { /* the head */
		r->method = method;
		/* The handler may have it longer than the connection lives. */
		r->path = arena_str(&r->arena, str_of(url));
		request_name(r);
		r->streams = r->server->streams && r->server->streams(r->server->ctx, r);
		int status = judge_head(r);
		if (status)
			return refuse(r, status);
		if (r->streams && !stream_begin(r))
			return queue_answer(r);
		if (r->streams)
			connection_heard(c);
		return MHD_YES;
	}
	if (r->stage == STAGE_CUT)
		return MHD_NO;
	if (r->stage == STAGE_STREAMING && *data_len) {
		stream_take(r, data, data_len);
		return MHD_YES;
	}
	if (*data_len) {
		size_t len = *data_len;
		*data_len = 0;
		return take_body(r, data, len);
	}
	return hand_over(r);
}

/* ---- what the handler calls ---- */

void http_set_header(struct http_request *r, const char *name, txw_str value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '\r' || value.ptr[i] == '\n' || value.ptr[i] == '\0')
			return;
	}
	if (value.len == 0)
		return;
	struct header *h = arena_alloc(&r->arena, sizeof(*h));
	h->name = arena_str(&r->arena, str_of(name)).ptr;
	h->value = arena_str(&r->arena, value).ptr;
	h->next = r->headers;
	r->headers = h;
}

/* Nobody waits for it any more. */
static void drop_orphan(struct http_request *r)
{
	if (r->server)
		request_put_back(r->server, r);
	else
		request_free(r);
}

static void answered(struct http_request *r)
{
	/* Told with its head alone: the body that follows is not read. */
	if (r->stage == STAGE_HEAD)
		MHD_add_response_header(r->response, "Connection", "close");
	r->stage = STAGE_ANSWERED;
	if (r->in_handler)
		return; /* its caller queues it */
	r->is_suspended = false;
	MHD_resume_connection(r->connection);
	server_kick(r->server);
}

void http_reply(struct http_request *r, int status, const char *content_type, struct buf *body)
{
	assert(r->magic == REQUEST_MAGIC);
	if (r->stage == STAGE_ORPHANED) {
		if (body)
			buf_free(body);
		drop_orphan(r);
		return;
	}
	if (r->stage == STAGE_CUT) { /* the connection ends, and frees it */
		if (body)
			buf_free(body);
		r->is_owed = false;
		return;
	}
	assert(r->stage == STAGE_HANDED || r->stage == STAGE_HEAD);
	make_response(r, status, content_type, body);
	answered(r);
}

void http_reply_stream(struct http_request *r, int status, const char *content_type,
		       const struct http_source *source, void *ctx)
{
	assert(r->magic == REQUEST_MAGIC);
	if (r->stage == STAGE_ORPHANED) {
		source->closed(ctx);
		drop_orphan(r);
		return;
	}
	assert(r->stage == STAGE_HANDED);
	r->source = source;
	r->flow_ctx = ctx;
	r->status = status;
	r->response = stream_response(r);
	if (r->response)
		add_headers(r, content_type);
	answered(r);
}

txw_str http_method(const struct http_request *r)
{
	return str_of(r->method);
}

txw_str http_path(const struct http_request *r)
{
	return r->path;
}

txw_str http_header(const struct http_request *r, const char *name)
{
	const char *value = NULL;
	size_t len = 0;
	if (!r->connection)
		return STR_NONE;
	MHD_lookup_connection_value_n(r->connection, MHD_HEADER_KIND, name, strlen(name), &value,
				      &len);
	return (txw_str){value, value ? len : 0};
}

txw_str http_query(const struct http_request *r, const char *name, size_t *count)
{
	txw_str first = STR_NONE;
	size_t n = 0;
	for (size_t i = 0; i < r->n_queries; i++) {
		if (!str_is(r->queries[i].name, name))
			continue;
		if (n++ == 0)
			first = r->queries[i].value;
	}
	if (count)
		*count = n;
	return first;
}

void http_query_each(const struct http_request *r,
		     void (*fn)(void *ctx, txw_str name, txw_str value), void *ctx)
{
	for (size_t i = 0; i < r->n_queries; i++)
		fn(ctx, r->queries[i].name, r->queries[i].value);
}

txw_str http_body(const struct http_request *r)
{
	return buf_view(&r->body);
}

txw_str http_request_id(const struct http_request *r)
{
	return r->id;
}

struct arena *http_arena(struct http_request *r)
{
	return &r->arena;
}
