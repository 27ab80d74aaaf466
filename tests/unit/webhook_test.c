/* webhook_test.c: the parts of notifier.webhook: signing, settings, bodies,
 * answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "answer.h"
#include "settings.h"

#define STR(lit) ((txw_str){(lit), sizeof(lit) - 1})
#define SECOND   INT64_C(1000000)

/* 2026-01-31T23:59:59.25Z */
#define AT INT64_C(1769903999250000)

/* The Standard Webhooks specification's vector. */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define HEAD   "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330."
#define BODY   "{\"test\": 2432232314}"
#define SIGNED "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

/* RFC 8032, section 7.1, test 1: seed and public key. */
#define WHSK "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
static const uint8_t PUBLIC[32] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
				   0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
				   0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

static txw_str of(const char *z)
{
	return (txw_str){z, strlen(z)};
}

static void assert_text(const struct text *t, const char *expected)
{
	if (t->len != strlen(expected) || memcmp(t->ptr, expected, t->len) != 0)
		fail_msg("expected %s\n     got %.*s", expected, (int)t->len, t->ptr);
}

/* ---- signing ---- */

static void the_standards_test_vector_is_signed_as_it_says(void **state)
{
	struct key *key;
	const char *why;
	struct text out = {0};
	(void)state;
	assert_int_equal(key_open(STR(SECRET), &key, &why), TXW_OK);
	for (int i = 0; i < 3; i++) { /* the context is used again */
		text_reset(&out);
		assert_int_equal(keys_sign(&key, 1, STR(HEAD), STR(BODY), &out), TXW_OK);
		assert_text(&out, SIGNED);
	}
	key_close(key);
	text_free(&out);
}

static void during_a_rotation_every_key_signs(void **state)
{
	struct key *keys[2];
	const char *why;
	struct text out = {0}, other = {0}, both = {0};
	(void)state;
	key_open(STR(SECRET), &keys[0], &why);
	key_open(STR("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"), &keys[1], &why);
	keys_sign(&keys[1], 1, STR(HEAD), STR(BODY), &other);
	assert_int_equal(keys_sign(keys, 2, STR(HEAD), STR(BODY), &out), TXW_OK);
	text_z(&both, SIGNED " ");
	text_str(&both, text_view(&other));
	text_z(&both, "");
	assert_int_equal(out.len, both.len);
	assert_memory_equal(out.ptr, both.ptr, out.len);
	assert_int_equal(memcmp(other.ptr, SIGNED, other.len) != 0, 1);
	key_close(keys[0]);
	key_close(keys[1]);
	text_free(&out);
	text_free(&other);
	text_free(&both);
}

static void an_ed25519_signature_verifies_with_the_public_key(void **state)
{
	struct key *key;
	const char *why;
	struct text out = {0};
	uint8_t sum[80];
	(void)state;
	assert_int_equal(key_open(STR(WHSK), &key, &why), TXW_OK);
	assert_int_equal(keys_sign(&key, 1, STR(HEAD), STR(BODY), &out), TXW_OK);
	assert_memory_equal(out.ptr, "v1a,", 4);
	assert_int_equal(base64_decode((txw_str){out.ptr + 4, out.len - 4}, sum, sizeof(sum)), 64);

	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, PUBLIC, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public), 1);
	assert_int_equal(
	    EVP_DigestVerify(ctx, sum, 64, (const uint8_t *)HEAD BODY, sizeof(HEAD BODY) - 1), 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(public);
	key_close(key);
	text_free(&out);
}

static void secrets_that_are_not_keys_are_refused_without_showing_them(void **state)
{
	static const char *const wrong[] = {
	    "",
	    "whsec_",
	    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=", /* 23 bytes */
	    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX!",
	    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXA", /* 33 characters */
	    "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", /* 65 bytes */
	    "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
	    "whpk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct key *key = NULL;
		const char *why = NULL;
		if (key_open(of(wrong[i]), &key, &why) != TXW_E_INVALID || key || !why)
			fail_msg("\"%s\" was taken for a key", wrong[i]);
		assert_null(strstr(why, "AAECAwQF"));
	}
}

static void base64_is_read_padded_or_not_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		int len;
		const char *bytes;
	} rows[] = {
	    {"", 0, ""},
	    {"Zg==", 1, "f"},
	    {"Zg", 1, "f"},
	    {"Zm8=", 2, "fo"},
	    {"Zm8", 2, "fo"},
	    {"Zm9v", 3, "foo"},
	    {"Zm9vYg==", 4, "foob"},
	    {"Z", -1, NULL},
	    {"Zg=", -1, NULL},
	    {"Zh==", -1, NULL},
	    {"Zg==Zg==", -1, NULL},
	    {"====", -1, NULL},
	    {"Zm 9v", -1, NULL},
	    {"Zm9vYmFyZm9v", -1, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t out[8];
		int len = base64_decode(of(rows[i].text), out, sizeof(out));
		if (len != rows[i].len || (len > 0 && memcmp(out, rows[i].bytes, (size_t)len) != 0))
			fail_msg("\"%s\": %d", rows[i].text, len);
	}
}

/* ---- texts ---- */

static void ids_are_typeids(void **state)
{
	static const struct {
		txw_id id;
		const char *text;
	} rows[] = {
	    /* The valid vectors of the TypeID specification, 0.3. */
	    {{0, 0}, "prefix_00000000000000000000000000"},
	    {{0, 1}, "prefix_00000000000000000000000001"},
	    {{0, 10}, "prefix_0000000000000000000000000a"},
	    {{0, 16}, "prefix_0000000000000000000000000g"},
	    {{0, 32}, "prefix_00000000000000000000000010"},
	    {{UINT64_MAX, UINT64_MAX}, "prefix_7zzzzzzzzzzzzzzzzzzzzzzzzz"},
	    {{0x0110c8531d0952d8, 0xd73e1194e95b5f19}, "prefix_0123456789abcdefghjkmnpqrs"},
	    {{0x01890a5dac96774b, 0xbcceb302099a8057}, "prefix_01h455vb4pex5vsknk084sn02q"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text out = {0};
		text_typeid(&out, "prefix", rows[i].id);
		assert_text(&out, rows[i].text);
		text_free(&out);
	}
}

static void times_are_rfc_3339_in_utc(void **state)
{
	static const struct {
		txw_time at;
		const char *text;
	} rows[] = {
	    {AT, "2026-01-31T23:59:59.25Z"},
	    {AT - 250000, "2026-01-31T23:59:59Z"},
	    {1, "1970-01-01T00:00:00.000001Z"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text out = {0};
		text_time(&out, rows[i].at);
		assert_text(&out, rows[i].text);
		text_free(&out);
	}
}

static void what_a_receiver_says_is_kept_as_valid_utf8(void **state)
{
	static const struct {
		txw_str in;
		size_t cap;
		const char *out;
	} rows[] = {
	    {STR("plain"), 10, "plain"},
	    {STR("plain"), 3, "pla"},
	    {STR("a\xc3\xa4"), 2, "a"},
	    {STR("a\xc3\xa4"), 3, "a\xc3\xa4"},
	    {STR("\xff"), 3, "\xef\xbf\xbd"},
	    {STR("a\0b"), 9,
	     "a\xef\xbf\xbd"
	     "b"},
	    {STR("\xc0\xaf"), 9, "\xef\xbf\xbd\xef\xbf\xbd"},
	    {STR("\xed\xa0\x80"), 9, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {STR("\xf0\x9f\x92"), 9, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {STR("\xf0\x9f\x92\xb6"), 4, "\xf0\x9f\x92\xb6"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text out = {0};
		text_utf8(&out, rows[i].in, rows[i].cap);
		assert_text(&out, rows[i].out);
		text_free(&out);
	}
}

/* ---- bodies ---- */

static txw_event event_of(const txw_tx *tx)
{
	return (txw_event){.size = sizeof(txw_event),
			   .type = TXW_EV_FAILED,
			   .id = {0x01890a5dac96774b, 0xbcceb302099a8057},
			   .at = AT,
			   .tx = tx,
			   .json = STR("{\"seq\":17}")};
}

static void a_standard_body_has_type_timestamp_and_the_event(void **state)
{
	struct text out = {0};
	txw_event event = event_of(NULL);
	(void)state;
	body_print(&out, FORMAT_STANDARD, &event, STR("evt_x"), STR("/txwatch"));
	assert_text(&out,
		    "{\"type\":\"transaction.failed\",\"timestamp\":\"2026-01-31T23:59:59.25Z\","
		    "\"data\":{\"seq\":17}}");
	assert_string_equal(format_type(FORMAT_STANDARD), "application/json");
	text_free(&out);
}

static void a_cloudevents_body_has_the_required_attributes(void **state)
{
	struct text out = {0};
	txw_tx tx = {.size = sizeof(tx), .id = {0, 1}};
	txw_event event = event_of(&tx);
	(void)state;
	body_print(&out, FORMAT_CLOUDEVENTS, &event, STR("evt_x"), STR("/a\"b"));
	assert_text(&out, "{\"specversion\":\"1.0\",\"id\":\"evt_x\",\"source\":\"/a\\\"b\","
			  "\"type\":\"transaction.failed\",\"time\":\"2026-01-31T23:59:59.25Z\","
			  "\"subject\":\"tx_00000000000000000000000001\","
			  "\"datacontenttype\":\"application/json\",\"data\":{\"seq\":17}}");
	assert_string_equal(format_type(FORMAT_CLOUDEVENTS), "application/cloudevents+json");
	text_free(&out);
}

/* ---- settings ---- */

static void a_targets_settings_override_the_instances(void **state)
{
	struct defaults d = {.secret = STR(WHSK)};
	struct settings *s;
	struct text why = {0};
	(void)state;
	headers_put(&d.headers, STR("user-agent"), STR("txwatch"));
	headers_put(&d.headers, STR("X-Site"), STR("a"));
	txw_str text = STR("{\"secrets\":[\"" SECRET "\"],\"format\":\"cloudevents\","
			   "\"headers\":{\"x-site\":\"b\",\"X-More\":\"c\"},\"ordered\":true}");
	assert_int_equal(settings_parse(&d, text, &s, &why), TXW_OK);
	assert_int_equal(s->n_keys, 1);
	assert_int_equal(s->format, FORMAT_CLOUDEVENTS);
	assert_int_equal(s->n_headers, AT_OTHERS + 3);
	assert_memory_equal(s->list[AT_TYPE].value.ptr, "application/cloudevents+json", 28);
	assert_memory_equal(s->list[AT_OTHERS + 1].name.ptr, "x-site", 6);
	assert_memory_equal(s->list[AT_OTHERS + 1].value.ptr, "b", 1);

	struct text out = {0};
	keys_sign(s->keys, s->n_keys, STR(HEAD), STR(BODY), &out);
	assert_text(&out, SIGNED);
	settings_free(s);
	text_free(&out);
	text_free(&why);
}

static void without_settings_the_instances_are_used(void **state)
{
	struct defaults d = {.secret = STR(SECRET)};
	static const txw_str texts[] = {{NULL, 0}, {"{}", 2}, {"{\"secrets\":[]}", 14}};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct settings *s;
		struct text why = {0};
		assert_int_equal(settings_parse(&d, texts[i], &s, &why), TXW_OK);
		assert_int_equal(s->n_keys, 1);
		settings_free(s);
	}
}

static void settings_that_cannot_be_right_are_refused_with_the_reason(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
	    {"[]", "not a JSON object"},
	    {"{", "not a JSON object"},
	    {"{\"secrets\":\"" SECRET "\"}", "list"},
	    {"{\"secrets\":[1]}", "list"},
	    {"{\"secrets\":[\"whsec_short\"]}", "whsec_"},
	    {"{\"secrets\":[\"a\",\"b\"]}", "begins with"},
	    {"{\"format\":\"xml\"}", "standard"},
	    {"{\"format\":3}", "standard"},
	    {"{\"headers\":[]}", "object"},
	    {"{\"headers\":{\"X-A\":1}}", "object"},
	    {"{\"headers\":{\"Webhook-Id\":\"x\"}}", "Webhook-Id"},
	    {"{\"headers\":{\"content-type\":\"x\"}}", "content-type"},
	    {"{\"headers\":{\"Host\":\"x\"}}", "Host"},
	    {"{\"headers\":{\"Content-Length\":\"1\"}}", "Content-Length"},
	    {"{\"headers\":{\"X A\":\"1\"}}", "X A"},
	    {"{\"headers\":{\"\":\"1\"}}", "token"},
	    {"{\"headers\":{\"X-A\":\"1\\r\\nX-B: 2\"}}", "control"},
	};
	struct defaults d = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct settings *s = NULL;
		struct text why = {0};
		int32_t rc = settings_parse(&d, of(rows[i].text), &s, &why);
		text_add(&why, "", 1);
		if (rc != TXW_E_INVALID || !strstr(why.ptr, rows[i].says))
			fail_msg("%s: %d, \"%s\"", rows[i].text, rc, why.ptr);
		text_free(&why);
	}
}

static void the_cache_returns_what_it_parsed_and_stays_bounded(void **state)
{
	struct defaults d = {.secret = STR(SECRET)};
	struct cache *c = cache_open();
	struct settings *first, *again;
	struct text why = {0};
	(void)state;
	assert_int_equal(cache_get(c, &d, STR("{}"), &first, &why), TXW_OK);
	assert_int_equal(cache_get(c, &d, STR("{}"), &again, &why), TXW_OK);
	assert_ptr_equal(first, again);
	for (int i = 0; i < 3000; i++) {
		char text[64];
		struct settings *s;
		(void)snprintf(text, sizeof(text), "{\"headers\":{\"X-N\":\"%d\"}}", i);
		assert_int_equal(cache_get(c, &d, of(text), &s, &why), TXW_OK);
		assert_memory_equal(s->list[AT_OTHERS].name.ptr, "X-N", 3);
		assert_int_equal(strtol(s->list[AT_OTHERS].value.ptr, NULL, 10), i);
	}
	assert_int_equal(cache_get(c, &d, STR("no"), &again, &why), TXW_E_INVALID);
	cache_close(c);
	text_free(&why);
}

static void a_sites_header_lines_are_split_and_checked(void **state)
{
	txw_str name, value;
	(void)state;
	assert_null(header_split(STR("X-A:  b c "), &name, &value));
	assert_int_equal(name.len, 3);
	assert_int_equal(value.len, 3);
	assert_null(header_split(STR("X-A:"), &name, &value));
	assert_int_equal(value.len, 0);
	assert_non_null(header_split(STR("X-A"), &name, &value));
	assert_non_null(header_split(STR("webhook-signature: x"), &name, &value));
	assert_non_null(header_split(STR(""), &name, &value));
}

/* ---- answers ---- */

static void each_status_means_what_the_standard_says(void **state)
{
	static const struct {
		uint32_t status, verdict;
	} rows[] = {
	    {200, TXW_VERDICT_OK},       {204, TXW_VERDICT_OK},       {299, TXW_VERDICT_OK},
	    {301, TXW_VERDICT_RETRY},    {304, TXW_VERDICT_RETRY},    {400, TXW_VERDICT_RETRY},
	    {404, TXW_VERDICT_RETRY},    {410, TXW_VERDICT_GONE},     {429, TXW_VERDICT_THROTTLE},
	    {500, TXW_VERDICT_RETRY},    {502, TXW_VERDICT_THROTTLE}, {503, TXW_VERDICT_THROTTLE},
	    {504, TXW_VERDICT_THROTTLE}, {505, TXW_VERDICT_RETRY},    {100, TXW_VERDICT_RETRY},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct judgement j;
		txw_http_response r = {.size = sizeof(r), .status = rows[i].status};
		answer_judge(&r, AT, &j);
		assert_int_equal(j.verdict, rows[i].verdict);
		assert_int_equal(j.reason[0] == '\0', j.verdict == TXW_VERDICT_OK);
		assert_int_equal(j.after, 0);
	}
}

static struct judgement judge(uint32_t status, txw_str name, txw_str value)
{
	struct judgement j;
	txw_http_header header = {name, value};
	txw_http_response r = {
	    .size = sizeof(r), .status = status, .headers = &header, .n_headers = 1};
	answer_judge(&r, AT, &j);
	return j;
}

static void a_receiver_can_ask_for_the_end_by_a_header(void **state)
{
	txw_str name = STR("webhook-delivery");
	(void)state;
	assert_int_equal(judge(500, name, STR("disable")).verdict, TXW_VERDICT_GONE);
	assert_int_equal(judge(200, name, STR("disable")).verdict, TXW_VERDICT_GONE);
	assert_int_equal(judge(500, name, STR("abort-message")).verdict, TXW_VERDICT_DROP);
	assert_int_equal(judge(200, name, STR("abort-message")).verdict, TXW_VERDICT_OK);
	assert_int_equal(judge(500, name, STR("whatever")).verdict, TXW_VERDICT_RETRY);
}

static void no_answer_is_tried_again_with_the_reason(void **state)
{
	struct judgement j;
	txw_http_response r = {
	    .size = sizeof(r), .error = TXW_E_DENIED, .text = STR("10.0.0.1 is a private address")};
	(void)state;
	answer_judge(&r, AT, &j);
	assert_int_equal(j.verdict, TXW_VERDICT_RETRY);
	assert_string_equal(j.reason, "10.0.0.1 is a private address");
}

static void retry_after_is_obeyed_in_full_in_every_form(void **state)
{
	static const struct {
		const char *value;
		int64_t after;
	} rows[] = {
	    {"120", 120 * SECOND},
	    {"0", 0},
	    {"604800", 604800 * SECOND},
	    {"Sun, 01 Feb 2026 00:01:59 GMT", 119 * SECOND + 750000},
	    {"Sunday, 01-Feb-26 00:01:59 GMT", 119 * SECOND + 750000},
	    {"Sun Feb  1 00:01:59 2026", 119 * SECOND + 750000},
	    {"Sat, 31 Jan 2026 23:59:59 GMT", 0}, /* past */
	    {"-5", 0},
	    {"1.5", 0},
	    {"soon", 0},
	    {"", 0},
	    {"Sun, 01 Feb 2026 00:01:59 GMT and more", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (retry_after(of(rows[i].value), AT) != rows[i].after)
			fail_msg("%s: %lld", rows[i].value,
				 (long long)retry_after(of(rows[i].value), AT));
	assert_true(retry_after(STR("99999999999999999999999999"), AT) > 0);
	assert_int_equal(judge(503, STR("retry-after"), STR("7")).after, 7 * SECOND);
	assert_int_equal(judge(500, STR("retry-after"), STR("7")).after, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_standards_test_vector_is_signed_as_it_says),
	    cmocka_unit_test(during_a_rotation_every_key_signs),
	    cmocka_unit_test(an_ed25519_signature_verifies_with_the_public_key),
	    cmocka_unit_test(secrets_that_are_not_keys_are_refused_without_showing_them),
	    cmocka_unit_test(base64_is_read_padded_or_not_and_nothing_else),
	    cmocka_unit_test(ids_are_typeids),
	    cmocka_unit_test(times_are_rfc_3339_in_utc),
	    cmocka_unit_test(what_a_receiver_says_is_kept_as_valid_utf8),
	    cmocka_unit_test(a_standard_body_has_type_timestamp_and_the_event),
	    cmocka_unit_test(a_cloudevents_body_has_the_required_attributes),
	    cmocka_unit_test(a_targets_settings_override_the_instances),
	    cmocka_unit_test(without_settings_the_instances_are_used),
	    cmocka_unit_test(settings_that_cannot_be_right_are_refused_with_the_reason),
	    cmocka_unit_test(the_cache_returns_what_it_parsed_and_stays_bounded),
	    cmocka_unit_test(a_sites_header_lines_are_split_and_checked),
	    cmocka_unit_test(each_status_means_what_the_standard_says),
	    cmocka_unit_test(a_receiver_can_ask_for_the_end_by_a_header),
	    cmocka_unit_test(no_answer_is_tried_again_with_the_reason),
	    cmocka_unit_test(retry_after_is_obeyed_in_full_in_every_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
