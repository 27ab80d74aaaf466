/* decimal.c: two numbers, a line each: the host and the stores call the same
 * texts numbers, and order them as big integers of a library are ordered. */
#include "fuzz.h"

#include <openssl/bn.h>

#include "base/decimal.h"

/* The stores' own, built here under other names (CMakeLists.txt). */
bool store_decimal_valid(txw_str s);
int store_decimal_cmp(txw_str a, txw_str b);
size_t store_decimal_key(txw_str s, unsigned char out[64]);

#define PLACES 60 /* a number has at most so many characters */

static int sign(int c)
{
	return (c > 0) - (c < 0);
}

/* The number times 10^60. */
static BIGNUM *scaled(txw_str s)
{
	char text[2 * PLACES + 2];
	size_t n = 0, point = 0;
	bool has_point = false;
	BIGNUM *out = NULL;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '.') {
			has_point = true;
			continue;
		}
		text[n++] = s.ptr[i];
		point += has_point;
	}
	for (; point < PLACES; point++)
		text[n++] = '0';
	text[n] = '\0';
	MUST(BN_dec2bn(&out, text) == (int)n);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
	unsigned char keys[2][64];
	txw_str a = {(const char *)data, line ? (size_t)(line - data) : size};
	txw_str b = {line ? (const char *)line + 1 : NULL, line ? size - a.len - 1 : 0};
	MUST(decimal_valid(a) == store_decimal_valid(a));
	MUST(decimal_valid(b) == store_decimal_valid(b));
	if (!decimal_valid(a) || !decimal_valid(b))
		return 0;
	BIGNUM *x = scaled(a), *y = scaled(b);
	int want = BN_cmp(x, y);
	size_t n = store_decimal_key(a, keys[0]), m = store_decimal_key(b, keys[1]);
	int c = memcmp(keys[0], keys[1], n < m ? n : m);
	MUST(sign(decimal_cmp(a, b)) == want && sign(store_decimal_cmp(a, b)) == want);
	MUST(n <= 64 && m <= 64 && (c ? sign(c) : (n > m) - (n < m)) == want);
	BN_free(x);
	BN_free(y);
	return 0;
}
