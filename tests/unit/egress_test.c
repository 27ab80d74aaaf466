/* egress_test.c: outgoing HTTP: answers, limits, time, ending early. */
#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "egress_bench.h"

/* ---- answers ---- */

static void an_answer_comes_with_its_status_headers_body_and_peer(void **state)
{
	struct bench *b = *state;
	struct got got = fetch(b, &(struct ask){.path = "/ok"});
	char peer[64];
	(void)snprintf(peer, sizeof(peer), "127.0.0.1:%u", b->peer.port);
	assert_int_equal(got.error, TXW_OK);
	assert_int_equal(got.status, 200);
	assert_string_equal(got.body, "hello");
	assert_int_equal(got.is_cut, 0);
	assert_int_equal(got.n_headers, 4);
	assert_string_equal(got.first_header, "content-type");
	assert_string_equal(got.retry_after, "7");
	assert_string_equal(got.peer, peer);
	assert_true(got.took > 0 && got.connect_took > 0);
}

static void the_request_goes_out_as_it_was_given(void **state)
{
	struct bench *b = *state;
	static const txw_http_header headers[] = {{{"X-One", 5}, {"a b", 3}},
						  {{"X-None", 6}, {NULL, 0}},
						  {{"User-Agent", 10}, {"me", 2}}};
	fetch(b, &(struct ask){.path = "/ok?q=1",
			       .method = "PUT",
			       .headers = headers,
			       .n_headers = 3,
			       .body = "{\"a\":1}"});
	assert_true(was_sent(b, "PUT /ok?q=1 HTTP/1.1\r\n"));
	assert_true(was_sent(b, "\r\nX-One: a b\r\n"));
	assert_true(was_sent(b, "\r\nX-None:\r\n"));
	assert_true(was_sent(b, "\r\nUser-Agent: me\r\n"));
	assert_true(was_sent(b, "\r\nContent-Length: 7\r\n"));
	assert_true(was_sent(b, "\r\n\r\n{\"a\":1}"));
	assert_false(was_sent(b, "Content-Type"));
	assert_false(was_sent(b, "Expect"));
}

static void a_handle_used_again_keeps_nothing_of_the_request_before(void **state)
{
	struct bench *b = *state;
	static const txw_http_header headers[] = {{{"X-One", 5}, {"a", 1}}};
	static const struct {
		struct ask ask;
		const char *line;
	} rounds[] = {
	    {{.path = "/ok", .method = "DELETE", .headers = headers, .n_headers = 1}, "DELETE /ok"},
	    {{.path = "/ok", .method = "POST", .body = "b"}, "POST /ok"},
	    {{.path = "/ok"}, "GET /ok"},
	    {{.path = "/ok", .method = "POST"}, "POST /ok"},
	    {{.path = "/early", .method = "HEAD"}, "HEAD /early"},
	    {{.path = "/ok", .method = "PATCH", .body = "b"}, "PATCH /ok"},
	    {{.path = "/ok"}, "GET /ok"},
	};
	for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
		struct got got = fetch(b, &rounds[i].ask);
		assert_int_equal(got.error, TXW_OK);
		assert_true(was_sent(b, rounds[i].line));
		assert_int_equal(was_sent(b, "X-One"), rounds[i].ask.n_headers == 1);
		assert_int_equal(was_sent(b, "Content-Length"), rounds[i].line[0] == 'P');
	}
}

static void connections_are_kept_and_used_again(void **state)
{
	struct bench *b = *state;
	for (int i = 0; i < 5; i++)
		fetch(b, &(struct ask){.path = "/ok"});
	struct got got = fetch(b, &(struct ask){.path = "/ok"});
	assert_int_equal(b->peer.connections, 1);
	assert_int_equal(got.connect_took, 0);
}

static void only_the_final_answer_counts_not_the_interim_ones(void **state)
{
	struct got got = fetch(*state, &(struct ask){.path = "/early"});
	assert_int_equal(got.status, 204);
	assert_int_equal(got.n_headers, 1);
	assert_string_equal(got.first_header, "x-real");
}

static void a_redirect_is_an_answer_and_is_not_followed(void **state)
{
	struct bench *b = *state;
	struct got got = fetch(b, &(struct ask){.path = "/redirect"});
	assert_int_equal(got.error, TXW_OK);
	assert_int_equal(got.status, 302);
	assert_int_equal(b->peer.connections, 1);
}

/* ---- limits ---- */

static void a_long_answer_is_cut_and_counts(void **state)
{
	struct bench *b = *state;
	struct mallinfo2 before = mallinfo2();
	struct got got = fetch(b, &(struct ask){.path = "/ten-megabytes", .body_cap = 1000});
	struct mallinfo2 after = mallinfo2();
	assert_int_equal(got.error, TXW_OK);
	assert_int_equal(got.status, 200);
	assert_int_equal(got.body_len, 1000);
	assert_int_equal(got.is_cut, 1);
	assert_true(after.uordblks < before.uordblks + ((size_t)1 << 20));
}

static void a_long_answer_ends_the_attempt_when_asked_to(void **state)
{
	struct got got = fetch(
	    *state, &(struct ask){.path = "/ten-megabytes", .body_cap = 1000, .stop_at_cap = 1});
	assert_int_equal(got.error, TXW_E_FULL);
	assert_int_equal(got.status, 0);
	assert_int_equal(got.body_len, 0);
	assert_string_equal(got.text, "the answer is longer than 1000 bytes");
}

static void a_small_surplus_is_cut_and_does_not_cost_the_connection(void **state)
{
	struct bench *b = *state;
	for (int i = 0; i < 3; i++) {
		struct got got = fetch(b, &(struct ask){.path = "/ok", .body_cap = 2});
		assert_int_equal(got.error, TXW_OK);
		assert_string_equal(got.body, "he");
		assert_int_equal(got.is_cut, 1);
	}
	assert_int_equal(b->peer.connections, 1);
}

static void a_cut_answer_is_not_waited_for(void **state)
{
	struct got got = fetch(*state, &(struct ask){.path = "/short", .body_cap = 2});
	assert_int_equal(got.error, TXW_OK);
	assert_string_equal(got.body, "he");
}

static void headers_beyond_a_hundred_are_left_out(void **state)
{
	struct got got = fetch(*state, &(struct ask){.path = "/headers"});
	assert_int_equal(got.error, TXW_OK);
	assert_int_equal(got.n_headers, 100);
}

static void headers_that_never_end_end_the_attempt(void **state)
{
	struct got got = fetch(*state, &(struct ask){.path = "/endless-headers"});
	assert_true(got.error == TXW_E_FULL || got.error == TXW_E_IO);
	assert_int_equal(got.status, 0);
}

static void broken_chunks_are_no_answer(void **state)
{
	struct got got = fetch(*state, &(struct ask){.path = "/bad-chunks"});
	assert_int_equal(got.error, TXW_E_IO);
	assert_int_equal(got.status, 0);
	assert_true(got.text[0] != '\0');
}

static void a_status_beyond_599_is_no_answer(void **state)
{
	struct got got = fetch(*state, &(struct ask){.path = "/status-999"});
	assert_int_equal(got.error, TXW_E_IO);
	assert_int_equal(got.status, 0);
}

static void a_refused_connection_is_an_io_error(void **state)
{
	struct bench *b = *state;
	struct got got = {.bench = b, .left = 1};
	int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound, not listening */
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	getsockname(fd, (struct sockaddr *)&a, &len);
	char url[64];
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(a.sin_port));
	txw_http_request r = {
	    .size = sizeof(r), .method = str_of("GET"), .url = str_of(url), .timeout = 10 * SECOND};
	assert_int_equal(egress_start(b->egress, b->local, &r, on_done, &got, NULL, NULL),
			 TXW_PENDING);
	await(b, &got);
	close(fd);
	assert_int_equal(got.error, TXW_E_IO);
}

/* ---- time ---- */

static void a_peer_that_hangs_runs_into_the_deadline(void **state)
{
	struct got got = fetch(*state, &(struct ask){.path = "/hang", .timeout = 30 * MILLISECOND});
	assert_int_equal(got.error, TXW_E_TIMEOUT);
	assert_string_equal(got.text, "no complete answer within 30ms");
	assert_true(got.took >= 29 * MILLISECOND);
}

static void on_walked(struct task *task)
{
	(void)task;
}

static void a_virtual_clock_moves_the_deadline(void **state)
{
	struct bench *b = *state;
	struct got got = {.left = 1};
	struct task walked = {.run = on_walked};
	txw_time began = loop_now(b->loop);
	start(b, &(struct ask){.path = "/short", .timeout = HOUR}, &got, NULL, NULL);
	assert_int_equal(loop_advance(b->loop, 2 * HOUR, 20 * MILLISECOND, &walked), 0);
	await(b, &got);
	assert_int_equal(got.error, TXW_E_TIMEOUT);
	assert_true(loop_now(b->loop) >= began + HOUR);
	assert_true(got.took < 10 * SECOND);
}

/* ---- ending early ---- */

struct late_cancel {
	struct timer timer;
	struct bench *bench;
	uint64_t id;
};

static void cancel_now(struct timer *timer)
{
	struct late_cancel *c = (struct late_cancel *)(void *)timer;
	egress_cancel(c->bench->egress, c->id);
	egress_cancel(c->bench->egress, c->id);
}

static void a_cancelled_request_is_done_once(void **state)
{
	struct bench *b = *state;
	struct got got = {.left = 1};
	struct late_cancel c = {.timer.fire = cancel_now, .bench = b};
	start(b, &(struct ask){.path = "/hang"}, &got, &c.id, NULL);
	timer_set(b->loop, &c.timer, loop_now(b->loop) + 10 * MILLISECOND);
	await(b, &got);
	assert_int_equal(got.calls, 1);
	assert_int_equal(got.error, TXW_E_CANCELLED);
}

static void cancelling_what_is_over_or_unknown_is_harmless(void **state)
{
	struct bench *b = *state;
	struct got got = {.left = 1};
	uint64_t id = 0;
	start(b, &(struct ask){.path = "/ok"}, &got, &id, NULL);
	await(b, &got);
	egress_cancel(b->egress, id);
	egress_cancel(b->egress, 0);
	egress_cancel(b->egress, UINT64_MAX);
	struct got next = fetch(b, &(struct ask){.path = "/ok"});
	assert_int_equal(next.error, TXW_OK);
	assert_int_equal(got.calls, 1);
}

static void closing_cancels_what_is_under_way(void **state)
{
	struct bench *b = *state;
	struct got got[3] = {{.left = 1}, {.left = 1}, {.left = 1}};
	for (int i = 0; i < 3; i++)
		assert_int_equal(start(b, &(struct ask){.path = "/hang"}, &got[i], NULL, NULL),
				 TXW_PENDING);
	egress_close(b->egress);
	b->egress = NULL;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(got[i].calls, 1);
		assert_int_equal(got[i].error, TXW_E_CANCELLED);
	}
}

static void many_requests_at_once_are_all_answered(void **state)
{
	struct bench *b = *state;
	struct got got = {.left = 300};
	for (int i = 0; i < 300; i++)
		assert_int_equal(start(b, &(struct ask){.path = "/ok"}, &got, NULL, NULL),
				 TXW_PENDING);
	await(b, &got);
	assert_int_equal(got.calls, 300);
	assert_int_equal(got.error, TXW_OK);
}

static void requests_beyond_the_limit_are_told_to_come_later(void **state)
{
	struct bench *b = *state;
	struct got got = {.left = 1};
	struct err e = {0};
	/* Refused at once by the policy's pool, but not before the loop runs. */
	const struct ask ask = {.path = "/ok", .policy = b->strict};
	for (int i = 0; i < EGRESS_MAX_IN_FLIGHT; i++)
		assert_int_equal(start(b, &ask, &got, NULL, &e), TXW_PENDING);
	assert_int_equal(start(b, &ask, &got, NULL, &e), TXW_E_BUSY);
	got.left = EGRESS_MAX_IN_FLIGHT;
	await(b, &got);
	assert_int_equal(got.calls, EGRESS_MAX_IN_FLIGHT);
	assert_int_equal(got.error, TXW_E_DENIED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_answer_comes_with_its_status_headers_body_and_peer),
	    TEST(the_request_goes_out_as_it_was_given),
	    TEST(a_handle_used_again_keeps_nothing_of_the_request_before),
	    TEST(connections_are_kept_and_used_again),
	    TEST(only_the_final_answer_counts_not_the_interim_ones),
	    TEST(a_redirect_is_an_answer_and_is_not_followed),
	    TEST(a_long_answer_is_cut_and_counts),
	    TEST(a_long_answer_ends_the_attempt_when_asked_to),
	    TEST(a_small_surplus_is_cut_and_does_not_cost_the_connection),
	    TEST(a_cut_answer_is_not_waited_for),
	    TEST(headers_beyond_a_hundred_are_left_out),
	    TEST(headers_that_never_end_end_the_attempt),
	    TEST(broken_chunks_are_no_answer),
	    TEST(a_status_beyond_599_is_no_answer),
	    TEST(a_refused_connection_is_an_io_error),
	    TEST(a_peer_that_hangs_runs_into_the_deadline),
	    cmocka_unit_test_setup_teardown(a_virtual_clock_moves_the_deadline, bench_open_virtual,
					    bench_close),
	    TEST(a_cancelled_request_is_done_once),
	    TEST(cancelling_what_is_over_or_unknown_is_harmless),
	    TEST(closing_cancels_what_is_under_way),
	    TEST(many_requests_at_once_are_all_answered),
	    TEST(requests_beyond_the_limit_are_told_to_come_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
