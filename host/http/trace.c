/* trace.c: see trace.h; https://www.w3.org/TR/trace-context/ */
#include "http/trace.h"

#include <string.h>

#include "base/str.h"

/* Small hexadecimal digits, not all of them 0 unless they may be. */
static bool hex(const char *p, size_t n, bool may_be_zero)
{
	bool is_zero = true;
	for (size_t i = 0; i < n; i++) {
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
			return false;
		is_zero = is_zero && p[i] == '0';
	}
	return may_be_zero || !is_zero;
}

/* VERSION-TRACE-SPAN-FLAGS; a later version may have more behind it. */
static bool is_good(txw_str s)
{
	const char *p = s.ptr;
	if (s.len < TRACE_TEXT_MAX - 1 || !hex(p, 2, true) || memcmp(p, "ff", 2) == 0)
		return false;
	if (memcmp(p, "00", 2) == 0 && s.len != TRACE_TEXT_MAX - 1)
		return false;
	if (s.len > TRACE_TEXT_MAX - 1 && p[TRACE_TEXT_MAX - 1] != '-')
		return false;
	return p[2] == '-' && hex(p + 3, 32, false) && p[35] == '-' && hex(p + 36, 16, false) &&
	       p[52] == '-' && hex(p + 53, 2, true);
}

bool trace_continue(char out[TRACE_TEXT_MAX], txw_str theirs, const uint64_t bits[2], uint64_t span)
{
	bool is_theirs = is_good(theirs);
	memcpy(out, "00-", 3);
	if (is_theirs) {
		memcpy(out + 3, theirs.ptr + 3, 32);
	} else {
		str_hex(out + 3, bits[0] ? bits[0] : 1);
		str_hex(out + 19, bits[1]);
	}
	out[35] = '-';
	str_hex(out + 36, span ? span : 1);
	/* Of the flags only "sampled", the lowest bit, is known to version 00. */
	memcpy(out + 52, "-00", 4);
	if (is_theirs && strchr("13579bdf", theirs.ptr[54]))
		out[54] = '1';
	return is_theirs;
}
