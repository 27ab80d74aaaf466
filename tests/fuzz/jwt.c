/* jwt.c: signed tokens, and the keys they are proven with. The first byte says
 * what the rest is: a token as it came; header, newline, claims, encoded here
 * and signed by nobody; the same, signed with a key of the site, so that the
 * claims are read; claims alone under a good header; a JWKS. */
#include "fuzz.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "api/jwt.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#define NOW    (INT64_C(1790000000) * SECOND)
#define SECRET "0123456789abcdef0123456789abcdef"
#define SECRET_KEY \
	"{\"kty\":\"oct\",\"kid\":\"s\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}"
#define ED_KEY                                                        \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_" \
	"7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"

static const struct jwt_rules RULES = {
    .issuer = {"joe", 3},
    .audience = {"txwatch", 7},
    .tenant = {"acme", 4},
    .tenant_claim = {"tenant", 6},
    .scope_claim = {"scope", 5},
    .scope_prefix = {"txwatch:", 8},
    .skew = 60 * SECOND,
};

static void encode(struct buf *out, txw_str bytes)
{
	buf_reserve(out, (bytes.len + 2) / 3 * 4 + 1);
	char *at = out->ptr + out->len;
	EVP_EncodeBlock((unsigned char *)at, (const unsigned char *)(bytes.ptr ? bytes.ptr : ""),
			(int)bytes.len);
	at[strcspn(at, "=")] = '\0';
	for (char *c = at; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	out->len += strlen(at);
}

static struct jwt_keys *site_keys(void)
{
	static struct jwt_keys *keys;
	struct err e = {0};
	if (!keys)
		keys = jwt_keys_parse(STR_LIT("{\"keys\":[" SECRET_KEY "," ED_KEY "]}"), &e);
	MUST(keys);
	return keys;
}

static enum jwt_answer verify(struct jwt_keys *keys, txw_str token)
{
	struct arena a = {0};
	struct jwt_claims c;
	const char *why = NULL;
	enum jwt_answer answer = jwt_verify(keys, &RULES, token, NOW, &a, &c, &why);
	MUST((answer == JWT_REFUSED) == (why != NULL));
	if (answer == JWT_GOOD || answer == JWT_EXPIRED) {
		MUST(jwt_is_one(token) && c.scope >= SCOPE_READ && c.scope <= SCOPE_ADMIN);
		MUST(c.subject.len >= 1 && c.subject.len <= JWT_SUBJECT_MAX);
		MUST(c.tenant.len >= 1 && c.tenant.len <= JWT_TENANT_MAX);
		MUST(str_utf8(c.subject) && str_utf8(c.tenant));
		MUST((answer == JWT_GOOD) == (c.expires + RULES.skew > NOW));
	}
	arena_free(&a);
	return answer;
}

static void make(struct buf *token, txw_str header, txw_str claims)
{
	encode(token, header);
	buf_char(token, '.');
	encode(token, claims);
}

static void sign(struct buf *token)
{
	unsigned char sum[32];
	unsigned n = 0;
	HMAC(EVP_sha256(), SECRET, 32, (const unsigned char *)token->ptr, token->len, sum, &n);
	buf_char(token, '.');
	encode(token, (txw_str){(const char *)sum, n});
}

/* Signed by us: read. With one letter changed: by nobody. */
static void try_signed(struct buf *token, unsigned at)
{
	sign(token);
	verify(site_keys(), buf_view(token));
	char *c = &token->ptr[at % token->len];
	*c = *c == 'A' ? 'B' : 'A';
	MUST(verify(site_keys(), buf_view(token)) == JWT_UNKNOWN);
}

static void try_keys(txw_str jwks)
{
	struct err e = {0};
	struct jwt_keys *keys = jwt_keys_parse(jwks, &e);
	if (!keys) {
		MUST(e.text[0]);
		return;
	}
	struct buf token = {0};
	make(&token, STR_LIT("{\"alg\":\"RS256\"}"), STR_LIT("{}"));
	buf_text(&token, ".AAAA");
	MUST(verify(keys, buf_view(&token)) == JWT_UNKNOWN);
	buf_free(&token);
	jwt_keys_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf token = {0};
	if (size < 2)
		return 0;
	txw_str rest = {(const char *)data + 2, size - 2};
	const char *line = rest.len ? memchr(rest.ptr, '\n', rest.len) : NULL;
	txw_str header = {rest.ptr, line ? (size_t)(line - rest.ptr) : 0};
	txw_str claims = line ? (txw_str){line + 1, rest.len - header.len - 1} : rest;
	switch (data[0] % 5) {
	case 0:
		verify(site_keys(), rest);
		break;
	case 1:
		make(&token, header, claims);
		buf_text(&token, ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
		MUST(verify(site_keys(), buf_view(&token)) == JWT_UNKNOWN);
		break;
	case 2:
		make(&token, header, claims);
		try_signed(&token, data[1]);
		break;
	case 3:
		make(&token, STR_LIT("{\"alg\":\"HS256\",\"kid\":\"s\"}"), rest);
		try_signed(&token, data[1]);
		break;
	default:
		try_keys(rest);
	}
	buf_free(&token);
	return 0;
}
