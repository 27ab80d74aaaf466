/*
 * transfer.h: what the files of this folder share: one request on its way,
 * the pool that carries it, and the egress that owns both.
 *
 *   FREE    -> COPYING  egress_start()     a slot was free
 *   COPYING -> QUEUED   egress_start()     the request is sound and copied
 *   QUEUED  -> ACTIVE   pool: take         the pool's thread began it
 *   ACTIVE  -> OVER     transfer_finish()  answered, failed or stopped
 *   OVER    -> FREE     egress: conclude   done was called, on the loop
 *
 * A transfer belongs to the starter while COPYING, to its pool's thread while
 * QUEUED or ACTIVE, to the loop when OVER; egress.lock guards the lists it
 * changes hands through.
 */
#ifndef TXWATCH_EGRESS_TRANSFER_H
#define TXWATCH_EGRESS_TRANSFER_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/loop.h"
#include "egress/egress.h"
#include "egress/vet.h"

#define ANSWER_HEADERS    100
#define ANSWER_HEAD_BYTES ((size_t)64 * 1024)

struct egress_policy {
	size_t n;
	struct network networks[];
};

/* How an easy handle is set up for the body: changed only when it differs. */
enum shape { SHAPE_UNSET, SHAPE_GET, SHAPE_HEAD, SHAPE_BODY };

/* A header of the answer, as places in transfer.head. */
struct field {
	uint32_t name, name_len;
	uint32_t value, value_len;
};

struct pool;

struct transfer {
	struct transfer *next;     /* in one of: free, inbox, over */
	struct transfer *arm_next; /* egress.arming */
	struct transfer *cut_next; /* pool.cut */
	struct egress *egress;
	struct pool *pool;
	uint32_t slot;
	uint64_t id;             /* under the lock; 0 = FREE or COPYING */
	_Atomic uint64_t active; /* id while ACTIVE, else 0 */

	/* the loop's */
	struct timer deadline;
	bool is_over;
	txw_time ends;
	txw_http_done done;
	void *ctx;

	/* the request; texts in `text` */
	struct buf text;
	const char *url;
	size_t url_len; /* 0: there is none that was found sound */
	const char *method;
	const char *body;
	size_t body_len;
	struct curl_slist *lines; /* n_lines of them, linked */
	size_t n_lines;
	size_t cap_lines;
	int64_t timeout;
	size_t body_cap;
	bool stop_at_cap;
	int64_t began; /* ticks */

	/* the easy handle, kept from one request to the next */
	CURL *easy;
	enum shape shape;
	bool has_method; /* CURLOPT_CUSTOMREQUEST is set */
	long connect_ms;

	/* the answer as it comes */
	struct buf head;
	struct field fields[ANSWER_HEADERS];
	uint32_t n_fields;
	size_t head_seen;
	bool is_head_too_long;
	struct buf answer;
	bool is_cut;
	size_t drained;     /* bytes beyond the cap */
	unsigned n_sockets; /* opened for it */
	char denied[160];   /* the last address refused; "" = none */
	char why[CURL_ERROR_SIZE];

	/* the result */
	int32_t error;
	uint32_t status;
	char peer[80];
	int64_t took, connect_took, tls_took, first_byte_took;
};

struct stop {
	struct transfer *transfer;
	uint64_t id; /* the transfer may have a new one by now */
	int32_t code;
};

/* One thread and its connections; see pool.c. */
struct pool {
	struct pool *next;
	struct egress *egress;
	struct egress_policy *policy; /* its own copy */
	CURLM *multi;
	pthread_t thread;
	bool is_asleep;         /* under the lock: in curl_multi_poll */
	bool is_called;         /* under the lock: to be woken by the turn */
	struct transfer *inbox; /* under the lock */
	struct transfer **inbox_last;
	struct stop *stops; /* under the lock */
	size_t n_stops, cap_stops;
	/* the thread's */
	struct stop *taken;
	size_t n_taken, cap_taken;
	struct transfer *cut;
	struct transfer *over;
	struct transfer **over_last;
};

enum result { R_ANSWERED, R_DENIED, R_TIMEOUT, R_IO, R_FULL, R_CANCELLED, R_COUNT };

struct egress {
	struct loop *loop;
	struct task turn;
	struct series *results[R_COUNT];
	struct series *in_flight;
	struct series *seconds;

	pthread_mutex_t lock; /* guards what follows, and slots' lists */
	bool is_closing;
	bool is_posted;     /* turn waits in the loop */
	bool has_curl;      /* curl_global_init was called */
	struct pool *pools; /* never fewer until close */
	struct transfer *slots[EGRESS_MAX_IN_FLIGHT];
	size_t n_slots;
	struct transfer *free;
	size_t n_free;
	uint64_t generation;
	struct transfer *arming; /* started, deadline not yet set */
	struct transfer *over;   /* waiting for the loop */
	struct transfer **over_last;
};

/* request.c: checks a request and copies it into the transfer; an error
 * leaves the transfer as it was. */
int32_t request_copy(struct transfer *t, const txw_http_request *request, struct err *err);
/* Is it a URL that could be asked? *handle, if wanted, is its parts. */
int32_t request_check_url(const char *url, CURLU **handle, struct err *err);

/* policy.c */
bool policy_same(const struct egress_policy *a, const struct egress_policy *b);
struct egress_policy *policy_copy(const struct egress_policy *p);

/* pool.c: NULL if there is no thread or memory for it. */
struct pool *pool_open(struct egress *e, const struct egress_policy *policy);
/* Under the lock. true: call pool_wake after unlocking. */
bool pool_submit(struct pool *p, struct transfer *t);
bool pool_stop(struct pool *p, struct transfer *t, int32_t code);
void pool_wake(struct pool *p);
/* After egress.is_closing: cancels everything, joins, frees. */
void pool_close(struct pool *p);

/* transfer.c; all but the last two on the pool's thread. */
bool transfer_begin(struct transfer *t, CURLM *multi);
void transfer_finish(struct transfer *t, CURLM *multi, CURLcode code);
void transfer_stop(struct transfer *t, CURLM *multi, int32_t code);
/* The answer, with its headers in `headers` (ANSWER_HEADERS of them) and
 * its text in `text`; valid until the transfer is reused. */
void transfer_answer(const struct transfer *t, txw_http_response *out, txw_http_header *headers,
		     struct buf *text);
/* Frees what a transfer holds beyond what the next request needs. */
void transfer_trim(struct transfer *t, bool all);

/* egress.c: hands what is over to the loop; empties the pool's list. */
void egress_publish(struct pool *p);

#endif
