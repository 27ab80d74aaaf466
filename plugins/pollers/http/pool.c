/* pool.c: see pool.h. */
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>

#define CHUNK_SIZE 2000
#define PEER_SHOWN 80

struct chunk {
	struct chunk *next;
	size_t used;
	size_t size;
	max_align_t bytes[];
};

void *pool_alloc(struct pool *p, size_t n)
{
	const size_t unit = sizeof(max_align_t);
	if (n > SIZE_MAX - unit - sizeof(struct chunk))
		return NULL;
	n = (n + unit - 1) / unit * unit;
	if (!p->head || p->head->size - p->head->used < n) {
		size_t size = n > CHUNK_SIZE ? n : CHUNK_SIZE;
		struct chunk *c = calloc(1, sizeof *c + size);
		if (!c)
			return NULL;
		c->size = size;
		c->next = p->head;
		p->head = c;
	}
	void *out = (char *)p->head->bytes + p->head->used;
	p->head->used += n;
	return out;
}

txw_str pool_copy(struct pool *p, txw_str s)
{
	if (!s.len)
		return (txw_str){NULL, 0};
	char *copy = pool_alloc(p, s.len + 1);
	if (!copy)
		return (txw_str){NULL, 0};
	memcpy(copy, s.ptr, s.len);
	return (txw_str){copy, s.len};
}

void pool_free(struct pool *p)
{
	while (p->head) {
		struct chunk *c = p->head;
		p->head = c->next;
		free(c);
	}
}

void text_add(struct text *t, const void *bytes, size_t n)
{
	if (t->is_broken || n == 0)
		return;
	if (t->cap - t->len < n) {
		size_t cap = t->cap ? t->cap : 256;
		while (cap - t->len < n && cap < SIZE_MAX / 2)
			cap *= 2;
		char *ptr = cap - t->len < n ? NULL : realloc(t->ptr, cap);
		if (!ptr) {
			t->is_broken = true;
			return;
		}
		t->ptr = ptr;
		t->cap = cap;
	}
	memcpy(t->ptr + t->len, bytes, n);
	t->len += n;
}

void text_str(struct text *t, txw_str s)
{
	text_add(t, s.ptr, s.len);
}

void text_z(struct text *t, const char *z)
{
	text_add(t, z, strlen(z));
}

void text_int(struct text *t, int64_t v)
{
	char digits[24];
	int n = snprintf(digits, sizeof digits, "%lld", (long long)v);
	text_add(t, digits, (size_t)n);
}

void text_peer(struct text *t, txw_str s)
{
	for (size_t i = 0; i < s.len && i < PEER_SHOWN; i++)
		text_add(t, s.ptr[i] >= ' ' && s.ptr[i] < 0x7f ? s.ptr + i : "?", 1);
	if (s.len > PEER_SHOWN)
		text_z(t, "...");
}

txw_str text_view(const struct text *t)
{
	return (txw_str){t->len ? t->ptr : NULL, t->len};
}

void text_free(struct text *t)
{
	free(t->ptr);
	*t = (struct text){0};
}
