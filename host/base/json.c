/*
 * json.c: JSON out, by hand (RFC 8259); see buf.h.
 *
 * A value needs a comma before it unless the buffer is empty or ends in one
 * of `{ [ : ,` or a newline, which parts documents; outside of texts nothing
 * else can end in those.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

static void separate(struct buf *b)
{
	if (b->len == 0)
		return;
	switch (b->ptr[b->len - 1]) {
	case '{':
	case '[':
	case ':':
	case ',':
	case '\n':
		return;
	default:
		buf_char(b, ',');
	}
}

void json_open(struct buf *b, char bracket)
{
	separate(b);
	buf_char(b, bracket);
}

void json_close(struct buf *b, char bracket)
{
	buf_char(b, bracket);
}

static size_t sequence_length(const char *p, size_t left)
{
	size_t n = left < 4 ? left : 4;
	for (size_t i = 2; i <= n; i++)
		if (str_utf8((txw_str){p, i}))
			return i;
	return 0;
}

static void escape(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char shorts[] = "btn\0fr"; /* from \b, 0x08 */
	if (c == '"' || c == '\\') {
		char two[2] = {'\\', (char)c};
		buf_add(b, two, 2);
	} else if (c >= 8 && c <= 13 && shorts[c - 8]) {
		char two[2] = {'\\', shorts[c - 8]};
		buf_add(b, two, 2);
	} else {
		char six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
		buf_add(b, six, 6);
	}
}

void json_str(struct buf *b, txw_str s)
{
	separate(b);
	buf_reserve(b, s.len + 2);
	buf_char(b, '"');
	size_t start = 0, i = 0;
	while (i < s.len) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			i++;
			continue;
		}
		if (c >= 0x80) {
			size_t n = sequence_length(s.ptr + i, s.len - i);
			if (n) {
				i += n;
				continue;
			}
		}
		buf_add(b, s.ptr + start, i - start);
		if (c >= 0x80)
			buf_add(b, "\xef\xbf\xbd", 3);
		else
			escape(b, c);
		start = ++i;
	}
	buf_add(b, s.ptr + start, i - start);
	buf_char(b, '"');
}

void json_key(struct buf *b, const char *key)
{
	separate(b);
	size_t n = strlen(key);
	buf_reserve(b, n + 3);
	buf_char(b, '"');
	buf_add(b, key, n);
	buf_add(b, "\":", 2);
}

void json_int(struct buf *b, int64_t v)
{
	separate(b);
	buf_int(b, v);
}

void json_bool(struct buf *b, int v)
{
	separate(b);
	buf_text(b, v ? "true" : "false");
}

void json_none(struct buf *b)
{
	separate(b);
	buf_add(b, "null", 4);
}

void json_raw(struct buf *b, txw_str json)
{
	/* A line's end would be taken for the start of the next document. */
	while (json.len && strchr(" \t\r\n", json.ptr[json.len - 1]) && json.ptr[json.len - 1])
		json.len--;
	if (json.len == 0) {
		json_none(b);
		return;
	}
	separate(b);
	buf_str(b, json);
}

void json_time(struct buf *b, txw_time t)
{
	if (t == 0) {
		json_none(b);
		return;
	}
	char text[TIME_TEXT_MAX];
	size_t n = time_print(text, t);
	separate(b);
	buf_char(b, '"');
	buf_add(b, text, n);
	buf_char(b, '"');
}

void json_m_str(struct buf *b, const char *key, txw_str s)
{
	json_key(b, key);
	json_str(b, s);
}

void json_m_text(struct buf *b, const char *key, const char *z)
{
	json_key(b, key);
	if (z)
		json_str(b, str_of(z));
	else
		json_none(b);
}

void json_m_opt(struct buf *b, const char *key, txw_str s)
{
	if (s.len)
		json_m_str(b, key, s);
}

void json_m_int(struct buf *b, const char *key, int64_t v)
{
	json_key(b, key);
	json_int(b, v);
}

void json_m_bool(struct buf *b, const char *key, int v)
{
	json_key(b, key);
	json_bool(b, v);
}

void json_m_time(struct buf *b, const char *key, txw_time t)
{
	json_key(b, key);
	json_time(b, t);
}

void json_m_raw_opt(struct buf *b, const char *key, txw_str json)
{
	if (json.len == 0)
		return;
	json_key(b, key);
	json_raw(b, json);
}
