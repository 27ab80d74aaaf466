/*
 * server.c: the listener: libmicrohttpd, driven by our loop.
 *
 * libmicrohttpd runs without a thread of its own (that one hangs when a
 * multiple of 128 sockets is ready). Its epoll descriptor is polled by the
 * loop; it runs when that is readable, when its next timeout is due, when it
 * said it has more to do, and once at the end of a turn in which suspended
 * requests were answered. Its time is real time, under a virtual clock too:
 * sockets live in the real world.
 */
#include "http/server.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "http/inside.h"

/* Runs in one go before other work of the loop gets its turn. */
#define RUNS_MAX 8
/* Bodies in memory, over all connections: this many of the largest. */
#define BODIES_MAX ((size_t)8)
#define BODIES_MIN ((size_t)64 * 1024 * 1024)

static void on_timer(uv_timer_t *timer);
static void on_idle(uv_idle_t *idle);
static void on_check(uv_check_t *check);

static void arm(struct http_server *s, uint64_t ms)
{
	uint64_t due = uv_now(s->timer.loop) + ms;
	/* A timer that fires early only looks again: moving it back on every
	 * request would cost more. */
	if (uv_is_active((uv_handle_t *)&s->timer) && s->timer_due <= due)
		return;
	s->timer_due = due;
	uv_timer_start(&s->timer, on_timer, ms, 0);
}

static void run(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;
	enum MHD_Result is_timed = MHD_NO;
	if (s->is_running)
		return;
	s->is_running = true;
	uv_check_stop(&s->check);
	connections_look(s);
	bool more = true;
	for (int i = 0; i < RUNS_MAX && more; i++) {
		s->is_kicked = false;
		MHD_run(s->daemon);
		is_timed = MHD_get_timeout(s->daemon, &ms);
		more = s->is_kicked || (is_timed == MHD_YES && ms == 0);
	}
	s->is_running = false;
	if (more) {
		uv_idle_start(&s->idle, on_idle);
		return;
	}
	uv_idle_stop(&s->idle);
	if (is_timed == MHD_YES)
		arm(s, ms);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_idle(uv_idle_t *idle)
{
	run(idle->data);
}

static void on_check(uv_check_t *check)
{
	run(check->data);
}

/* A resumed connection does not make the descriptor readable. An answer given
 * while sockets were polled goes out by the check right after, one given by a
 * timer by the idle handle, which keeps the poll from waiting. */
void server_kick(struct http_server *s)
{
	s->is_kicked = true;
	if (s->is_running || s->is_detached)
		return;
	uv_check_start(&s->check, on_check);
	uv_idle_start(&s->idle, on_idle);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *ctx, const char *fmt, va_list ap)
{
	char text[512];
	(void)ctx;
	if (!log_enabled(TXW_LOG_DEBUG))
		return;
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	while (n > 0 && n < (int)sizeof(text) && text[n - 1] == '\n')
		text[--n] = '\0';
	log_debug("http", "what", text);
}

static struct MHD_Daemon *daemon_start(struct http_server *s, int fd)
{
	unsigned seconds = (unsigned)(s->limits.idle_timeout / SECOND);
	unsigned connections = (unsigned)s->limits.max_connections;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem tls[] = {
	    {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)tls_choose},
	    {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
	    {MHD_OPTION_END, 0, NULL},
	};
	return MHD_start_daemon(
	    flags | (s->tls ? MHD_USE_TLS : 0), 0, NULL, NULL, request_step, s,
	    MHD_OPTION_EXTERNAL_LOGGER, on_log, s, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT,
	    seconds ? seconds : 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES,
	    MHD_OPTION_URI_LOG_CALLBACK, request_begin, s, MHD_OPTION_NOTIFY_COMPLETED, request_end,
	    s, MHD_OPTION_NOTIFY_CONNECTION, connection_event, s, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_ARRAY, s->tls ? tls : plain, MHD_OPTION_END);
}

static void handles_open(struct http_server *s)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	uv_loop_t *uv = loop_uv(s->loop);
	uv_poll_init(uv, &s->poll, info->epoll_fd);
	uv_timer_init(uv, &s->timer);
	uv_check_init(uv, &s->check);
	uv_idle_init(uv, &s->idle);
	s->poll.data = s->timer.data = s->check.data = s->idle.data = s;
	s->handles = 4;
	uv_poll_start(&s->poll, UV_READABLE, on_poll);
}

static void take_limits(struct http_server *s, const struct http_limits *limits)
{
	s->limits = *limits;
	s->body_budget = limits->max_body * BODIES_MAX;
	if (s->body_budget < BODIES_MIN)
		s->body_budget = BODIES_MIN;
	tls_pair_drop(s->tls);
	s->tls = limits->tls;
}

struct http_server *http_server_open(struct loop *loop, txw_str listen,
				     const struct http_limits *limits, http_handler handler,
				     void *ctx, struct err *e)
{
	struct http_server *s = xcalloc(1, sizeof(*s));
	s->loop = loop;
	s->handler = handler;
	s->ctx = ctx;
	take_limits(s, limits);
	if (getrandom(&s->id_seed, sizeof(s->id_seed), 0) < 0)
		s->id_seed = (uint64_t)getpid();
	int fd = limits->listener ? listen_take(limits->listener, &s->port)
				  : listen_open(listen, &s->port, e);
	if (fd < 0)
		goto free_server;
	s->daemon = daemon_start(s, fd);
	if (!s->daemon) {
		err_set(e, TXW_E_IO, "cannot start the HTTP server on %.*s", STR_ARG(listen));
		goto close_socket;
	}
	handles_open(s);
	return s;

close_socket:
	close(fd);
free_server:
	tls_pair_drop(s->tls);
	free(s);
	return NULL;
}

int http_server_port(const struct http_server *s)
{
	return s->port;
}

int http_server_listener(const struct http_server *s)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon,
							       MHD_DAEMON_INFO_LISTEN_FD);
	return info ? fcntl(info->listen_fd, F_DUPFD_CLOEXEC, 3) : -1;
}

size_t http_server_connections(const struct http_server *s)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon,
							       MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
	return info ? info->num_connections : 0;
}

void http_server_drain(struct http_server *s)
{
	if (s->is_draining)
		return;
	s->is_draining = true;
	MHD_socket fd = MHD_quiesce_daemon(s->daemon);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

static void on_closed(uv_handle_t *handle)
{
	struct http_server *s = handle->data;
	if (--s->handles == 0 && !s->is_detached)
		free(s);
}

static void handles_close(struct http_server *s)
{
	uv_close((uv_handle_t *)&s->poll, on_closed);
	uv_close((uv_handle_t *)&s->timer, on_closed);
	uv_close((uv_handle_t *)&s->check, on_closed);
	uv_close((uv_handle_t *)&s->idle, on_closed);
}

/* libmicrohttpd cannot stop with suspended connections: they are resumed, and
 * find their request gone. */
static void orphan_all(struct http_server *s)
{
	for (struct http_request *r = s->live; r; r = r->next) {
		if (!r->is_suspended)
			continue;
		r->is_suspended = false;
		MHD_resume_connection(r->connection);
	}
}

void http_server_close(struct http_server *s)
{
	if (!s)
		return;
	s->is_draining = true;
	orphan_all(s);
	MHD_stop_daemon(s->daemon);
	for (struct http_request *r = s->live, *next; r; r = next) {
		next = r->next;
		r->server = NULL;
	}
	for (struct http_request *r = s->spare, *next; r; r = next) {
		next = r->next;
		request_free(r);
	}
	tls_pair_drop(s->tls);
	s->tls = NULL;
	if (s->is_detached)
		free(s);
	else
		handles_close(s);
}

/* ---- from one loop to another ---- */

void http_server_detach(struct http_server *s)
{
	stream_cut_all(s);
	s->is_detached = true;
	s->handler = NULL;
	handles_close(s);
}

void http_server_attach(struct http_server *s, struct loop *loop, const struct http_limits *limits,
			http_handler handler, void *ctx)
{
	s->is_detached = false;
	s->loop = loop;
	s->handler = handler;
	s->ctx = ctx;
	take_limits(s, limits);
	handles_open(s);
	/* Answers given meanwhile, and what came. */
	server_kick(s);
}
