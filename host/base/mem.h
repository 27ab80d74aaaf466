/*
 * mem.h: allocation that does not fail, and arenas.
 *
 * txwatch bounds its memory by limits on queues, bodies and pages, so running
 * out is a broken machine: x-functions say so and abort, which the crash
 * promises cover. An arena is freed at once, as a request or a batch ends.
 */
#ifndef TXWATCH_BASE_MEM_H
#define TXWATCH_BASE_MEM_H

#include <stddef.h>

#include "txwatch/abi.h"

void *xmalloc(size_t n) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t n) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));

struct arena_block;
struct arena {
	struct arena_block *head;
	size_t used; /* bytes handed out since reset */
};

/* A zeroed struct arena is an empty one. */
void *arena_alloc(struct arena *a, size_t n);  /* zeroed, max-aligned */
txw_str arena_str(struct arena *a, txw_str s); /* copy; also 0-terminated */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An empty arena's first block will hold so many bytes, and no more. */
void arena_first(struct arena *a, size_t bytes);
void arena_reset(struct arena *a); /* keeps one block for reuse */
void arena_free(struct arena *a);

#endif
