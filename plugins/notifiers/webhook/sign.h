/* sign.h: signatures of the Standard Webhooks specification, 1.0. */
#ifndef WEBHOOK_SIGN_H
#define WEBHOOK_SIGN_H

#include "text.h"

struct key;

/* A key from "whsec_" + base64 of 24..64 bytes (HMAC-SHA256) or "whsk_" +
 * base64 of 32 or 64 bytes (Ed25519: the seed, alone or with the public key).
 * On error *why says what is wrong, without the secret. */
int32_t key_open(txw_str secret, struct key **out, const char **why);
void key_close(struct key *k);

/* Appends "v1,BASE64" or "v1a,BASE64" for each of n keys, with spaces between.
 * head is "ID.TIMESTAMP.", what stands before the body in the signed text. One
 * thread at a time per key. */
int32_t keys_sign(struct key *const *keys, size_t n, txw_str head, txw_str body, struct text *out);

#endif
