/*
 * pg_proxy.c: see pg_proxy.h.
 *
 * Client to server the protocol is followed message by message: after the
 * first one, which has no type, each is a letter and a length. A statement is
 * an Execute or a Query. What comes back is passed on as it is.
 */
#include "pg_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define LINES_MAX 16

/* One connection through it. */
struct line {
	int client; /* -1: free */
	int server;
	bool has_begun;   /* the startup message passed */
	uint8_t head[5];  /* of the message that passes */
	size_t n_head;    /* bytes of it that are known */
	size_t left;      /* bytes of the message still to come */
	bool ends_in_cut; /* at the server's next answer ... */
	bool gets_half;   /* ... of which half is passed on */
};

struct pg_proxy {
	pthread_t thread;
	int listener;
	int stop;
	int server_port;
	char conninfo[128];
	struct line lines[LINES_MAX];
	pthread_mutex_t lock; /* of what follows */
	unsigned cut_at;
	enum pg_cut how;
	bool has_cut;
	bool down;
};

static void line_close(struct line *l)
{
	if (l->client >= 0)
		close(l->client);
	if (l->server >= 0)
		close(l->server);
	*l = (struct line){.client = -1, .server = -1};
}

static int dial(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool is_down(struct pg_proxy *p)
{
	pthread_mutex_lock(&p->lock);
	bool down = p->down;
	pthread_mutex_unlock(&p->lock);
	return down;
}

static void take_client(struct pg_proxy *p)
{
	int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
	struct line *l = p->lines;
	while (l < p->lines + LINES_MAX && l->client >= 0)
		l++;
	if (fd < 0)
		return;
	if (is_down(p) || l == p->lines + LINES_MAX) {
		close(fd);
		return;
	}
	*l = (struct line){.client = fd, .server = dial(p->server_port)};
	if (l->server < 0)
		line_close(l);
}

static bool put_all(int fd, const uint8_t *at, size_t n)
{
	while (n) {
		ssize_t done = send(fd, at, n, MSG_NOSIGNAL);
		if (done <= 0)
			return false;
		at += done;
		n -= (size_t)done;
	}
	return true;
}

/* Counts down; is it this one? */
static bool is_the_one(struct pg_proxy *p, enum pg_cut *how)
{
	pthread_mutex_lock(&p->lock);
	bool now = p->cut_at && --p->cut_at == 0;
	if (now)
		p->has_cut = true;
	*how = p->how;
	pthread_mutex_unlock(&p->lock);
	return now;
}

/* Follows one byte; true: a statement's message begins with what is known. */
static bool follow(struct line *l, uint8_t byte)
{
	size_t need = l->has_begun ? 5 : 4;
	if (l->left) {
		if (--l->left == 0)
			l->n_head = 0;
		return false;
	}
	l->head[l->n_head++] = byte;
	if (l->n_head < need)
		return false;
	const uint8_t *size = l->head + need - 4;
	size_t n = (size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3];
	l->left = n - 4;
	if (l->left == 0)
		l->n_head = 0;
	bool is_statement = l->has_begun && (l->head[0] == 'E' || l->head[0] == 'Q');
	l->has_begun = true;
	return is_statement;
}

static void from_client(struct pg_proxy *p, struct line *l)
{
	uint8_t bytes[16384];
	ssize_t n = recv(l->client, bytes, sizeof(bytes), 0);
	enum pg_cut how;
	if (n <= 0) {
		line_close(l);
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (!follow(l, bytes[i]) || !is_the_one(p, &how))
			continue;
		if (how == PG_CUT_BEFORE) {
			/* Its first bytes too: half a message is none. */
			put_all(l->server, bytes, (size_t)i + 1);
			line_close(l);
			return;
		}
		l->ends_in_cut = true;
		l->gets_half = how == PG_CUT_WITHIN;
	}
	if (!put_all(l->server, bytes, (size_t)n))
		line_close(l);
}

static void from_server(struct line *l)
{
	uint8_t bytes[16384];
	ssize_t n = recv(l->server, bytes, sizeof(bytes), 0);
	if (n > 0 && l->gets_half)
		put_all(l->client, bytes, (size_t)n / 2);
	if (n <= 0 || l->ends_in_cut || !put_all(l->client, bytes, (size_t)n))
		line_close(l);
}

static void *proxy_thread(void *arg)
{
	struct pg_proxy *p = arg;
	for (;;) {
		struct pollfd fds[2 + 2 * LINES_MAX] = {{.fd = p->stop, .events = POLLIN},
							{.fd = p->listener, .events = POLLIN}};
		for (size_t i = 0; i < LINES_MAX; i++) {
			fds[2 + 2 * i] = (struct pollfd){p->lines[i].client, POLLIN, 0};
			fds[3 + 2 * i] = (struct pollfd){p->lines[i].server, POLLIN, 0};
		}
		if (poll(fds, 2 + 2 * LINES_MAX, -1) < 0)
			continue;
		if (fds[0].revents)
			return NULL;
		for (size_t i = 0; i < LINES_MAX; i++) {
			struct line *l = &p->lines[i];
			if (l->client >= 0 && fds[2 + 2 * i].revents)
				from_client(p, l);
			if (l->server >= 0 && fds[3 + 2 * i].revents)
				from_server(l);
		}
		if (fds[1].revents)
			take_client(p);
	}
}

struct pg_proxy *pg_proxy_start(const char *conninfo)
{
	struct pg_proxy *p = xcalloc(1, sizeof(*p));
	const char *port = strstr(conninfo, "port=");
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	p->server_port = port ? atoi(port + 5) : 0;
	for (size_t i = 0; i < LINES_MAX; i++)
		p->lines[i].client = p->lines[i].server = -1;
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	p->stop = eventfd(0, EFD_CLOEXEC);
	if (bind(p->listener, (struct sockaddr *)&at, size) < 0 || listen(p->listener, 16) < 0 ||
	    getsockname(p->listener, (struct sockaddr *)&at, &size) < 0)
		abort();
	snprintf(p->conninfo, sizeof(p->conninfo),
		 "host=127.0.0.1 port=%d user=txwatch dbname=postgres sslmode=disable",
		 ntohs(at.sin_port));
	pthread_mutex_init(&p->lock, NULL);
	if (pthread_create(&p->thread, NULL, proxy_thread, p) != 0)
		abort();
	return p;
}

void pg_proxy_stop(struct pg_proxy *p)
{
	uint64_t one = 1;
	while (write(p->stop, &one, sizeof(one)) != (ssize_t)sizeof(one))
		;
	pthread_join(p->thread, NULL);
	for (size_t i = 0; i < LINES_MAX; i++)
		line_close(&p->lines[i]);
	close(p->listener);
	close(p->stop);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

const char *pg_proxy_conninfo(const struct pg_proxy *p)
{
	return p->conninfo;
}

void pg_proxy_arm(struct pg_proxy *p, unsigned n, enum pg_cut how)
{
	pthread_mutex_lock(&p->lock);
	p->cut_at = n;
	p->how = how;
	p->has_cut = false;
	pthread_mutex_unlock(&p->lock);
}

bool pg_proxy_has_cut(struct pg_proxy *p)
{
	pthread_mutex_lock(&p->lock);
	bool has = p->has_cut;
	pthread_mutex_unlock(&p->lock);
	return has;
}

void pg_proxy_set_down(struct pg_proxy *p, bool down)
{
	pthread_mutex_lock(&p->lock);
	p->down = down;
	pthread_mutex_unlock(&p->lock);
}
