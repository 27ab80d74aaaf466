/* base64url.h: base64url without padding (RFC 4648, section 5). Pure. */
#ifndef TXWATCH_API_BASE64URL_H
#define TXWATCH_API_BASE64URL_H

#include <stdbool.h>

#include "base/mem.h"

/* Into the arena. false: not canonical: another alphabet, padding, white
 * space, or bits that belong to no byte. */
bool base64url_decode(struct arena *a, txw_str text, txw_str *out);

#endif
