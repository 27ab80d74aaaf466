/*
 * listener.h: the `http` section: the listener of a site, and its certificate.
 */
#ifndef TXWATCH_API_LISTENER_H
#define TXWATCH_API_LISTENER_H

#include "config/conf.h"
#include "http/server.h"

/* NULL: there is none, and the defaults hold. */
const struct conf_section *listener_section(const struct conf *conf);
/* Reads the certificate and says what is wrong with it. [load] */
void listener_check(const struct conf *conf, struct conf_report *report);
/* May the listener of one site go on in the other, connections and all? */
bool listener_fits(const struct conf *one, const struct conf *other);

/* server: a detached one to go on with; else opens one, on the socket
 * `socket` if it is not 0. NULL and e: `server` is still the caller's. */
struct http_server *listener_open(const struct conf *conf, struct loop *loop, int socket,
				  struct http_server *server, http_handler handler, void *ctx,
				  struct err *e);

#endif
