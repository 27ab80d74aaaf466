/* jwt_keys.h: the keys of a JWKS; for jwt.c. */
#ifndef TXWATCH_API_JWT_KEYS_H
#define TXWATCH_API_JWT_KEYS_H

#include <openssl/evp.h>

#include "api/jwt.h"

enum jwt_alg { JWT_HS256, JWT_RS256, JWT_EDDSA, JWT_ALGS };
extern const char *const JWT_ALG_NAMES[JWT_ALGS];

struct jwt_key {
	enum jwt_alg alg; /* by its kind */
	txw_str id;       /* kid; or none */
	txw_str secret;   /* HS256 */
	EVP_PKEY *public; /* the others */
};

struct jwt_keys {
	struct arena arena;
	struct jwt_key keys[JWT_KEYS_MAX];
	size_t n;
};

/* The one a header means: by its id; without one, the only key of the
 * algorithm. NULL: none, or more than one. */
const struct jwt_key *jwt_key_find(const struct jwt_keys *k, enum jwt_alg alg, txw_str id);
bool jwt_key_verifies(const struct jwt_key *key, txw_str text, txw_str signature);

#endif
