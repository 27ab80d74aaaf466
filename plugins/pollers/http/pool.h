/* pool.h: memory that is freed together, and text that grows. */
#ifndef POLLER_HTTP_POOL_H
#define POLLER_HTTP_POOL_H

#include <stdbool.h>
#include <string.h>

#include "txwatch/abi.h"

#define LIT(s) ((txw_str){(s), sizeof(s) - 1})

/* A zeroed pool is an empty one. */
struct pool {
	struct chunk *head;
};

void *pool_alloc(struct pool *p, size_t n); /* zeroed; NULL: no memory */
/* A zero-terminated copy; ptr is NULL: no memory, or s was none. */
txw_str pool_copy(struct pool *p, txw_str s);
void pool_free(struct pool *p);

/* A zeroed text is an empty one. After is_broken it stays as it was. */
struct text {
	char *ptr;
	size_t len;
	size_t cap;
	bool is_broken; /* memory ran out on the way */
};

void text_add(struct text *t, const void *bytes, size_t n);
void text_str(struct text *t, txw_str s);
void text_z(struct text *t, const char *z);
void text_int(struct text *t, int64_t v);
/* What a peer sent, for people: printable ASCII, at most 80 bytes. */
void text_peer(struct text *t, txw_str s);
txw_str text_view(const struct text *t);
void text_free(struct text *t);

static inline bool str_same(txw_str a, txw_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

#endif
