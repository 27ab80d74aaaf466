/* egress_bench.c: see egress_bench.h. */
#include "egress_bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

/* ---- the peer ---- */

struct visit {
	struct peer *peer;
	int fd;
};

static void say(int fd, const char *text)
{
	size_t len = strlen(text);
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* Until the other side closes, or the test ends and shuts the socket. */
static void hang(int fd)
{
	char c;
	while (recv(fd, &c, 1, 0) > 0)
		;
}

static void say_ten_megabytes(int fd)
{
	static char block[65537];
	memset(block, 'x', sizeof(block) - 1);
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n");
	for (int i = 0; i < 160; i++)
		say(fd, block);
}

static void say_many_headers(int fd)
{
	char line[64];
	say(fd, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 150; i++) {
		(void)snprintf(line, sizeof(line), "X-Field-%d: %d\r\n", i, i);
		say(fd, line);
	}
	say(fd, "Content-Length: 0\r\n\r\n");
}

static void say_endless_headers(int fd)
{
	static char line[4096];
	memset(line, 'y', sizeof(line));
	memcpy(line, "X-Long: ", 8);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	say(fd, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 200; i++)
		say(fd, line);
}

struct answer {
	const char *path;
	const char *text;     /* or */
	void (*play)(int fd); /* then the connection ends */
};

static const struct answer ANSWERS[] = {
    {"/ok",
     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Empty:\r\nRetry-After:  7 \r\n"
     "Content-Length: 5\r\n\r\nhello",
     NULL},
    {"/redirect",
     "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\n"
     "Content-Length: 0\r\n\r\n",
     NULL},
    {"/early",
     "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
     "HTTP/1.1 204 No Content\r\nX-Real: yes\r\n\r\n",
     NULL},
    {"/bad-chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
     NULL},
    {"/short", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", hang},
    {"/ten-megabytes", NULL, say_ten_megabytes},
    {"/headers", NULL, say_many_headers},
    {"/endless-headers", NULL, say_endless_headers},
    {"/hang", NULL, hang},
    {"/status-999", "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", NULL},
};

/* false: the connection is done for. */
static bool answer_one(int fd, const char *request)
{
	const char *path = strchr(request, ' ');
	size_t len = path ? strcspn(++path, " ?") : 0;
	for (size_t i = 0; i < sizeof(ANSWERS) / sizeof(ANSWERS[0]); i++) {
		const struct answer *a = &ANSWERS[i];
		if (strlen(a->path) != len || memcmp(a->path, path, len) != 0)
			continue;
		if (a->text)
			say(fd, a->text);
		if (a->play)
			a->play(fd);
		return !a->play;
	}
	say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	return true;
}

/* Reads one request into out; its whole length, or 0. */
static size_t read_request(int fd, char *out, size_t cap)
{
	size_t have = 0;
	for (;;) {
		ssize_t n = recv(fd, out + have, cap - 1 - have, 0);
		if (n <= 0)
			return 0;
		have += (size_t)n;
		out[have] = '\0';
		const char *end = strstr(out, "\r\n\r\n");
		if (!end)
			continue;
		const char *length = strcasestr(out, "content-length:");
		size_t body = length && length < end ? (size_t)strtoul(length + 15, NULL, 10) : 0;
		if (have >= (size_t)(end + 4 - out) + body)
			return have;
	}
}

static void *serve(void *arg)
{
	struct visit visit = *(struct visit *)arg;
	char request[sizeof(visit.peer->last)];
	free(arg);
	while (read_request(visit.fd, request, sizeof(request))) {
		pthread_mutex_lock(&visit.peer->lock);
		memcpy(visit.peer->last, request, sizeof(request));
		pthread_mutex_unlock(&visit.peer->lock);
		if (!answer_one(visit.fd, request))
			break;
	}
	close(visit.fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct peer *p = arg;
	for (;;) {
		int fd = accept(p->listener, NULL, NULL);
		if (fd < 0)
			return NULL;
		if (p->connections == PEER_VISITS)
			abort(); /* a test beyond what the peer is for */
		struct visit *visit = xmalloc(sizeof(*visit));
		*visit = (struct visit){p, fd};
		pthread_create(&p->visits[p->connections++], NULL, serve, visit);
	}
}

static void peer_open(struct peer *p)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	p->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(p->listener, 64), 0);
	getsockname(p->listener, (struct sockaddr *)&a, &len);
	p->port = ntohs(a.sin_port);
	pthread_mutex_init(&p->lock, NULL);
	pthread_create(&p->thread, NULL, accept_all, p);
}

static void peer_close(struct peer *p)
{
	shutdown(p->listener, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	for (int i = 0; i < p->connections; i++)
		pthread_join(p->visits[i], NULL);
	close(p->listener);
	pthread_mutex_destroy(&p->lock);
}

/* ---- the bench the tests stand on ---- */

void on_done(void *ctx, const txw_http_response *r)
{
	struct got *got = ctx;
	got->calls++;
	got->error = r->error;
	got->status = r->status;
	got->n_headers = r->n_headers;
	got->is_cut = r->is_cut;
	got->body_len = r->body.len;
	got->took = r->took;
	got->connect_took = r->connect_took;
	(void)snprintf(got->text, sizeof(got->text), "%.*s", STR_ARG(r->text));
	(void)snprintf(got->body, sizeof(got->body), "%.*s",
		       (int)(r->body.len < 60 ? r->body.len : 60), r->body.ptr ? r->body.ptr : "");
	(void)snprintf(got->peer, sizeof(got->peer), "%.*s", STR_ARG(r->peer));
	for (uint32_t i = 0; i < r->n_headers; i++)
		if (str_is(r->headers[i].name, "retry-after"))
			(void)snprintf(got->retry_after, sizeof(got->retry_after), "%.*s",
				       STR_ARG(r->headers[i].value));
	if (r->n_headers)
		(void)snprintf(got->first_header, sizeof(got->first_header), "%.*s",
			       STR_ARG(r->headers[0].name));
	got->left--;
}

static int open_on(void **state, bool is_virtual)
{
	static const txw_str nets[] = {{"127.0.0.1", 9}};
	struct err e;
	struct bench *b = xcalloc(1, sizeof(*b));
	peer_open(&b->peer);
	if (is_virtual)
		clock_virtual(&b->clock, 1767225600 * SECOND);
	else
		clock_real(&b->clock);
	b->loop = loop_open(&b->clock);
	b->metrics = metrics_open();
	b->egress = egress_open(b->loop, b->metrics);
	b->local = egress_policy_make(nets, 1, &e);
	b->strict = egress_policy_make(NULL, 0, &e);
	*state = b;
	return 0;
}

int bench_open(void **state)
{
	return open_on(state, false);
}

int bench_open_virtual(void **state)
{
	return open_on(state, true);
}

/* Closing the egress closes its sockets, which ends the peer's threads. */
int bench_close(void **state)
{
	struct bench *b = *state;
	egress_close(b->egress);
	loop_close(b->loop);
	metrics_close(b->metrics);
	egress_policy_free(b->local);
	egress_policy_free(b->strict);
	peer_close(&b->peer);
	free(b);
	return 0;
}

int32_t start(struct bench *b, const struct ask *ask, struct got *got, uint64_t *id, struct err *e)
{
	char url[256];
	(void)snprintf(url, sizeof(url), "http://%s:%u%s", ask->host ? ask->host : "127.0.0.1",
		       b->peer.port, ask->path);
	txw_http_request r = {
	    .size = sizeof(r),
	    .method = str_of(ask->method ? ask->method : "GET"),
	    .url = str_of(url),
	    .headers = ask->headers,
	    .n_headers = ask->n_headers,
	    .body = str_of(ask->body),
	    .timeout = ask->timeout ? ask->timeout : 10 * SECOND,
	    .body_cap = ask->body_cap ? ask->body_cap : 1024,
	    .stop_at_cap = ask->stop_at_cap,
	};
	got->bench = b;
	return egress_start(b->egress, ask->policy ? ask->policy : b->local, &r, on_done, got, id,
			    e);
}

void await(struct bench *b, const struct got *got)
{
	while (got->left > 0)
		uv_run(loop_uv(b->loop), UV_RUN_ONCE);
}

struct got fetch(struct bench *b, const struct ask *ask)
{
	struct got got = {.left = 1};
	struct err e = {0};
	if (start(b, ask, &got, NULL, &e) != TXW_PENDING)
		fail_msg("not started: %s", e.text);
	await(b, &got);
	assert_int_equal(got.calls, 1);
	return got;
}

bool was_sent(struct bench *b, const char *part)
{
	pthread_mutex_lock(&b->peer.lock);
	bool found = strstr(b->peer.last, part) != NULL;
	pthread_mutex_unlock(&b->peer.lock);
	return found;
}
