/*
 * egress_bench.h: what the tests of egress stand on: an HTTP peer, a loop, an
 * egress with two policies.
 *
 * The peer has raw sockets on loopback. It answers by the path of the request,
 * one thread per connection, so that a peer that trickles or hangs holds
 * nobody else.
 */
#ifndef TXWATCH_EGRESS_BENCH_H
#define TXWATCH_EGRESS_BENCH_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "egress/egress.h"
#include "measure/metrics.h"

#define PEER_VISITS 1024

struct peer {
	int listener;
	uint16_t port;
	pthread_t thread;
	_Atomic int connections;
	pthread_t visits[PEER_VISITS]; /* a thread each */
	pthread_mutex_t lock;          /* guards `last` */
	char last[8192];               /* the last request's head and body */
};

struct bench {
	struct peer peer;
	struct clock clock;
	struct loop *loop;
	struct metrics *metrics;
	struct egress *egress;
	struct egress_policy *local; /* admits loopback */
	struct egress_policy *strict;
};

/* One request's end, copied. */
struct got {
	struct bench *bench;
	int calls;
	int32_t error;
	uint32_t status;
	uint32_t n_headers;
	uint32_t is_cut;
	size_t body_len;
	char text[512];
	char body[64];
	char retry_after[32];
	char first_header[64];
	char peer[64];
	int64_t took, connect_took;
	int left; /* answers still to come */
};

struct ask {
	const struct egress_policy *policy;
	const char *host; /* NULL: 127.0.0.1 and the peer's port */
	const char *path;
	const char *method;
	const txw_http_header *headers;
	uint32_t n_headers;
	const char *body;
	int64_t timeout;
	int64_t body_cap;
	uint32_t stop_at_cap;
};

int bench_open(void **state);         /* on the real clock */
int bench_open_virtual(void **state); /* on a virtual one */
int bench_close(void **state);

/* Starts a request; *got is filled when it ends. */
int32_t start(struct bench *b, const struct ask *ask, struct got *got, uint64_t *id, struct err *e);
/* Runs the loop until got->left answers have come. */
void await(struct bench *b, const struct got *got);
/* Starts one request and awaits its end. */
struct got fetch(struct bench *b, const struct ask *ask);
/* The callback that fills a struct got. */
void on_done(void *ctx, const txw_http_response *r);
/* Is it part of the last request the peer got? */
bool was_sent(struct bench *b, const char *part);

#endif
