/* api_jwt_test.c: signed tokens: the RFCs' own, and what must not pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/base64url.h"
#include "api/jwt_keys.h"
#include "base/clock.h"
#include "base/str.h"

#define NOW (INT64_C(1300819000) * SECOND) /* shortly before RFC 7515's exp */

/* RFC 7515, A.1.1. */
#define HS_KEY                                                                            \
	"{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75" \
	"aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}"
#define HS_TOKEN                                                                          \
	"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."                                       \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19" \
	"yb290Ijp0cnVlfQ."                                                                \
	"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
/* RFC 7515, A.2.1. */
#define RS_N                                                                                 \
	"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPM" \
	"EzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-" \
	"bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3" \
	"qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9g" \
	"b54h4FRWyuXpoQ"
#define RS_KEY "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" RS_N "\"}"
#define RS_TOKEN                                                                               \
	"eyJhbGciOiJSUzI1NiJ9."                                                                \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290" \
	"Ijp0cnVlfQ."                                                                          \
	"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt" \
	"_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArL" \
	"IARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7no" \
	"OPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQ" \
	"Ge77Rw"
/* RFC 8037, A.2 and A.4: its payload is no JSON. */
#define ED_X   "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define ED_D   "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define ED_KEY "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"}"
#define ED_TOKEN                                                                          \
	"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."                       \
	"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_" \
	"MuM0KAg"

static const struct jwt_rules RULES = {
    .issuer = {"joe", 3},
    .audience = {"txwatch", 7},
    .tenant = {"acme", 4},
    .scope_claim = {"scope", 5},
    .scope_prefix = {"txwatch:", 8},
    .skew = 60 * SECOND,
};

static struct jwt_keys *keys_of(const char *keys)
{
	char text[8192];
	struct err e = {0};
	snprintf(text, sizeof(text), "{\"keys\":[%s]}", keys);
	struct jwt_keys *k = jwt_keys_parse(str_of(text), &e);
	if (!k)
		fail_msg("%s", e.text);
	return k;
}

struct seen {
	enum jwt_answer answer;
	char why[128];
	char subject[64];
	char tenant[64];
	enum scope scope;
};

static struct seen look(const char *keys, const struct jwt_rules *rules, const char *token,
			txw_time now)
{
	struct arena a = {0};
	struct jwt_claims c;
	const char *why;
	struct seen s = {0};
	struct jwt_keys *k = keys_of(keys);
	s.answer = jwt_verify(k, rules, str_of(token), now, &a, &c, &why);
	snprintf(s.why, sizeof(s.why), "%s", why ? why : "");
	snprintf(s.subject, sizeof(s.subject), "%.*s", STR_ARG(c.subject));
	snprintf(s.tenant, sizeof(s.tenant), "%.*s", STR_ARG(c.tenant));
	s.scope = c.scope;
	arena_free(&a);
	jwt_keys_free(k);
	return s;
}

/* ---- signing, for tokens that the RFCs do not have ---- */

static void encode(char *out, const void *bytes, size_t n)
{
	EVP_EncodeBlock((unsigned char *)out, bytes, (int)n);
	out[strcspn(out, "=")] = '\0';
	for (char *c = out; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
}

#define SECRET     "0123456789abcdef0123456789abcdef"
#define SECRET_KEY "{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}"

static void sign_with(char *out, size_t cap, const char *header, const char *claims,
		      const void *secret, size_t len)
{
	unsigned char sum[32];
	char h[1024], c[16384], s[64];
	unsigned n = 0;
	encode(h, header, strlen(header));
	encode(c, claims, strlen(claims));
	snprintf(out, cap, "%s.%s", h, c);
	HMAC(EVP_sha256(), secret, (int)len, (const unsigned char *)out, strlen(out), sum, &n);
	encode(s, sum, 32);
	size_t at = strlen(out);
	snprintf(out + at, cap - at, ".%s", s);
}

static struct seen claims(const char *text)
{
	char token[20000];
	sign_with(token, sizeof(token), "{\"alg\":\"HS256\"}", text, SECRET, 32);
	return look(SECRET_KEY, &RULES, token, NOW);
}

static struct seen header(const char *keys, const char *text)
{
	char token[4096];
	sign_with(token, sizeof(token), text,
		  "{\"iss\":\"joe\",\"aud\":\"txwatch\",\"sub\":\"alice\",\"exp\":1300819380,"
		  "\"scope\":\"txwatch:write\"}",
		  SECRET, 32);
	return look(keys, &RULES, token, NOW);
}

#define GOOD(more)                                                                   \
	"{\"iss\":\"joe\",\"aud\":\"txwatch\",\"sub\":\"alice\",\"exp\":1300819380," \
	"\"scope\":\"txwatch:write\"" more "}"

/* ---- the RFCs ---- */

static void the_rfcs_tokens_are_proven_and_then_judged_by_their_claims(void **state)
{
	(void)state;
	static const char *const rows[][2] = {{HS_KEY, HS_TOKEN}, {RS_KEY, RS_TOKEN}};
	for (size_t i = 0; i < 2; i++) {
		struct seen s = look(rows[i][0], &RULES, rows[i][1], NOW);
		assert_int_equal(s.answer, JWT_REFUSED); /* it names no audience */
		assert_string_equal(s.why, "its `aud` is another audience");
	}
	struct seen s = look(ED_KEY, &RULES, ED_TOKEN, NOW);
	assert_int_equal(s.answer, JWT_REFUSED);
	assert_string_equal(s.why, "its claims are no JSON object");
}

static void no_letter_of_a_token_can_be_another(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
	    {HS_KEY, HS_TOKEN}, {RS_KEY, RS_TOKEN}, {ED_KEY, ED_TOKEN}};
	for (size_t i = 0; i < 3; i++) {
		struct jwt_keys *k = keys_of(rows[i][0]);
		char token[2048];
		struct arena a = {0};
		struct jwt_claims c;
		const char *why;
		size_t len = strlen(rows[i][1]);
		for (size_t at = 0; at < len; at++) {
			snprintf(token, sizeof(token), "%s", rows[i][1]);
			token[at] = token[at] == 'A' ? 'B' : 'A';
			assert_int_equal(jwt_verify(k, &RULES, str_of(token), NOW, &a, &c, &why),
					 JWT_UNKNOWN);
			assert_int_equal(
			    jwt_verify(k, &RULES, (txw_str){rows[i][1], at}, NOW, &a, &c, &why),
			    JWT_UNKNOWN);
			arena_reset(&a);
		}
		snprintf(token, sizeof(token), "%s=", rows[i][1]);
		assert_int_equal(jwt_verify(k, &RULES, str_of(token), NOW, &a, &c, &why),
				 JWT_UNKNOWN);
		arena_free(&a);
		jwt_keys_free(k);
	}
}

/* ---- algorithms ---- */

static void none_is_nobodys_algorithm(void **state)
{
	(void)state;
	static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"None\"}",
					      "{\"alg\":\"\"}", "{}", "{\"alg\":null}"};
	for (size_t i = 0; i < 5; i++) {
		char token[4096], h[256];
		assert_int_equal(header(SECRET_KEY, headers[i]).answer, JWT_UNKNOWN);
		encode(h, headers[i], strlen(headers[i]));
		snprintf(token, sizeof(token), "%s.eyJpc3MiOiJqb2UifQ.", h);
		assert_int_equal(look(SECRET_KEY, &RULES, token, NOW).answer, JWT_UNKNOWN);
	}
}

/* The classic attack: a public key, known to all, as HMAC's secret. */
static void a_public_key_is_never_a_secret(void **state)
{
	(void)state;
	struct arena a = {0};
	txw_str n, x;
	char token[4096];
	assert_true(base64url_decode(&a, STR_LIT(RS_N), &n));
	assert_true(base64url_decode(&a, STR_LIT(ED_X), &x));
	sign_with(token, sizeof(token), "{\"alg\":\"HS256\"}", GOOD(""), n.ptr, n.len);
	assert_int_equal(look(RS_KEY, &RULES, token, NOW).answer, JWT_UNKNOWN);
	sign_with(token, sizeof(token), "{\"alg\":\"HS256\"}", GOOD(""), x.ptr, x.len);
	assert_int_equal(look(ED_KEY, &RULES, token, NOW).answer, JWT_UNKNOWN);
	sign_with(token, sizeof(token), "{\"alg\":\"HS256\"}", GOOD(""), "", 0);
	assert_int_equal(look(RS_KEY "," ED_KEY, &RULES, token, NOW).answer, JWT_UNKNOWN);
	arena_free(&a);
}

static void a_header_names_its_key_or_leaves_no_doubt(void **state)
{
	(void)state;
	static const char two[] =
	    "{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"},"
	    "{\"kty\":\"oct\",\"kid\":\"b\",\"k\":\"WkZaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo\"}";
	assert_int_equal(header(two, "{\"alg\":\"HS256\",\"kid\":\"a\"}").answer, JWT_GOOD);
	assert_int_equal(header(two, "{\"alg\":\"HS256\",\"kid\":\"b\"}").answer, JWT_UNKNOWN);
	assert_int_equal(header(two, "{\"alg\":\"HS256\",\"kid\":\"c\"}").answer, JWT_UNKNOWN);
	assert_int_equal(header(two, "{\"alg\":\"HS256\"}").answer, JWT_UNKNOWN);
	assert_int_equal(header(two, "{\"alg\":\"HS256\",\"kid\":1}").answer, JWT_UNKNOWN);
	assert_int_equal(header(SECRET_KEY "," RS_KEY, "{\"alg\":\"HS256\"}").answer, JWT_GOOD);
	assert_int_equal(header(SECRET_KEY, "{\"alg\":\"HS512\"}").answer, JWT_UNKNOWN);
}

static void a_header_that_asks_for_more_is_not_understood(void **state)
{
	(void)state;
	assert_int_equal(header(SECRET_KEY, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}").answer,
			 JWT_GOOD);
	assert_int_equal(header(SECRET_KEY, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}").answer,
			 JWT_GOOD);
	static const char *const headers[] = {
	    "{\"alg\":\"HS256\",\"typ\":\"JWE\"}",
	    "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
	    "{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
	    "{\"alg\":\"none\",\"alg\":\"HS256\"}",
	    "[\"HS256\"]",
	    "{\"alg\":\"HS256\"} ",
	};
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(header(SECRET_KEY, headers[i]).answer, JWT_UNKNOWN);
}

/* ---- claims ---- */

static void a_good_token_opens_its_tenant_with_its_highest_scope(void **state)
{
	(void)state;
	struct seen s = claims(GOOD(""));
	assert_int_equal(s.answer, JWT_GOOD);
	assert_string_equal(s.subject, "alice");
	assert_string_equal(s.tenant, "acme");
	assert_int_equal(s.scope, SCOPE_WRITE);
	s = claims(
	    "{\"iss\":\"joe\",\"aud\":[\"x\",\"txwatch\"],\"sub\":\"b\",\"exp\":1300819380.5,"
	    "\"scope\":[\"openid\",\"txwatch:read\"]}");
	assert_int_equal(s.answer, JWT_GOOD);
	assert_int_equal(s.scope, SCOPE_READ);
	s = claims("{\"iss\":\"joe\",\"aud\":\"txwatch\",\"sub\":\"b\",\"exp\":1300819380,"
		   "\"scope\":\"openid admin txwatch:admin\"}");
	assert_int_equal(s.scope, SCOPE_ADMIN);
}

static void what_is_wrong_with_a_proven_token_is_told(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
	    {"{}", "exp"},
	    {"{\"exp\":\"1300819380\"}", "exp"},
	    {"{\"exp\":1e300}", "exp"},
	    {"{\"exp\":-5}", "exp"},
	    {"{\"exp\":1300819380,\"nbf\":\"x\"}", "nbf"},
	    {"{\"exp\":1300819380,\"nbf\":1300819200}", "not valid yet"},
	    {"{\"exp\":1300819380,\"iss\":\"jo\"}", "iss"},
	    {"{\"exp\":1300819380,\"iss\":\"joe\"}", "aud"},
	    {"{\"exp\":1300819380,\"iss\":\"joe\",\"aud\":\"txwatc\"}", "aud"},
	    {"{\"exp\":1300819380,\"iss\":\"joe\",\"aud\":[]}", "aud"},
	    {"{\"exp\":1300819380,\"iss\":\"joe\",\"aud\":[[\"txwatch\"]]}", "aud"},
	    {"{\"exp\":1300819380,\"iss\":\"joe\",\"aud\":\"txwatch\"}", "sub"},
	    {"{\"exp\":1300819380,\"iss\":\"joe\",\"aud\":\"txwatch\",\"sub\":\"a\\nb\"}", "sub"},
	    {"{\"exp\":1300819380,\"iss\":\"joe\",\"aud\":\"txwatch\",\"sub\":\"a\"}", "scope"},
	    {"{\"exp\":1300819380,\"iss\":\"joe\",\"aud\":\"txwatch\",\"sub\":\"a\","
	     "\"scope\":\"admin\"}",
	     "scope"},
	    {"{\"exp\":1300819380,\"exp\":1300819380}", "no JSON"},
	    {"[]", "no JSON"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen s = claims(rows[i][0]);
		assert_int_equal(s.answer, JWT_REFUSED);
		if (!strstr(s.why, rows[i][1]))
			fail_msg("%s: %s", rows[i][0], s.why);
	}
}

static void clocks_may_differ_by_the_skew_and_no_more(void **state)
{
	(void)state;
	char token[4096];
	sign_with(token, sizeof(token), "{\"alg\":\"HS256\"}", GOOD(",\"nbf\":1300819000"), SECRET,
		  32);
	const txw_time nbf = INT64_C(1300819000) * SECOND, exp = INT64_C(1300819380) * SECOND;
	static const struct {
		int64_t off;
		enum jwt_answer want;
	} rows[] = {{-60, JWT_GOOD}, {-61, JWT_REFUSED}};
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(look(SECRET_KEY, &RULES, token, nbf + rows[i].off * SECOND).answer,
				 rows[i].want);
	assert_int_equal(look(SECRET_KEY, &RULES, token, exp + 59 * SECOND).answer, JWT_GOOD);
	assert_int_equal(look(SECRET_KEY, &RULES, token, exp + 60 * SECOND).answer, JWT_EXPIRED);
}

static void a_tenant_comes_from_its_claim_where_the_site_says_so(void **state)
{
	(void)state;
	struct jwt_rules rules = RULES;
	char token[4096];
	rules.tenant_claim = STR_LIT("org");
	sign_with(token, sizeof(token), "{\"alg\":\"HS256\"}", GOOD(",\"org\":\"shop\""), SECRET,
		  32);
	assert_string_equal(look(SECRET_KEY, &rules, token, NOW).tenant, "shop");
	sign_with(token, sizeof(token), "{\"alg\":\"HS256\"}", GOOD(""), SECRET, 32);
	assert_int_equal(look(SECRET_KEY, &rules, token, NOW).answer, JWT_REFUSED);
	sign_with(token, sizeof(token), "{\"alg\":\"HS256\"}", GOOD(",\"org\":\"\""), SECRET, 32);
	assert_int_equal(look(SECRET_KEY, &rules, token, NOW).answer, JWT_REFUSED);
}

static void huge_and_shapeless_ones_are_nobodys(void **state)
{
	(void)state;
	char *huge = calloc(1, 100000);
	memset(huge, 'A', 99999);
	huge[20] = huge[50] = '.';
	assert_int_equal(look(SECRET_KEY, &RULES, huge, NOW).answer, JWT_UNKNOWN);
	free(huge);
	static const char *const rows[] = {
	    "", ".", "..", "...", "a.b", "a.b.c.d", "a.b.c", "eyJhbGciOiJIUzI1NiJ9..", "..AAAA"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(look(SECRET_KEY, &RULES, rows[i], NOW).answer, JWT_UNKNOWN);
	/* Deep claims, properly signed. */
	char deep[6001] = "";
	memset(deep, '[', 6000);
	assert_int_equal(claims(deep).answer, JWT_REFUSED);
}

/* ---- key files ---- */

static void bad_keys_are_refused_with_their_place(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
	    {"", "not JSON"},
	    {"[]", "not a JWKS"},
	    {"{\"keys\":{}}", "not a JWKS"},
	    {"{\"keys\":[]}", "no key"},
	    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"}]}", "no key"},
	    {"{\"keys\":[{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
	     "no key"},
	    {"{\"keys\":[{\"kty\":\"RSA\",\"alg\":\"PS256\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
	     "no key"},
	    {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}]}", "key 1: its secret has 5 bytes"},
	    {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"a=\"}]}", "base64url"},
	    {"{\"keys\":[" ED_KEY ",{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", "key 2: "},
	    {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAB\"}]}", "Ed25519"},
	    {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\",\"d\":\"" ED_D
	     "\"}]}",
	     "private key"},
	    {"{\"keys\":[{\"kid\":\"a\",\"kty\":\"oct\",\"k\":\"" ED_X
	     "\"},{\"kid\":\"a\",\"kty\":\"oct\",\"k\":\"" ED_D "\"}]}",
	     "key 2: another key has this `kid`"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = {0};
		assert_null(jwt_keys_parse(str_of(rows[i][0]), &e));
		if (!strstr(e.text, rows[i][1]))
			fail_msg("%s: %s", rows[i][0], e.text);
	}
}

static void keys_of_other_kinds_stand_beside_ours(void **state)
{
	(void)state;
	struct jwt_keys *k = keys_of("{\"kty\":\"EC\",\"crv\":\"P-256\"}," ED_KEY "," RS_KEY);
	assert_int_equal(k->n, 2);
	jwt_keys_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_rfcs_tokens_are_proven_and_then_judged_by_their_claims),
	    cmocka_unit_test(no_letter_of_a_token_can_be_another),
	    cmocka_unit_test(none_is_nobodys_algorithm),
	    cmocka_unit_test(a_public_key_is_never_a_secret),
	    cmocka_unit_test(a_header_names_its_key_or_leaves_no_doubt),
	    cmocka_unit_test(a_header_that_asks_for_more_is_not_understood),
	    cmocka_unit_test(a_good_token_opens_its_tenant_with_its_highest_scope),
	    cmocka_unit_test(what_is_wrong_with_a_proven_token_is_told),
	    cmocka_unit_test(clocks_may_differ_by_the_skew_and_no_more),
	    cmocka_unit_test(a_tenant_comes_from_its_claim_where_the_site_says_so),
	    cmocka_unit_test(huge_and_shapeless_ones_are_nobodys),
	    cmocka_unit_test(bad_keys_are_refused_with_their_place),
	    cmocka_unit_test(keys_of_other_kinds_stand_beside_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
