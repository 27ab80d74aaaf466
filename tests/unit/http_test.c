/* http_test.c: the HTTP server over real sockets. */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "http_world.h"

static void keep_alive(struct world *w)
{
	char out[4096];
	int fd = dial(w);
	for (int i = 0; i < 3; i++) {
		say(fd, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
		EXPECT(w, hear(fd, out, sizeof(out)) == 200);
		EXPECT(w, strstr(out, "\r\n\r\nhello") != NULL);
		EXPECT(w, strstr(out, "X-Content-Type-Options: nosniff\r\n") != NULL);
		EXPECT(w, strstr(out, "X-Request-Id: ") != NULL);
		EXPECT(w, strstr(out, "Server:") == NULL);
	}
	close(fd);
	EXPECT(w, w->seen == 3);
}

static void a_connection_serves_many_requests(void **state)
{
	(void)state;
	run_script(keep_alive, 1000, 10 * SECOND);
}

static void pipelined(struct world *w)
{
	char out[4096];
	int fd = dial(w);
	say(fd, "GET /1 HTTP/1.1\r\nHost: t\r\n\r\n"
		"POST /body HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nabcde"
		"GET /3 HTTP/1.1\r\nHost: t\r\n\r\n");
	EXPECT(w, hear(fd, out, sizeof(out)) == 200 && strstr(out, "hello"));
	EXPECT(w, hear(fd, out, sizeof(out)) == 200 && strstr(out, "\r\n\r\n5"));
	EXPECT(w, hear(fd, out, sizeof(out)) == 200 && strstr(out, "hello"));
	close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	(void)state;
	run_script(pipelined, 1000, 10 * SECOND);
}

static void head(struct world *w)
{
	char out[4096];
	int fd = dial(w);
	say(fd, "HEAD /x HTTP/1.1\r\nHost: t\r\n\r\n");
	EXPECT(w, hear_with(fd, out, sizeof(out), false) == 200);
	EXPECT(w, strstr(out, "Content-Length: 5\r\n") != NULL);
	EXPECT(w, strstr(out, "hello") == NULL);
	say(fd, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
	EXPECT(w, hear(fd, out, sizeof(out)) == 200);
	close(fd);
}

static void head_has_the_length_and_no_body(void **state)
{
	(void)state;
	run_script(head, 1000, 10 * SECOND);
}

static void declared_too_long(struct world *w)
{
	char out[4096];
	int fd = dial(w);
	say(fd, "POST /body HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\n\r\n");
	EXPECT(w, hear(fd, out, sizeof(out)) == 413); /* without a byte of it sent */
	EXPECT(w, strstr(out, "urn:txwatch:problem:too-large") != NULL);
	EXPECT(w, strstr(out, "application/problem+json") != NULL);
	close(fd);
	EXPECT(w, ask(w, "PATCH /body HTTP/1.1\r\nHost: t\r\nContent-Length: 9999\r\n\r\n", out,
		      sizeof(out)) == 413);
	EXPECT(w, ask(w,
		      "POST /body HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999999999999"
		      "\r\n\r\n",
		      out, sizeof(out)) >= 400);
	EXPECT(w, w->seen == 0);
}

static void a_body_declared_too_long_is_refused_before_it_comes(void **state)
{
	(void)state;
	run_script(declared_too_long, 1000, 10 * SECOND);
}

static void streamed_too_long(struct world *w)
{
	char out[4096], piece[700];
	int fd = dial(w);
	say(fd, "POST /body HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
	memset(piece, 'x', sizeof(piece));
	memcpy(piece, "258\r\n", 5); /* 600 bytes */
	memcpy(piece + 605, "\r\n", 3);
	say(fd, piece);
	say(fd, piece);
	EXPECT(w, hear(fd, out, sizeof(out)) == 413);
	EXPECT(w, strstr(out, "Connection: close\r\n") != NULL);
	say(fd, piece); /* read away */
	say(fd, "0\r\n\r\n");
	EXPECT(w, is_closed(fd));
	close(fd);
	EXPECT(w, w->seen == 0);
	EXPECT(w, ask(w, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n", out, sizeof(out)) == 200);
}

static void a_body_that_grows_too_long_is_refused_while_it_streams(void **state)
{
	(void)state;
	run_script(streamed_too_long, 1000, 10 * SECOND);
}

static void exact_bodies(struct world *w)
{
	char out[4096];
	int fd = dial(w);
	say(fd, "POST /body HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
	say(fd, "3\r\nabc\r\n");
	say(fd, "2\r\nde\r\n0\r\n\r\n");
	EXPECT(w, hear(fd, out, sizeof(out)) == 200 && strstr(out, "\r\n\r\n5"));
	say(fd, "POST /body HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n01234");
	say(fd, "5678");
	say(fd, "9");
	EXPECT(w, hear(fd, out, sizeof(out)) == 200 && strstr(out, "\r\n\r\n10"));
	say(fd, "POST /body HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf");
	close(fd); /* and never the rest */
	EXPECT(w, ask(w, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n", out, sizeof(out)) == 200);
	EXPECT(w, w->seen == 3);
}

static void bodies_come_whole_however_they_are_cut(void **state)
{
	(void)state;
	run_script(exact_bodies, 10, 10 * SECOND);
}

static void long_heads(struct world *w)
{
	static char request[70000];
	char out[4096];
	memset(request, 'a', sizeof(request) - 1);
	memcpy(request, "GET /x HTTP/1.1\r\nHost: t\r\nX: ", 29);
	memcpy(request + 11000, "\r\n\r\n", 5);
	EXPECT(w, ask(w, request, out, sizeof(out)) == 431);
	EXPECT(w, strstr(out, "headers-too-large") != NULL);
	request[11000] = 'a'; /* beyond libmicrohttpd's own pool */
	memset(request + 11000, 'a', 5);
	request[60000] = '\0';
	EXPECT(w, ask(w, request, out, sizeof(out)) == 431);
	memset(request, 'a', sizeof(request) - 1);
	memcpy(request, "GET /", 5);
	strncpy(request + 7000, " HTTP/1.1\r\nHost: t\r\n\r\n", 24);
	EXPECT(w, ask(w, request, out, sizeof(out)) == 414);
	EXPECT(w, strstr(out, "uri-too-long") != NULL);
	EXPECT(w, w->seen == 0);
}

static void long_headers_and_targets_are_refused(void **state)
{
	(void)state;
	run_script(long_heads, 1000, 10 * SECOND);
}

static void bad_targets(struct world *w)
{
	static const char *const BAD[] = {
	    "GET /a%00b HTTP/1.1\r\nHost: t\r\n\r\n",
	    "GET /a%zz HTTP/1.1\r\nHost: t\r\n\r\n",
	    "GET /a%f HTTP/1.1\r\nHost: t\r\n\r\n",
	    "GET /%ff%fe HTTP/1.1\r\nHost: t\r\n\r\n",
	    "GET /query?a=%ff HTTP/1.1\r\nHost: t\r\n\r\n",
	    "GET /query?a=%00 HTTP/1.1\r\nHost: t\r\n\r\n",
	    "GET nothing HTTP/1.1\r\nHost: t\r\n\r\n",
	    "POST /body HTTP/1.1\r\nHost: t\r\nContent-Length: -5\r\n\r\n",
	    "POST /body HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	};
	char out[4096];
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		int status = ask(w, BAD[i], out, sizeof(out));
		if (status != 400)
			fprintf(stderr, "%d for %s", status, BAD[i]);
		EXPECT(w, status == 400);
	}
	EXPECT(w, ask(w, "ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1\r\nHost: t\r\n\r\n", out, sizeof(out)) ==
		      501);
	EXPECT(w, w->seen == 0);
}

static void targets_that_are_not_sane_are_refused(void **state)
{
	(void)state;
	run_script(bad_targets, 1000, 10 * SECOND);
}

static void decoding(struct world *w)
{
	char out[4096];
	EXPECT(w, ask(w, "GET /query/%C3%A9%2Fx?a=1%20+2&b&a=3 HTTP/1.1\r\nHost: t\r\n\r\n", out,
		      sizeof(out)) == 200);
	EXPECT(w, strstr(out, "\r\n\r\n1  2|2|/query/\xc3\xa9/x") != NULL);
	EXPECT(w, strstr(out, "X-Good: yes\r\n") != NULL);
	EXPECT(w, strstr(out, "Injected") == NULL);
	EXPECT(w, ask(w, "GET /peer HTTP/1.1\r\nHost: t\r\n\r\n", out, sizeof(out)) == 200);
	EXPECT(w, strstr(out, "\r\n\r\n127.0.0.1") != NULL);
}

static void targets_are_decoded_and_headers_cannot_be_injected(void **state)
{
	(void)state;
	run_script(decoding, 1000, 10 * SECOND);
}

static void request_ids(struct world *w)
{
	char out[4096];
	EXPECT(w, ask(w, "GET / HTTP/1.1\r\nHost: t\r\nX-Request-Id: abc-1.2_Z\r\n\r\n", out,
		      sizeof(out)) == 200);
	EXPECT(w, strstr(out, "X-Request-Id: abc-1.2_Z\r\n") != NULL);
	EXPECT(w, ask(w, "GET / HTTP/1.1\r\nHost: t\r\nX-Request-Id: a b\"\r\n\r\n", out,
		      sizeof(out)) == 200);
	EXPECT(w, strstr(out, "a b") == NULL);
	EXPECT(w, strstr(out, "X-Request-Id: ") != NULL);
}

static void a_sane_request_id_is_kept_and_another_replaced(void **state)
{
	(void)state;
	run_script(request_ids, 1000, 10 * SECOND);
}

static void suspended(struct world *w)
{
	char out[4096];
	int a = dial(w), b = dial(w), gone = dial(w);
	say(a, "GET /keep HTTP/1.1\r\nHost: t\r\n\r\n");
	say(b, "POST /keep HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nhi"
	       "GET /after HTTP/1.1\r\nHost: t\r\n\r\n");
	say(gone, "GET /keep HTTP/1.1\r\nHost: t\r\n\r\n");
	/* /release answers only what has come: ask until nothing waits. */
	int fd = dial(w);
	while (w->seen < 3) {
		say(fd, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
		EXPECT(w, hear(fd, out, sizeof(out)) == 200);
		if (w->seen >= 1000)
			break;
	}
	close(gone); /* abort while suspended */
	say(fd, "GET /release HTTP/1.1\r\nHost: t\r\n\r\n");
	EXPECT(w, hear(fd, out, sizeof(out)) == 200);
	EXPECT(w, hear(a, out, sizeof(out)) == 200 && strstr(out, "late"));
	EXPECT(w, hear(b, out, sizeof(out)) == 200 && strstr(out, "late"));
	EXPECT(w, hear(b, out, sizeof(out)) == 200 && strstr(out, "hello"));
	say(a, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
	EXPECT(w, hear(a, out, sizeof(out)) == 200);
	close(a);
	close(b);
	close(fd);
}

static void an_answer_may_come_later_and_an_abort_meanwhile_is_harmless(void **state)
{
	(void)state;
	run_script(suspended, 1000, 10 * SECOND);
}

static void later(struct world *w)
{
	char out[4096];
	int64_t began = clock_ticks();
	int fd = dial(w);
	for (int i = 0; i < 3; i++) {
		say(fd, "GET /later HTTP/1.1\r\nHost: t\r\n\r\n");
		EXPECT(w, hear(fd, out, sizeof(out)) == 200 && strstr(out, "late"));
	}
	EXPECT(w, clock_ticks() - began < 5 * SECOND);
	close(fd);
}

static void an_answer_from_a_timer_goes_out_at_once(void **state)
{
	(void)state;
	run_script(later, 1000, 10 * SECOND);
}

static void left_open(struct world *w)
{
	char out[4096];
	int a = dial(w), fd = dial(w);
	say(a, "GET /keep HTTP/1.1\r\nHost: t\r\n\r\n");
	for (int i = 0; i < 100 && w->seen < 2; i++) {
		say(fd, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
		EXPECT(w, hear(fd, out, sizeof(out)) == 200);
	}
	/* the sockets stay open: the server closes with one suspended */
	close(fd);
}

static void closing_with_a_request_suspended_leaves_it_to_its_handler(void **state)
{
	(void)state;
	run_script(left_open, 1000, 10 * SECOND);
}

#define CROWD 512

static void crowd(struct world *w)
{
	static int fds[CROWD];
	char out[4096];
	for (int i = 0; i < CROWD; i++)
		fds[i] = dial(w);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < CROWD; i++)
			say(fds[i], i % 2 ? "GET /x HTTP/1.1\r\nHost: t\r\n\r\n"
					  : "GET /y HTTP/1.1\r\nHost: t\r\n\r\n");
		for (int i = 0; i < CROWD; i++)
			EXPECT(w, hear(fds[i], out, sizeof(out)) == 200);
	}
	/* and all of them suspended at once, answered in one turn */
	int before = w->seen;
	for (int i = 0; i < CROWD - 1; i++)
		say(fds[i], "GET /keep HTTP/1.1\r\nHost: t\r\n\r\n");
	int asked = 0;
	while (w->seen < before + CROWD - 1 + asked) {
		say(fds[CROWD - 1], "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
		asked++;
		EXPECT(w, hear(fds[CROWD - 1], out, sizeof(out)) == 200);
	}
	say(fds[CROWD - 1], "GET /release HTTP/1.1\r\nHost: t\r\n\r\n");
	for (int i = CROWD - 1; i >= 0; i--)
		EXPECT(w, hear(fds[i], out, sizeof(out)) == 200);
	for (int i = 0; i < CROWD; i++)
		close(fds[i]);
}

static void five_hundred_and_twelve_sockets_ready_at_once_do_not_hang_it(void **state)
{
	(void)state;
	run_script(crowd, 1000, 10 * SECOND);
}

static void drains(struct world *w)
{
	char out[4096];
	int fd = dial(w);
	int other = dial(w);
	say(other, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
	EXPECT(w, hear(other, out, sizeof(out)) == 200);
	EXPECT(w, strstr(out, "Connection: close") == NULL);
	say(fd, "GET /drain HTTP/1.1\r\nHost: t\r\n\r\n");
	EXPECT(w, hear(fd, out, sizeof(out)) == 200);
	EXPECT(w, dial(w) == -1);
	say(other, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
	EXPECT(w, hear(other, out, sizeof(out)) == 200);
	EXPECT(w, strstr(out, "Connection: close") != NULL);
	EXPECT(w, is_closed(other));
	close(fd);
	close(other);
}

static void a_draining_server_accepts_no_more_and_finishes_what_it_has(void **state)
{
	(void)state;
	run_script(drains, 1000, 10 * SECOND);
}

static void idles(struct world *w)
{
	char out[4096];
	int fd = dial(w);
	say(fd, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
	EXPECT(w, hear(fd, out, sizeof(out)) == 200);
	int64_t began = clock_ticks();
	EXPECT(w, is_closed(fd)); /* by the server */
	EXPECT(w, clock_ticks() - began < 8 * SECOND);
	close(fd);
}

static void an_idle_connection_is_closed(void **state)
{
	(void)state;
	run_script(idles, 1000, 1 * SECOND);
}

/* ---- from one loop to another ---- */

static void turns(struct world *w, int n)
{
	for (int i = 0; i < n; i++)
		uv_run(loop_uv(w->loop), UV_RUN_NOWAIT);
}

/* So many requests have come to the handler, and what it answered has gone. */
static void serve(struct world *w, int n)
{
	while (w->seen < n)
		uv_run(loop_uv(w->loop), UV_RUN_ONCE);
	turns(w, 20);
}

static void a_server_goes_on_in_another_loop_with_its_connections(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));
	struct http_limits limits = {
	    .max_body = 1000, .max_connections = 10, .idle_timeout = 10 * SECOND};
	struct err e = {0};
	char out[4096];
	clock_real(&w->clock);
	w->loop = loop_open(&w->clock);
	w->server = http_server_open(w->loop, STR_LIT("127.0.0.1:0"), &limits, world_handle, w, &e);
	assert_non_null(w->server);
	w->port = http_server_port(w->server);
	int idle = dial(w), kept = dial(w);
	say(idle, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
	say(kept, "GET /keep HTTP/1.1\r\nHost: t\r\n\r\n");
	serve(w, 2);
	assert_int_equal(hear(idle, out, sizeof(out)), 200);
	assert_int_equal(w->n_kept, 1);

	/* Between the loops: an answer is given, a request comes, a peer dials. */
	http_server_detach(w->server);
	say(idle, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
	int fresh = dial(w);
	say(fresh, "GET /x HTTP/1.1\r\nHost: t\r\n\r\n");
	answer_kept(w);
	turns(w, 5);
	assert_int_equal(w->seen, 2);
	loop_close(w->loop);

	w->loop = loop_open(&w->clock);
	http_server_attach(w->server, w->loop, &limits, world_handle, w);
	serve(w, 4);
	assert_int_equal(hear(kept, out, sizeof(out)), 200);
	assert_non_null(strstr(out, "late"));
	assert_int_equal(hear(idle, out, sizeof(out)), 200);
	assert_int_equal(hear(fresh, out, sizeof(out)), 200);
	assert_int_equal(w->seen, 4);
	close(idle);
	close(kept);
	close(fresh);
	http_server_close(w->server);
	loop_close(w->loop);
	free(w);
}

static void a_detached_server_can_be_closed(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));
	struct http_limits limits = {
	    .max_body = 1000, .max_connections = 10, .idle_timeout = 10 * SECOND};
	struct err e = {0};
	clock_real(&w->clock);
	w->loop = loop_open(&w->clock);
	w->server = http_server_open(w->loop, STR_LIT("127.0.0.1:0"), &limits, world_handle, w, &e);
	assert_non_null(w->server);
	w->port = http_server_port(w->server);
	int fd = dial(w);
	say(fd, "GET /keep HTTP/1.1\r\nHost: t\r\n\r\n");
	serve(w, 1);
	http_server_detach(w->server);
	loop_close(w->loop);
	http_server_close(w->server);
	answer_kept(w); /* its peer is gone */
	assert_true(is_closed(fd));
	close(fd);
	free(w);
}

static void a_listener_says_what_is_wrong_with_its_address(void **state)
{
	(void)state;
	static const char *const BAD[] = {"8420", "", "host:", "127.0.0.1:70000", "127.0.0.1:x"};
	struct clock clock;
	struct http_limits limits = {.max_body = 1, .max_connections = 8, .idle_timeout = SECOND};
	clock_real(&clock);
	struct loop *loop = loop_open(&clock);
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct err e = {0};
		assert_null(
		    http_server_open(loop, str_of(BAD[i]), &limits, world_handle, NULL, &e));
		assert_int_equal(e.code, TXW_E_INVALID);
	}
	struct err e = {0};
	struct http_server *first = http_server_open(loop, STR_LIT("127.0.0.1:0"), &limits,
						     world_handle, NULL, &e);
	assert_non_null(first);
	char again[32];
	snprintf(again, sizeof(again), "127.0.0.1:%d", http_server_port(first));
	assert_null(http_server_open(loop, str_of(again), &limits, world_handle, NULL, &e));
	assert_int_equal(e.code, TXW_E_IO);
	assert_non_null(strstr(e.text, "in use"));
	http_server_close(first);
	struct http_server *v6 = http_server_open(loop, STR_LIT("[::1]:0"), &limits, world_handle,
						  NULL, &e);
	http_server_close(v6); /* NULL where there is no IPv6 */
	loop_close(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_connection_serves_many_requests),
	    cmocka_unit_test(pipelined_requests_are_answered_in_order),
	    cmocka_unit_test(head_has_the_length_and_no_body),
	    cmocka_unit_test(a_body_declared_too_long_is_refused_before_it_comes),
	    cmocka_unit_test(a_body_that_grows_too_long_is_refused_while_it_streams),
	    cmocka_unit_test(bodies_come_whole_however_they_are_cut),
	    cmocka_unit_test(long_headers_and_targets_are_refused),
	    cmocka_unit_test(targets_that_are_not_sane_are_refused),
	    cmocka_unit_test(targets_are_decoded_and_headers_cannot_be_injected),
	    cmocka_unit_test(a_sane_request_id_is_kept_and_another_replaced),
	    cmocka_unit_test(an_answer_may_come_later_and_an_abort_meanwhile_is_harmless),
	    cmocka_unit_test(an_answer_from_a_timer_goes_out_at_once),
	    cmocka_unit_test(closing_with_a_request_suspended_leaves_it_to_its_handler),
	    cmocka_unit_test(five_hundred_and_twelve_sockets_ready_at_once_do_not_hang_it),
	    cmocka_unit_test(a_draining_server_accepts_no_more_and_finishes_what_it_has),
	    cmocka_unit_test(an_idle_connection_is_closed),
	    cmocka_unit_test(a_server_goes_on_in_another_loop_with_its_connections),
	    cmocka_unit_test(a_detached_server_can_be_closed),
	    cmocka_unit_test(a_listener_says_what_is_wrong_with_its_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
