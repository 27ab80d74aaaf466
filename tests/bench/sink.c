/*
 * sink.c: a webhook receiver that costs as little as one can: epoll, one
 * thread, kept connections, an empty 200 for every request.
 *
 *   bench_sink          prints its port, serves until stdin ends
 *   GET /count          how many POSTs were answered so far
 *   GET /wait/N         the same, answered once there were N
 *
 * Requests must have a Content-Length or no body, and fit in IN_MAX.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_MAX   (64 * 1024)
#define EVENTS   256
#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

struct connection {
	int fd;
	size_t len;
	char in[IN_MAX + 1];
};

struct sink {
	int epoll;
	int listener;
	unsigned long posts;
	unsigned long wanted; /* by the one that waits */
	int waiting;          /* its socket, or -1 */
};

static int open_listener(int *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 1024) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0) {
		perror("bench_sink: listen");
		exit(1);
	}
	*port = ntohs(at.sin_port);
	return fd;
}

/* The whole length of the request at `in`, or 0 when more must come. */
static size_t request_length(char *in, size_t len)
{
	in[len] = 0;
	char *end = strstr(in, "\r\n\r\n");

	if (end == NULL)
		return 0;
	size_t head = (size_t)(end - in) + 4;
	char *length = strcasestr(in, "\r\ncontent-length:");

	if (length != NULL && length < end)
		head += strtoul(length + 17, NULL, 10);
	return head <= len ? head : 0;
}

static bool send_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static bool tell_count(const struct sink *s, int fd)
{
	char body[24], text[128];
	int n = snprintf(body, sizeof(body), "%lu", s->posts);

	n = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n,
		     body);
	return send_all(fd, text, (size_t)n);
}

static bool answer(struct sink *s, struct connection *c)
{
	if (strncmp(c->in, "GET /count", 10) == 0)
		return tell_count(s, c->fd);
	if (strncmp(c->in, "GET /wait/", 10) == 0) {
		s->wanted = strtoul(c->in + 10, NULL, 10);
		s->waiting = c->fd;
	} else {
		s->posts++;
		if (!send_all(c->fd, OK_REPLY, sizeof(OK_REPLY) - 1))
			return false;
	}
	if (s->waiting < 0 || s->posts < s->wanted)
		return true;
	bool is_told = tell_count(s, s->waiting) || s->waiting != c->fd;

	s->waiting = -1;
	return is_told;
}

/* false: the connection is over. */
static bool serve(struct sink *s, struct connection *c)
{
	ssize_t n = recv(c->fd, c->in + c->len, IN_MAX - c->len, 0);

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	c->len += (size_t)n;
	for (size_t one; (one = request_length(c->in, c->len)) > 0;) {
		if (!answer(s, c))
			return false;
		c->len -= one;
		memmove(c->in, c->in + one, c->len);
	}
	return c->len < IN_MAX;
}

static void take(struct sink *s)
{
	int fd;

	while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct connection *c = malloc(sizeof(*c));
		int on = 1;

		if (c == NULL)
			exit(1);
		c->fd = fd;
		c->len = 0;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev);
	}
}

int main(void)
{
	struct epoll_event events[EVENTS];
	struct epoll_event ev = {.events = EPOLLIN};
	struct sink s = {.epoll = epoll_create1(EPOLL_CLOEXEC), .waiting = -1};
	int stdin_mark, port;

	s.listener = open_listener(&port);
	ev.data.ptr = &s;
	epoll_ctl(s.epoll, EPOLL_CTL_ADD, s.listener, &ev);
	ev.data.ptr = &stdin_mark;
	epoll_ctl(s.epoll, EPOLL_CTL_ADD, 0, &ev);
	printf("%d\n", port);
	fflush(stdout);

	for (;;) {
		int n = epoll_wait(s.epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (events[i].data.ptr == &stdin_mark)
				return 0;
			if (events[i].data.ptr == &s) {
				take(&s);
			} else if (!serve(&s, c)) {
				close(c->fd);
				free(c);
			}
		}
	}
}
