/* text.h: a growing text, and what webhooks write into it. */
#ifndef WEBHOOK_TEXT_H
#define WEBHOOK_TEXT_H

#include "txwatch/abi.h"

/* A zeroed one is empty. When memory runs out `failed` is set, and stays. */
struct text {
	char *ptr;
	size_t len;
	size_t cap;
	int failed;
};

void text_reset(struct text *t); /* empty again; keeps the memory */
void text_free(struct text *t);
void text_add(struct text *t, const void *bytes, size_t len);
void text_z(struct text *t, const char *z);
void text_str(struct text *t, txw_str s);
void text_int(struct text *t, int64_t v);
txw_str text_view(const struct text *t); /* until the next change */

/* A JSON string with its quotes; s is UTF-8. */
void text_json(struct text *t, txw_str s);
/* RFC 3339, UTC, microseconds where there are some. */
void text_time(struct text *t, txw_time at);
/* Base64 with padding (RFC 4648, section 4). */
void text_base64(struct text *t, const uint8_t *bytes, size_t len);
/* A TypeID, spec 0.3: prefix, '_', 26 characters of Crockford's base32. */
void text_typeid(struct text *t, const char *prefix, txw_id id);
/* At most cap bytes of s as UTF-8 without NUL: what is not becomes U+FFFD, and
 * no character is cut. */
void text_utf8(struct text *t, txw_str s, size_t cap);

/* The bytes of a base64 text, padded or not; -1: not base64, or more than cap
 * bytes. */
int base64_decode(txw_str text, uint8_t *out, size_t cap);

#endif
