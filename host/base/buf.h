/* buf.h: a byte buffer that grows, and JSON written into it. */
#ifndef TXWATCH_BASE_BUF_H
#define TXWATCH_BASE_BUF_H

#include <stddef.h>

#include "txwatch/abi.h"

/* A zeroed struct buf is an empty one. */
struct buf {
	char *ptr;
	size_t len;
	size_t cap;
};

void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_char(struct buf *b, char c);
void buf_text(struct buf *b, const char *z);
void buf_str(struct buf *b, txw_str s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_int(struct buf *b, int64_t v);
void buf_free(struct buf *b);
txw_str buf_view(const struct buf *b);       /* until the next change */
char *buf_steal(struct buf *b, size_t *len); /* malloc'd, 0-terminated */

/*
 * JSON out, by hand for speed. The writer puts commas itself: after a value
 * or a key it knows whether one is needed by the last byte written.
 * Texts must be UTF-8; what is not is replaced by U+FFFD.
 */
void json_open(struct buf *b, char bracket);  /* '{' or '[' */
void json_close(struct buf *b, char bracket); /* '}' or ']' */
void json_key(struct buf *b, const char *key);
void json_str(struct buf *b, txw_str s); /* "" when empty */
void json_int(struct buf *b, int64_t v);
void json_bool(struct buf *b, int v);
void json_none(struct buf *b);              /* null; jansson has the name json_null */
void json_raw(struct buf *b, txw_str json); /* null when empty */
void json_time(struct buf *b, txw_time t);  /* RFC 3339; null when 0 */

/* Members, for the common case. The _opt forms leave out what is none. */
void json_m_str(struct buf *b, const char *key, txw_str s);
void json_m_text(struct buf *b, const char *key, const char *z);
void json_m_opt(struct buf *b, const char *key, txw_str s);
void json_m_int(struct buf *b, const char *key, int64_t v);
void json_m_bool(struct buf *b, const char *key, int v);
void json_m_time(struct buf *b, const char *key, txw_time t); /* or null */
void json_m_raw_opt(struct buf *b, const char *key, txw_str json);

#endif
