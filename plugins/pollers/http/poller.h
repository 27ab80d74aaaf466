/* poller.h: an instance of poller.http, and its requests under way. */
#ifndef POLLER_HTTP_POLLER_H
#define POLLER_HTTP_POLLER_H

#include <pthread.h>

#include "settings.h"
#include "txwatch/ext/clock.h"
#include "txwatch/ext/log.h"
#include "txwatch/poller.h"

struct request;

struct poller {
	struct pool pool; /* the settings' */
	struct settings settings;
	txw_instance *self;
	const txw_http_ext *http;
	const txw_poll_ext *poll;
	const txw_clock_ext *clock;
	const txw_log_ext *log;   /* NULL: not offered */
	pthread_mutex_t lock;     /* guards requests, and what request.c says */
	struct request *requests; /* under way */
};

/* One transaction that was asked about. */
struct asked {
	uint64_t token;
	txw_str ref;
	bool is_over; /* answered, or cancelled by the host */
};

/*
 * A request under way. On the list from request_new to its answer; the list,
 * is_over, n_over, id and users are guarded by the poller's lock until then.
 */
struct request {
	struct request *next;
	struct request **link; /* what points to us; NULL: off the list */
	struct poller *poller;
	uint64_t id; /* the host's, for its cancel; */
	bool has_id; /* known once start returned */
	int users;   /* the starter and the answer: the last one frees */
	bool is_discovery;
	txw_str cursor; /* of a discovery: what it was asked with */
	size_t n;
	size_t n_over;
	struct asked *asked; /* sorted by ref when n > 1; a discovery has one */
};

/* ---- request.c ---- */
/* Byte order; refs may hold any bytes. */
int ref_cmp(txw_str a, txw_str b);
/* tokens and refs are copied; NULL: no memory. */
struct request *request_new(struct poller *p, const txw_poll_item *items, size_t stride, size_t n);
struct request *request_new_discovery(struct poller *p, uint64_t token, txw_str cursor);
/* Starts it, or answers it at once with what is wrong. */
void request_send(struct request *r, txw_str url, txw_str body, int64_t timeout);
/* Answers it without sending: FAILED, with the text. */
void request_refuse(struct request *r, txw_str text);
void request_cancel(struct poller *p, uint64_t token);
void requests_drop(struct poller *p);

/* ---- poll.c ---- */
int32_t poll_items(void *instance, const txw_poll_item *items, size_t stride, size_t n,
		   txw_error *err);
void poll_answer(struct request *r, const txw_http_response *response);
/* Answers all that is left of r. */
void poll_fail(struct request *r, uint32_t result, const txw_http_response *response, int64_t after,
	       txw_str text);

/* ---- discover.c ---- */
int32_t discover_page(void *instance, uint64_t token, txw_str cursor, txw_error *err);
void discover_answer(struct request *r, const txw_http_response *response);
void discover_fail(struct request *r, uint32_t result, int64_t after, txw_str text);

#endif
