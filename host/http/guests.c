/*
 * guests.c: connections that take their time to say what they want.
 *
 * libmicrohttpd closes a connection on which nothing moves; one that sends a
 * byte now and then it keeps for ever, and a thousand of those are all there
 * may be. So whoever has neither a whole request there nor a token that makes
 * a long body his right, within PATIENCE idle timeouts, is closed.
 *
 *   WAITING -> HEARD     guest_heard(): its request is whole, or may be long
 *   HEARD   -> WAITING   guest_waits(): it was answered
 *
 * Dripping makes the server run, and each run may look: there is no timer.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/inside.h"

#define PATIENCE 2

struct guest {
	struct MHD_Connection *connection;
	int64_t since; /* ticks: the loop may have gone first; 0 = HEARD */
	UT_hash_handle hh;
};

static struct guest *find(const struct http_server *s, const struct MHD_Connection *c)
{
	struct guest *g = NULL;
	HASH_FIND_PTR(s->guests, &c, g);
	return g;
}

void guest_begin(struct http_server *s, struct MHD_Connection *c)
{
	struct guest *g = xcalloc(1, sizeof(*g));
	g->connection = c;
	g->since = clock_ticks();
	HASH_ADD_PTR(s->guests, connection, g);
}

void guest_end(struct http_server *s, const struct MHD_Connection *c)
{
	struct guest *g = find(s, c);
	if (!g)
		return;
	HASH_DEL(s->guests, g);
	free(g);
}

void guest_heard(struct http_server *s, const struct MHD_Connection *c)
{
	struct guest *g = find(s, c);
	if (g)
		g->since = 0;
}

void guest_waits(struct http_server *s, const struct MHD_Connection *c)
{
	struct guest *g = find(s, c);
	if (g)
		g->since = clock_ticks();
}

void guests_look(struct http_server *s)
{
	int64_t now = clock_ticks();
	int64_t idle = s->limits.idle_timeout;
	if (now < s->guests_due)
		return;
	s->guests_due = now + idle / 2;
	for (struct guest *g = s->guests; g; g = g->hh.next) {
		if (g->since == 0 || now - g->since <= PATIENCE * idle)
			continue;
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		    g->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		log_info("a connection without a whole request is closed", "after_ms",
			 LOG_INT((now - g->since) / MILLISECOND));
		if (info)
			shutdown(info->connect_fd, SHUT_RDWR);
	}
}
