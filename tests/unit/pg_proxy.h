/*
 * pg_proxy.h: stands between a client and a PostgreSQL server, counts the
 * statements that pass and cuts the line at the n-th.
 */
#ifndef PG_PROXY_H
#define PG_PROXY_H

#include <stdbool.h>

enum pg_cut {
	PG_CUT_BEFORE, /* the server never gets the statement */
	PG_CUT_AFTER,  /* it gets all of what was sent with it, the client no answer */
	PG_CUT_WITHIN, /* ... half of the answer */
};

struct pg_proxy;

/* Listens on a free port of 127.0.0.1; conninfo has a "port=" there. */
struct pg_proxy *pg_proxy_start(const char *conninfo);
void pg_proxy_stop(struct pg_proxy *p);
/* How to reach the server through it. */
const char *pg_proxy_conninfo(const struct pg_proxy *p);
/* Cuts once, at the n-th statement from now (1...); 0: never. */
void pg_proxy_arm(struct pg_proxy *p, unsigned n, enum pg_cut how);
/* Has it cut since it was armed? */
bool pg_proxy_has_cut(struct pg_proxy *p);
/* down: cuts what there is when it cuts next, and takes no new connection. */
void pg_proxy_set_down(struct pg_proxy *p, bool down);

#endif
