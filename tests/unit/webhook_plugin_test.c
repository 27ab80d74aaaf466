/* webhook_plugin_test.c: notifier.webhook as a host sees it: made, asked to
 * send, answered, cancelled; the host is the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "txwatch/txwatch.h"

#define STR(lit) ((txw_str){(lit), sizeof(lit) - 1})
#define SECRET   "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define NOW      INT64_C(1614265330000000)
#define SECOND   INT64_C(1000000)

/* ---- the host ---- */

struct sent {
	char method[8], url[128], id[64], timestamp[32], signature[160], type[64], agent[64];
	char body[512];
	int64_t timeout, body_cap;
	txw_http_done done;
	void *ctx;
};

struct verdict {
	uint64_t token;
	uint32_t verdict, status;
	int64_t after, took;
	char reason[256], response[2048], peer[64];
};

struct txw_instance {
	size_t n_sent, n_verdicts;
	struct sent sent[4];
	struct verdict verdicts[4];
	uint64_t cancelled;
	int32_t start_fails;
	int32_t check_says;
	const char *missing; /* an extension this host lacks */
};

static void copy(char *out, size_t cap, txw_str s)
{
	(void)snprintf(out, cap, "%.*s", (int)s.len, s.ptr ? s.ptr : "");
}
#define COPY(out, s) copy((out), sizeof(out), (s))

static void copy_header(struct sent *sent, const txw_http_header *h)
{
	const struct {
		const char *name;
		char *out;
		size_t cap;
	} rows[] = {
	    {"webhook-id", sent->id, sizeof(sent->id)},
	    {"webhook-timestamp", sent->timestamp, sizeof(sent->timestamp)},
	    {"webhook-signature", sent->signature, sizeof(sent->signature)},
	    {"content-type", sent->type, sizeof(sent->type)},
	    {"user-agent", sent->agent, sizeof(sent->agent)},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (h->name.len == strlen(rows[i].name) &&
		    memcmp(h->name.ptr, rows[i].name, h->name.len) == 0)
			copy(rows[i].out, rows[i].cap, h->value);
}

static int32_t http_start(txw_instance *self, const txw_http_request *r, txw_http_done done,
			  void *ctx, uint64_t *id, txw_error *err)
{
	if (self->start_fails) {
		err->code = self->start_fails;
		err->text = STR("too many");
		return self->start_fails;
	}
	struct sent *sent = &self->sent[self->n_sent++];
	COPY(sent->method, r->method);
	COPY(sent->url, r->url);
	COPY(sent->body, r->body);
	for (uint32_t i = 0; i < r->n_headers; i++)
		copy_header(sent, &r->headers[i]);
	sent->timeout = r->timeout;
	sent->body_cap = r->body_cap;
	sent->done = done;
	sent->ctx = ctx;
	*id = 100 + self->n_sent;
	return TXW_PENDING;
}

static void http_cancel(txw_instance *self, uint64_t id)
{
	self->cancelled = id;
}

static int32_t http_check(txw_instance *self, txw_str url, txw_error *err)
{
	(void)url;
	err->code = self->check_says;
	err->text = STR("the URL is refused");
	return self->check_says;
}

static txw_time clock_now(txw_instance *self)
{
	(void)self;
	return NOW;
}

static int32_t notify_complete(txw_instance *self, uint64_t token, const txw_verdict *v)
{
	struct verdict *out = &self->verdicts[self->n_verdicts++];
	out->token = token;
	out->verdict = v->verdict;
	out->status = v->status;
	out->after = v->after;
	out->took = v->took;
	COPY(out->reason, v->reason);
	COPY(out->response, v->response);
	COPY(out->peer, v->peer);
	return TXW_OK;
}

static const void *get_ext(txw_instance *self, const char *name)
{
	static const txw_http_ext http = {
	    .size = sizeof(http), .start = http_start, .cancel = http_cancel, .check = http_check};
	static const txw_clock_ext clock = {.size = sizeof(clock), .now = clock_now};
	static const txw_notify_ext notify = {.size = sizeof(notify), .complete = notify_complete};
	if (self->missing && strcmp(self->missing, name) == 0)
		return NULL;
	if (strcmp(name, TXW_EXT_HTTP) == 0)
		return &http;
	if (strcmp(name, TXW_EXT_CLOCK) == 0)
		return &clock;
	return strcmp(name, TXW_EXT_NOTIFY) == 0 ? &notify : NULL;
}

/* ---- making an instance from option rows ---- */

struct option {
	const char *name;
	txw_str texts[2];
	uint32_t n;
	int64_t number;
};

static int32_t make(txw_instance *self, const struct option *options, size_t n, void **out,
		    txw_error *err)
{
	static const txw_host host = {
	    .size = sizeof(host), .abi_major = 1, .version = "test", .get_ext = get_ext};
	const txw_role *role = txw_plugin_1()->roles;
	txw_value values[16] = {{0}};
	txw_str fallbacks[16];
	for (uint32_t i = 0; i < role->n_options; i++) {
		const txw_option *row = &role->options[i];
		txw_value *v = &values[i];
		*v = (txw_value){.size = sizeof(*v), .type = row->type, .name = row->name};
		if (row->type != TXW_OPT_BYTES && row->fallback) {
			fallbacks[i] = (txw_str){row->fallback, strlen(row->fallback)};
			v->texts = &fallbacks[i];
			v->is_set = v->n = 1;
		}
		for (size_t k = 0; k < n; k++) {
			if (strcmp(options[k].name, row->name) != 0)
				continue;
			v->texts = options[k].texts;
			v->n = options[k].n;
			v->number = options[k].number;
			v->is_set = 1;
		}
	}
	const txw_setup setup = {.size = sizeof(setup),
				 .n_values = role->n_options,
				 .value_stride = sizeof(values[0]),
				 .values = values,
				 .host = &host,
				 .self = self,
				 .name = "hooks"};
	return role->create(&setup, out, err);
}

static const txw_notifier *notifier(void)
{
	return txw_plugin_1()->roles[0].vtable;
}

struct bench {
	txw_instance host;
	void *webhook;
};

static const struct option WITH_SECRET[] = {{"secret", {STR(SECRET)}, 1, 0}};

static void bench_open(struct bench *b, const struct option *options, size_t n)
{
	txw_error err = {.size = sizeof(err)};
	memset(b, 0, sizeof(*b));
	if (make(&b->host, options, n, &b->webhook, &err) != TXW_OK)
		fail_msg("%.*s", (int)err.text.len, err.text.ptr);
}

static void bench_close(struct bench *b)
{
	txw_plugin_1()->roles[0].destroy(b->webhook);
}

static void send_event(struct bench *b, uint64_t token, txw_str settings, txw_time deadline)
{
	static const txw_event event = {.size = sizeof(event),
					.type = TXW_EV_SUCCEEDED,
					.id = {0x01890a5dac96774b, 0xbcceb302099a8057},
					.at = NOW,
					.json = {"{\"seq\":1}", 9}};
	const txw_delivery delivery = {.size = sizeof(delivery),
				       .attempt = 1,
				       .token = token,
				       .event = &event,
				       .address = STR("https://example.org/hook"),
				       .settings = settings,
				       .target = STR("sub_1"),
				       .deadline = deadline};
	txw_error err = {.size = sizeof(err)};
	assert_true(notifier()->send(b->webhook, &delivery, sizeof(delivery), 1, &err) >= 0);
}

static void answer(struct bench *b, size_t i, uint32_t status, txw_str body)
{
	const txw_http_response r = {.size = sizeof(r),
				     .status = status,
				     .body = body,
				     .peer = STR("203.0.113.7:443"),
				     .took = 1234};
	b->host.sent[i].done(b->host.sent[i].ctx, &r);
}

/* ---- tests ---- */

static void an_event_becomes_one_signed_post(void **state)
{
	struct bench b;
	(void)state;
	bench_open(&b, WITH_SECRET, 1);
	send_event(&b, 7, (txw_str){NULL, 0}, NOW + 15 * SECOND);
	const struct sent *sent = &b.host.sent[0];
	assert_int_equal(b.host.n_sent, 1);
	assert_string_equal(sent->method, "POST");
	assert_string_equal(sent->url, "https://example.org/hook");
	assert_string_equal(sent->id, "evt_01h455vb4pex5vsknk084sn02q");
	assert_string_equal(sent->timestamp, "1614265330");
	assert_memory_equal(sent->signature, "v1,", 3);
	assert_int_equal(strlen(sent->signature), 3 + 44);
	assert_string_equal(sent->type, "application/json");
	assert_string_equal(sent->agent, "txwatch/" TXW_VERSION);
	assert_string_equal(sent->body, "{\"type\":\"transaction.succeeded\",\"timestamp\":"
					"\"2021-02-25T15:02:10Z\",\"data\":{\"seq\":1}}");
	assert_int_equal(sent->timeout, 15 * SECOND);
	assert_int_equal(sent->body_cap, 1024);
	answer(&b, 0, 204, (txw_str){NULL, 0});
	bench_close(&b);
}

static void the_answer_becomes_the_verdict_of_its_token(void **state)
{
	struct bench b;
	(void)state;
	bench_open(&b, WITH_SECRET, 1);
	send_event(&b, 7, (txw_str){NULL, 0}, NOW + SECOND);
	send_event(&b, 8, (txw_str){NULL, 0}, NOW + SECOND);
	answer(&b, 1, 500, STR("oh \xff no"));
	answer(&b, 0, 200, STR("ok"));
	assert_int_equal(b.host.n_verdicts, 2);
	const struct verdict *failed = &b.host.verdicts[0], *ok = &b.host.verdicts[1];
	assert_int_equal(failed->token, 8);
	assert_int_equal(failed->verdict, TXW_VERDICT_RETRY);
	assert_int_equal(failed->status, 500);
	assert_string_equal(failed->reason, "HTTP 500");
	assert_string_equal(failed->response, "oh \xef\xbf\xbd no");
	assert_string_equal(failed->peer, "203.0.113.7:443");
	assert_int_equal(failed->took, 1234);
	assert_int_equal(ok->token, 7);
	assert_int_equal(ok->verdict, TXW_VERDICT_OK);
	bench_close(&b);
}

static void a_rotation_sends_two_signatures(void **state)
{
	struct bench b;
	(void)state;
	bench_open(&b, NULL, 0);
	send_event(&b, 7,
		   STR("{\"secrets\":[\"" SECRET "\",\"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\"]}"),
		   NOW + SECOND);
	const char *space = strchr(b.host.sent[0].signature, ' ');
	assert_non_null(space);
	assert_memory_equal(space + 1, "v1,", 3);
	answer(&b, 0, 200, (txw_str){NULL, 0});
	bench_close(&b);
}

static void cancelling_ends_the_request_of_that_token_only(void **state)
{
	struct bench b;
	(void)state;
	bench_open(&b, WITH_SECRET, 1);
	send_event(&b, 7, (txw_str){NULL, 0}, NOW + SECOND);
	send_event(&b, 8, (txw_str){NULL, 0}, NOW + SECOND);
	notifier()->cancel(b.webhook, 9);
	assert_int_equal(b.host.cancelled, 0);
	notifier()->cancel(b.webhook, 8);
	assert_int_equal(b.host.cancelled, 102);
	answer(&b, 1, 200, (txw_str){NULL, 0});
	b.host.cancelled = 0;
	notifier()->cancel(b.webhook, 8);
	assert_int_equal(b.host.cancelled, 0);
	answer(&b, 0, 200, (txw_str){NULL, 0});
	bench_close(&b);
}

static void what_cannot_be_sent_is_tried_again_with_the_reason(void **state)
{
	struct bench b;
	(void)state;
	bench_open(&b, NULL, 0);
	send_event(&b, 1, (txw_str){NULL, 0}, NOW + SECOND);
	send_event(&b, 2, STR("{\"secrets\":3}"), NOW + SECOND);
	send_event(&b, 3, STR("{\"secrets\":[\"" SECRET "\"]}"), NOW);
	b.host.start_fails = TXW_E_BUSY;
	send_event(&b, 4, STR("{\"secrets\":[\"" SECRET "\"]}"), NOW + SECOND);
	static const char *const says[] = {"no secret", "settings", "deadline", "too many"};
	assert_int_equal(b.host.n_sent, 0);
	assert_int_equal(b.host.n_verdicts, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(b.host.verdicts[i].token, i + 1);
		assert_int_equal(b.host.verdicts[i].verdict, TXW_VERDICT_RETRY);
		assert_non_null(strstr(b.host.verdicts[i].reason, says[i]));
	}
	assert_true(b.host.verdicts[3].after > 0);
	bench_close(&b);
}

static void a_target_is_checked_before_it_is_made(void **state)
{
	struct bench b, keyed;
	txw_error err = {.size = sizeof(err)};
	txw_str url = STR("https://example.org/"), none = {NULL, 0};
	(void)state;
	bench_open(&b, NULL, 0);
	bench_open(&keyed, WITH_SECRET, 1);
	assert_int_equal(notifier()->check(keyed.webhook, url, none, &err), TXW_OK);
	assert_int_equal(notifier()->check(b.webhook, url, none, &err), TXW_E_INVALID);
	assert_int_equal(notifier()->check(b.webhook, url, STR("{}"), &err), TXW_OK);
	assert_int_equal(notifier()->check(b.webhook, url, STR("{\"format\":\"xml\"}"), &err),
			 TXW_E_INVALID);
	b.host.check_says = TXW_E_DENIED;
	assert_int_equal(notifier()->check(b.webhook, url, STR("{}"), &err), TXW_E_DENIED);
	bench_close(&b);
	bench_close(&keyed);
}

static void options_that_cannot_be_right_refuse_the_instance(void **state)
{
	static const struct option rows[] = {
	    {"secret", {STR("hunter2")}, 1, 0},
	    {"headers", {STR("X-A: b"), STR("no colon")}, 2, 0},
	    {"headers", {STR("webhook-id: x")}, 1, 0},
	    {"user-agent", {STR("a\nb")}, 1, 0},
	    {"source", {{NULL, 0}}, 1, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		txw_instance host = {0};
		txw_error err = {.size = sizeof(err)};
		void *webhook = NULL;
		assert_int_equal(make(&host, &rows[i], 1, &webhook, &err), TXW_E_INVALID);
		assert_null(webhook);
		assert_true(err.text.len > 0);
	}
}

static void a_host_without_an_extension_is_told_so(void **state)
{
	static const char *const names[] = {TXW_EXT_HTTP, TXW_EXT_CLOCK, TXW_EXT_NOTIFY};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		txw_instance host = {.missing = names[i]};
		txw_error err = {.size = sizeof(err)};
		void *webhook = NULL;
		char text[128];
		assert_int_equal(make(&host, NULL, 0, &webhook, &err), TXW_E_UNSUPPORTED);
		COPY(text, err.text);
		assert_non_null(strstr(text, names[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_event_becomes_one_signed_post),
	    cmocka_unit_test(the_answer_becomes_the_verdict_of_its_token),
	    cmocka_unit_test(a_rotation_sends_two_signatures),
	    cmocka_unit_test(cancelling_ends_the_request_of_that_token_only),
	    cmocka_unit_test(what_cannot_be_sent_is_tried_again_with_the_reason),
	    cmocka_unit_test(a_target_is_checked_before_it_is_made),
	    cmocka_unit_test(options_that_cannot_be_right_refuse_the_instance),
	    cmocka_unit_test(a_host_without_an_extension_is_told_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
