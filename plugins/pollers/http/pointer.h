/* pointer.h: JSON Pointer (RFC 6901). */
#ifndef POLLER_HTTP_POINTER_H
#define POLLER_HTTP_POINTER_H

#include <jansson.h>

#include "pool.h"

struct pointer {
	bool is_set;
	size_t n;
	txw_str *tokens;
	txw_str source; /* as written; "" is the whole document */
};

/* 0, TXW_E_INVALID or TXW_E_NOMEM. Keeps nothing of text. */
int32_t pointer_read(struct pool *pool, txw_str text, struct pointer *out);
/* NULL when nothing is there, or the pointer is not set. */
const json_t *pointer_find(const struct pointer *p, const json_t *at);

#endif
