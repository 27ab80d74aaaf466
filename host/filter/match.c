/* match.c: single values against a test: text and order. */
#include "filter/parts.h"

#include "base/str.h"

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool contains(txw_str have, txw_str part)
{
	for (size_t i = 0; i + part.len <= have.len; i++) {
		size_t k = 0;
		while (k < part.len && fold(have.ptr[i + k]) == fold(part.ptr[k]))
			k++;
		if (k == part.len)
			return true;
	}
	return false;
}

static bool equal(txw_str have, txw_str want)
{
	if (want.len && want.ptr[want.len - 1] == '*')
		return str_starts(have, (txw_str){want.ptr, want.len - 1});
	return str_eq(have, want);
}

bool match_text(uint32_t op, txw_str have, txw_str want)
{
	switch (op) {
	case TXW_F_EQ:
		return equal(have, want);
	case TXW_F_NE:
		return !equal(have, want);
	case TXW_F_HAS:
		return str_is(want, "*") || contains(have, want);
	default:
		return false;
	}
}

bool match_order(uint32_t op, int cmp)
{
	switch (op) {
	case TXW_F_EQ:
		return cmp == 0;
	case TXW_F_NE:
		return cmp != 0;
	case TXW_F_LT:
		return cmp < 0;
	case TXW_F_LE:
		return cmp <= 0;
	case TXW_F_GT:
		return cmp > 0;
	case TXW_F_GE:
		return cmp >= 0;
	default:
		return false;
	}
}
