/*
 * ref_mhd.c: the HTTP library's own minimal handler: libmicrohttpd driven from
 * outside (external epoll, MHD_run), one thread, answering a JSON of about
 * the size of a transaction.
 *
 *   bench_ref_mhd BYTES     prints its port, serves until stdin ends
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page {
	char *text;
	size_t len;
};

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **state)
{
	static int seen;
	const struct page *page = ctx;

	(void)url;
	(void)method;
	(void)version;
	(void)upload;
	(void)upload_size;
	if (*state == NULL) {
		*state = &seen;
		return MHD_YES;
	}
	struct MHD_Response *response = MHD_create_response_from_buffer(page->len, page->text,
									MHD_RESPMEM_MUST_COPY);

	MHD_add_response_header(response, "Content-Type", "application/json");
	enum MHD_Result rc = MHD_queue_response(connection, 200, response);

	MHD_destroy_response(response);
	return rc;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct page page = {.len = argc == 2 ? strtoul(argv[1], NULL, 10) : 600};

	page.text = malloc(page.len);
	if (page.text == NULL)
		return 1;
	memset(page.text, 'x', page.len);

	struct MHD_Daemon *daemon = MHD_start_daemon(
	    MHD_USE_EPOLL, 0, NULL, NULL, handle, &page, MHD_OPTION_SOCK_ADDR, &at,
	    MHD_OPTION_CONNECTION_LIMIT, 2048u, MHD_OPTION_END);
	if (daemon == NULL) {
		fprintf(stderr, "bench_ref_mhd: cannot listen\n");
		return 1;
	}
	printf("%d\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);

	struct pollfd fds[2] = {
	    {.fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
	     .events = POLLIN},
	    {.fd = 0, .events = POLLIN},
	};
	while (fds[1].revents == 0) {
		MHD_UNSIGNED_LONG_LONG timeout = 1000;

		MHD_get_timeout(daemon, &timeout);
		poll(fds, 2, timeout > 1000 ? 1000 : (int)timeout);
		MHD_run(daemon);
	}
	MHD_stop_daemon(daemon);
	free(page.text);
	return 0;
}
