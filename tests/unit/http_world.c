/* http_world.c: see http_world.h. */
#include "http_world.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* ---- the server's side ---- */

static void reply_text(struct http_request *r, int status, const char *text)
{
	struct buf b = {0};
	buf_text(&b, text);
	http_reply(r, status, "text/plain", &b);
}

void answer_kept(struct world *w)
{
	for (size_t i = 0; i < w->n_kept; i++)
		reply_text(w->kept[i], 200, "late");
	w->n_kept = 0;
}

static void answer_length(struct http_request *r)
{
	struct buf b = {0};
	buf_printf(&b, "%zu", http_body(r).len);
	http_reply(r, 200, "text/plain", &b);
}

static void answer_query(struct http_request *r)
{
	struct buf b = {0};
	size_t n = 0;
	txw_str a = http_query(r, "a", &n);
	buf_printf(&b, "%.*s|%zu|%.*s", STR_ARG(a), n, STR_ARG(http_path(r)));
	http_set_header(r, "X-Bad", STR_LIT("a\r\nX-Injected: 1"));
	http_set_header(r, "X-Good", STR_LIT("yes"));
	http_reply(r, 200, "text/plain", &b);
}

static void on_timer(struct timer *timer)
{
	answer_kept((struct world *)((char *)timer - offsetof(struct world, timer)));
}

void world_handle(void *ctx, struct http_request *r)
{
	struct world *w = ctx;
	w->seen++;
	if (str_is(http_path(r), "/keep")) {
		w->kept[w->n_kept++] = r;
	} else if (str_is(http_path(r), "/later")) {
		w->kept[w->n_kept++] = r;
		w->timer.fire = on_timer;
		timer_set(w->loop, &w->timer, loop_now(w->loop) + 20 * MILLISECOND);
	} else if (str_is(http_path(r), "/release")) {
		answer_kept(w);
		reply_text(r, 200, "released");
	} else if (str_is(http_path(r), "/body")) {
		answer_length(r);
	} else if (str_starts(http_path(r), STR_LIT("/query"))) {
		answer_query(r);
	} else if (str_is(http_path(r), "/drain")) {
		http_server_drain(w->server);
		reply_text(r, 200, "draining");
	} else if (str_is(http_path(r), "/peer")) {
		struct buf b = {0};
		buf_str(&b, http_peer(r));
		http_reply(r, 200, "text/plain", &b);
	} else {
		reply_text(r, 200, "hello");
	}
}

/* ---- the client's side ---- */

int dial(struct world *w)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)w->port)};
	struct timeval limit = {.tv_sec = 10};
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void say(int fd, const char *text)
{
	size_t len = strlen(text);
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* Reads one whole answer (head and Content-Length bytes); its status. */
int hear_with(int fd, char *out, size_t cap, bool has_body)
{
	size_t len = 0, need = 0;
	while (len + 1 < cap) {
		ssize_t n = recv(fd, out + len, 1, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
		out[len] = '\0';
		if (need == 0 && len >= 4 && strcmp(out + len - 4, "\r\n\r\n") == 0) {
			const char *at = strcasestr(out, "Content-Length:");
			need = len + (at && has_body ? (size_t)strtoul(at + 15, NULL, 10) : 0);
		}
		if (need && len == need)
			return (int)strtol(out + 9, NULL, 10);
	}
	out[len] = '\0';
	return len ? -1 : 0;
}

int hear(int fd, char *out, size_t cap)
{
	return hear_with(fd, out, cap, true);
}

int ask(struct world *w, const char *request, char *out, size_t cap)
{
	int fd = dial(w);
	say(fd, request);
	int status = hear(fd, out, cap);
	close(fd);
	return status;
}

bool is_closed(int fd)
{
	char c;
	return recv(fd, &c, 1, 0) <= 0;
}

/* ---- the frame ---- */

static void *client_main(void *ctx)
{
	struct world *w = ctx;
	w->script(w);
	loop_stop(w->loop);
	return NULL;
}

void run_script(void (*script)(struct world *w), size_t max_body, int64_t idle)
{
	struct world *w = calloc(1, sizeof(*w));
	struct http_limits limits = {
	    .max_body = max_body, .max_connections = 1000, .idle_timeout = idle};
	struct err e = {0};
	pthread_t client;
	clock_real(&w->clock);
	w->loop = loop_open(&w->clock);
	w->script = script;
	w->server = http_server_open(w->loop, STR_LIT("127.0.0.1:0"), &limits, world_handle, w, &e);
	if (!w->server)
		fail_msg("%s", e.text);
	w->port = http_server_port(w->server);
	pthread_create(&client, NULL, client_main, w);
	loop_run(w->loop);
	pthread_join(client, NULL);
	http_server_close(w->server);
	answer_kept(w); /* those still held have lost their peer */
	loop_close(w->loop);
	int failures = w->failures;
	free(w);
	assert_int_equal(failures, 0);
}
