/*
 * jwt.h: signed tokens of a site's own users (RFC 7519, 7515, 8037): HS256,
 * RS256 and EdDSA with Ed25519, by keys of a JWKS (RFC 7517).
 *
 * The key decides the algorithm: a token's header may only name the one its
 * key is for, so that a public key is never taken for a secret, and `none` is
 * nobody's. Pure: no clock, no files. [any], but one thread at a time for one
 * set of keys.
 */
#ifndef TXWATCH_API_JWT_H
#define TXWATCH_API_JWT_H

#include "api/route.h"
#include "base/err.h"
#include "base/mem.h"

#define JWT_MAX         ((size_t)8192) /* bytes of a token */
#define JWT_KEYS_MAX    64
#define JWT_SUBJECT_MAX ((size_t)128)
#define JWT_TENANT_MAX  ((size_t)64)

struct jwt_keys;

/* Keys for other uses and of other kinds are passed over. NULL and e: what is
 * wrong, as a key that is too weak, or that none can be used. */
struct jwt_keys *jwt_keys_parse(txw_str jwks, struct err *e);
void jwt_keys_free(struct jwt_keys *k);

struct jwt_rules {
	txw_str issuer;
	txw_str audience;
	txw_str tenant;       /* everybody's, unless there is a claim for it */
	txw_str tenant_claim; /* none: no claim is asked */
	txw_str scope_claim;
	txw_str scope_prefix; /* "txwatch:" of "txwatch:read" */
	int64_t skew;         /* what clocks may differ by */
};

struct jwt_claims {
	txw_str subject;
	txw_str tenant;
	enum scope scope;
	txw_time expires;
};

enum jwt_answer {
	JWT_GOOD,
	JWT_UNKNOWN, /* no key of ours has signed it */
	JWT_EXPIRED,
	JWT_REFUSED, /* signed, but not for this: `why` says */
};

/* Texts come from the arena. */
enum jwt_answer jwt_verify(struct jwt_keys *k, const struct jwt_rules *r, txw_str token,
			   txw_time now, struct arena *a, struct jwt_claims *out, const char **why);
/* Has it the form: three parts? */
bool jwt_is_one(txw_str token);

#endif
