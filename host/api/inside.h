/*
 * inside.h: what the files of api/ share: the API itself, a call (one request
 * on its way through a handler) and its answer.
 *
 * A call begins in dispatch.c on the loop, lives in its request's arena, and
 * ends with exactly one call_answer or call_problem, on the loop. Between, it
 * may be read for by a reader's thread or written for by the engine's; they
 * touch only what the handler gave them (an answer to fill, a query).
 */
#ifndef TXWATCH_API_INSIDE_H
#define TXWATCH_API_INSIDE_H

#include <stdatomic.h>

#include "api/api.h"
#include "api/auth.h"
#include "api/cursor.h"
#include "api/input.h"
#include "api/problem.h"
#include "api/route.h"
#include "api/rowcache.h"
#include "base/log.h"
#include "base/row.h"
#include "base/str.h"
#include "measure/metrics.h"

struct event_waits;
struct route_stats;
struct mount;
struct token_uses;
struct allowances;
struct idempotent; /* a request with an Idempotency-Key */

struct api {
	struct api_site *site;
	struct http_server *server;
	struct auth *auth;
	struct token_uses *token_uses;
	txw_time bursts_since; /* of the throttle, told in the audit log */
	unsigned bursts;
	struct cursor_key *cursors;
	struct rowcache *rows;
	struct event_waits *waits;
	struct idempotent *in_flight; /* uthash */
	struct mount *mounts;         /* exporters' paths */
	size_t n_mounts;
	bool are_pages_open;
	struct allowances *allowances; /* NULL: tokens have no rate */
	const txw_str *origins;        /* of other pages that may ask; the config's */
	size_t n_origins;
	struct buf openapi; /* the document */
	char openapi_tag[32];
	struct route_stats *stats; /* one a route, and one for what has none */
	struct metric *requests;
	struct series *replays;
	struct series *auth_failures;
	struct series *connections;
	size_t calls;   /* under way */
	size_t imports; /* of them */
	size_t exports;
	bool is_draining;
	bool is_closing;
};

/* What will be said; filled by whoever decides it, sent on the loop. */
struct answer {
	int status;
	bool is_problem;
	bool is_packed;    /* with gzip */
	const char *type;  /* of the body; NULL: JSON, or a problem */
	char etag[32];     /* "" = none */
	char location[96]; /* "" = none */
	const char *next;  /* the cursor for Link, in the call's arena; NULL = none */
	struct buf body;
};

struct call {
	struct api *api;
	struct http_request *request;
	const struct route *route; /* NULL: none matched */
	const struct token *token; /* a copy; NULL: an open route */
	txw_str tenant;
	txw_str param[ROUTE_PARAMS_MAX];
	struct arena *arena; /* the request's */
	int64_t began;       /* ticks */
	struct idempotent *once;
	bool takes_gzip;
	bool tag_is_packed; /* If-None-Match was of the packed answer */
};

/* ---- dispatch.c: answers; each call_ ends the call. [loop] ---- */

void call_answer(struct call *c, struct answer *a);
/* 200 (or so) with a JSON body; takes it over. */
void call_json(struct call *c, int status, struct buf *body);
void call_problem(struct call *c, enum problem p, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The body's mistake: 400. */
void call_wrong(struct call *c, const struct mistake *m);
/* What a read, a write or a queue returned; NOTFOUND says `what`. */
void call_failed(struct call *c, int32_t rc, const struct err *e, const char *what);

/* An answer that is streamed; the call ends when source->closed was called,
 * which calls call_stream_closed. ctx outlives the call. */
void call_stream(struct call *c, const char *type, const struct http_source *source, void *ctx);
void call_stream_closed(struct call *c);

/* Makes *a the problem; pure. */
void answer_problem(struct answer *a, const struct call *c, enum problem p, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same, left open for more members: end with json_close(&a->body, '}'). */
void answer_problem_open(struct answer *a, const struct call *c, enum problem p,
			 const char *detail);
void answer_reset(struct answer *a);

/* An admin of the tenant that the site itself belongs to? */
bool call_is_operator(const struct call *c);

/* The server's handler. */
void dispatch(void *api, struct http_request *r);
/* Is it for a ROUTE_STREAM? */
bool dispatch_streams(void *api, const struct http_request *r);
/* How much of the announced body is worth keeping? */
size_t dispatch_keeps(void *api, const struct http_request *r);
/* api.c: one call less is under way. */
void api_call_ended(struct api *api);

/* ---- page.c: reads on a reader's thread ---- */

struct page {
	struct read_job job;
	struct call *call;
	/* Fills answer.body (status 200 is set) or makes it a problem.
	 * [reader] */
	int32_t (*fill)(struct page *p, const txw_store *store, void *reader, struct err *e);
	/* After fill went well, before the answer goes; may be NULL and may
	 * return false to keep the call. [loop] */
	bool (*then)(struct page *p);
	/* The call is about to end with an error; may be NULL. [loop] */
	void (*dropped)(struct page *p);
	struct answer answer;
	const char *what; /* for 404: "there is no such ..." */
};
void page_submit(struct page *p);

/* ---- list.c: lists ---- */

struct list {
	uint32_t limit;
	bool ascending;
	struct position after; /* hi = lo = 0: from the start */
	txw_str more;          /* ... and what came with it */
	txw_str bound;         /* what the cursor is bound to */
	struct arena *arena;   /* the call's */
};
/* From limit, cursor and order; false: the call is answered. */
bool list_begin(struct call *c, struct list *l, bool ascends);
/* {"data":[ ... and ],"next":...}. list_end appends the cursor to the body;
 * next NULL: the last page. */
void list_open(struct answer *a);
void list_end(const struct api *api, const struct list *l, struct answer *a,
	      const struct position *next);
/* With more of a place than its two numbers. */
void list_end_more(const struct api *api, const struct list *l, struct answer *a,
		   const struct position *next, txw_str more);

/* The query parameter as an integer in a range; false: answered. */
bool query_int(struct call *c, const char *name, int64_t min, int64_t max, int64_t *out);
bool query_bool(struct call *c, const char *name, bool *out);

/* ---- idempotency.c ---- */

/* With an Idempotency-Key: false if the call was answered (a replay, a
 * refusal, a twin in flight). */
bool once_begin(struct call *c);
/* Writes the answer beside what it tells of. [writer] */
int32_t once_save(struct idempotent *o, struct unit *u, const struct answer *a, struct err *e);
/* The call is answered. */
void once_end(struct call *c);

/* ---- jobs.c ---- */

/* Begins a job of that kind: 202 with it. Takes over params, which the kind
 * must find right: they are read again after a restart. No reference to them
 * may be kept: the engine's thread counts theirs from here on. Ends the call. */
void call_begin_job(struct call *c, const char *kind, json_t *params);

/* ---- the rest ---- */

/* events.c: long polls. */
struct event_waits *waits_open(struct api *api);
void waits_wake(struct event_waits *w); /* the log grew [any] */
void waits_drain(struct event_waits *w);
void waits_close(struct event_waits *w);

/* exporters.c */
void mounts_open(struct api *api);
/* Does the path belong to one? Then mounts_answer() may end the call. */
bool mounts_has(const struct call *c);
void mounts_answer(struct call *c);
void mounts_close(struct api *api);

/* tx_list.c: `filter` and the parameters that narrow, into the arena; false:
 * answered. */
bool tx_filter(struct call *c, struct arena *arena, const txw_filter **out);

/* transactions: which one a path means; false: answered with 404. */
bool call_tx_id(struct call *c, size_t param, txw_id *out);
/* content.c: as json_event, with `content` where the event has a digest. */
void json_event_content(struct buf *b, const txw_event *ev);
/* tx_at.c: with ?at= answers (later) with the transaction as it was; false:
 * there is no such parameter. */
bool tx_at(struct call *c, const txw_tx_name *name);
/* openapi.c: prints the document that /openapi.json answers with. */
void description_open(struct api *api);
/* dispatch.c: If-Match as a version, untouched without one; false: answered. */
bool call_if_match(struct call *c, int64_t *version);
/* dispatch.c: If-None-Match names this ETag, or the packed answer's. */
bool call_unchanged(struct call *c, const char *etag);
/* Packs the answer if its caller takes that and it is worth it; more: even if
 * it is long. [any] */
void answer_pack(struct answer *a, const struct call *c, bool more);

#endif
