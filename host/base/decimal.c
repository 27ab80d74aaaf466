/* decimal.c: see decimal.h. */
#include "base/decimal.h"

#include <string.h>

#define DECIMAL_MAX 60

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

bool decimal_valid(txw_str s)
{
	size_t i = s.len && s.ptr[0] == '-';
	size_t start = i;
	while (i < s.len && digit(s.ptr[i]))
		i++;
	if (i == start || s.len > DECIMAL_MAX)
		return false;
	if (i == s.len)
		return true;
	if (s.ptr[i++] != '.')
		return false;
	start = i;
	while (i < s.len && digit(s.ptr[i]))
		i++;
	return i == s.len && i > start;
}

struct parts {
	bool negative;
	txw_str whole; /* without leading zeros */
	txw_str part;  /* without trailing zeros */
};

static struct parts split(txw_str s)
{
	struct parts p = {0};
	if (s.len && s.ptr[0] == '-') {
		p.negative = true;
		s.ptr++;
		s.len--;
	}
	const char *dot = memchr(s.ptr, '.', s.len);
	p.whole = (txw_str){s.ptr, dot ? (size_t)(dot - s.ptr) : s.len};
	if (dot)
		p.part = (txw_str){dot + 1, s.len - p.whole.len - 1};
	while (p.whole.len && p.whole.ptr[0] == '0') {
		p.whole.ptr++;
		p.whole.len--;
	}
	while (p.part.len && p.part.ptr[p.part.len - 1] == '0')
		p.part.len--;
	if (p.whole.len == 0 && p.part.len == 0)
		p.negative = false; /* -0 is 0 */
	return p;
}

static int cmp_magnitude(const struct parts *a, const struct parts *b)
{
	if (a->whole.len != b->whole.len)
		return a->whole.len < b->whole.len ? -1 : 1;
	int c = a->whole.len ? memcmp(a->whole.ptr, b->whole.ptr, a->whole.len) : 0;
	if (c)
		return c < 0 ? -1 : 1;
	size_t n = a->part.len < b->part.len ? a->part.len : b->part.len;
	c = n ? memcmp(a->part.ptr, b->part.ptr, n) : 0;
	if (c)
		return c < 0 ? -1 : 1;
	return (a->part.len > b->part.len) - (a->part.len < b->part.len);
}

int decimal_cmp(txw_str left, txw_str right)
{
	struct parts a = split(left), b = split(right);
	if (a.negative != b.negative)
		return a.negative ? -1 : 1;
	int c = cmp_magnitude(&a, &b);
	return a.negative ? -c : c;
}
