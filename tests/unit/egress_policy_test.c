/* egress_policy_test.c: outgoing HTTP: what is refused, and what is counted. */
#include "egress_bench.h"

/* ---- policy ---- */

static void loopback_is_denied_unless_the_policy_admits_it(void **state)
{
	struct bench *b = *state;
	struct got got = fetch(b, &(struct ask){.path = "/ok", .policy = b->strict});
	assert_int_equal(got.error, TXW_E_DENIED);
	assert_string_equal(got.text, "127.0.0.1 is a loopback address; allow-networks of the "
				      "instance does not admit it");
	assert_int_equal(b->peer.connections, 0);
}

static void a_name_that_resolves_to_loopback_is_denied(void **state)
{
	struct bench *b = *state;
	struct got got = fetch(
	    b, &(struct ask){.path = "/ok", .host = "localhost", .policy = b->strict});
	assert_int_equal(got.error, TXW_E_DENIED);
	assert_int_equal(b->peer.connections, 0);
}

static void other_spellings_of_loopback_are_denied(void **state)
{
	static const char *const hosts[] = {"127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"};
	struct bench *b = *state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct got got = fetch(
		    b, &(struct ask){.path = "/ok", .host = hosts[i], .policy = b->strict});
		assert_int_equal(got.error, TXW_E_DENIED);
	}
	assert_int_equal(b->peer.connections, 0);
}

static void a_connection_kept_under_one_policy_is_not_lent_to_another(void **state)
{
	struct bench *b = *state;
	assert_int_equal(fetch(b, &(struct ask){.path = "/ok"}).error, TXW_OK);
	struct got got = fetch(b, &(struct ask){.path = "/ok", .policy = b->strict});
	assert_int_equal(got.error, TXW_E_DENIED);
	assert_int_equal(fetch(b, &(struct ask){.path = "/ok"}).error, TXW_OK);
	assert_int_equal(b->peer.connections, 1);
}

static void the_environments_proxy_is_not_used(void **state)
{
	struct bench *b = *state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	struct got got = fetch(b, &(struct ask){.path = "/ok"});
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	assert_int_equal(got.error, TXW_OK);
}

/* ---- requests that cannot be right ---- */

struct wrong {
	const char *method;
	const char *url;
	txw_http_header header;
	const char *says;
};

#define H(n, v)                            \
	{                                  \
		{(n), sizeof(n) - 1},      \
		{                          \
			(v), sizeof(v) - 1 \
		}                          \
	}

static void a_request_that_could_break_out_of_its_place_is_refused(void **state)
{
	static const struct wrong rows[] = {
	    {"GET", "http://127.0.0.1/", H("X-A", "a\r\nX-B: b"), "X-A"},
	    {"GET", "http://127.0.0.1/", H("X-A", "a\nb"), "X-A"},
	    {"GET", "http://127.0.0.1/", H("X-A", "a\0b"), "X-A"},
	    {"GET", "http://127.0.0.1/", H("X-A\r\nX-B", "b"), "token"},
	    {"GET", "http://127.0.0.1/", H("X A", "b"), "token"},
	    {"GET", "http://127.0.0.1/", H("X-A:", "b"), "token"},
	    {"GET", "http://127.0.0.1/", H("", "b"), "token"},
	    {"GET", "http://127.0.0.1/", H("content-length", "9"), "Content-Length"},
	    {"GET", "http://127.0.0.1/", H("Transfer-Encoding", "chunked"), "Transfer-Encoding"},
	    {"get", "http://127.0.0.1/", H("X-A", "b"), "method"},
	    {"GET /x HTTP/1.1\r\n", "http://127.0.0.1/", H("X-A", "b"), "method"},
	    {"", "http://127.0.0.1/", H("X-A", "b"), "method"},
	    {"GET", "", H("X-A", "b"), "URL"},
	    {"GET", "ftp://127.0.0.1/", H("X-A", "b"), "http or https"},
	    {"GET", "file:///etc/passwd", H("X-A", "b"), "http or https"},
	    {"GET", "127.0.0.1", H("X-A", "b"), "URL"},
	    {"GET", "http://127.0.0.1/\r\nX-B: b", H("X-A", "b"), "URL"},
	    {"GET", "http://127.0.0.1/a b", H("X-A", "b"), "URL"},
	};
	struct bench *b = *state;
	struct got got = {.bench = b};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = {0};
		txw_http_request r = {.size = sizeof(r),
				      .method = str_of(rows[i].method),
				      .url = str_of(rows[i].url),
				      .headers = &rows[i].header,
				      .n_headers = 1,
				      .timeout = SECOND};
		int32_t rc = egress_start(b->egress, b->local, &r, on_done, &got, NULL, &e);
		if (rc != TXW_E_INVALID || !strstr(e.text, rows[i].says))
			fail_msg("row %zu: %d, \"%s\" does not say \"%s\"", i, rc, e.text,
				 rows[i].says);
	}
	assert_int_equal(got.calls, 0);
}

static void credentials_in_a_url_are_never_part_of_an_error(void **state)
{
	struct bench *b = *state;
	struct got got = {.bench = b};
	struct err e = {0};
	txw_http_request r = {.size = sizeof(r),
			      .method = str_of("GET"),
			      .url = str_of("http://me:hunter2@host:99999/"),
			      .timeout = SECOND};
	assert_int_equal(egress_start(b->egress, b->local, &r, on_done, &got, NULL, &e),
			 TXW_E_INVALID);
	assert_null(strstr(e.text, "hunter2"));
	struct got refused = fetch(
	    b, &(struct ask){.path = "/ok", .host = "me:hunter2@127.0.0.1", .policy = b->strict});
	assert_null(strstr(refused.text, "hunter2"));
}

static void a_check_judges_form_scheme_and_literal_addresses_only(void **state)
{
	struct bench *b = *state;
	static const struct {
		const char *url;
		int32_t strict, local;
	} rows[] = {
	    {"https://example.org/hook", 0, 0},
	    {"http://127.0.0.1:80/", TXW_E_DENIED, 0},
	    {"http://127.1/", TXW_E_DENIED, 0},
	    {"http://[::1]/", TXW_E_DENIED, TXW_E_DENIED},
	    {"http://[::ffff:127.0.0.1]/", TXW_E_DENIED, 0},
	    {"http://localhost/", TXW_E_DENIED, 0},
	    {"http://LOCALHOST./", TXW_E_DENIED, 0},
	    {"http://a.localhost/", TXW_E_DENIED, 0},
	    {"http://notlocalhost/", 0, 0},
	    {"http://169.254.169.254/latest", TXW_E_DENIED, TXW_E_DENIED},
	    {"http://8.8.8.8/", 0, 0},
	    {"gopher://example.org/", TXW_E_INVALID, TXW_E_INVALID},
	    {"example.org/hook", TXW_E_INVALID, TXW_E_INVALID},
	    {"", TXW_E_INVALID, TXW_E_INVALID},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = {0};
		if (egress_check(b->strict, str_of(rows[i].url), &e) != rows[i].strict ||
		    egress_check(b->local, str_of(rows[i].url), &e) != rows[i].local)
			fail_msg("%s: %s", rows[i].url, e.text);
	}
}

static void a_policy_names_what_is_not_a_network(void **state)
{
	static const txw_str nets[] = {{"10.0.0.0/8", 10}, {"inside", 6}};
	struct err e = {0};
	(void)state;
	assert_null(egress_policy_make(nets, 2, &e));
	assert_non_null(strstr(e.text, "inside"));
}

/* ---- figures ---- */

struct count {
	double answered, denied;
};

static void read_counts(void *ctx, const txw_family *families, size_t n)
{
	struct count *count = ctx;
	for (size_t i = 0; i < n; i++) {
		if (!str_is(families[i].name, "txwatch_egress_requests_total"))
			continue;
		for (size_t k = 0; k < families[i].n; k++) {
			const txw_sample *s = &families[i].samples[k];
			if (str_is(s->labels[0].value, "answered"))
				count->answered = s->value;
			if (str_is(s->labels[0].value, "denied"))
				count->denied = s->value;
		}
	}
}

static void requests_are_counted_by_what_came_of_them(void **state)
{
	struct bench *b = *state;
	struct count count = {0};
	fetch(b, &(struct ask){.path = "/ok"});
	fetch(b, &(struct ask){.path = "/redirect"});
	fetch(b, &(struct ask){.path = "/ok", .policy = b->strict});
	metrics_snapshot(b->metrics, read_counts, &count);
	assert_true(count.answered == 2 && count.denied == 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(loopback_is_denied_unless_the_policy_admits_it),
	    TEST(a_name_that_resolves_to_loopback_is_denied),
	    TEST(other_spellings_of_loopback_are_denied),
	    TEST(a_connection_kept_under_one_policy_is_not_lent_to_another),
	    TEST(the_environments_proxy_is_not_used),
	    TEST(a_request_that_could_break_out_of_its_place_is_refused),
	    TEST(credentials_in_a_url_are_never_part_of_an_error),
	    TEST(a_check_judges_form_scheme_and_literal_addresses_only),
	    TEST(a_policy_names_what_is_not_a_network),
	    TEST(requests_are_counted_by_what_came_of_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
