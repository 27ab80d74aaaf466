/*
 * connection.c: a connection, from its start to its end: the certificate it
 * was shown, and how long it has taken to say what it wants.
 *
 * libmicrohttpd closes a connection on which nothing moves; one that sends a
 * byte now and then it keeps for ever, and a thousand of those are all there
 * may be. So whoever has neither a whole request there nor a token that makes
 * a long body his right, within PATIENCE idle timeouts, is closed.
 *
 *   WAITING -> HEARD     connection_heard(): its request is whole, or may be long
 *   HEARD   -> WAITING   connection_waits(): it was answered
 *
 * Dripping makes the server run, and each run may look: there is no timer.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/inside.h"

#define PATIENCE 2

struct connection *connection_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

void connection_event(void *server, struct MHD_Connection *mhd, void **context,
		      enum MHD_ConnectionNotificationCode what)
{
	struct http_server *s = server;
	struct connection *c = *context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		c = xcalloc(1, sizeof(*c));
		*c = (struct connection){.server = s, .mhd = mhd, .since = clock_ticks()};
		DL_APPEND(s->connections, c);
		*context = c;
		return;
	}
	*context = NULL;
	requests_forget(s, mhd);
	if (!c)
		return;
	DL_DELETE(s->connections, c);
	tls_pair_drop(c->pair);
	free(c);
}

void connection_heard(struct MHD_Connection *mhd)
{
	struct connection *c = connection_of(mhd);
	if (c)
		c->since = 0;
}

void connection_waits(struct MHD_Connection *mhd)
{
	struct connection *c = connection_of(mhd);
	if (c)
		c->since = clock_ticks();
}

void connections_look(struct http_server *s)
{
	int64_t now = clock_ticks(), idle = s->limits.idle_timeout;
	if (now < s->look_at)
		return;
	s->look_at = now + idle / 2;
	for (struct connection *c = s->connections; c; c = c->next) {
		if (c->since == 0 || now - c->since <= PATIENCE * idle)
			continue;
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		    c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		log_info("a connection without a whole request is closed", "after_ms",
			 LOG_INT((now - c->since) / MILLISECOND));
		if (info)
			shutdown(info->connect_fd, SHUT_RDWR);
	}
}
