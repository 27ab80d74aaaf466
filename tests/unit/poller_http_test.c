/* poller_http_test.c: poller.http asks about transactions. */
#include "poller_http_fixture.h"

#include <pthread.h>

#define ONE   "url=https://bank.example/payments/{{ref}}"
#define BATCH "url=https://bank.example/payments?ids={{refs}}", "ref=/id", "list=/data", "batch=4"

static void every_option_row_says_what_it_is(void **state)
{
	(void)state;
	const txw_role *role = load_role();
	for (uint32_t i = 0; i < role->n_options; i++) {
		const txw_option *o = row(role, i);
		assert_non_null(o->name);
		assert_non_null(o->help);
		assert_int_equal(o->size, sizeof *o);
		for (uint32_t k = 0; k < i; k++)
			assert_string_not_equal(o->name, row(role, k)->name);
	}
	assert_int_equal(role->kind, TXW_ROLE_POLLER);
	assert_string_equal(role->name, "http");
}

/* ---- what is asked ---- */

static void a_ref_goes_percent_encoded_into_the_path(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, ONE);
	ASK(&f, "PAY-1_a.b~c", "a/b?c=d&e#f", "../x", "%2e%2e", "\xc3\xa4 \r\n@");
	assert_int_equal(f.n_sent, 5);
	assert_string_equal(f.sent[0].url.ptr, "https://bank.example/payments/PAY-1_a.b~c");
	assert_string_equal(f.sent[1].url.ptr,
			    "https://bank.example/payments/a%2Fb%3Fc%3Dd%26e%23f");
	assert_string_equal(f.sent[2].url.ptr, "https://bank.example/payments/..%2Fx");
	assert_string_equal(f.sent[3].url.ptr, "https://bank.example/payments/%252e%252e");
	assert_string_equal(f.sent[4].url.ptr, "https://bank.example/payments/%C3%A4%20%0D%0A%40");
	assert_string_equal(f.sent[0].method.ptr, "GET");
	assert_int_equal(f.sent[0].body.len, 0);
	assert_int_equal(f.n_told, 0);
	shut(&f);
}

static void a_ref_that_would_walk_the_path_is_not_asked_about(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, "url=https://bank.example/p/{{ref}}/state");
	ASK(&f, ".", "..", "...", "");
	assert_int_equal(f.n_sent, 1);
	assert_string_equal(f.sent[0].url.ptr, "https://bank.example/p/.../state");
	assert_int_equal(f.n_told, 3);
	assert_int_equal(f.told[0].result, TXW_POLL_FAILED);
	has(f.told[0].text.ptr, "such a ref cannot be asked about");
	shut(&f);
}

static void dots_in_a_query_are_harmless(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, "url=https://bank.example/p?id={{ref}}&again={{ref}}");
	ASK(&f, "..");
	assert_string_equal(f.sent[0].url.ptr, "https://bank.example/p?id=..&again=..");
	shut(&f);
}

static void many_refs_share_a_request(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, BATCH);
	assert_int_equal(f.v->batch(f.instance), 4);
	ASK(&f, "a", "b/c", "d,e", "f", "g");
	assert_int_equal(f.n_sent, 2);
	assert_string_equal(f.sent[0].url.ptr, "https://bank.example/payments?ids=a,b%2Fc,d%2Ce,f");
	assert_string_equal(f.sent[1].url.ptr, "https://bank.example/payments?ids=g");
	shut(&f);
}

static void a_body_quotes_refs_as_json(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, "url=https://bank.example/q", "method=POST", "body={\"id\":\"{{ref}}\"}");
	ASK(&f, "a\"b\\c\n\x01");
	assert_string_equal(f.sent[0].method.ptr, "POST");
	assert_string_equal(f.sent[0].body.ptr, "{\"id\":\"a\\\"b\\\\c\\u000a\\u0001\"}");
	has(f.sent[0].headers.ptr, "Content-Type: application/json\n");
	shut(&f);
	OPEN(&f, "url=https://bank.example/q", "method=POST", "ref=/id",
	     "body={\"ids\":[{{refs}}]}");
	assert_int_equal(f.v->batch(f.instance), 100);
	ASK(&f, "a", "\"");
	assert_string_equal(f.sent[0].body.ptr, "{\"ids\":[\"a\",\"\\\"\"]}");
	shut(&f);
}

static void a_form_s_refs_are_percent_encoded(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, "url=https://bank.example/q", "method=POST", "body=a=1&id={{ref}}",
	     "content-type=application/x-www-form-urlencoded; charset=utf-8");
	ASK(&f, "x&y=z");
	assert_string_equal(f.sent[0].body.ptr, "a=1&id=x%26y%3Dz");
	shut(&f);
}

static void headers_and_secrets_are_sent(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, ONE, "headers=X-Api-Version: 2", "headers=X-Empty:", "bearer=s3cret");
	ASK(&f, "a");
	assert_string_equal(f.sent[0].headers.ptr, "X-Api-Version: 2\nX-Empty: \n"
						   "Authorization: Bearer s3cret\n"
						   "Accept: application/json\n");
	shut(&f);
	OPEN(&f, ONE, "user=Aladdin", "password=open sesame", "headers=accept: text/x-json");
	ASK(&f, "a");
	assert_string_equal(f.sent[0].headers.ptr,
			    "accept: text/x-json\n"
			    "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n");
	shut(&f);
}

static void a_request_ends_with_the_poll_s_deadline(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, ONE, "body-cap=4096");
	ASK(&f, "a");
	assert_int_equal(f.sent[0].timeout, 10 * SECOND);
	assert_int_equal(f.sent[0].body_cap, 4096);
	assert_int_equal(f.sent[0].stop_at_cap, 1);
	txw_tx tx = {.size = sizeof tx, .ref = STR_LIT("b")};
	txw_error err = {.size = sizeof err};
	/* A host of before the field, and a deadline that is over. */
	txw_poll_item old = {offsetof(txw_poll_item, deadline), 0, 8, &tx, 1};
	f.v->poll(f.instance, &old, sizeof old, 1, &err);
	assert_int_equal(f.sent[1].timeout, 60 * SECOND);
	txw_poll_item over = {sizeof over, 0, 9, &tx, NOW - SECOND};
	f.v->poll(f.instance, &over, sizeof over, 1, &err);
	assert_int_equal(f.sent[2].timeout, 1);
	shut(&f);
}

/* ---- what is wrong with a section ---- */

static void refused_with(const char *words, const char *const *settings, size_t n)
{
	struct fake f = {0};
	if (try_open(&f, settings, n))
		fail_msg("accepted, where \"%s\" was expected", words);
	has(f.error, words);
	shut(&f);
}

#define REFUSED(words, ...)                                                   \
	do {                                                                  \
		const char *const list_[] = {__VA_ARGS__};                    \
		refused_with((words), list_, sizeof list_ / sizeof list_[0]); \
	} while (0)

static void a_section_that_cannot_work_is_refused(void **state)
{
	(void)state;
	REFUSED("every transaction would get the same answer", "url=https://b.example/x");
	REFUSED("`url` must be a whole URL", "url=https://{{ref}}.example/");
	REFUSED("`url` must be a whole URL", "url=https://b.example:{{ref}}/");
	REFUSED("`url` must be a whole URL", "url={{ref}}");
	REFUSED("`url` must be a whole URL", "url=https://b.example/a b/{{ref}}");
	REFUSED("`url` must be a whole URL", "url=https://b.example/{{ref}}#x");
	REFUSED("neither http:// nor https://", "url=ftp://b.example/{{ref}}");
	REFUSED("a . or .. in its path", "url=https://b.example/a/../{{ref}}");
	REFUSED("take {{ref}} or {{refs}}", "url=https://b.example/{{id}}");
	REFUSED("take {{ref}} or {{refs}}", "url=https://b.example/{{ref");
	REFUSED("take {{ref}} or {{refs}}", "url=https://b.example/{{cursor}}");
	REFUSED("exclude each other", "url=https://b.example/{{ref}}?x={{refs}}");
	REFUSED("`batch` needs {{refs}}", ONE, "batch=2");
	REFUSED("{{refs}} needs `ref`", "url=https://b.example/{{refs}}");
	REFUSED("`body` needs method", ONE, "body=x");
	REFUSED("`status` is no JSON Pointer", ONE, "status=state");
	REFUSED("`status` is no JSON Pointer", ONE, "status=/a~2b");
	REFUSED("`reason` is no JSON Pointer", ONE, "reason=/a~");
	REFUSED("each is \"Name: value\"", ONE, "headers=nonsense");
	REFUSED("no control characters", ONE, "headers=X: a\r\nY: b");
	REFUSED("a name holds letters", ONE, "headers=X Y: b");
	REFUSED("a name holds letters", ONE, "headers=: b");
	REFUSED("are made by txwatch", ONE, "headers=Content-Length: 5");
	REFUSED("set `content-type`", ONE, "headers=Content-Type: text/plain");
	REFUSED("exclude each other", ONE, "bearer=x", "user=a", "password=b");
	REFUSED("need each other", ONE, "user=a");
	REFUSED("need each other", ONE, "password=a");
	REFUSED("has a : in it", ONE, "user=a:b", "password=c");
	REFUSED("control characters", ONE, "bearer=a\nb");
	REFUSED("beside `bearer`", ONE, "bearer=a", "headers=authorization: x");
	REFUSED("needs `discover-every`", ONE, "discover=https://b.example/", "ref=/id");
	REFUSED("needs `discover`", ONE, "discover-every=5000000");
	REFUSED("`discover` needs `ref`", ONE, "discover=https://b.example/", "discover-every=1");
	REFUSED("`discover` takes {{cursor}}", ONE, "discover=https://b.example/{{ref}}",
		"discover-every=1", "ref=/id");
	REFUSED("needs `discover-next` or", ONE, "discover=https://b.example/{{cursor}}",
		"discover-every=1", "ref=/id");
	REFUSED("and they need it", ONE, "discover=https://b.example/", "discover-every=1",
		"ref=/id", "discover-next=/n");
}

static void a_host_without_the_extensions_is_refused(void **state)
{
	(void)state;
	static const char *const needed[] = {TXW_EXT_HTTP, TXW_EXT_POLL, TXW_EXT_CLOCK};
	static const char *const settings[] = {ONE};
	for (size_t i = 0; i < 3; i++) {
		struct fake f = {.lacks = needed[i]};
		assert_false(try_open(&f, settings, 1));
		has(f.error, needed[i]);
		shut(&f);
	}
	struct fake f = {.lacks = TXW_EXT_LOG};
	assert_true(try_open(&f, settings, 1));
	shut(&f);
}

/* ---- many at once ---- */

static const struct told *told_of(const struct fake *f, uint64_t token)
{
	for (size_t i = 0; i < f->n_told; i++)
		if (f->told[i].token == token)
			return &f->told[i];
	fail_msg("token %d was not answered", (int)token);
	return NULL;
}

static void items_of_a_list_are_matched_by_ref(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, BATCH);
	ASK(&f, "c", "17", "b", "b");
	answer(&f, 0, 200,
	       "{\"data\":[{\"id\":\"zz\",\"status\":\"x\"},{\"id\":\"b\",\"status\":\"paid\"},"
	       "{\"id\":17,\"status\":\"open\"},{\"id\":\"b\",\"status\":\"late\"},{},7,null]}");
	assert_int_equal(f.n_told, 4);
	assert_int_equal(told_of(&f, 1)->result, TXW_POLL_NOT_FOUND);
	assert_string_equal(told_of(&f, 2)->seen.status.ptr, "open");
	assert_string_equal(told_of(&f, 3)->seen.status.ptr, "paid");
	assert_string_equal(told_of(&f, 4)->seen.status.ptr, "paid");
	assert_string_equal(told_of(&f, 3)->seen.detail.ptr, "{\"id\":\"b\",\"status\":\"paid\"}");
	shut(&f);
}

static void an_item_without_a_status_fails_alone(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, BATCH);
	ASK(&f, "a", "b");
	answer(&f, 0, 200, "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\",\"status\":\"ok\"}]}");
	assert_int_equal(told_of(&f, 1)->result, TXW_POLL_FAILED);
	has(told_of(&f, 1)->text.ptr, "answered 200, but nothing at `/status`");
	assert_int_equal(told_of(&f, 2)->result, TXW_POLL_SEEN);
	shut(&f);
}

static void a_bad_answer_to_many_fails_them_all(void **state)
{
	(void)state;
	static const struct {
		uint32_t status;
		const char *body;
		uint32_t result;
		const char *words;
	} rows[] = {
	    {404, "{}", TXW_POLL_FAILED, "answered 404"},
	    {410, "{}", TXW_POLL_FAILED, "answered 410"},
	    {200, "{\"data\":{}}", TXW_POLL_FAILED, "there is no array at `/data`"},
	    {200, "[]", TXW_POLL_FAILED, "there is no array at `/data`"},
	    {429, "", TXW_POLL_THROTTLED, "answered 429"},
	    {200, "{\"data\":[]}", TXW_POLL_NOT_FOUND, ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fake f = {0};
		OPEN(&f, BATCH);
		ASK(&f, "a", "b");
		answer(&f, 0, rows[i].status, rows[i].body);
		assert_int_equal(f.n_told, 2);
		for (uint64_t t = 1; t <= 2; t++) {
			assert_int_equal(told_of(&f, t)->result, rows[i].result);
			has(told_of(&f, t)->text.ptr, rows[i].words);
		}
		shut(&f);
	}
}

/* ---- ends ---- */

static void a_request_the_host_refuses_is_answered_at_once(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, BATCH);
	f.start_answers = TXW_E_BUSY;
	ASK(&f, "a", "b");
	assert_int_equal(f.n_told, 2);
	assert_int_equal(f.told[0].result, TXW_POLL_FAILED);
	has(f.told[0].text.ptr, "not asked: too many requests under way");
	shut(&f);
}

static void answer_inline(struct fake *f, struct sent *s)
{
	answer(f, (size_t)(s - f->sent), 200, "{\"status\":\"ok\"}");
}

static void an_answer_may_come_before_start_returns(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, ONE);
	f.inline_answer = answer_inline;
	ASK(&f, "a", "b");
	assert_int_equal(f.n_told, 2);
	assert_int_equal(f.told[1].result, TXW_POLL_SEEN);
	shut(&f);
}

static void a_cancelled_token_is_not_answered(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, BATCH);
	ASK(&f, "a", "b");
	f.v->cancel(f.instance, 1);
	assert_int_equal(f.sent[0].n_cancelled, 0); /* b is still waited for */
	answer(&f, 0, 200, "{\"data\":[{\"id\":\"a\",\"status\":\"x\"}]}");
	assert_int_equal(f.n_told, 1);
	assert_int_equal(f.told[0].token, 2);
	shut(&f);
}

static void a_request_nobody_waits_for_is_ended(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, BATCH);
	ASK(&f, "a", "b");
	f.v->cancel(f.instance, 2);
	f.v->cancel(f.instance, 2);
	f.v->cancel(f.instance, 77);
	assert_int_equal(f.sent[0].n_cancelled, 0);
	f.v->cancel(f.instance, 1);
	assert_int_equal(f.sent[0].n_cancelled, 1);
	answer_error(&f, 0, TXW_E_CANCELLED, "cancelled");
	assert_int_equal(f.n_told, 0);
	f.v->cancel(f.instance, 1); /* late: harmless */
	shut(&f);
}

static void an_instance_may_end_with_requests_under_way(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, ONE);
	ASK(&f, "a", "b", "c");
	f.v->cancel(f.instance, 2);
	answer(&f, 0, 200, "{\"status\":\"ok\"}");
	shut(&f); /* the leak checker has the last word */
}

struct canceller {
	struct fake *f;
	uint64_t from, to;
};

static void *cancel_all(void *arg)
{
	struct canceller *c = arg;
	for (uint64_t t = c->from; t < c->to; t++)
		c->f->v->cancel(c->f->instance, t);
	return NULL;
}

static void cancelling_from_another_thread_races_with_answers(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		struct fake f = {0};
		const char *refs[32];
		for (size_t i = 0; i < 32; i++)
			refs[i] = "same";
		OPEN(&f, ONE);
		ask_about(&f, refs, 32);
		struct canceller c = {&f, 1, 33};
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, cancel_all, &c), 0);
		for (size_t i = 32; i > 0; i--)
			answer(&f, i - 1, 200, "{\"status\":\"ok\"}");
		pthread_join(thread, NULL);
		assert_true(f.n_told <= 32);
		shut(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_option_row_says_what_it_is),
	    cmocka_unit_test(a_ref_goes_percent_encoded_into_the_path),
	    cmocka_unit_test(a_ref_that_would_walk_the_path_is_not_asked_about),
	    cmocka_unit_test(dots_in_a_query_are_harmless),
	    cmocka_unit_test(many_refs_share_a_request),
	    cmocka_unit_test(a_body_quotes_refs_as_json),
	    cmocka_unit_test(a_form_s_refs_are_percent_encoded),
	    cmocka_unit_test(headers_and_secrets_are_sent),
	    cmocka_unit_test(a_request_ends_with_the_poll_s_deadline),
	    cmocka_unit_test(a_section_that_cannot_work_is_refused),
	    cmocka_unit_test(a_host_without_the_extensions_is_refused),
	    cmocka_unit_test(items_of_a_list_are_matched_by_ref),
	    cmocka_unit_test(an_item_without_a_status_fails_alone),
	    cmocka_unit_test(a_bad_answer_to_many_fails_them_all),
	    cmocka_unit_test(a_request_the_host_refuses_is_answered_at_once),
	    cmocka_unit_test(an_answer_may_come_before_start_returns),
	    cmocka_unit_test(a_cancelled_token_is_not_answered),
	    cmocka_unit_test(a_request_nobody_waits_for_is_ended),
	    cmocka_unit_test(an_instance_may_end_with_requests_under_way),
	    cmocka_unit_test(cancelling_from_another_thread_races_with_answers),
	};
	return cmocka_run_group_tests_name("poller_http", tests, NULL, NULL);
}
