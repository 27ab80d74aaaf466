/* template.h: URLs and bodies with places for refs: "/payments/{{ref}}". */
#ifndef POLLER_HTTP_TEMPLATE_H
#define POLLER_HTTP_TEMPLATE_H

#include "pool.h"

/* What may stand between the braces; flags. */
#define PLACE_REF    1u
#define PLACE_REFS   2u
#define PLACE_CURSOR 4u

/* How a value is written so that it stays one value. */
enum writing {
	WRITE_PERCENT, /* RFC 3986: all but unreserved; refs joined by ',' */
	WRITE_JSON,    /* inside a JSON string; refs are "a","b" */
};

struct template
{
	size_t n;
	struct piece *pieces;
	uint32_t places; /* PLACE_ flags of what occurs */
};

/* 0, TXW_E_NOMEM, or TXW_E_INVALID: a place that is not allowed, or braces
 * that are never closed. Keeps nothing of text. */
int32_t template_read(struct pool *pool, txw_str text, uint32_t allowed, struct template *out);

/* True when a URL's places are all behind its authority, so that no value can
 * choose the host. */
bool template_url_ok(txw_str text);

/* ref and cursor are values[0]. */
void template_write(const struct template *t, enum writing how, const txw_str *values, size_t n,
		    struct text *out);

/* A "." or ".." between slashes: URL libraries walk it, and so it would reach
 * another resource. */
bool url_has_dots(txw_str url);

#endif
