/*
 * inside.h: what the files of http/ share: the server and a request.
 *
 *   READING  -> HANDED    the body is whole, the handler has it
 *   READING  -> REFUSED   over a limit while the body streamed: the answer
 *                         is out already, the rest is read away
 *   HEAD     -> STREAMING http_take_body(): the handler takes the body as it
 *                         comes (else it answers: -> ANSWERED)
 *   STREAMING -> HANDED   the body's end
 *   HANDED   -> ANSWERED  http_reply(), http_reply_stream()
 *   HANDED   -> ORPHANED  the server closed first; http_reply() frees it
 *   STREAMING -> CUT      the handler's site ends: the connection is closed
 *                         when it moves next
 *
 * Everything here runs on the loop.
 */
#ifndef TXWATCH_HTTP_INSIDE_H
#define TXWATCH_HTTP_INSIDE_H

#include <microhttpd.h>
#include <uv.h>

#include "http/server.h"
#include "http/tls_pair.h"
#include "http/trace.h"

/* Bytes of a connection's pool at libmicrohttpd: its read buffer, the parsed
 * headers and the answer's head. It is cleared for every request. */
#define POOL_BYTES  ((size_t)16 * 1024)
#define URL_MAX     ((size_t)6000)
#define HEADERS_MAX ((size_t)10000)
#define QUERIES_MAX 64
#define ID_MAX      64
#define METHOD_MAX  16
/* Requests kept for reuse, and the body memory each may keep. */
#define SPARE_MAX   256
#define SPARE_BYTES ((size_t)64 * 1024)
/* Bodies announced as no longer than this are kept unasked. */
#define KEPT_UNASKED ((int64_t)16 * 1024)
/* What a sender may still send after it was told 413. */
#define READ_AWAY_MAX ((size_t)1024 * 1024)

/* What a streamed answer is asked for at once. */
#define STREAM_BLOCK ((size_t)32 * 1024)

enum stage {
	STAGE_READING,
	STAGE_HEAD,
	STAGE_STREAMING,
	STAGE_HANDED,
	STAGE_ANSWERED,
	STAGE_REFUSED,
	STAGE_CUT,
	STAGE_ORPHANED
};

struct header {
	struct header *next;
	const char *name;
	const char *value;
};

struct query {
	txw_str name;
	txw_str value;
};

struct http_request {
	uint32_t magic;
	enum stage stage;
	int refusal; /* an HTTP status decided before the body; 0 = none */
	bool is_suspended;
	bool is_owed; /* CUT: an http_reply is still to come */
	bool streams; /* its head is handed over before its body */
	bool in_handler;
	struct http_server *server;
	struct MHD_Connection *connection; /* NULL: gone */
	struct arena arena;
	struct buf body;
	size_t read_away;
	size_t keep; /* bytes of the body at most; 0: none, they are thrown away */
	const char *method;
	txw_str path;
	txw_str id;
	char id_text[ID_MAX + 1];
	char trace[TRACE_TEXT_MAX];
	bool trace_is_theirs;
	txw_str peer;
	size_t n_queries;
	struct query *queries;
	struct header *headers; /* of the answer */
	struct MHD_Response *response;
	const struct http_sink *sink;     /* of the body; NULL: it is kept whole */
	const struct http_source *source; /* of the answer; NULL: it is whole */
	void *flow_ctx;                   /* theirs */
	int status;
	int64_t began;             /* ticks; 0 = nobody asks */
	struct http_request *next; /* among the live, or the spare ones */
	struct http_request *prev;
};
#define REQUEST_MAGIC 0x4e9e57u

struct http_server {
	uv_poll_t poll;   /* libmicrohttpd's epoll */
	uv_timer_t timer; /* its next timeout, real time */
	uv_check_t check; /* answers to send, once a turn */
	uv_idle_t idle;   /* it has more to do at once */
	unsigned handles; /* open ones; at 0 the server is freed */
	uint64_t timer_due;
	struct MHD_Daemon *daemon;
	struct loop *loop;
	struct tls_pair *tls; /* of new connections; NULL = plain HTTP */
	http_handler handler;
	bool (*streams)(void *ctx, const struct http_request *r);
	size_t (*keeps)(void *ctx, const struct http_request *r);
	void *ctx;
	struct http_limits limits;
	size_t body_held; /* bytes of bodies in memory */
	size_t body_budget;
	int port;
	bool is_draining;
	bool is_detached; /* between two loops */
	bool is_running;  /* inside MHD_run */
	bool is_kicked;   /* a suspended request was answered since */
	struct connection *connections;
	int64_t look_at; /* ticks */
	struct http_request *live;
	struct http_request *spare;
	size_t n_spare;
	uint64_t id_seed;
	uint64_t id_count;
};

/* A bound, listening, non-blocking socket; or a negative TXW_E_. */
int listen_open(txw_str listen, int *port, struct err *e);
/* The socket itself, and its port. */
int listen_take(int fd, int *port);

/* libmicrohttpd's calls. */
void *request_begin(void *server, const char *uri, struct MHD_Connection *c);
enum MHD_Result request_step(void *server, struct MHD_Connection *c, const char *url,
			     const char *method, const char *version, const char *data,
			     size_t *data_len, void **state);
void request_end(void *server, struct MHD_Connection *c, void **state,
		 enum MHD_RequestTerminationCode why);
void connection_event(void *server, struct MHD_Connection *c, void **context,
		      enum MHD_ConnectionNotificationCode what);

/* tls_serve.c: for libmicrohttpd: the certificate of a handshake. */
int tls_choose(gnutls_session_t session, const gnutls_datum_t *issuers, int n_issuers,
	       const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **chain,
	       unsigned *n, gnutls_privkey_t *key);
/* Writes on a connection whose library waits for more of its body; what does
 * not go out at once is lost. */
void tls_send(struct MHD_Connection *c, const void *bytes, size_t len);

/* Makes the target's query into r->queries; false: not a sane target. */
bool target_parse(struct http_request *r, const char *uri);

/* ---- connection.c ---- */
struct connection {
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct tls_pair *pair; /* NULL before its handshake */
	int64_t since;         /* ticks: the loop may have gone first; 0 = HEARD */
	struct connection *prev, *next;
};
struct connection *connection_of(struct MHD_Connection *c);
void connection_heard(struct MHD_Connection *c);
void connection_waits(struct MHD_Connection *c);
void connections_look(struct http_server *s);

/* request.c: the connection has ended. */
void requests_forget(struct http_server *s, const struct MHD_Connection *c);
/* naming.c */
void request_name(struct http_request *r);

/* ---- stream.c ---- */
bool stream_begin(struct http_request *r);
void stream_take(struct http_request *r, const char *data, size_t *len);
void stream_end(struct http_request *r);
struct MHD_Response *stream_response(struct http_request *r);

/* Whoever takes and makes the streams goes: they end here. */
void stream_cut_all(struct http_server *s);

/* The problem+json body of an answer made here. */
void refusal_body(struct buf *out, int status, txw_str request_id);

/* Lets libmicrohttpd run before this turn of the loop ends. */
void server_kick(struct http_server *s);
void request_free(struct http_request *r);

#endif
