/*
 * openapi.h: the OpenAPI 3.1 document of the route table, and the statuses a
 * route may answer with.
 */
#ifndef TXWATCH_API_OPENAPI_H
#define TXWATCH_API_OPENAPI_H

#include "api/route.h"
#include "base/buf.h"

/* The whole document. Pure. */
void openapi_print(struct buf *b, bool is_virtual);

/* The i-th status of a good answer; 0 beyond the last. */
int route_good_status(const struct route *r, size_t i);
/* May it answer with a problem of this status? */
bool route_may_fail(const struct route *r, int status);

#endif
