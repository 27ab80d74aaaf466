/*
 * notify.h: from the log to the targets: routing, lanes, deliveries.
 *
 * router.c turns events into delivery rows; its cursor moves in the same
 * commit. dispatch.c claims due deliveries for each target's lane, hands them
 * to notifiers and turns verdicts into rows.
 */
#ifndef TXWATCH_NOTIFY_NOTIFY_H
#define TXWATCH_NOTIFY_NOTIFY_H

#include <jansson.h>

#include "base/buf.h"
#include "config/conf.h"
#include "engine/engine.h"
#include "engine/readers.h"

struct notify;

struct notify *notify_open(struct loop *loop, struct metrics *metrics);
/* A notifier's instance, and its common options. [load] */
void notify_add(struct notify *n, instance *notifier, struct conf_report *report);
/* A `route` section. [load] */
void notify_add_route(struct notify *n, const struct conf_section *route,
		      struct conf_report *report);
/* Loads subscriptions and targets from the store, starts lanes. */
int32_t notify_start(struct notify *n, struct engine *g, struct readers *r, struct err *e);
void notify_drain(struct notify *n); /* starts nothing more [loop] */
size_t notify_in_flight(struct notify *n);
/* After engine_stop, before the readers and the store are closed. */
void notify_stop(struct notify *n);
void notify_close(struct notify *n);

/* Extension "txw.notify/1". */
extern const txw_notify_ext NOTIFY_EXT;

/*
 * Subscriptions are documents of kind "subscription", id "sub_...". The body
 * is the API's object with the secret in it; a read leaves the secret out.
 */
struct change;
enum sub_what { SUB_CREATE, SUB_PATCH, SUB_DELETE, SUB_TEST, SUB_REPLAY };

struct sub_request {
	struct job job;
	struct notify *notify;
	enum sub_what what;
	txw_str tenant; /* texts: in the arena */
	txw_str id;     /* "sub_..."; CREATE: set by it */
	txw_str actor;
	txw_str trace;         /* traceparent; TEST: the event's */
	json_t *body;          /* CREATE, PATCH: the request; owned */
	int64_t if_version;    /* PATCH, DELETE: only if it is this one; 0: whatever it is */
	bool is_other_version; /* ... it was not: EXISTS */
	int64_t version;       /* CREATE, PATCH: the one it has now */
	struct arena arena;
	struct buf answer;     /* the object; CREATE: with the secret, once */
	int64_t seq;           /* TEST: the event made */
	struct change *change; /* notify's own */
	/* Optional: a last word inside the unit, after the change (used to
	 * save an idempotent answer). A create's `answer` has
	 * the secret.
	 * [writer] */
	int32_t (*finish)(struct sub_request *r, struct unit *u, struct err *e);
	void (*done)(struct sub_request *r); /* [loop]; job.rc: 0,
	                          * TXW_E_INVALID, _NOTFOUND, _DENIED or the
	                          * store's; frees it by sub_request_free */
	void *ctx;
};
/* What a body may have. kind: 't'ext, 'b'oolean, or '*': looked at later. */
struct sub_member {
	const char *name;
	char kind;
};
extern const struct sub_member SUB_MEMBERS[];
extern const size_t SUB_MEMBERS_N;
int32_t sub_submit(struct sub_request *r); /* as engine_submit */
void sub_request_free(struct sub_request *r);

/* The API's object from a document (body without its secret) and its target's
 * state (NULL: none yet). */
void sub_render(struct buf *out, const txw_doc *doc, const txw_target *state);

/* The API's delivery object; event may be NULL. site: for the ids. */
void delivery_render(struct buf *out, uint32_t site, const txw_delivery_row *row,
		     const txw_target *target, const txw_event *event);
void attempt_render(struct buf *out, const txw_attempt *row);
const char *delivery_state_name(uint32_t state);
bool delivery_state_parse(txw_str name, uint32_t *out);

/* Sends a dead, parked or waiting delivery again, now. done as above. */
struct retry_request {
	struct job job;
	struct notify *notify;
	txw_str tenant; /* in the arena */
	int64_t key;
	txw_delivery_row row; /* notify's own */
	bool found;
	struct arena arena;
	void (*done)(struct retry_request *r);
	void *ctx;
};
int32_t retry_submit(struct retry_request *r);

/* The target's row by its name, for lists: 0 = no such. [loop] */
int64_t notify_target_key(struct notify *n, txw_str tenant, txw_str name);

#endif
