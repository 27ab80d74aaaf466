/*
 * target.c: the request's target: is it sane, and its query decoded.
 *
 * The path is decoded by libmicrohttpd; what would make its text lie (an
 * encoded NUL, a broken escape, bytes that are not UTF-8) is refused here,
 * on the raw target, before.
 */
#include <string.h>

#include "base/str.h"
#include "http/inside.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* In place; the new length, or -1. */
static ptrdiff_t decode(char *s, size_t len, bool plus_is_space)
{
	size_t out = 0;
	bool is_plain = true;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '%') {
			int hi = i + 2 < len ? hex(s[i + 1]) : -1;
			int lo = hi >= 0 ? hex(s[i + 2]) : -1;
			if (lo < 0)
				return -1;
			c = (unsigned char)(hi * 16 + lo);
			if (c == 0)
				return -1;
			i += 2;
		} else if (c <= ' ' || c == 0x7f) {
			return -1;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		is_plain = is_plain && c < 0x80;
		s[out++] = (char)c;
	}
	if (!is_plain && !str_utf8((txw_str){s, out}))
		return -1;
	return (ptrdiff_t)out;
}

static bool add_query(struct http_request *r, char *pair, size_t len)
{
	if (len == 0)
		return true;
	if (r->n_queries == QUERIES_MAX)
		return false;
	char *equal = memchr(pair, '=', len);
	size_t name_len = equal ? (size_t)(equal - pair) : len;
	char *value = equal ? equal + 1 : pair + len;
	ptrdiff_t n = decode(pair, name_len, true);
	ptrdiff_t v = decode(value, (size_t)(pair + len - value), true);
	if (n < 0 || v < 0)
		return false;
	r->queries[r->n_queries++] = (struct query){
	    .name = {pair, (size_t)n},
	    .value = {value, (size_t)v},
	};
	return true;
}

static bool query_parse(struct http_request *r, const char *text)
{
	size_t len = strlen(text);
	if (len == 0)
		return true;
	r->queries = arena_alloc(&r->arena, QUERIES_MAX * sizeof(struct query));
	char *copy = (char *)(uintptr_t)arena_str(&r->arena, (txw_str){text, len}).ptr;
	for (size_t from = 0; from <= len;) {
		char *amp = memchr(copy + from, '&', len - from);
		size_t to = amp ? (size_t)(amp - copy) : len;
		if (!add_query(r, copy + from, to - from))
			return false;
		from = to + 1;
	}
	return true;
}

/* A path without escapes, the common case, needs no copy to be judged. */
static bool path_is_plain(const char *uri, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)uri[i];
		if (c <= ' ' || c >= 0x7f || c == '%')
			return false;
	}
	return true;
}

bool target_parse(struct http_request *r, const char *uri)
{
	if (uri[0] != '/')
		return false;
	const char *question = strchr(uri, '?');
	size_t path_len = question ? (size_t)(question - uri) : strlen(uri);
	if (!path_is_plain(uri, path_len)) {
		txw_str copy = arena_str(&r->arena, (txw_str){uri, path_len});
		if (decode((char *)(uintptr_t)copy.ptr, copy.len, false) < 0)
			return false;
	}
	return !question || query_parse(r, question + 1);
}
