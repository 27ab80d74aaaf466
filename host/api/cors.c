/* cors.c: see cors.h. */
#include "api/cors.h"

#include <string.h>

#include "base/str.h"

#define MAY_SEND                                                                                 \
	"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, " \
	"traceparent, X-Request-Id"
#define MAY_SEE                                                                                  \
	"ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, " \
	"traceparent, X-Request-Id"
#define KEPT_SECONDS "600"

/* "*", the origin itself, or none. */
static txw_str allowed(txw_str origin, const txw_str *origins, size_t n)
{
	for (size_t i = 0; i < n && origin.len; i++) {
		if (str_is(origins[i], "*") || str_eq(origins[i], origin))
			return origins[i];
	}
	return STR_NONE;
}

void cors_answer(struct http_request *r, const txw_str *origins, size_t n)
{
	if (n == 0)
		return;
	http_set_header(r, "Vary", STR_LIT("Origin"));
	txw_str origin = allowed(http_header(r, "Origin"), origins, n);
	if (origin.len == 0)
		return;
	http_set_header(r, "Access-Control-Allow-Origin", origin);
	http_set_header(r, "Access-Control-Expose-Headers", STR_LIT(MAY_SEE));
}

void cors_preflight(struct http_request *r, const txw_str *origins, size_t n, const char *methods)
{
	if (http_header(r, "Access-Control-Request-Method").len == 0 ||
	    allowed(http_header(r, "Origin"), origins, n).len == 0)
		return;
	http_set_header(r, "Access-Control-Allow-Methods", str_of(methods));
	http_set_header(r, "Access-Control-Allow-Headers", STR_LIT(MAY_SEND));
	http_set_header(r, "Access-Control-Max-Age", STR_LIT(KEPT_SECONDS));
}
