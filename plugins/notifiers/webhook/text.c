/* text.c: a growing text, and what webhooks write into it. Pure. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char BASE32[] = "0123456789abcdefghjkmnpqrstvwxyz";

void text_reset(struct text *t)
{
	t->len = 0;
	t->failed = 0;
}

void text_free(struct text *t)
{
	free(t->ptr);
	memset(t, 0, sizeof(*t));
}

/* Room for len more bytes, or NULL. */
static char *room(struct text *t, size_t len)
{
	if (t->cap - t->len < len) {
		size_t cap = t->cap ? t->cap : 512;
		while (cap - t->len < len)
			cap *= 2;
		char *ptr = realloc(t->ptr, cap);
		if (!ptr) {
			t->failed = 1;
			return NULL;
		}
		t->ptr = ptr;
		t->cap = cap;
	}
	return t->ptr + t->len;
}

void text_add(struct text *t, const void *bytes, size_t len)
{
	char *to = len ? room(t, len) : NULL;
	if (!to)
		return;
	memcpy(to, bytes, len);
	t->len += len;
}

void text_z(struct text *t, const char *z)
{
	text_add(t, z, strlen(z));
}

void text_str(struct text *t, txw_str s)
{
	text_add(t, s.ptr, s.len);
}

void text_int(struct text *t, int64_t v)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%lld", (long long)v);
	text_add(t, digits, (size_t)n);
}

txw_str text_view(const struct text *t)
{
	return (txw_str){t->len ? t->ptr : NULL, t->len};
}

/* RFC 8259, section 7: quotation mark, reverse solidus, control characters. */
void text_json(struct text *t, txw_str s)
{
	size_t from = 0;
	text_z(t, "\"");
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		char escape[8];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		text_add(t, s.ptr + from, i - from);
		(void)snprintf(escape, sizeof(escape), c < 0x20 ? "\\u%04x" : "\\%c", c);
		text_z(t, escape);
		from = i + 1;
	}
	text_add(t, s.ptr + from, s.len - from);
	text_z(t, "\"");
}

void text_time(struct text *t, txw_time at)
{
	int64_t micros = at % 1000000;
	time_t seconds = (time_t)((at - micros) / 1000000);
	struct tm tm;
	char out[64];
	gmtime_r(&seconds, &tm);
	size_t len = strftime(out, sizeof(out), "%Y-%m-%dT%H:%M:%S", &tm);
	text_add(t, out, len);
	if (micros > 0) {
		int n = snprintf(out, sizeof(out), ".%06d", (int)micros);
		while (out[n - 1] == '0')
			n--;
		text_add(t, out, (size_t)n);
	}
	text_z(t, "Z");
}

void text_base64(struct text *t, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)bytes[i] << 16;
		if (n > 1)
			v |= (uint32_t)bytes[i + 1] << 8;
		if (n > 2)
			v |= bytes[i + 2];
		char four[4] = {BASE64[v >> 18], BASE64[v >> 12 & 63],
				n > 1 ? BASE64[v >> 6 & 63] : '=', n > 2 ? BASE64[v & 63] : '='};
		text_add(t, four, sizeof(four));
	}
}

int base64_decode(txw_str text, uint8_t *out, size_t cap)
{
	size_t n = 0, len = text.len;
	uint32_t bits = 0;
	unsigned held = 0;
	while (len && text.len % 4 == 0 && text.len - len < 2 && text.ptr[len - 1] == '=')
		len--;
	if (len % 4 == 1)
		return -1;
	for (size_t i = 0; i < len; i++) {
		const char *at = text.ptr[i] ? strchr(BASE64, text.ptr[i]) : NULL;
		if (!at)
			return -1;
		bits = bits << 6 | (uint32_t)(at - BASE64);
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		if (n == cap)
			return -1;
		out[n++] = (uint8_t)(bits >> held);
		bits &= (1u << held) - 1;
	}
	return bits ? -1 : (int)n; /* left-over bits must be 0 */
}

void text_typeid(struct text *t, const char *prefix, txw_id id)
{
	char out[26];
	for (int i = 25; i >= 0; i--) {
		out[i] = BASE32[id.lo & 31];
		id.lo = id.lo >> 5 | id.hi << 59;
		id.hi >>= 5;
	}
	text_z(t, prefix);
	text_z(t, "_");
	text_add(t, out, sizeof(out));
}

/* How many bytes the character at s has; 0: it is not valid UTF-8, or NUL
 * (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	unsigned char c = s[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
	if (c == 0 || n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f) ||
	    (c == 0xf0 && s[1] < 0x90) || (c == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void text_utf8(struct text *t, txw_str s, size_t cap)
{
	const unsigned char *in = (const unsigned char *)s.ptr;
	size_t end = t->len + cap;
	for (size_t i = 0; i < s.len;) {
		size_t n = utf8_length(in + i, s.len - i);
		const void *from = n ? (const void *)(in + i) : "\xef\xbf\xbd";
		size_t len = n ? n : 3;
		if (t->failed || t->len + len > end)
			return;
		text_add(t, from, len);
		i += n ? n : 1;
	}
}
