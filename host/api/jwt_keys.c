/* jwt_keys.c: see jwt_keys.h. */
#include "api/jwt_keys.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "api/base64url.h"
#include "base/str.h"

#define SECRET_MIN   32 /* bytes: RFC 7518, 3.2 */
#define RSA_BITS_MIN 2048
#define RSA_MAX      1024 /* bytes of a modulus */
#define ED25519_KEY  32
#define SUM_BYTES    32

const char *const JWT_ALG_NAMES[JWT_ALGS] = {"HS256", "RS256", "EdDSA"};

static txw_str text_of(const json_t *object, const char *member)
{
	const json_t *v = json_object_get(object, member);
	return (txw_str){json_string_value(v), json_string_length(v)};
}

static bool bytes_of(struct arena *a, const json_t *key, const char *member, txw_str *out)
{
	txw_str text = text_of(key, member);
	return text.len > 0 && base64url_decode(a, text, out) && out->len > 0;
}

/* ---- reading a key ---- */

static int32_t read_secret(struct jwt_keys *k, const json_t *v, struct jwt_key *key, struct err *e)
{
	if (!bytes_of(&k->arena, v, "k", &key->secret))
		return err_set(e, TXW_E_INVALID, "`k` is not base64url");
	if (key->secret.len < SECRET_MIN)
		return err_set(e, TXW_E_INVALID, "its secret has %zu bytes; HS256 needs %d or more",
			       key->secret.len, SECRET_MIN);
	return 0;
}

static EVP_PKEY *rsa_of(txw_str n, txw_str exponent)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	BIGNUM *bn_n = BN_bin2bn((const unsigned char *)n.ptr, (int)n.len, NULL);
	BIGNUM *bn_e = BN_bin2bn((const unsigned char *)exponent.ptr, (int)exponent.len, NULL);
	if (ctx && build && bn_n && bn_e && OSSL_PARAM_BLD_push_BN(build, "n", bn_n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, "e", bn_e) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_free(bn_n);
	BN_free(bn_e);
	return key;
}

static int32_t read_rsa(struct jwt_keys *k, const json_t *v, struct jwt_key *key, struct err *e)
{
	txw_str n, exponent;
	if (!bytes_of(&k->arena, v, "n", &n) || !bytes_of(&k->arena, v, "e", &exponent) ||
	    n.len > RSA_MAX || exponent.len > 8 || !(key->public = rsa_of(n, exponent)))
		return err_set(e, TXW_E_INVALID, "`n` and `e` are no RSA key of 8192 bits or less");
	if (EVP_PKEY_get_bits(key->public) < RSA_BITS_MIN)
		return err_set(e, TXW_E_INVALID, "its RSA key has %d bits; %d or more are needed",
			       EVP_PKEY_get_bits(key->public), RSA_BITS_MIN);
	return 0;
}

static int32_t read_ed25519(struct jwt_keys *k, const json_t *v, struct jwt_key *key, struct err *e)
{
	txw_str x;
	if (bytes_of(&k->arena, v, "x", &x) && x.len == ED25519_KEY)
		key->public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
							  (const unsigned char *)x.ptr, x.len);
	return key->public ? 0 : err_set(e, TXW_E_INVALID, "`x` is no Ed25519 key of 32 bytes");
}

static bool kind_of(const json_t *v, enum jwt_alg *out)
{
	txw_str kind = text_of(v, "kty"), use = text_of(v, "use");
	if (use.len && !str_is(use, "sig"))
		return false;
	if (str_is(kind, "oct"))
		*out = JWT_HS256;
	else if (str_is(kind, "RSA"))
		*out = JWT_RS256;
	else if (str_is(kind, "OKP") && str_is(text_of(v, "crv"), "Ed25519"))
		*out = JWT_EDDSA;
	else
		return false;
	txw_str alg = text_of(v, "alg");
	return alg.len == 0 || str_is(alg, JWT_ALG_NAMES[*out]);
}

static int32_t read_key(struct jwt_keys *k, const json_t *v, struct err *e)
{
	static int32_t (*const readers[])(struct jwt_keys *, const json_t *, struct jwt_key *,
					  struct err *) = {
	    [JWT_HS256] = read_secret, [JWT_RS256] = read_rsa, [JWT_EDDSA] = read_ed25519};
	struct jwt_key *key = &k->keys[k->n];
	enum jwt_alg alg;
	if (!kind_of(v, &alg))
		return 0;
	if (k->n == JWT_KEYS_MAX)
		return err_set(e, TXW_E_INVALID, "more than %d keys", JWT_KEYS_MAX);
	*key = (struct jwt_key){.alg = alg, .id = arena_str(&k->arena, text_of(v, "kid"))};
	k->n++;
	if (alg != JWT_HS256 && json_object_get(v, "d"))
		return err_set(e, TXW_E_INVALID,
			       "it is a private key; only its public half belongs here");
	for (size_t i = 0; i + 1 < k->n; i++) {
		if (key->id.len && str_eq(k->keys[i].id, key->id))
			return err_set(e, TXW_E_INVALID, "another key has this `kid`");
	}
	return readers[alg](k, v, key, e);
}

static int32_t read_keys(struct jwt_keys *k, const json_t *root, struct err *e)
{
	const json_t *list = json_object_get(root, "keys");
	size_t i;
	json_t *v;
	if (!json_is_array(list))
		return err_set(e, TXW_E_INVALID, "not a JWKS: {\"keys\":[...]} is needed");
	json_array_foreach(list, i, v)
	{
		if (read_key(k, v, e) < 0)
			return err_prefix(e, "key %zu: ", i + 1);
	}
	if (k->n == 0)
		return err_set(e, TXW_E_INVALID,
			       "it has no key for HS256, RS256 or EdDSA with Ed25519");
	return 0;
}

struct jwt_keys *jwt_keys_parse(txw_str jwks, struct err *e)
{
	struct jwt_keys *k = xcalloc(1, sizeof(*k));
	json_error_t wrong;
	json_t *root = json_loadb(jwks.ptr, jwks.len, JSON_REJECT_DUPLICATES, &wrong);
	int32_t rc = root ? read_keys(k, root, e)
			  : err_set(e, TXW_E_INVALID, "not JSON: line %d, column %d: %s",
				    wrong.line, wrong.column, wrong.text);
	json_decref(root);
	if (rc >= 0)
		return k;
	jwt_keys_free(k);
	return NULL;
}

void jwt_keys_free(struct jwt_keys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++) {
		if (k->keys[i].secret.len)
			explicit_bzero((char *)(uintptr_t)k->keys[i].secret.ptr,
				       k->keys[i].secret.len);
		EVP_PKEY_free(k->keys[i].public);
	}
	arena_free(&k->arena);
	free(k);
}

/* ---- using one ---- */

const struct jwt_key *jwt_key_find(const struct jwt_keys *k, enum jwt_alg alg, txw_str id)
{
	const struct jwt_key *found = NULL;
	for (size_t i = 0; i < k->n; i++) {
		const struct jwt_key *key = &k->keys[i];
		if (key->alg != alg || (id.len && !str_eq(key->id, id)))
			continue;
		if (found)
			return NULL;
		found = key;
	}
	return found;
}

static bool hmac_verifies(const struct jwt_key *key, txw_str text, txw_str signature)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	return signature.len == SUM_BYTES &&
	       HMAC(EVP_sha256(), key->secret.ptr, (int)key->secret.len,
		    (const unsigned char *)text.ptr, text.len, sum, &n) &&
	       n == SUM_BYTES && CRYPTO_memcmp(sum, signature.ptr, SUM_BYTES) == 0;
}

bool jwt_key_verifies(const struct jwt_key *key, txw_str text, txw_str signature)
{
	if (key->alg == JWT_HS256)
		return hmac_verifies(key, text, signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *sum = key->alg == JWT_RS256 ? EVP_sha256() : NULL;
	bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, sum, NULL, key->public) == 1 &&
		  EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
				   (const unsigned char *)text.ptr, text.len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}
