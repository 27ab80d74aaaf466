/*
 * sign.c: signatures of the Standard Webhooks specification, 1.0.
 *
 * A key's HMAC context is made once and set back to its key for each message,
 * which is all a message costs beyond the hashing itself.
 */
#include "sign.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#define SEED_BYTES    32
#define HMAC_MIN      24
#define HMAC_MAX      64
#define HMAC_BYTES    32
#define ED25519_BYTES 64

/* Exactly one of the two is there. */
struct key {
	EVP_MAC_CTX *mac;
	EVP_PKEY *ed25519;
};

static EVP_MAC_CTX *hmac_open(const uint8_t *bytes, size_t len)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac); /* the context has its own reference */
	if (ctx && EVP_MAC_init(ctx, bytes, len, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static int32_t open_hmac(struct key *k, const uint8_t *bytes, int len, const char **why)
{
	if (len < HMAC_MIN || len > HMAC_MAX) {
		*why = "a whsec_ secret is base64 of 24 to 64 bytes";
		return TXW_E_INVALID;
	}
	k->mac = hmac_open(bytes, (size_t)len);
	*why = "the HMAC key could not be made";
	return k->mac ? TXW_OK : TXW_E_NOMEM;
}

static int32_t open_ed25519(struct key *k, const uint8_t *bytes, int len, const char **why)
{
	if (len != SEED_BYTES && len != 2 * SEED_BYTES) {
		*why = "a whsk_ secret is base64 of 32 or 64 bytes";
		return TXW_E_INVALID;
	}
	k->ed25519 = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, SEED_BYTES);
	*why = "the Ed25519 key could not be made";
	return k->ed25519 ? TXW_OK : TXW_E_NOMEM;
}

static const struct {
	const char *prefix;
	int32_t (*open)(struct key *k, const uint8_t *bytes, int len, const char **why);
} KINDS[] = {
    {"whsec_", open_hmac},
    {"whsk_", open_ed25519},
};

int32_t key_open(txw_str secret, struct key **out, const char **why)
{
	uint8_t bytes[HMAC_MAX];
	for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
		size_t skip = strlen(KINDS[i].prefix);
		if (secret.len < skip || memcmp(secret.ptr, KINDS[i].prefix, skip) != 0)
			continue;
		struct key *k = calloc(1, sizeof(*k));
		*why = "out of memory";
		if (!k)
			return TXW_E_NOMEM;
		txw_str coded = {secret.ptr + skip, secret.len - skip};
		int len = base64_decode(coded, bytes, sizeof(bytes));
		int32_t rc = KINDS[i].open(k, bytes, len, why);
		OPENSSL_cleanse(bytes, sizeof(bytes));
		if (rc == TXW_OK)
			*out = k;
		else
			free(k);
		return rc;
	}
	*why = "a secret begins with whsec_ (HMAC-SHA256) or whsk_ (Ed25519)";
	return TXW_E_INVALID;
}

void key_close(struct key *k)
{
	if (!k)
		return;
	EVP_MAC_CTX_free(k->mac); /* cleanses the key */
	EVP_PKEY_free(k->ed25519);
	free(k);
}

static int32_t sign_hmac(struct key *k, txw_str head, txw_str body, struct text *out)
{
	uint8_t sum[HMAC_BYTES];
	size_t len = 0;
	if (EVP_MAC_init(k->mac, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(k->mac, (const unsigned char *)head.ptr, head.len) != 1 ||
	    EVP_MAC_update(k->mac, (const unsigned char *)body.ptr, body.len) != 1 ||
	    EVP_MAC_final(k->mac, sum, &len, sizeof(sum)) != 1)
		return TXW_E_NOMEM;
	text_z(out, "v1,");
	text_base64(out, sum, len);
	return TXW_OK;
}

/* Ed25519 reads its message twice, so it is wanted in one piece. */
static int32_t sign_ed25519(struct key *k, txw_str head, txw_str body, struct text *out)
{
	uint8_t sum[ED25519_BYTES];
	size_t len = sizeof(sum);
	struct text message = {0};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	text_str(&message, head);
	text_str(&message, body);
	int ok = ctx && !message.failed &&
		 EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->ed25519) == 1 &&
		 EVP_DigestSign(ctx, sum, &len, (const unsigned char *)message.ptr, message.len) ==
		     1;
	EVP_MD_CTX_free(ctx);
	text_free(&message);
	if (!ok)
		return TXW_E_NOMEM;
	text_z(out, "v1a,");
	text_base64(out, sum, len);
	return TXW_OK;
}

int32_t keys_sign(struct key *const *keys, size_t n, txw_str head, txw_str body, struct text *out)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			text_z(out, " ");
		int32_t rc = keys[i]->mac ? sign_hmac(keys[i], head, body, out)
					  : sign_ed25519(keys[i], head, body, out);
		if (rc < 0)
			return rc;
	}
	return out->failed ? TXW_E_NOMEM : TXW_OK;
}
