/* media.c: see media.h; RFC 9110, 8.3. */
#include "api/media.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

static txw_str trim(txw_str s)
{
	while (s.len && strchr(" \t", s.ptr[0]))
		s = (txw_str){s.ptr + 1, s.len - 1};
	while (s.len && strchr(" \t", s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static bool word_is(txw_str s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0;
}

static bool is_utf8(txw_str charset)
{
	if (charset.len > 1 && charset.ptr[0] == '"' && charset.ptr[charset.len - 1] == '"')
		charset = (txw_str){charset.ptr + 1, charset.len - 2};
	return word_is(charset, "utf-8") || word_is(charset, "utf8") ||
	       word_is(charset, "us-ascii");
}

bool media_is(txw_str header, const char *type)
{
	bool is_first = true;
	while (header.len || is_first) {
		const char *at = header.len ? memchr(header.ptr, ';', header.len) : NULL;
		size_t n = at ? (size_t)(at - header.ptr) : header.len;
		txw_str part = trim((txw_str){header.ptr, n});
		const char *equal = part.len ? memchr(part.ptr, '=', part.len) : NULL;
		size_t name = equal ? (size_t)(equal - part.ptr) : part.len;
		if (is_first && !word_is(part, type))
			return false;
		if (!is_first && equal && word_is((txw_str){part.ptr, name}, "charset") &&
		    !is_utf8((txw_str){equal + 1, part.len - name - 1}))
			return false;
		n += at != NULL;
		header = (txw_str){header.ptr ? header.ptr + n : NULL, header.len - n};
		is_first = false;
	}
	return true;
}
