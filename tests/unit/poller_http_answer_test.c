/* poller_http_answer_test.c: what poller.http makes of answers and pages. */
#include "poller_http_fixture.h"

#define ONE "url=https://bank.example/payments/{{ref}}"

/* One question, one answer; the fake is left open. */
static const struct told *ask_one(struct fake *f, uint32_t status, const char *type,
				  const char *header, const char *body)
{
	size_t before = f->n_told;
	txw_tx tx = {.size = sizeof tx, .ref = STR_LIT("a")};
	txw_poll_item item = {sizeof item, 0, 100 + before, &tx, NOW + SECOND};
	txw_error err = {.size = sizeof err};
	assert_true(f->v->poll(f->instance, &item, sizeof item, 1, &err) >= 0);
	answer_bytes(f, f->n_sent - 1, status, type, header, str_of(body));
	assert_int_equal(f->n_told, before + 1);
	return &f->told[before];
}

static void the_word_may_be_a_string_a_number_or_a_boolean(void **state)
{
	(void)state;
	static const struct {
		const char *pointer, *body, *word;
	} rows[] = {
	    {"status=/status", "{\"status\":\"SUCCESS\"}", "SUCCESS"},
	    {"status=/status", "{\"status\":17}", "17"},
	    {"status=/status", "{\"status\":-9007199254740993}", "-9007199254740993"},
	    {"status=/status", "{\"status\":2.5}", "2.5"},
	    {"status=/done", "{\"done\":false}", "false"},
	    {"status=/done", "{\"done\":true}", "true"},
	    {"status=", "\"PAID\"", "PAID"},
	    {"status=/a/1/b", "{\"a\":[0,{\"b\":\"x\"}]}", "x"},
	    {"status=/a~1b/m~0n", "{\"a/b\":{\"m~n\":\"y\"}}", "y"},
	    {"status=/~01", "{\"~1\":\"z\"}", "z"},
	    {"status=/", "{\"\":\"empty\"}", "empty"},
	    {"status=/0", "{\"0\":\"key\"}", "key"},
	    {"status=/a/", "{\"a\":{\"\":\"tail\"}}", "tail"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fake f = {0};
		OPEN(&f, ONE, rows[i].pointer);
		const struct told *t = ask_one(&f, 200, "application/json", NULL, rows[i].body);
		assert_int_equal(t->result, TXW_POLL_SEEN);
		assert_string_equal(t->seen.status.ptr, rows[i].word);
		assert_int_equal(t->http_status, 200);
		assert_int_equal(t->took, 1234);
		shut(&f);
	}
}

static void everything_that_is_pointed_at_is_reported(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, ONE, "status=/s", "reason=/why/text", "code=/why/code", "source-time=/at",
	     "source-version=/v", "event-id=/e");
	const struct told *t = ask_one(
	    &f, 200, NULL, NULL,
	    "{\"s\": \"DECLINED\", \"why\": {\"text\": \"No funds\", \"code\": 51}, "
	    "\"at\": \"2026-01-01T01:00:00.5+01:00\", \"v\": 12, \"e\": \"ev-1\", \"x\": 0.1}");
	assert_string_equal(t->seen.status.ptr, "DECLINED");
	assert_string_equal(t->seen.reason.ptr, "No funds");
	assert_string_equal(t->seen.code.ptr, "51");
	assert_string_equal(t->seen.version.ptr, "12");
	assert_string_equal(t->seen.event_id.ptr, "ev-1");
	assert_int_equal(t->seen.at, NOW + SECOND / 2);
	assert_string_equal(
	    t->seen.detail.ptr,
	    "{\"s\":\"DECLINED\",\"why\":{\"text\":\"No funds\",\"code\":51},"
	    "\"at\":\"2026-01-01T01:00:00.5+01:00\",\"v\":12,\"e\":\"ev-1\",\"x\":0.1}");
	shut(&f);
}

static void an_answer_that_is_worth_nothing_is_told_in_words(void **state)
{
	(void)state;
	static const struct {
		uint32_t status;
		const char *type, *body;
		uint32_t result;
		const char *words;
	} rows[] = {
	    {200, "text/html", "<html>login</html>", TXW_POLL_FAILED,
	     "answered 200 with text/html, not JSON"},
	    {200, NULL, "oops", TXW_POLL_FAILED, "answered 200 with something, not JSON"},
	    {200, "x\r\ny\x80", "oops", TXW_POLL_FAILED, "with x??y?, not JSON"},
	    {200, "application/json", "{\"status\":\"\xff\xfe\"}", TXW_POLL_FAILED,
	     "answered 200 with text that is not UTF-8"},
	    {200, "application/json", "{\"status\":NaN}", TXW_POLL_FAILED, "not JSON (line 1"},
	    {200, "application/json", "{\"status\":Infinity}", TXW_POLL_FAILED, "not JSON"},
	    {200, "application/json", "{\"status\":1e999}", TXW_POLL_FAILED, "not JSON"},
	    {200, "application/json", "", TXW_POLL_FAILED, "answered 200 with nothing"},
	    {200, "application/json", "{\"status\":\"a\"} x", TXW_POLL_FAILED, "not JSON"},
	    {200, "application/json", "{\"status\":\"a\"", TXW_POLL_FAILED, "not JSON"},
	    {200, "application/json", "{\"status\":\"a\",\"status\":\"b\"}", TXW_POLL_FAILED,
	     "not JSON"},
	    {200, "application/json", "{\"status\":\"a\\u0000b\"}", TXW_POLL_FAILED, "not JSON"},
	    {200, "application/json", "{\"state\":\"a\"}", TXW_POLL_FAILED,
	     "answered 200, but nothing at `/status`"},
	    {200, "application/json", "[1]", TXW_POLL_FAILED, "but nothing at `/status`"},
	    {200, "application/json", "{\"status\":null}", TXW_POLL_FAILED,
	     "answered 200, but no status at `/status`: it is null"},
	    {200, "application/json", "{\"status\":{}}", TXW_POLL_FAILED, "it is an object"},
	    {200, "application/json", "{\"status\":[]}", TXW_POLL_FAILED, "it is an array"},
	    {200, "application/json", "{\"status\":\"\"}", TXW_POLL_FAILED, "an empty string"},
	    {200, "application/json", "{\"status\":99999999999999999999}", TXW_POLL_FAILED,
	     "a number too large to be exact"},
	    {201, "application/json", "{\"status\":\"a\"}", TXW_POLL_SEEN, ""},
	    {204, NULL, "", TXW_POLL_FAILED, "answered 204"},
	    {206, NULL, "{\"status\":\"a\"}", TXW_POLL_FAILED, "answered 206"},
	    {302, NULL, "{\"status\":\"a\"}", TXW_POLL_FAILED, "answered 302"},
	    {401, NULL, "", TXW_POLL_FAILED, "answered 401"},
	    {404, "application/json", "{\"status\":\"a\"}", TXW_POLL_NOT_FOUND, ""},
	    {410, NULL, "", TXW_POLL_NOT_FOUND, ""},
	    {429, NULL, "", TXW_POLL_THROTTLED, "answered 429"},
	    {503, NULL, "", TXW_POLL_THROTTLED, "answered 503"},
	    {500, NULL, "", TXW_POLL_FAILED, "answered 500"},
	};
	struct fake f = {0};
	OPEN(&f, ONE);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct told *t = ask_one(&f, rows[i].status, rows[i].type, NULL,
					       rows[i].body);
		if (t->result != rows[i].result)
			fail_msg("row %zu: %u, %s", i, t->result, t->text.ptr);
		has(t->text.ptr, rows[i].words);
		assert_int_equal(t->http_status, rows[i].status);
	}
	shut(&f);
}

static void no_answer_is_told_with_its_cause(void **state)
{
	(void)state;
	static const struct {
		int32_t error;
		const char *words;
	} rows[] = {
	    {TXW_E_TIMEOUT, "no answer in time: because"},
	    {TXW_E_DENIED, "the address is refused: because"},
	    {TXW_E_IO, "no answer: because"},
	    {TXW_E_FULL, "the answer is larger than body-cap"},
	};
	struct fake f = {0};
	OPEN(&f, ONE);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ASK(&f, "a");
		answer_error(&f, 0, rows[i].error, "because");
		assert_int_equal(f.told[0].result, TXW_POLL_FAILED);
		has(f.told[0].text.ptr, rows[i].words);
		forget(&f);
	}
	ASK(&f, "a");
	txw_http_response cut = {
	    .size = sizeof cut, .status = 200, .body = STR_LIT("{\"status\":\"a\"}"), .is_cut = 1};
	f.sent[0].done(f.sent[0].ctx, &cut);
	assert_int_equal(f.told[0].result, TXW_POLL_FAILED);
	has(f.told[0].text.ptr, "larger than body-cap");
	shut(&f);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		int64_t after;
	} rows[] = {
	    {"retry-after: 120", 120 * SECOND},
	    {"retry-after: 0", 0},
	    {"retry-after: 120 ", 120 * SECOND},
	    {"retry-after: 99999999999999999999", 30 * DAY},
	    {"retry-after: Thu, 01 Jan 2026 00:02:00 GMT", 120 * SECOND},
	    {"retry-after: Thursday, 01-Jan-26 00:02:00 GMT", 120 * SECOND},
	    {"retry-after: Thu Jan  1 00:02:00 2026", 120 * SECOND},
	    {"retry-after: Wed, 31 Dec 2025 23:59:59 GMT", 0},
	    {"retry-after: Thu, 01 Jan 2099 00:00:00 GMT", 30 * DAY},
	    {"retry-after: Thu, 31 Feb 2026 00:00:00 GMT", 0},
	    {"retry-after: soon", 0},
	    {"retry-after: -5", 0},
	    {"retry-after: 1.5", 0},
	    {NULL, 0},
	};
	struct fake f = {0};
	OPEN(&f, ONE);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct told *t = ask_one(&f, 429, NULL, rows[i].header, "");
		assert_int_equal(t->result, TXW_POLL_THROTTLED);
		assert_int_equal(t->after, rows[i].after);
	}
	assert_int_equal(ask_one(&f, 500, NULL, "retry-after: 7", "")->after, 7 * SECOND);
	shut(&f);
}

static void source_times_come_in_many_forms(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		txw_time at;
	} rows[] = {
	    {"\"2026-01-01T00:00:00Z\"", NOW},
	    {"\"2025-12-31t19:00:00.25-05:00\"", NOW + SECOND / 4},
	    {"\"2025-12-31 23:59:60Z\"", NOW},
	    {"1767225600", NOW},
	    {"1767225600.5", NOW + SECOND / 2},
	    {"1767225600000", NOW},
	    {"1767225600000000", NOW},
	    {"1767225600000000000", NOW},
	    {"\"1767225600\"", NOW},
	    {"\"2024-02-29T00:00:00Z\"", INT64_C(1709164800) * SECOND},
	    {"\"2025-02-29T00:00:00Z\"", 0},
	    {"\"2026-01-01T00:00:00\"", 0},
	    {"\"2026-01-01T00:00:00Zx\"", 0},
	    {"\"yesterday\"", 0},
	    {"\"\"", 0},
	    {"-5", 0},
	    {"0", 0},
	    {"true", 0},
	    {"null", 0},
	};
	struct fake f = {0};
	OPEN(&f, ONE, "source-time=/at");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char body[120];
		snprintf(body, sizeof body, "{\"status\":\"a\",\"at\":%s}", rows[i].json);
		const struct told *t = ask_one(&f, 200, NULL, NULL, body);
		assert_int_equal(t->result, TXW_POLL_SEEN);
		if (t->seen.at != rows[i].at)
			fail_msg("%s: %lld", rows[i].json, (long long)t->seen.at);
	}
	shut(&f);
}

static void evidence_that_is_too_large_is_left_out(void **state)
{
	(void)state;
	static char body[8300];
	struct fake f = {0};
	OPEN(&f, ONE);
	memset(body, 'x', sizeof body - 1);
	memcpy(body, "{\"status\":\"a\",\"p\":\"", 19);
	body[8190] = '"';
	body[8191] = '}';
	body[8192] = '\0';
	assert_int_equal(ask_one(&f, 200, NULL, NULL, body)->seen.detail.len, 8192);
	body[8190] = 'x';
	body[8191] = '"';
	body[8192] = '}';
	body[8193] = '\0';
	const struct told *t = ask_one(&f, 200, NULL, NULL, body);
	assert_int_equal(t->result, TXW_POLL_SEEN);
	assert_int_equal(t->seen.detail.len, 0);
	shut(&f);
}

static void a_long_reason_is_cut_between_characters(void **state)
{
	(void)state;
	struct buf b = {0};
	struct fake f = {0};
	OPEN(&f, ONE, "reason=/r");
	buf_text(&b, "{\"status\":\"a\",\"r\":\"x");
	for (int i = 0; i < 600; i++)
		buf_text(&b, "\xc3\xa4");
	buf_text(&b, "\"}");
	buf_char(&b, '\0');
	const struct told *t = ask_one(&f, 200, NULL, NULL, b.ptr);
	assert_int_equal(t->seen.reason.len, 1023);
	assert_true(str_utf8(buf_view(&t->seen.reason)));
	buf_free(&b);
	shut(&f);
}

static void a_huge_number_elsewhere_does_not_cost_the_answer(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, ONE, "source-version=/id", "code=/n");
	const struct told *t = ask_one(&f, 200, NULL, NULL,
				       "{\"id\":99999999999999999999,\"status\":\"a\",\"n\":7}");
	assert_int_equal(t->result, TXW_POLL_SEEN);
	assert_string_equal(t->seen.status.ptr, "a");
	assert_int_equal(t->seen.version.len, 0); /* inexact: not used */
	assert_string_equal(t->seen.code.ptr, "7");
	shut(&f);
}

static void deep_nesting_is_refused_not_followed(void **state)
{
	(void)state;
	static char body[200001];
	struct fake f = {0};
	OPEN(&f, ONE);
	memset(body, '[', 200000);
	const struct told *t = ask_one(&f, 200, "application/json", NULL, body);
	assert_int_equal(t->result, TXW_POLL_FAILED);
	has(t->text.ptr, "not JSON");
	shut(&f);
}

/* ---- discovery ---- */

#define LIST                                                                           \
	ONE, "discover=https://bank.example/payments?after={{cursor}}&n=2",            \
	    "discover-every=60000000", "discover-list=/data", "ref=/id", "owner=/who", \
	    "amount=/sum", "currency=/cur", "attributes=/meta", "expires=/until"

static void discover(struct fake *f, uint64_t token, const char *cursor)
{
	txw_error err = {.size = sizeof err};
	char copy[64];
	snprintf(copy, sizeof copy, "%s", cursor);
	assert_int_equal(f->v->discover(f->instance, token, str_of(copy), &err), TXW_PENDING);
	memset(copy, 'x', sizeof copy); /* borrowed for the call only */
}

static void a_page_brings_transactions_and_a_cursor(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, LIST, "discover-next=/next");
	assert_int_equal(f.v->discover_every(f.instance), 60 * SECOND);
	discover(&f, 5, "");
	assert_string_equal(f.sent[0].url.ptr, "https://bank.example/payments?after=&n=2");
	assert_string_equal(f.sent[0].method.ptr, "GET");
	assert_int_equal(f.sent[0].timeout, 60 * SECOND);
	answer(&f, 0, 200,
	       "{\"data\":[{\"id\":\"p1\",\"status\":\"new\",\"who\":\"ann\",\"sum\":\"12.50\","
	       "\"cur\":\"EUR\",\"meta\":{\"k\":[1]},\"until\":1767225600},"
	       "{\"id\":17,\"status\":\"new\",\"sum\":19.9}],\"next\":\"a/b=\"}");
	assert_int_equal(f.n_pages, 1);
	const struct page *p = &f.pages[0];
	assert_int_equal(p->token, 5);
	assert_int_equal(p->result, TXW_POLL_SEEN);
	assert_int_equal(p->n, 2);
	assert_string_equal(p->cursor.ptr, "a/b=");
	assert_int_equal(p->more, 1);
	assert_string_equal(p->seen[0].ref.ptr, "p1");
	assert_string_equal(p->seen[0].status.ptr, "new");
	assert_string_equal(p->seen[0].owner.ptr, "ann");
	assert_string_equal(p->seen[0].amount.ptr, "12.50");
	assert_string_equal(p->seen[0].currency.ptr, "EUR");
	assert_string_equal(p->seen[0].attributes.ptr, "{\"k\":[1]}");
	assert_int_equal(p->seen[0].expires, NOW);
	assert_string_equal(p->seen[1].ref.ptr, "17");
	assert_string_equal(p->seen[1].amount.ptr, "19.9");
	discover(&f, 6, "a/b=");
	assert_string_equal(f.sent[1].url.ptr, "https://bank.example/payments?after=a%2Fb%3D&n=2");
	shut(&f);
}

static void the_last_page_keeps_the_cursor(void **state)
{
	(void)state;
	static const char *const ends[] = {
	    "{\"data\":[],\"next\":null}", "{\"data\":[]}", "{\"data\":[],\"next\":\"\"}",
	    "{\"data\":[],\"next\":\"c1\"}", /* the same page for ever */
	};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		struct fake f = {0};
		OPEN(&f, LIST, "discover-next=/next");
		discover(&f, 1, "c1");
		answer(&f, 0, 200, ends[i]);
		assert_int_equal(f.pages[0].result, TXW_POLL_SEEN);
		assert_string_equal(f.pages[0].cursor.ptr, "c1");
		assert_int_equal(f.pages[0].more, 0);
		shut(&f);
	}
}

static void the_cursor_may_be_the_last_item_s(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, LIST, "discover-cursor=/n", "discover-more=/more");
	discover(&f, 1, "");
	answer(&f, 0, 200,
	       "{\"data\":[{\"id\":\"a\",\"status\":\"s\",\"n\":41},"
	       "{\"id\":\"b\",\"status\":\"s\",\"n\":42}],\"more\":true}");
	assert_string_equal(f.pages[0].cursor.ptr, "42");
	assert_int_equal(f.pages[0].more, 1);
	discover(&f, 2, "42");
	answer(&f, 1, 200, "{\"data\":[{\"id\":\"c\",\"status\":\"s\",\"n\":43}],\"more\":false}");
	assert_string_equal(f.pages[1].cursor.ptr, "43");
	assert_int_equal(f.pages[1].more, 0);
	discover(&f, 3, "43");
	answer(&f, 2, 200, "{\"data\":[]}");
	assert_string_equal(f.pages[2].cursor.ptr, "43");
	assert_int_equal(f.pages[2].more, 0);
	shut(&f);
}

static void a_list_without_a_cursor_is_read_whole_each_time(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, ONE, "discover=https://bank.example/open", "discover-every=1000000", "ref=/id");
	discover(&f, 1, "");
	assert_string_equal(f.sent[0].url.ptr, "https://bank.example/open");
	answer(&f, 0, 200, "[{\"id\":\"a\",\"status\":\"s\"}]");
	assert_int_equal(f.pages[0].n, 1);
	assert_int_equal(f.pages[0].more, 0);
	assert_int_equal(f.pages[0].cursor.len, 0);
	shut(&f);
}

static void items_without_ref_or_status_are_passed_over_and_told(void **state)
{
	(void)state;
	struct fake f = {0};
	OPEN(&f, LIST, "discover-next=/next");
	discover(&f, 1, "");
	answer(&f, 0, 200,
	       "{\"data\":[{\"status\":\"s\"},{\"id\":\"b\"},7,"
	       "{\"id\":\"c\",\"status\":\"s\",\"sum\":\"12,5\",\"meta\":[1]}]}");
	assert_int_equal(f.pages[0].n, 1);
	assert_string_equal(f.pages[0].seen[0].ref.ptr, "c");
	assert_int_equal(f.pages[0].seen[0].amount.len, 0);
	assert_int_equal(f.pages[0].seen[0].attributes.len, 0);
	has(f.log.ptr, "passed over: 3");
	shut(&f);
}

static void numbers_as_amounts_keep_the_digits_people_wrote(void **state)
{
	(void)state;
	static const struct {
		const char *json, *amount;
	} rows[] = {
	    {"1250", "1250"},      {"12.5", "12.5"},
	    {"0.1", "0.1"},        {"1.10", "1.1"},
	    {"-3.07", "-3.07"},    {"1e3", "1000"},
	    {"1e-7", "0.0000001"}, {"123456789.123456", "123456789.123456"},
	    {"1e300", ""},         {"\"1250.00\"", "1250.00"},
	    {"\"1e3\"", ""},       {"\"5.\"", ""},
	    {"true", ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char body[120];
		struct fake f = {0};
		OPEN(&f, LIST, "discover-next=/next");
		discover(&f, 1, "");
		snprintf(body, sizeof body, "{\"data\":[{\"id\":1,\"status\":\"s\",\"sum\":%s}]}",
			 rows[i].json);
		answer(&f, 0, 200, body);
		assert_int_equal(f.pages[0].n, 1);
		assert_string_equal(f.pages[0].seen[0].amount.ptr, rows[i].amount);
		shut(&f);
	}
}

static void a_failed_discovery_keeps_its_cursor(void **state)
{
	(void)state;
	static const struct {
		uint32_t status;
		const char *body;
		uint32_t result;
		const char *words;
	} rows[] = {
	    {500, "", TXW_POLL_FAILED, "answered 500"},
	    {404, "", TXW_POLL_FAILED, "answered 404"},
	    {429, "", TXW_POLL_THROTTLED, "answered 429"},
	    {200, "<html>", TXW_POLL_FAILED, "not JSON"},
	    {200, "{}", TXW_POLL_FAILED, "there is no array at `/data`"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fake f = {0};
		OPEN(&f, LIST, "discover-next=/next");
		discover(&f, 1, "c9");
		answer_bytes(&f, 0, rows[i].status, NULL, "retry-after: 9", str_of(rows[i].body));
		assert_int_equal(f.pages[0].result, rows[i].result);
		assert_int_equal(f.pages[0].after, rows[i].status == 200 ? 0 : 9 * SECOND);
		assert_string_equal(f.pages[0].cursor.ptr, "c9");
		assert_int_equal(f.pages[0].n, 0);
		has(f.pages[0].text.ptr, rows[i].words);
		shut(&f);
	}
}

static void a_discovery_may_be_cancelled_or_refused(void **state)
{
	(void)state;
	struct fake f = {0};
	txw_error err = {.size = sizeof err};
	OPEN(&f, LIST, "discover-next=/next");
	discover(&f, 3, "");
	f.v->cancel(f.instance, 3);
	assert_int_equal(f.sent[0].n_cancelled, 1);
	answer_error(&f, 0, TXW_E_CANCELLED, "");
	assert_int_equal(f.n_pages, 0);
	f.start_answers = TXW_E_DENIED;
	discover(&f, 4, "c");
	assert_int_equal(f.pages[0].result, TXW_POLL_FAILED);
	has(f.pages[0].text.ptr, "the address is refused");
	shut(&f);
	OPEN(&f, ONE);
	assert_int_equal(f.v->discover_every(f.instance), 0);
	assert_int_equal(f.v->discover(f.instance, 1, STR_NONE, &err), TXW_E_UNSUPPORTED);
	shut(&f);
}

/* ---- whatever is thrown at it ---- */

static void mutated_answers_neither_crash_nor_leak(void **state)
{
	(void)state;
	static const char seed_text[] =
	    "{\"data\":[{\"id\":\"a\",\"status\":\"paid\",\"at\":\"2026-01-01T00:00:00Z\","
	    "\"sum\":12.5,\"meta\":{\"x\":null}},{\"id\":17,\"status\":true}],\"next\":\"n\"}";
	static const char pieces[] = "{}[]\",:0123456789.eE-+truefalsn\\u\xff\xc3\x80 ";
	uint32_t seed = 20260101;
	struct fake f = {0};
	OPEN(&f, "url=https://b.example/?q={{refs}}", "list=/data", "ref=/id", "source-time=/at",
	     "reason=/sum", "code=/meta/x", "discover=https://b.example/?c={{cursor}}",
	     "discover-every=1", "discover-list=/data", "discover-next=/next", "amount=/sum",
	     "attributes=/meta");
	for (int round = 0; round < 5000; round++) {
		char body[sizeof seed_text];
		memcpy(body, seed_text, sizeof body);
		for (int k = 0; k < 1 + round % 4; k++) {
			seed = seed * 1664525 + 1013904223;
			body[(seed >> 8) % (sizeof body - 1)] =
			    pieces[(seed >> 20) % (sizeof pieces - 1)];
		}
		ASK(&f, "a", "17");
		discover(&f, 9, "");
		answer(&f, 0, 200, body);
		answer(&f, 1, 200, body);
		assert_int_equal(f.n_told, 2);
		assert_int_equal(f.n_pages, 1);
		forget(&f);
	}
	shut(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_word_may_be_a_string_a_number_or_a_boolean),
	    cmocka_unit_test(everything_that_is_pointed_at_is_reported),
	    cmocka_unit_test(an_answer_that_is_worth_nothing_is_told_in_words),
	    cmocka_unit_test(no_answer_is_told_with_its_cause),
	    cmocka_unit_test(retry_after_is_seconds_or_a_date),
	    cmocka_unit_test(source_times_come_in_many_forms),
	    cmocka_unit_test(evidence_that_is_too_large_is_left_out),
	    cmocka_unit_test(a_long_reason_is_cut_between_characters),
	    cmocka_unit_test(a_huge_number_elsewhere_does_not_cost_the_answer),
	    cmocka_unit_test(deep_nesting_is_refused_not_followed),
	    cmocka_unit_test(a_page_brings_transactions_and_a_cursor),
	    cmocka_unit_test(the_last_page_keeps_the_cursor),
	    cmocka_unit_test(the_cursor_may_be_the_last_item_s),
	    cmocka_unit_test(a_list_without_a_cursor_is_read_whole_each_time),
	    cmocka_unit_test(items_without_ref_or_status_are_passed_over_and_told),
	    cmocka_unit_test(numbers_as_amounts_keep_the_digits_people_wrote),
	    cmocka_unit_test(a_failed_discovery_keeps_its_cursor),
	    cmocka_unit_test(a_discovery_may_be_cancelled_or_refused),
	    cmocka_unit_test(mutated_answers_neither_crash_nor_leak),
	};
	return cmocka_run_group_tests_name("poller_http_answer", tests, NULL, NULL);
}
