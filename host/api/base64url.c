/* base64url.c: see base64url.h. */
#include "api/base64url.h"

#include <stdint.h>

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool base64url_decode(struct arena *a, txw_str text, txw_str *out)
{
	char *bytes = arena_alloc(a, text.len / 4 * 3 + 3);
	uint32_t held = 0;
	unsigned bits = 0;
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		int v = value_of(text.ptr[i]);
		if (v < 0)
			return false;
		held = (held << 6 | (uint32_t)v) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			bytes[n++] = (char)(held >> bits & 0xff);
		}
	}
	*out = (txw_str){bytes, n};
	/* One letter of the last four makes no byte; what is left is zero. */
	return text.len % 4 != 1 && (held & ((1u << bits) - 1)) == 0;
}
