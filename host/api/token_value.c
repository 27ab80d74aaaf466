/* token_value.c: see token_value.h. */
#include "api/token_value.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SECRET_BYTES 32

/* base64url without padding (RFC 4648, section 5). */
static size_t encode(char *out, const unsigned char *bytes, size_t n)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t held = 0;
	unsigned bits = 0;
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		held = held << 8 | bytes[i];
		for (bits += 8; bits >= 6; bits -= 6)
			out[len++] = digits[held >> (bits - 6) & 63];
	}
	if (bits)
		out[len++] = digits[held << (6 - bits) & 63];
	return len;
}

size_t token_value_make(char out[TOKEN_VALUE_MAX])
{
	unsigned char secret[SECRET_BYTES];
	while (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		;
	memcpy(out, "txw_", 4);
	size_t len = 4 + encode(out + 4, secret, sizeof(secret));
	out[len] = '\0';
	explicit_bzero(secret, sizeof(secret));
	return len;
}
