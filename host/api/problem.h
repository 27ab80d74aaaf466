/*
 * problem.h: what can be wrong, as application/problem+json (RFC 9457).
 *
 * X(symbol, name, status, title, what it means). The type is
 * "urn:txwatch:problem:NAME" and never changes; docs/api.md has this table.
 */
#ifndef TXWATCH_API_PROBLEM_H
#define TXWATCH_API_PROBLEM_H

#include "base/buf.h"
#include "base/err.h"

#define PROBLEMS(X)                                                                                \
	X(MALFORMED, "malformed", 400, "Malformed request",                                        \
	  "The target, a header or the body's JSON is not well-formed")                            \
	X(INVALID, "invalid", 400, "Invalid value",                                                \
	  "A member or a parameter has a wrong value; `member` names it")                          \
	X(BAD_CURSOR, "bad-cursor", 400, "Bad cursor",                                             \
	  "The cursor is of another query, or was altered")                                        \
	X(BAD_FILTER, "bad-filter", 400, "Bad filter",                                             \
	  "The filter cannot be read; the detail names the column")                                \
	X(TOO_BROAD, "too-broad", 400, "Too much to look through",                                 \
	  "The query is right, but about too many transactions; the detail says how to narrow it") \
	X(ADDRESS_REFUSED, "address-refused", 400, "Address refused",                              \
	  "The target is an address that deliveries may not go to")                                \
	X(UNAUTHENTICATED, "unauthenticated", 401, "Not authenticated",                            \
	  "The token is missing, unknown or expired")                                              \
	X(FORBIDDEN, "forbidden", 403, "Not allowed", "The token lacks a scope; `scope` names it") \
	X(NOT_FOUND, "not-found", 404, "Not found", "There is no such thing, or it is not yours")  \
	X(METHOD, "method-not-allowed", 405, "Method not allowed",                                 \
	  "The route has other methods; `Allow` lists them")                                       \
	X(REFUSED, "refused", 409, "Move refused",                                                 \
	  "The flow does not allow this status now; `allowed` lists what it does")                 \
	X(STALE, "stale", 409, "Stale observation",                                                \
	  "Older than what is known; `transaction` is as it stands")                               \
	X(CONFLICT, "conflict", 409, "Changed meanwhile",                                          \
	  "Somebody else changed it in this moment: read it and try again")                        \
	X(LIMIT, "limit-reached", 409, "Limit reached",                                            \
	  "There are as many as may be; the detail says how many")                                 \
	X(UNDONE, "batch-undone", 409, "Batch undone",                                             \
	  "An operation of an atomic batch failed, so none was done; `results` tells")             \
	X(IN_FLIGHT, "in-flight", 409, "Already in flight",                                        \
	  "A request with this Idempotency-Key is being carried out")                              \
	X(GONE, "gone", 410, "Not in the log",                                                     \
	  "The log does not reach that seq (`epoch` tells if it is another), or events after it "  \
	  "were purged: from `oldest` on it is whole")                                             \
	X(PRECONDITION, "precondition-failed", 412, "Precondition failed",                         \
	  "The object has another version than `If-Match` asks for")                               \
	X(TOO_LARGE, "too-large", 413, "Body too large", "The body is longer than allowed")        \
	X(URI_TOO_LONG, "uri-too-long", 414, "Target too long",                                    \
	  "The request's target is longer than 6000 bytes")                                        \
	X(MEDIA_TYPE, "unsupported-media-type", 415, "Unsupported media type",                     \
	  "The body must be application/json")                                                     \
	X(BAD_CONFIG, "bad-config", 422, "Config refused",                                         \
	  "The config file has mistakes; the running site stays")                                  \
	X(KEY_REUSED, "key-reused", 422, "Idempotency-Key reused",                                 \
	  "The key was used with another request")                                                 \
	X(THROTTLED, "throttled", 429, "Too many failures",                                        \
	  "Too many wrong tokens from this address; wait `Retry-After` seconds")                   \
	X(RATE, "rate-limited", 429, "Too many requests",                                          \
	  "The token has spent its allowance (`http.rate`); wait `Retry-After` seconds")           \
	X(HEADERS, "headers-too-large", 431, "Headers too large",                                  \
	  "The request's headers are longer than 10000 bytes")                                     \
	X(INTERNAL, "internal", 500, "Internal error", "A fault of txwatch; the log has more")     \
	X(UNKNOWN_METHOD, "unknown-method", 501, "Unknown method",                                 \
	  "This server knows no such method or transfer coding")                                   \
	X(BUSY, "busy", 503, "Too busy", "A queue is full; try again after `Retry-After` seconds") \
	X(STORE, "store-unavailable", 503, "Store unavailable",                                    \
	  "The database cannot be read or written now; nothing was done")                          \
	X(FULL, "disk-full", 507, "Disk full", "There is no space to write; nothing was done")

#define PROBLEM_SYMBOL(sym, name, status, title, help) PROBLEM_##sym,
enum problem { PROBLEMS(PROBLEM_SYMBOL) PROBLEM_N };
#undef PROBLEM_SYMBOL

struct problem_row {
	const char *name;
	int status;
	const char *title;
	const char *help;
};
extern const struct problem_row PROBLEM_ROWS[PROBLEM_N];

/* Appends the object but for its closing brace. */
void problem_open(struct buf *out, enum problem p, const char *detail, txw_str request_id);

/* What a negative TXW_E_ of the engine, the readers or a queue becomes. */
enum problem problem_of(int32_t rc);

#endif
