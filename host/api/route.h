/*
 * route.h: the one table of routes: it dispatches, and describes itself.
 */
#ifndef TXWATCH_API_ROUTE_H
#define TXWATCH_API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "txwatch/abi.h"

#define ROUTE_PARAMS_MAX  2
#define ROUTE_QUERIES_MAX 20

/* Each includes those before it. */
enum scope { SCOPE_OPEN, SCOPE_READ, SCOPE_WRITE, SCOPE_ADMIN };
const char *scope_name(enum scope s);

#define ROUTE_BODY    1u  /* takes a JSON object */
#define ROUTE_ONCE    2u  /* honours Idempotency-Key */
#define ROUTE_LARGE   4u  /* its body may be as long as http.max-body */
#define ROUTE_REST    8u  /* its last parameter may hold slashes */
#define ROUTE_STREAM  32u /* a POST ":word" that takes its body as it comes */
#define ROUTE_VIRTUAL 16u /* exists under a virtual clock only */
/* What its description says of it. */
#define ROUTE_MAY_LACK 128u  /* the body */
#define ROUTE_MADE     256u  /* answers 201 */
#define ROUTE_LATER    512u  /* answers 202 */
#define ROUTE_ALSO_200 1024u /* beside 201 or 202 */
#define ROUTE_TAGGED   2048u /* has an ETag; GET may answer 304, others 412 */
#define ROUTE_SICK     4096u /* 503 has the same answer */

struct route_query {
	const char *name; /* NULL ends a list */
	const char *help;
};

struct call;
struct route {
	const char *method;
	const char *path; /* "/v1/flows/{name}" */
	enum scope scope;
	uint32_t flags;
	void (*run)(struct call *c);
	const char *summary;
	const char *body;                  /* names of schema.h, or NULL */
	const char *answer;                /* on 2xx */
	const struct route_query *queries; /* NULL = none */
};

extern const struct route ROUTES[];
extern const size_t ROUTES_N;

struct route_match {
	const struct route *route; /* NULL: none */
	txw_str param[ROUTE_PARAMS_MAX];
	char allow[64]; /* the path is known: the methods it has */
};

/* HEAD is served as GET. Without is_virtual, ROUTE_VIRTUAL rows do not
 * exist. Pure. */
void route_find(txw_str method, txw_str path, bool is_virtual, struct route_match *out);

#endif
