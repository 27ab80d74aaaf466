/* mem.c: see mem.h. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)8192)
#define ALIGN_BYTES ((size_t)16)

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t cap;
	_Alignas(16) char bytes[];
};

static void no_memory(void)
{
	fputs("txwatch: out of memory\n", stderr);
	abort();
}

void *xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);
	if (!p)
		no_memory();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);
	if (!p)
		no_memory();
	return p;
}

void *xrealloc(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);
	if (!q)
		no_memory();
	return q;
}

char *xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;
	return memcpy(xmalloc(n), s, n);
}

static struct arena_block *block_new(struct arena *a, size_t least)
{
	size_t cap = BLOCK_BYTES - sizeof(struct arena_block);
	/* Grow by doubling, so that a large batch needs few blocks. */
	if (a->head && a->head->cap * 2 > cap && a->head->cap < ((size_t)1 << 20))
		cap = a->head->cap * 2;
	if (cap < least)
		cap = least;
	struct arena_block *b = xmalloc(sizeof(*b) + cap);
	b->next = a->head;
	b->used = 0;
	b->cap = cap;
	a->head = b;
	return b;
}

static void *arena_take(struct arena *a, size_t n)
{
	if (n > SIZE_MAX / 4)
		no_memory();
	size_t need = (n + ALIGN_BYTES - 1) & ~(ALIGN_BYTES - 1);
	struct arena_block *b = a->head;
	if (!b || b->cap - b->used < need)
		b = block_new(a, need);
	void *p = b->bytes + b->used;
	b->used += need;
	a->used += need;
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p = arena_take(a, n);
	memset(p, 0, n);
	return p;
}

txw_str arena_str(struct arena *a, txw_str s)
{
	if (s.len == 0)
		return (txw_str){NULL, 0};
	char *p = arena_take(a, s.len + 1);
	memcpy(p, s.ptr, s.len);
	p[s.len] = '\0';
	return (txw_str){p, s.len};
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		no_memory();
	char *p = arena_take(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void arena_first(struct arena *a, size_t bytes)
{
	struct arena_block *b = xmalloc(sizeof(*b) + bytes);
	*b = (struct arena_block){.cap = bytes};
	a->head = b;
}

void arena_reset(struct arena *a)
{
	struct arena_block *b = a->head;
	if (!b)
		return;
	struct arena_block *next = b->next;
	while (next) {
		struct arena_block *after = next->next;
		free(next);
		next = after;
	}
	b->next = NULL;
	b->used = 0;
	a->used = 0;
}

void arena_free(struct arena *a)
{
	for (struct arena_block *b = a->head; b;) {
		struct arena_block *next = b->next;
		free(b);
		b = next;
	}
	a->head = NULL;
	a->used = 0;
}
