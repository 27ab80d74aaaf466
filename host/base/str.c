/* str.c: see str.h. */
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/mem.h"

int str_cmp(txw_str a, txw_str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
	if (c)
		return c;
	return (a.len > b.len) - (a.len < b.len);
}

/* How many bytes a well-formed sequence at p has (Unicode 15, table 3-7);
 * 0 = not one. */
static size_t utf8_length(const unsigned char *p, const unsigned char *end)
{
	unsigned char c = p[0];
	if (c < 0x80)
		return c != 0;
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4 || (size_t)(end - p) < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) ||
	    (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

bool str_utf8(txw_str s)
{
	if (s.len == 0) /* NULL is no place to count from */
		return true;
	const unsigned char *p = (const unsigned char *)s.ptr, *end = p + s.len;
	while (p < end) {
		size_t n = utf8_length(p, end);
		if (n == 0)
			return false;
		p += n;
	}
	return true;
}

char *str_dup(txw_str s)
{
	char *z = xmalloc(s.len + 1);
	if (s.len)
		memcpy(z, s.ptr, s.len);
	z[s.len] = '\0';
	return z;
}

bool str_int(txw_str s, int64_t *out)
{
	size_t i = 0;
	bool negative = s.len && s.ptr[0] == '-';
	if (negative)
		i = 1;
	if (i == s.len)
		return false;
	int64_t v = 0;
	for (; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		/* Downwards, so that the least int64 is reached too. */
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, s.ptr[i] - '0', &v))
			return false;
	}
	if (!negative && __builtin_sub_overflow(0, v, &v))
		return false;
	*out = v;
	return true;
}

void str_hex(char out[16], uint64_t n)
{
	for (int i = 15; i >= 0; i--, n >>= 4)
		out[i] = "0123456789abcdef"[n & 15];
}

#define FAR ((size_t)40) /* words so long are near to nothing */

/* Optimal string alignment distance; `most` where it is not less. */
static size_t edit_distance(txw_str a, txw_str b, size_t most)
{
	size_t d[FAR][FAR];
	for (size_t j = 0; j <= b.len; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t least = d[i][0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t cost = tolower((unsigned char)a.ptr[i - 1]) !=
				      tolower((unsigned char)b.ptr[j - 1]);
			size_t best = d[i - 1][j - 1] + cost;
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] &&
			    a.ptr[i - 2] == b.ptr[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
			least = best < least ? best : least;
		}
		/* The rows below are no less. */
		if (least >= most)
			return most;
	}
	return d[a.len][b.len];
}

const char *str_nearest(const char *word, const char *const *names, size_t n)
{
	const char *best = NULL;
	txw_str a = str_of(word);
	size_t least = a.len / 3 + 2; /* a third of it may differ, or one letter */
	for (size_t i = 0; i < n && a.len < FAR; i++) {
		txw_str b = str_of(names[i]);
		size_t apart = a.len < b.len ? b.len - a.len : a.len - b.len;
		if (!b.ptr || b.len >= FAR || apart >= least)
			continue;
		size_t d = edit_distance(a, b, least);
		if (d < least) {
			least = d;
			best = names[i];
		}
	}
	return best;
}
