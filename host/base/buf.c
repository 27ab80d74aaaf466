/* buf.c: the byte buffer; see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void buf_reserve(struct buf *b, size_t more)
{
	if (b->cap - b->len >= more)
		return;
	size_t cap = b->cap ? b->cap : 256;
	while (cap - b->len < more)
		cap *= 2;
	b->ptr = xrealloc(b->ptr, cap);
	b->cap = cap;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	buf_reserve(b, len);
	memcpy(b->ptr + b->len, bytes, len);
	b->len += len;
}

void buf_char(struct buf *b, char c)
{
	buf_reserve(b, 1);
	b->ptr[b->len++] = c;
}

void buf_text(struct buf *b, const char *z)
{
	buf_add(b, z, strlen(z));
}

void buf_str(struct buf *b, txw_str s)
{
	buf_add(b, s.ptr, s.len);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	buf_reserve(b, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_int(struct buf *b, int64_t v)
{
	char text[24];
	char *p = text + sizeof(text);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	do
		*--p = (char)('0' + u % 10);
	while (u /= 10);
	if (v < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(text + sizeof(text) - p));
}

void buf_free(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){0};
}

txw_str buf_view(const struct buf *b)
{
	return (txw_str){b->ptr, b->len};
}

char *buf_steal(struct buf *b, size_t *len)
{
	buf_char(b, '\0');
	char *p = b->ptr;
	if (len)
		*len = b->len - 1;
	*b = (struct buf){0};
	return p;
}
