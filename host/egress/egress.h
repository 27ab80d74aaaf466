/*
 * egress.h: outgoing HTTP: one thread of curl_multi_poll for everybody.
 *
 * The thread is started with the first request (libcurl costs 5 ms and 6 MB).
 * Addresses are vetted where the socket is opened. Deadlines are timers on the
 * site's clock, so a virtual clock moves them; libcurl's own are not used.
 * While a request is under way it holds the loop (loop_hold). Connections are
 * kept, and lent only to requests of an equal policy.
 *
 * Of an answer, connect_took includes the name's resolving, tls_took is the
 * handshake alone, and first_byte_took counts from when the request could be
 * sent; on a kept connection the first two are 0.
 */
#ifndef TXWATCH_EGRESS_EGRESS_H
#define TXWATCH_EGRESS_EGRESS_H

#include "base/err.h"
#include "base/loop.h"
#include "txwatch/ext/http.h"

#define EGRESS_MAX_IN_FLIGHT 4096

struct egress;
struct egress_policy;
struct metrics;

struct egress *egress_open(struct loop *loop, struct metrics *metrics);
/* Cancels what is under way: done is called for all of it before this returns.
 * Only when the loop will run no more tasks. [load] */
void egress_close(struct egress *e);

/* networks: "10.1.0.0/16", "::1", "127.0.0.1"; n = 0 allows public ones
 * only. Errors name the one that is not a network. */
struct egress_policy *egress_policy_make(const txw_str *networks, size_t n, struct err *err);
void egress_policy_free(struct egress_policy *p);

/* Everything is copied; policy must outlive the request. done runs on the
 * loop, exactly once, if the answer is TXW_PENDING. [any] */
int32_t egress_start(struct egress *e, const struct egress_policy *policy,
		     const txw_http_request *request, txw_http_done done, void *ctx, uint64_t *id,
		     struct err *err);
void egress_cancel(struct egress *e, uint64_t id); /* [any] */

/* The form of a URL, its scheme, and a literal address's network. [any] */
int32_t egress_check(const struct egress_policy *policy, txw_str url, struct err *err);

#endif
