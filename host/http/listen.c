/* listen.c: "127.0.0.1:8420", "[::1]:0", ":8420" to a listening socket. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "http/inside.h"

#define BACKLOG 1024

/* Splits at the last colon; brackets around an IPv6 address go away. */
static int32_t split(txw_str listen, char *host, size_t host_cap, char *port, size_t port_cap,
		     struct err *e)
{
	size_t colon = listen.len;
	while (colon > 0 && listen.ptr[colon - 1] != ':')
		colon--;
	int64_t number = -1;
	txw_str digits = {listen.ptr + colon, listen.len - colon};
	if (colon == 0 || !str_int(digits, &number) || number < 0 || number > 65535 ||
	    digits.len >= port_cap)
		return err_set(e, TXW_E_INVALID,
			       "\"%.*s\" is not an address to listen on: write HOST:PORT, as in "
			       "\"127.0.0.1:8420\" or \"[::1]:8420\"",
			       STR_ARG(listen));
	txw_str name = {listen.ptr, colon - 1};
	if (name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']')
		name = (txw_str){name.ptr + 1, name.len - 2};
	if (name.len >= host_cap)
		return err_set(e, TXW_E_INVALID, "the host to listen on is too long");
	if (name.len)
		memcpy(host, name.ptr, name.len);
	host[name.len] = '\0';
	memcpy(port, digits.ptr, digits.len);
	port[digits.len] = '\0';
	return 0;
}

static int try_one(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int one = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

static int port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage all;
	} at;
	socklen_t len = sizeof(at);
	memset(&at, 0, sizeof(at));
	if (getsockname(fd, &at.any, &len) < 0)
		return 0;
	return ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
}

int listen_open(txw_str listen, int *port, struct err *e)
{
	char host[256], service[8];
	int32_t rc = split(listen, host, sizeof(host), service, sizeof(service), e);
	if (rc < 0)
		return rc;
	struct addrinfo hints = {
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	int gai = getaddrinfo(host[0] ? host : NULL, service, &hints, &found);
	if (gai != 0)
		return err_set(e, TXW_E_INVALID, "cannot listen on %.*s: %s", STR_ARG(listen),
			       gai_strerror(gai));
	int fd = -1;
	for (struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
		fd = try_one(a);
	int why = errno;
	freeaddrinfo(found);
	if (fd < 0)
		return err_set(e, TXW_E_IO, "cannot listen on %.*s: %s", STR_ARG(listen),
			       strerror(why));
	*port = port_of(fd);
	return fd;
}

int listen_take(int fd, int *port)
{
	*port = port_of(fd);
	return fd;
}
