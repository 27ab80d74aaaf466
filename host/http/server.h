/*
 * server.h: HTTP/1.1 in, on the loop (libmicrohttpd driven by our epoll).
 *
 * A request is handed over whole, its body read up to the limit. The handler
 * answers at once or keeps it and answers later, on the loop; the connection
 * is suspended meanwhile. Long bodies and answers may be streamed instead.
 */
#ifndef TXWATCH_HTTP_SERVER_H
#define TXWATCH_HTTP_SERVER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"

struct http_server;
struct http_request;
struct metrics;
struct tls_pair;

struct http_limits {
	size_t max_body; /* bytes; over it 413 */
	size_t max_connections;
	int64_t idle_timeout; /* microseconds */
	int listener;         /* a listening socket to take over; 0 = open one */
	struct tls_pair *tls; /* taken over; NULL = plain HTTP */
};

typedef void (*http_handler)(void *ctx, struct http_request *r);

/* listen: "127.0.0.1:8420", "[::1]:0"; port 0 picks one. */
struct http_server *http_server_open(struct loop *loop, txw_str listen,
				     const struct http_limits *limits, http_handler handler,
				     void *ctx, struct err *e);
int http_server_port(const struct http_server *s);
/* A duplicate of its listening socket, for whoever takes over; -1 = none. */
int http_server_listener(const struct http_server *s);
size_t http_server_connections(const struct http_server *s); /* open ones */
void http_server_drain(struct http_server *s);               /* accepts no more */
void http_server_close(struct http_server *s);

/*
 * From one loop to another, with its open connections: detached it does
 * nothing, but takes answers; their requests are the old handler's and must be
 * answered before the new one is attached, and the old loop closed. limits:
 * listener, max_connections, idle_timeout and whether there is a tls are as
 * they were. A detached one may be closed.
 */
void http_server_detach(struct http_server *s);
void http_server_attach(struct http_server *s, struct loop *loop, const struct http_limits *limits,
			http_handler handler, void *ctx);

/* ---- the request; texts live until it is answered ---- */
txw_str http_method(const struct http_request *r);
txw_str http_path(const struct http_request *r); /* decoded */
txw_str http_header(const struct http_request *r, const char *name);
/* Decoded; none when absent. *count, if wanted: how often it is given. */
txw_str http_query(const struct http_request *r, const char *name, size_t *count);
/* Each name given, for refusing unknown ones. */
void http_query_each(const struct http_request *r,
		     void (*fn)(void *ctx, txw_str name, txw_str value), void *ctx);
txw_str http_body(const struct http_request *r);
txw_str http_request_id(const struct http_request *r); /* ours or theirs */
/* The request's traceparent: our span of the caller's trace, or of a new one.
 * http_trace_theirs: none unless the caller sent one. */
txw_str http_trace(const struct http_request *r);
txw_str http_trace_theirs(const struct http_request *r);
txw_str http_peer(const struct http_request *r);
struct arena *http_arena(struct http_request *r); /* freed when answered */

/* ---- the answer: headers first, then one reply ---- */
/* CR, LF or NUL in a value drops the header. Copied. */
void http_set_header(struct http_request *r, const char *name, txw_str value);
/* Takes over body's memory; r is gone afterwards. content_type NULL: none. */
void http_reply(struct http_request *r, int status, const char *content_type, struct buf *body);

/* Asked when more than 16 KB of a body, or a body of unknown length, is
 * announced: how much of it to keep. 0: none of it; it is thrown away as it
 * comes and the handler sees an empty one. */
void http_server_keeps(struct http_server *s,
		       size_t (*keeps)(void *ctx, const struct http_request *r));

/* ---- streams ---- */
/* Of which requests the handler shall see the head, before the body is read;
 * it then answers at once or calls http_take_body. No limit of length holds. */
void http_server_streams(struct http_server *s,
			 bool (*streams)(void *ctx, const struct http_request *r));

struct http_sink {
	/* Takes bytes, all or some; what is left is offered again, with more,
	 * after http_resume. */
	size_t (*take)(void *ctx, const char *data, size_t len);
	/* The body's end: the request is to be answered now, or later. */
	void (*end)(void *ctx);
	/* The client left before the end: an http_reply is still owed. */
	void (*gone)(void *ctx);
};
void http_take_body(struct http_request *r, const struct http_sink *sink, void *ctx);

#define HTTP_END  (-1)
#define HTTP_WAIT (-2) /* nothing yet: http_resume will be called */
#define HTTP_FAIL (-3) /* cut the answer off, so that it is seen to be cut */
struct http_source {
	/* At most max bytes into out; or HTTP_END and so on. */
	int32_t (*read)(void *ctx, char *out, size_t max);
	/* Once, when all was said or the client left: r is gone. */
	void (*closed)(void *ctx);
};
void http_reply_stream(struct http_request *r, int status, const char *content_type,
		       const struct http_source *source, void *ctx);
/* Goes on with a body or an answer that rests; else does nothing. */
void http_resume(struct http_request *r);

#endif
