/* args.c: see args.h. */
#include "args.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- text ---- */

static bool text_room(struct text *t, size_t more)
{
	if (t->failed || t->cap - t->len > more)
		return !t->failed;
	size_t cap = t->cap ? t->cap : 256;
	while (cap - t->len <= more)
		cap *= 2;
	char *grown = realloc(t->at, cap);
	if (!grown) {
		t->failed = true;
		return false;
	}
	t->at = grown;
	t->cap = cap;
	return true;
}

void text_add(struct text *t, const char *s)
{
	size_t n = strlen(s);
	if (!text_room(t, n))
		return;
	memcpy(t->at + t->len, s, n + 1);
	t->len += n;
}

void text_print(struct text *t, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0 || !text_room(t, (size_t)n))
		return;
	va_start(ap, format);
	vsnprintf(t->at + t->len, (size_t)n + 1, format, ap);
	va_end(ap);
	t->len += (size_t)n;
}

void text_free(struct text *t)
{
	free(t->at);
	*t = (struct text){.at = NULL};
}

/* ---- parameters ---- */

#define IS_NULL (-1)

struct arg {
	size_t at;
	int length; /* IS_NULL */
};

void args_reset(struct args *a)
{
	a->len = 0;
	a->n = 0;
	a->failed = false;
}

void args_free(struct args *a)
{
	free(a->bytes);
	free(a->list);
	*a = (struct args){.bytes = NULL};
}

static unsigned char *room(struct args *a, size_t n)
{
	if (a->cap - a->len < n) {
		size_t cap = a->cap ? a->cap : 1024;
		while (cap - a->len < n)
			cap *= 2;
		unsigned char *grown = realloc(a->bytes, cap);
		if (!grown) {
			a->failed = true;
			return NULL;
		}
		a->bytes = grown;
		a->cap = cap;
	}
	a->len += n;
	return a->bytes + a->len - n;
}

static void put(struct args *a, uint64_t v, size_t n)
{
	unsigned char *p = room(a, n);
	for (size_t i = 0; p && i < n; i++)
		p[i] = (unsigned char)(v >> (8 * (n - 1 - i)));
}

static struct arg *next(struct args *a)
{
	if (a->n == a->cap_list) {
		size_t cap = a->cap_list ? a->cap_list * 2 : 32;
		struct arg *grown = realloc(a->list, cap * sizeof(*grown));
		if (!grown) {
			a->failed = true;
			return NULL;
		}
		a->list = grown;
		a->cap_list = cap;
	}
	a->list[a->n] = (struct arg){.at = a->len};
	return &a->list[a->n++];
}

static void end(struct args *a, struct arg *p)
{
	if (p)
		p->length = (int)(a->len - p->at);
}

void args_int(struct args *a, int64_t v)
{
	struct arg *p = next(a);
	put(a, (uint64_t)v, 8);
	end(a, p);
}

static void args_null(struct args *a)
{
	struct arg *p = next(a);
	if (p)
		p->length = IS_NULL;
}

void args_some(struct args *a, int64_t v)
{
	if (v)
		args_int(a, v);
	else
		args_null(a);
}

/* The length of the UTF-8 sequence at s, 0 if it is none (RFC 3629, and no
 * zero byte). */
static size_t sequence(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;
	if (s[0] == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static void put_text(struct args *a, txw_str s)
{
	const unsigned char *from = (const unsigned char *)s.ptr;
	size_t good = 0;
	while (good < s.len) {
		size_t len = sequence(from + good, s.len - good);
		if (len) {
			good += len;
			continue;
		}
		txw_str head = {s.ptr, good};
		unsigned char *p = room(a, head.len + 3);
		if (!p)
			return;
		if (head.len)
			memcpy(p, head.ptr, head.len);
		memcpy(p + head.len, "\xef\xbf\xbd", 3);
		from += good + 1;
		s = (txw_str){s.ptr + good + 1, s.len - good - 1};
		good = 0;
	}
	unsigned char *p = s.len ? room(a, s.len) : NULL;
	if (p)
		memcpy(p, s.ptr, s.len);
}

void args_key(struct args *a, txw_str s)
{
	struct arg *p = next(a);
	put_text(a, s);
	end(a, p);
}

void args_text(struct args *a, txw_str s)
{
	if (s.len)
		args_key(a, s);
	else
		args_null(a);
}

void args_id(struct args *a, txw_id id)
{
	struct arg *p = next(a);
	put(a, id.hi, 8);
	put(a, id.lo, 8);
	end(a, p);
}

/* ---- arrays ---- */

void args_array(struct args *a, uint32_t oid, size_t n)
{
	next(a);
	put(a, n ? 1 : 0, 4); /* dimensions */
	put(a, 1, 4);         /* may hold NULLs */
	put(a, oid, 4);
	if (!n)
		return;
	put(a, n, 4);
	put(a, 1, 4); /* lower bound */
}

void args_item_int(struct args *a, int64_t v)
{
	put(a, 8, 4);
	put(a, (uint64_t)v, 8);
}

void args_item_null(struct args *a)
{
	put(a, UINT32_MAX, 4);
}

void args_item_text(struct args *a, txw_str s, bool is_key)
{
	if (!s.len && !is_key) {
		args_item_null(a);
		return;
	}
	size_t at = a->len;
	put(a, 0, 4);
	put_text(a, s);
	if (a->failed)
		return;
	size_t n = a->len - at - 4;
	for (size_t i = 0; i < 4; i++)
		a->bytes[at + i] = (unsigned char)(n >> (8 * (3 - i)));
}

void args_item_bytes(struct args *a, txw_str s)
{
	if (!s.len) {
		args_item_null(a);
		return;
	}
	put(a, s.len, 4);
	unsigned char *p = room(a, s.len);
	if (p)
		memcpy(p, s.ptr, s.len);
}

void args_item_id(struct args *a, txw_id id)
{
	put(a, 16, 4);
	put(a, id.hi, 8);
	put(a, id.lo, 8);
}

void args_array_end(struct args *a)
{
	if (a->n)
		end(a, &a->list[a->n - 1]);
}

/* ---- out ---- */

bool args_out(struct args *a, struct args_out *out)
{
	size_t n = a->n ? a->n : 1;
	*out = (struct args_out){
	    .values = malloc(n * sizeof(*out->values)),
	    .lengths = malloc(n * sizeof(*out->lengths)),
	    .formats = malloc(n * sizeof(*out->formats)),
	};
	if (a->failed || !out->values || !out->lengths || !out->formats) {
		args_out_free(out);
		return false;
	}
	for (size_t i = 0; i < a->n; i++) {
		const struct arg *p = &a->list[i];
		/* An empty value still needs a place to point to. */
		const char *at = p->length > 0 ? (const char *)a->bytes + p->at : "";
		out->values[i] = p->length == IS_NULL ? NULL : at;
		out->lengths[i] = p->length == IS_NULL ? 0 : p->length;
		out->formats[i] = 1;
	}
	return true;
}

void args_out_free(struct args_out *out)
{
	free(out->values);
	free(out->lengths);
	free(out->formats);
	*out = (struct args_out){.values = NULL};
}
