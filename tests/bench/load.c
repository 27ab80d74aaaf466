/*
 * load.c: asks a server as fast as N connections can, one request at a time
 * on each, and tells the rate and how long answers took.
 *
 *   bench_load -p PORT -m MODE -c CONNECTIONS -n COUNT [-b BATCH] [-N ROWS] [-f IDS] [-k KEEP]
 *
 *   create   POST /v1/transactions:batch, COUNT creations, refs r0 .. r(COUNT-1)
 *   status   the same, COUNT changes of random ones among ROWS, moving to and
 *            fro between the states ping and pong; the file KEEP remembers
 *            between runs which row is where
 *   get      GET /v1/transactions/ID, COUNT times, random ids of the file IDS
 *   post     POST /v1/transactions/ID/status, COUNT times, one change each, of
 *            random ones of IDS (ROWS of them), to and fro as above
 *
 * The token is the environment's BENCH_TOKEN. A row belongs to one connection
 * (row % CONNECTIONS), so that its changes come in order. Prints one JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum mode { MODE_CREATE, MODE_STATUS, MODE_GET, MODE_POST };

struct text {
	char *at;
	size_t len;
	size_t cap;
};

struct connection {
	int fd;
	long first; /* create: the next row */
	struct text head;
	struct text body;
	size_t sent;
	struct text in;
	double began;
	long ops;
	bool is_busy;
};

struct load {
	enum mode mode;
	uint16_t port;
	long connections, count, batch, rows;
	const char *token;
	char **ids;
	long n_ids;
	uint8_t *is_pong; /* status: a byte a row */
	const char *keep;
	uint64_t random;
	int epoll;
	struct connection *all;
	long started, done, requests, bad, good;
	double *took; /* of each request, seconds */
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t random_next(struct load *l)
{
	l->random ^= l->random << 13;
	l->random ^= l->random >> 7;
	l->random ^= l->random << 17;
	return l->random;
}

static void need(struct text *t, size_t more)
{
	if (t->len + more <= t->cap)
		return;
	t->cap = (t->len + more) * 2;
	t->at = realloc(t->at, t->cap);
	if (t->at == NULL)
		die("bench_load: memory");
}

static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *fmt, ...)
{
	va_list args;

	need(t, 256);
	va_start(args, fmt);
	int n = vsnprintf(t->at + t->len, t->cap - t->len, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= t->cap - t->len)
		die("bench_load: a text too long");
	t->len += (size_t)n;
}

static int dial(struct load *l)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(l->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("bench_load: connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* A row of the connection's own, moved to the other state. */
static long move_one(struct load *l, long index)
{
	long mine = (l->rows - index + l->connections - 1) / l->connections;
	long row = (long)(random_next(l) % (uint64_t)mine) * l->connections + index;

	l->is_pong[row] ^= 1;
	return row;
}

static void add_operation(struct load *l, struct connection *c, long index)
{
	if (l->mode == MODE_CREATE) {
		add(&c->body,
		    "{\"op\":\"create\",\"flow\":\"ball\",\"ref\":\"r%ld\",\"owner\":\"someone\","
		    "\"amount\":\"12.50\",\"currency\":\"EUR\"}",
		    c->first);
		c->first++;
		return;
	}
	long row = move_one(l, index);

	add(&c->body, "{\"op\":\"status\",\"flow\":\"ball\",\"ref\":\"r%ld\",\"status\":\"%s\"}",
	    row, l->is_pong[row] ? "pong" : "ping");
}

/* Makes the connection's next request; false: there is no more to ask. */
static bool next(struct load *l, struct connection *c)
{
	long left = l->count - l->started;

	c->ops = left < l->batch ? left : l->batch;
	c->head.len = c->body.len = c->in.len = c->sent = 0;
	c->is_busy = c->ops > 0;
	if (!c->is_busy)
		return false;
	c->first = l->started;
	l->started += c->ops;
	if (l->mode == MODE_GET) {
		add(&c->head, "GET /v1/transactions/%s HTTP/1.1\r\n",
		    l->ids[random_next(l) % (uint64_t)l->n_ids]);
	} else if (l->mode == MODE_POST) {
		long row = move_one(l, c - l->all);

		add(&c->body, "{\"status\":\"%s\"}", l->is_pong[row] ? "pong" : "ping");
		add(&c->head,
		    "POST /v1/transactions/%s/status HTTP/1.1\r\n"
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n",
		    l->ids[row], c->body.len);
	} else {
		add(&c->body, "{\"operations\":[");
		for (long i = 0; i < c->ops; i++) {
			if (i > 0)
				add(&c->body, ",");
			add_operation(l, c, c - l->all);
		}
		add(&c->body, "]}");
		add(&c->head,
		    "POST /v1/transactions:batch HTTP/1.1\r\n"
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n",
		    c->body.len);
	}
	add(&c->head, "Host: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", l->token);
	c->began = now();
	return true;
}

static void transmit(struct load *l, struct connection *c)
{
	size_t all = c->head.len + c->body.len;

	while (c->sent < all) {
		bool in_head = c->sent < c->head.len;
		const char *from = in_head ? c->head.at + c->sent
					   : c->body.at + (c->sent - c->head.len);
		size_t len = in_head ? c->head.len - c->sent : all - c->sent;
		ssize_t n = send(c->fd, from, len,
				 MSG_NOSIGNAL | (in_head && all > len ? MSG_MORE : 0));

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			die("bench_load: send");
		c->sent += (size_t)n;
	}
	struct epoll_event ev = {.events = EPOLLIN | (c->sent < all ? EPOLLOUT : 0), .data.ptr = c};
	epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &ev);
}

/* The answer's whole length once its head is there; 0 before. */
static size_t answer_length(struct connection *c)
{
	need(&c->in, 1);
	c->in.at[c->in.len] = 0;
	char *end = strstr(c->in.at, "\r\n\r\n");

	if (end == NULL)
		return 0;
	char *length = strcasestr(c->in.at, "\r\ncontent-length:");

	if (length == NULL || length > end) {
		fprintf(stderr, "bench_load: an answer without Content-Length\n");
		exit(1);
	}
	return (size_t)(end - c->in.at) + 4 + strtoul(length + 17, NULL, 10);
}

static long count_word(const struct text *in, const char *word)
{
	long n = 0;
	size_t len = strlen(word);
	const char *at = in->at, *end = in->at + in->len;

	while ((at = memmem(at, (size_t)(end - at), word, len)) != NULL) {
		at += len;
		n++;
	}
	return n;
}

static void judge(struct load *l, struct connection *c)
{
	static const char *const WORD[] = {"\"created\"", "\"changed\""};

	l->took[l->requests++] = now() - c->began;
	l->done += c->ops;
	if (c->in.len < 12 || c->in.at[9] != '2') {
		if (l->bad++ == 0)
			fprintf(stderr, "bench_load: %.400s\n", c->in.at);
	} else {
		l->good += l->mode >= MODE_GET ? 1 : count_word(&c->in, WORD[l->mode]);
	}
}

static void receive(struct load *l, struct connection *c)
{
	for (;;) {
		need(&c->in, 65536);
		ssize_t n = recv(c->fd, c->in.at + c->in.len, c->in.cap - c->in.len - 1, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			die("bench_load: the server closed the connection");
		c->in.len += (size_t)n;
		size_t length = answer_length(c);

		if (length > 0 && c->in.len >= length) {
			judge(l, c);
			if (next(l, c))
				transmit(l, c);
			return;
		}
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void read_ids(struct load *l, const char *file)
{
	FILE *f = fopen(file, "re");
	char line[128];

	if (f == NULL)
		die(file);
	l->ids = calloc((size_t)l->rows, sizeof(*l->ids));
	while (l->n_ids < l->rows && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = 0;
		l->ids[l->n_ids++] = strdup(line);
	}
	fclose(f);
}

static void options(struct load *l, int argc, char **argv)
{
	static const char *const MODES[] = {"create", "status", "get", "post"};
	const char *ids = NULL;
	int known = 0;

	*l = (struct load){
	    .connections = 4, .count = 1000, .batch = 1, .rows = 1, .random = 88172645463325252u};
	for (int o; (o = getopt(argc, argv, "p:m:c:n:b:N:f:s:k:")) != -1;) {
		switch (o) {
		case 'p':
			l->port = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 'c':
			l->connections = strtol(optarg, NULL, 10);
			break;
		case 'n':
			l->count = strtol(optarg, NULL, 10);
			break;
		case 'b':
			l->batch = strtol(optarg, NULL, 10);
			break;
		case 'N':
			l->rows = strtol(optarg, NULL, 10);
			break;
		case 's':
			l->random ^= strtoull(optarg, NULL, 10) << 20;
			break;
		case 'k':
			l->keep = optarg;
			break;
		case 'f':
			ids = optarg;
			break;
		case 'm':
			for (unsigned i = 0; i < 4; i++) {
				if (strcmp(MODES[i], optarg) == 0) {
					l->mode = (enum mode)i;
					known = 1;
				}
			}
			break;
		default:
			known = 0;
		}
	}
	l->token = getenv("BENCH_TOKEN");
	if (!known || l->port == 0 || l->token == NULL || l->connections < 1 || l->batch < 1) {
		fprintf(
		    stderr,
		    "usage: BENCH_TOKEN=... bench_load -p PORT -m create|status|get|post "
		    "-c CONNECTIONS -n COUNT [-b BATCH] [-N ROWS] [-f IDS] [-s SEED] [-k KEEP]\n");
		exit(2);
	}
	if (l->mode >= MODE_GET)
		l->batch = 1;
	if (ids != NULL)
		read_ids(l, ids);
	if (l->mode == MODE_POST && (l->n_ids < l->rows || l->rows < l->connections)) {
		fprintf(stderr, "bench_load: post needs ROWS ids, and a row a connection\n");
		exit(2);
	}
	l->is_pong = calloc((size_t)l->rows, 1);
	l->took = calloc((size_t)l->count + 1, sizeof(double));
	l->all = calloc((size_t)l->connections, sizeof(*l->all));
	if (l->is_pong == NULL || l->took == NULL || l->all == NULL)
		die("bench_load: memory");
}

/* Reads (or writes) where each row is. A file that is not there: all at ping. */
static void keep(struct load *l, const char *how)
{
	FILE *f = l->keep ? fopen(l->keep, how) : NULL;

	if (f == NULL)
		return;
	size_t n = how[0] == 'r' ? fread(l->is_pong, 1, (size_t)l->rows, f)
				 : fwrite(l->is_pong, 1, (size_t)l->rows, f);
	if (fclose(f) != 0 || n != (size_t)l->rows)
		die(l->keep);
}

int main(int argc, char **argv)
{
	struct epoll_event events[128];
	struct load l;

	options(&l, argc, argv);
	keep(&l, "re");
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (long i = 0; i < l.connections; i++) {
		struct connection *c = &l.all[i];
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

		c->fd = dial(&l);
		epoll_ctl(l.epoll, EPOLL_CTL_ADD, c->fd, &ev);
	}
	double began = now();

	for (long i = 0; i < l.connections; i++) {
		if (next(&l, &l.all[i]))
			transmit(&l, &l.all[i]);
	}
	while (l.done < l.count) {
		int n = epoll_wait(l.epoll, events, 128, 60000);

		if (n <= 0)
			die("bench_load: no answer for a minute");
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (events[i].events & EPOLLOUT)
				transmit(&l, c);
			if (events[i].events & (EPOLLIN | EPOLLHUP))
				receive(&l, c);
		}
	}
	double took = now() - began;

	keep(&l, "we");
	qsort(l.took, (size_t)l.requests, sizeof(double), by_size);
	printf("{\"seconds\":%.4f,\"rate\":%.1f,\"requests\":%ld,\"bad\":%ld,\"good\":%ld,"
	       "\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
	       took, (double)l.count / took, l.requests, l.bad, l.good,
	       l.took[l.requests / 2] * 1e3, l.took[l.requests * 99 / 100] * 1e3);
	return l.bad ? 1 : 0;
}
