/* decimal.c: see decimal.h. */
#include "decimal.h"

#include <string.h>

#define DECIMAL_MAX 60

/* "-0012.50" is negative, whole "12", part "5". */
struct decimal {
	bool negative;
	txw_str whole;
	txw_str part;
};

static size_t digits(txw_str s, size_t at)
{
	size_t i = at;
	while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9')
		i++;
	return i - at;
}

bool decimal_valid(txw_str s)
{
	size_t at = s.len && s.ptr[0] == '-';
	size_t n = digits(s, at);
	if (n == 0 || s.len > DECIMAL_MAX)
		return false;
	at += n;
	if (at == s.len)
		return true;
	n = s.ptr[at] == '.' ? digits(s, at + 1) : 0;
	return n > 0 && at + 1 + n == s.len;
}

static struct decimal parse(txw_str s)
{
	struct decimal d = {.negative = s.ptr[0] == '-'};
	size_t at = d.negative;
	while (at < s.len && s.ptr[at] == '0')
		at++;
	d.whole = (txw_str){s.ptr + at, digits(s, at)};
	at += d.whole.len;
	if (at < s.len)
		d.part = (txw_str){s.ptr + at + 1, s.len - at - 1};
	while (d.part.len && d.part.ptr[d.part.len - 1] == '0')
		d.part.len--;
	if (!d.whole.len && !d.part.len)
		d.negative = false; /* -0 is 0 */
	return d;
}

static int cmp_digits(txw_str a, txw_str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
	return c ? c : (a.len > b.len) - (a.len < b.len);
}

int decimal_cmp(txw_str left, txw_str right)
{
	struct decimal a = parse(left), b = parse(right);
	if (a.negative != b.negative)
		return a.negative ? -1 : 1;
	int c = (a.whole.len > b.whole.len) - (a.whole.len < b.whole.len);
	if (!c)
		c = cmp_digits(a.whole, b.whole);
	if (!c)
		c = cmp_digits(a.part, b.part);
	return a.negative ? -c : c;
}

size_t decimal_key(txw_str s, unsigned char out[DECIMAL_KEY_MAX])
{
	struct decimal d = parse(s);
	size_t n = 0;
	if (!d.whole.len && !d.part.len) {
		out[0] = 1;
		return 1;
	}
	out[n++] = d.negative ? 0 : 2;
	out[n++] = (unsigned char)d.whole.len; /* more digits, more */
	memcpy(out + n, d.whole.ptr, d.whole.len);
	n += d.whole.len;
	if (d.part.len)
		memcpy(out + n, d.part.ptr, d.part.len);
	n += d.part.len;
	out[n++] = 0; /* so that a shorter one ends before a longer one's digit */
	for (size_t i = 1; d.negative && i < n; i++)
		out[i] = (unsigned char)~out[i];
	return n;
}
