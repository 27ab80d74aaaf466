/*
 * listen.c: hints from other hosts: a thread with a connection of its own that
 * LISTENs.
 *
 * A hint may be lost, with the connection or before it stood; whoever asked
 * for hints polls too. When the connection was made anew one is given, for
 * what may have been missed.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store.h"

#define AGAIN_MS 2000

struct listener {
	struct store *store;
	void (*hint)(void *ctx);
	void *ctx;
	struct db db;
	pthread_t thread;
	int stop; /* eventfd: readable when it is time to end */
};

void listen_channel(const struct store *s, char *out, size_t cap)
{
	snprintf(out, cap, "txwatch_%s", s->options.schema);
}

/* Waits for fd (-1: none), at most ms (-1: for ever). False: stop. */
static bool wait_for(struct listener *l, int fd, int ms)
{
	struct pollfd fds[2] = {{.fd = l->stop, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	while (poll(fds, 2, ms) < 0)
		;
	return !(fds[0].revents & POLLIN);
}

static bool begin(struct listener *l)
{
	char channel[64], sql[80];
	listen_channel(l->store, channel, sizeof(channel));
	snprintf(sql, sizeof(sql), "LISTEN %s", channel);
	return db_connect(&l->db, NULL) == TXW_OK && db_exec(&l->db, sql, NULL) == TXW_OK;
}

/* Gives one hint for all that came from others. */
static void take(struct listener *l)
{
	char own[24];
	bool any = false;
	snprintf(own, sizeof(own), "%lld", (long long)l->store->host);
	for (PGnotify *n; (n = PQnotifies(l->db.conn)); PQfreemem(n))
		any |= strcmp(n->extra, own) != 0;
	if (any)
		l->hint(l->ctx);
}

static void *listener_thread(void *arg)
{
	struct listener *l = arg;
	bool again = false;
	for (;;) {
		if (!begin(l)) {
			if (!wait_for(l, -1, AGAIN_MS))
				return NULL;
			again = true;
			continue;
		}
		if (again)
			l->hint(l->ctx);
		again = true;
		take(l);
		do {
			if (!wait_for(l, PQsocket(l->db.conn), -1))
				return NULL;
			if (!PQconsumeInput(l->db.conn))
				break;
			take(l);
		} while (PQstatus(l->db.conn) == CONNECTION_OK);
	}
}

void listen_stop(struct store *s)
{
	struct listener *l = s->listener;
	if (!l)
		return;
	s->listener = NULL;
	uint64_t one = 1;
	while (write(l->stop, &one, sizeof(one)) != (ssize_t)sizeof(one))
		;
	pthread_join(l->thread, NULL);
	db_close(&l->db);
	close(l->stop);
	free(l);
}

int32_t listen_start(void *instance, void (*hint)(void *ctx), void *ctx, txw_error *err)
{
	struct store *s = instance;
	listen_stop(s);
	if (!hint || !s->options.notify)
		return TXW_OK;
	struct listener *l = calloc(1, sizeof(*l));
	if (!l)
		return db_say(&s->db, TXW_E_NOMEM, err, "no memory for a listener");
	*l = (struct listener){.store = s, .hint = hint, .ctx = ctx};
	db_init(&l->db, &s->options, &s->sql, DB_READER);
	l->stop = eventfd(0, EFD_CLOEXEC);
	if (l->stop < 0 || pthread_create(&l->thread, NULL, listener_thread, l) != 0) {
		if (l->stop >= 0)
			close(l->stop);
		free(l);
		return db_say(&s->db, TXW_E_IO, err, "%s: no thread to listen with",
			      s->db.location);
	}
	s->listener = l;
	return TXW_OK;
}
