/*
 * txwatch/ext/http.h: extension "txw.http/1": outgoing HTTP, vetted.
 *
 * The host resolves the name and refuses addresses that are not public
 * (loopback, private, link-local, metadata, multicast, mapped ...) unless the
 * instance's `allow-networks` option admits them; the check is made on the
 * address the socket really connects to. Redirects are not followed, one
 * deadline covers the whole attempt, the body is cut at a cap while it
 * streams. Connections are kept and reused.
 */
#ifndef TXWATCH_EXT_HTTP_H
#define TXWATCH_EXT_HTTP_H

#include "txwatch/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TXW_EXT_HTTP "txw.http/1"

typedef struct txw_http_header {
	txw_str name;
	txw_str value;
} txw_http_header; /* frozen */

typedef struct txw_http_request {
	uint32_t size;
	uint32_t n_headers;
	txw_str method;                 /* "GET" ...; upper case letters only */
	txw_str url;                    /* http:// or https:// */
	const txw_http_header *headers; /* a CR, LF or NUL refuses the request */
	txw_str body;                   /* sent when not "none" */
	int64_t timeout;                /* microseconds, the whole attempt; > 0 */
	int64_t body_cap;               /* bytes of the answer that are kept; >= 0 */
	uint32_t stop_at_cap;           /* 1: an answer beyond the cap ends the attempt
	                          * with TXW_E_FULL; 0: the rest is not read and
	                          * the answer counts, cut */
	uint32_t reserved;
} txw_http_request;

typedef struct txw_http_response {
	uint32_t size;
	int32_t error;   /* TXW_OK, or why there is no answer:
	                          * _DENIED (address refused), _TIMEOUT, _IO,
	                          * _FULL, _CANCELLED */
	txw_str text;    /* the error for people */
	uint32_t status; /* 100..599; 0 = no answer */
	uint32_t n_headers;
	const txw_http_header *headers; /* names lower case; at most 100, and
	                                 * 64 KB in all */
	txw_str body;                   /* at most body_cap bytes */
	uint32_t is_cut;                /* 1: there was more */
	uint32_t reserved;
	txw_str peer; /* "203.0.113.7:443" */
	int64_t took; /* microseconds */
	int64_t connect_took;
	int64_t tls_took;
	int64_t first_byte_took;
} txw_http_response;

/* [loop]; the response is borrowed for the call. */
typedef void (*txw_http_done)(void *ctx, const txw_http_response *response);

typedef struct txw_http_ext {
	uint32_t size;
	uint32_t reserved;
	/* Starts a request; everything is copied. Returns TXW_PENDING and
	 * calls done exactly once, later; or an error, and never calls done.
	 * *id, if wanted, names it for cancel. [any] */
	int32_t (*start)(txw_instance *self, const txw_http_request *request, txw_http_done done,
			 void *ctx, uint64_t *id, txw_error *err);
	/* Ends a request early: done is still called, with
	 * TXW_E_CANCELLED. Harmless when it is over. [any] */
	void (*cancel)(txw_instance *self, uint64_t id);
	/* Says whether a URL could be asked at all (its form, its scheme, a
	 * literal address's network) without resolving names. [any] */
	int32_t (*check)(txw_instance *self, txw_str url, txw_error *err);
} txw_http_ext;

#ifdef __cplusplus
}
#endif

#endif
